/**
 * S6: what an idp says is over, ends: the mark first, then the directory. A sign-in under way writes its directory entry first
 * and then looks for the mark, so one of the two always sees the other (SESSIONS A4).
 */
import { GatewayError } from '../errors.ts'
import type { LogoutNotice } from '../model/logout.ts'
import type { EndedSession } from '../model/session.ts'
import type { DirectoryStore, RecordStore, TombstoneStore } from '../model/store.ts'
import { directoryKeys, endsOnlyEarlier, type Handle, handlesOfNotice, tombstoneOf } from './directory.ts'
import { inParts } from './in-parts.ts'
import { keysOf, openRecord } from './record.ts'
import type { Keys } from './seal.ts'
import { writeTombstone } from './tombstone.ts'

/** How long a tombstone waits for a sign-in that it overtook, ms (SESSIONS C2). */
const tombstoneLifeMs = 20 * 60_000
/** A sign-in may be between its directory entry and its record when the notice comes: look once more. */
const secondLookMs = 2_000

export interface EndAllParts {
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly tombstones: TombstoneStore
  readonly keys: Keys
  readonly end: (hash: string, reason: 'idp') => Promise<EndedSession | null>
  /** Hears of a session whose end came through after its caller had gone. */
  readonly endedLate: (ended: EndedSession) => void
  readonly now: () => number
}

export interface EndedAll {
  readonly ended: readonly EndedSession[]
  /** Null: everything that the notice names is over. Else the idp must ask again. */
  readonly failure: GatewayError | null
}

/** An entry of the directory. */
interface Member {
  readonly key: string
  readonly hash: string
}

interface Looked extends EndedAll {
  /** Entries that have no record (any more). */
  readonly over: readonly Member[]
}

export function createEndAll(parts: EndAllParts) {
  const { keys } = parts
  const timers = new Set<NodeJS.Timeout>()

  return {
    /** Ends what an idp says is over, everywhere. Never throws for a store that is away. */
    async endAll(notice: LogoutNotice): Promise<EndedAll> {
      try {
        if (notice.leavesMark === false) return await look(notice)
        const mark = writeTombstone(keys, notice, parts.now())
        const named = handlesOfNotice(notice).flatMap(handle => keysFor(notice, handle))
        await Promise.all(named.map(key => parts.tombstones.mark(tombstoneOf(key), mark, tombstoneLifeMs)))
        const first = look(notice)
        const timer = setTimeout(() => {
          timers.delete(timer)
          lookAgain(notice, first).catch(() => {})
        }, secondLookMs)
        timer.unref()
        timers.add(timer)
        return await first
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        return { ended: [], failure: error }
      }
    },

    close(): void {
      for (const timer of timers) clearTimeout(timer)
    },
  }

  /** @throws GatewayError `session.store-down` the directory cannot be read */
  async function look(notice: LogoutNotice): Promise<Looked> {
    const members = await meantBy(notice)
    const ended: EndedSession[] = []
    const gone = new Set<string>()
    let failure: GatewayError | null = null
    for (const hashes of inParts([...new Set(members.map(({ hash }) => hash))])) {
      const outcomes = await Promise.allSettled(hashes.map(hash => parts.end(hash, 'idp')))
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'rejected') {
          if (!(outcome.reason instanceof GatewayError)) throw outcome.reason
          failure = outcome.reason
        } else if (outcome.value === null) gone.add(hashes[index] ?? '')
        else ended.push(outcome.value)
      }
    }
    return { ended, failure, over: members.filter(({ hash }) => gone.has(hash)) }
  }

  async function lookAgain(notice: LogoutNotice, first: Promise<Looked>): Promise<void> {
    const second = await look(notice)
    second.ended.forEach(parts.endedLate)
    // Without a record at both looks: in between, a sign-in under way has written its own (SESSIONS B 24).
    const stillOver = new Set(second.over.map(({ key, hash }) => `${key} ${hash}`))
    for (const { key, hash } of (await first).over) {
      if (stillOver.has(`${key} ${hash}`)) parts.directory.remove(key, hash).catch(() => {})
    }
  }

  /** Where a notice names a session and a subject, only what is of both. */
  async function meantBy(notice: LogoutNotice): Promise<readonly Member[]> {
    const meant: Member[] = []
    for (const handle of handlesOfNotice(notice)) {
      const members = await membersOf(notice, handle)
      meant.push(...(endsOnlyEarlier(handle.kind) ? await issuedBy(members, notice.issuedAt) : members))
    }
    if (notice.idpSession === null || notice.subject === null) return meant
    const ofSubject = await membersOf(notice, { kind: 'sub', value: notice.subject })
    const both = new Set(ofSubject.map(({ hash }) => hash))
    return meant.filter(({ hash }) => both.has(hash))
  }

  async function membersOf(notice: LogoutNotice, handle: Handle): Promise<readonly Member[]> {
    const members = await Promise.all(
      keysFor(notice, handle).map(async key => {
        return (await parts.directory.members(key)).map((hash): Member => ({ key, hash }))
      }),
    )
    return members.flat()
  }

  function keysFor(notice: LogoutNotice, { kind, value }: Handle): readonly string[] {
    return directoryKeys(keys, kind, notice.idp, value)
  }

  async function issuedBy(members: readonly Member[], time: number): Promise<readonly Member[]> {
    const earlier: Member[] = []
    for (const some of inParts(members)) {
      const outcomes = await Promise.all(some.map(({ hash }) => wasIssuedBy(hash, time)))
      earlier.push(...some.filter((_, index) => outcomes[index]))
    }
    return earlier
  }

  /** True of what is gone or cannot be read, too: to end it once more harms nobody, and its end may wait to be announced. */
  async function wasIssuedBy(hash: string, time: number): Promise<boolean> {
    const at = keysOf(hash)
    const stored = await parts.records.read(at.record)
    const opened = stored === null ? null : openRecord(keys, at, stored.value)
    return opened === null || opened.record.issuedAt <= time
  }
}
