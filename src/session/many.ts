/**
 * Many sessions at once, for an operator: told, or ended. An end of a whole idp or of everybody holds at once, in every
 * process, by its mark; the walk over the records that follows gives each of them its own end, so that participants can be
 * told and nothing is left behind. Work is done in small pieces, so that a million sessions stop nothing.
 */
import { setImmediate } from 'node:timers/promises'
import type { IdpId } from '../model/identity.ts'
import type { EndedSession, EndReason } from '../model/session.ts'
import type { EndedLog, RecordStore } from '../model/store.ts'
import type { Person } from './directory.ts'
import type { KnownSession, Look } from './known.ts'
import type { Marks } from './marks.ts'
import type { Persons } from './persons.ts'
import { hashOfKey } from './record.ts'
import { settled } from './settled.ts'

export type Selection =
  | { readonly kind: 'session'; readonly hash: string }
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'idp'; readonly idp: IdpId }
  | { readonly kind: 'all' }

/** Of one piece of the work. */
export interface EndedSome {
  readonly looked: number
  readonly ended: readonly EndedSession[]
}

export interface ManyParts {
  readonly records: RecordStore
  readonly log: EndedLog
  readonly marks: Marks
  readonly persons: Persons
  readonly look: Look
  readonly end: (hash: string, reason: EndReason) => Promise<EndedSession | null>
  /** Where a mark has told every process already. */
  readonly endMarked: (hash: string, reason: EndReason) => Promise<EndedSession | null>
}

/** Sessions that are looked at, and ended, at a time. */
const atATime = 50
const reason = 'administrator'

export function createMany(parts: ManyParts) {
  const { records, marks, persons, look } = parts

  return {
    /** Those that count and live. Whoever has seen enough stops asking. */
    async *list(selection: Selection): AsyncGenerator<KnownSession> {
      for await (const some of hashesOf(selection)) {
        for (const known of await Promise.all(some.map(look))) {
          if (known === null || known.provisional || !belongs(known, selection)) continue
          if (!(await marks.over(known.identity, known.createdAt))) yield known
        }
      }
    },

    /**
     * Every session of the selection that began before now; one that begins later is another sign-in, and lives.
     * @throws GatewayError `session.store-down`, `logout.not-stored`: an idp's and everybody's are shut all the same, as
     *         soon as the first piece has been told; asking again finishes the work
     */
    async *end(selection: Selection): AsyncGenerator<EndedSome> {
      const now = Math.floor(await records.clock())
      await shut(selection, now)
      yield { looked: 0, ended: [] }
      for await (const some of hashesOf(selection)) {
        const { ended, failure } = await settled(some.map(hash => endOne(hash, selection, now)))
        yield { looked: some.length, ended }
        if (failure !== null) throw failure.reason
      }
    },
  }

  async function shut(selection: Selection, now: number): Promise<void> {
    switch (selection.kind) {
      case 'session':
        return
      case 'person':
        return marks.setPerson(selection.person, now)
      case 'idp':
        return tell('idp', await marks.setWide(selection.idp, now))
      case 'all':
        return tell('all', await marks.setWide(null, now))
    }
  }

  function tell(kind: 'idp' | 'all', mark: string): Promise<void> {
    return parts.log.append({ kind, key: mark, reason })
  }

  /** One that was provisional never counted, and is not counted here. */
  async function endOne(hash: string, selection: Selection, now: number): Promise<EndedSession | null> {
    const known = await look(hash)
    if (known === null || known.createdAt > now || !belongs(known, selection)) return null
    const ended = await (isWide(selection) ? parts.endMarked(hash, reason) : parts.end(hash, reason))
    return known.provisional ? null : ended
  }

  async function* hashesOf(selection: Selection): AsyncGenerator<readonly string[]> {
    for await (const batch of batchesOf(selection)) {
      for (let from = 0; from < batch.length; from += atATime) {
        // A store in this process answers without letting anybody else have a turn.
        await setImmediate()
        yield batch.slice(from, from + atATime)
      }
    }
  }

  async function* batchesOf(selection: Selection): AsyncGenerator<readonly string[]> {
    switch (selection.kind) {
      case 'session':
        yield [selection.hash]
        return
      case 'person':
        yield await persons.hashesOf(selection.person)
        return
      case 'idp':
      case 'all':
        for await (const keys of records.scan()) yield keys.map(hashOfKey).filter(hash => hash !== null)
    }
  }
}

/** Shut by a mark that every process keeps in mind. */
function isWide({ kind }: Selection): boolean {
  return kind === 'idp' || kind === 'all'
}

function belongs({ identity, hash }: KnownSession, selection: Selection): boolean {
  switch (selection.kind) {
    case 'session':
      return hash === selection.hash
    case 'person':
      return identity.idp === selection.person.idp && identity.subject === selection.person.subject
    case 'idp':
      return identity.idp === selection.idp
    case 'all':
      return true
  }
}
