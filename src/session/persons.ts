/**
 * The sessions of one person: how many there may be, and which there are. A person is (idp, subject). The set that counts
 * them holds confirmed sessions only and is entered in one step, so that two browsers that come at the same moment for one
 * place cannot both have it; members whose record is gone are taken out when it is read (SESSIONS B 21, B 24).
 */
import { setImmediate } from 'node:timers/promises'
import type { EndedSession } from '../model/session.ts'
import type { DirectoryStore, RecordStore } from '../model/store.ts'
import { directoryKey, directoryKeys, type Person } from './directory.ts'
import { inParts } from './in-parts.ts'
import type { KnownSession, Look } from './known.ts'
import type { Marks } from './marks.ts'
import type { Keys } from './seal.ts'
import type { Tidy } from './tidy.ts'

export interface PerPerson {
  /** Confirmed sessions at most. */
  readonly limit: number
  /** What becomes of one more: the person chooses which other one to close, the oldest is closed, or it is refused. */
  readonly beyond: 'ask' | 'oldest' | 'refuse'
}

export interface PersonsParts {
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly keys: Keys
  readonly marks: Marks
  readonly condemned: { readonly has: (hash: string) => boolean }
  /** Null: as many as they like. Read at each use, as the next: a reload changes them. */
  readonly perPerson: PerPerson | null
  readonly absoluteMs: number
  readonly look: Look
  readonly tidy: Pick<Tidy, 'forget'>
  readonly end: (hash: string, reason: 'limit') => Promise<EndedSession | null>
  /** Hears of the sessions that made room. */
  readonly displaced: (ended: EndedSession) => void
}

/** Others may fill a place that was just found free: each time one of them has come in. After so many it is refused. */
const attempts = 20

export type Persons = ReturnType<typeof createPersons>

export function createPersons(parts: PersonsParts) {
  const { records, directory, keys } = parts

  return {
    /** The confirmed sessions of a person that live, the oldest first. */
    of: living,

    /** Every hash that may be theirs: provisional ones and dead ones too. */
    async hashesOf(person: Person): Promise<readonly string[]> {
      return membersOf(person, 'person', 'sub')
    },

    /**
     * A place among its person's sessions, for one that is about to count.
     * @returns false: there is none
     * @throws GatewayError `session.store-down`
     */
    async admit(hash: string, person: Person, absoluteEnd: number): Promise<boolean> {
      const { perPerson } = parts
      const key = directoryKey(keys, 'person', person.idp, person.subject)
      if (perPerson === null) {
        await directory.add(key, hash, absoluteEnd)
        return true
      }
      await gather(person, key)
      let offered: readonly string[] = []
      let dead: ReadonlySet<string> = new Set()
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { outcome, displaced } = await directory.enter(key, hash, absoluteEnd, perPerson.limit, offered)
        await Promise.all(displaced.filter(one => !dead.has(one)).map(displace))
        if (outcome !== 'full') return true
        const { over, counting, coming } = await inPlaces(person)
        const places = [...counting, ...coming].map(one => one.hash)
        // It came by another tab at the same moment.
        if (places.includes(hash)) return true
        if (perPerson.beyond === 'oldest') offered = [...over, ...places]
        else if (places.length >= perPerson.limit) return false
        // Nobody who lives makes room unasked, and one whose cookie is just coming back has its place already.
        else offered = over
        dead = new Set(over)
      }
      return false
    },
  }

  /** Who stands in the set that counts: those that are over and only wait to be taken out; the others, the oldest first. */
  async function inPlaces(person: Person): Promise<Places> {
    const over: string[] = []
    const found: KnownSession[] = []
    for (const hashes of inParts(await membersOf(person, 'person'))) {
      const some = await Promise.all(hashes.map(hash => parts.look(hash)))
      for (const [at, known] of some.entries()) {
        const hash = hashes[at] as string
        if (known === null) await parts.tidy.forget(hash, person)
        else if (await isOver(known)) over.push(hash)
        else found.push(known)
      }
      await setImmediate()
    }
    const sorted = found.toSorted((a, b) => a.createdAt - b.createdAt)
    return { over, counting: sorted.filter(one => !one.provisional), coming: sorted.filter(one => one.provisional) }
  }

  async function isOver({ hash, identity, createdAt }: KnownSession): Promise<boolean> {
    return parts.condemned.has(hash) || (await parts.marks.over(identity, createdAt))
  }

  async function displace(hash: string): Promise<void> {
    // Where the store does not take it, it is shut here and tried again until it does.
    const ended = await parts.end(hash, 'limit').catch(() => null)
    if (ended !== null) parts.displaced(ended)
  }

  /** While a secret is being changed, some stand under the older one's name. */
  async function gather(person: Person, key: string): Promise<void> {
    for (const older of directoryKeys(keys, 'person', person.idp, person.subject).filter(name => name !== key)) {
      for (const hash of await directory.members(older)) {
        await directory.add(key, hash, (await records.clock()) + parts.absoluteMs)
        await directory.remove(older, hash)
      }
    }
  }

  async function living(person: Person): Promise<readonly KnownSession[]> {
    const confirmed = new Set(await membersOf(person, 'person'))
    // Those of an older version, and those whose place another took, stand under the subject alone.
    const all = new Set([...confirmed, ...(await membersOf(person, 'sub'))])
    const found: KnownSession[] = []
    // However many they are, others have their turn in between, at the store and here.
    for (const hashes of inParts([...all])) {
      const some = await Promise.all(hashes.map(hash => alive(hash, person, confirmed.has(hash))))
      found.push(...some.filter(one => one !== null))
      await setImmediate()
    }
    return found.toSorted((a, b) => a.createdAt - b.createdAt)
  }

  async function membersOf({ idp, subject }: Person, ...kinds: readonly Kind[]): Promise<readonly string[]> {
    const names = kinds.flatMap(kind => directoryKeys(keys, kind, idp, subject))
    return [...new Set((await Promise.all(names.map(name => directory.members(name)))).flat())]
  }

  /**
   * Null: it is over, or does not count.
   *
   * @param confirmed its record was there once, so without one it is taken out; a sign-in under way stands under its subject
   *                  before it has a record
   */
  async function alive(hash: string, person: Person, confirmed: boolean): Promise<KnownSession | null> {
    const known = await parts.look(hash)
    if (known === null && confirmed) await parts.tidy.forget(hash, person)
    return known === null || known.provisional || (await isOver(known)) ? null : known
  }
}

type Kind = 'person' | 'sub'

interface Places {
  readonly over: readonly string[]
  readonly counting: readonly KnownSession[]
  /** They have a place, and are about to count. */
  readonly coming: readonly KnownSession[]
}
