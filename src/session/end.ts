/**
 * S6: ending. Exactly one caller wins the record and holds what participants must be told; the log tells everyone else.
 * An end that the store cannot take is kept and tried again, and until then the session is shut in this process.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { LogoutNotice } from '../model/logout.ts'
import type { EndedSession, EndReason } from '../model/session.ts'
import type { DirectoryStore, EndedLog, RecordStore, TombstoneStore } from '../model/store.ts'
import { directoryKey, directoryKeys, everyHandleOf, handlesOfNotice, tombstoneOf } from './directory.ts'
import type { RecentEnds } from './recent-ends.ts'
import { keysOf, openKeep, openRecord, type RecordKeys, type SessionRecord } from './record.ts'
import type { Keys } from './seal.ts'

/** How long a tombstone waits for a sign-in that it overtook, ms (SESSIONS C2). */
const tombstoneLifeMs = 20 * 60_000
/** A sign-in may be between its directory entry and its record when the notice comes: look once more. */
const secondLookMs = 2_000
const retryMs = 1_000
/** Ends that are stored at a time where many wait. */
const retriedAtOnce = 50

export interface EndParts {
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly tombstones: TombstoneStore
  readonly log: EndedLog
  readonly keys: Keys
  /** Shut here until the store has taken their end. */
  readonly condemned: Set<string>
  readonly recent: RecentEnds
  readonly drop: (hash: string) => void
  /** Hears of a session whose end came through after its caller had gone. */
  readonly endedLate: (ended: EndedSession) => void
  readonly now: () => number
  readonly report: Report
}

interface Member {
  readonly key: string
  readonly hash: string
}

interface Ended {
  readonly ended: readonly EndedSession[]
  /** Members of the directory that have no record (any more). */
  readonly over: readonly Member[]
}

export function createEnd(parts: EndParts) {
  const { condemned, keys, recent, records } = parts
  const tombstones = recent.marking(parts.tombstones)
  /** Ends whose log entry is not written yet, each with what participants must be told where the record was taken already. */
  const unannounced = new Map<string, { readonly reason: EndReason; readonly ended: EndedSession | null }>()
  let retry: NodeJS.Timeout | null = null
  const timers = new Set<NodeJS.Timeout>()
  let marksLost = false
  let closed = false

  return {
    end,

    /**
     * The idp says that sessions are over: the mark first, then the directory; a sign-in under way writes its directory
     * entry first and then looks for the mark, so one of the two always sees the other.
     * @throws GatewayError `session.store-down` the mark or an end could not be stored: the idp must ask again
     */
    async endAll(notice: LogoutNotice): Promise<readonly EndedSession[]> {
      const found = handlesOfNotice(notice).flatMap(handle =>
        directoryKeys(keys, handle.kind, notice.idp, handle.value),
      )
      const mark = JSON.stringify({ at: parts.now(), issuedAt: notice.issuedAt })
      await Promise.all(found.map(key => tombstones.mark(tombstoneOf(key), mark, tombstoneLifeMs)))
      const first = endMembers(found)
      const timer = setTimeout(() => {
        timers.delete(timer)
        lookAgain(found, first).catch(() => {})
      }, secondLookMs)
      timer.unref()
      timers.add(timer)
      return (await first).ended
    },

    /**
     * The store may have lost ends that it had confirmed: those of this process are made once more, marks first, and each
     * until it succeeds. A record that came back is gone again; a line too many in the log does no harm.
     */
    repeat(): void {
      for (const [hash, reason] of recent.own()) {
        if (!unannounced.has(hash)) unannounced.set(hash, { reason, ended: null })
      }
      marksLost = true
      retryNow().catch(() => {})
    },

    close(): void {
      closed = true
      if (retry !== null) clearTimeout(retry)
      for (const timer of timers) clearTimeout(timer)
    },
  }

  /**
   * @returns null: somebody else ended it before, or it was never there
   * @throws GatewayError `logout.not-stored` it is shut here, and will be ended as soon as the store takes it
   */
  async function end(hash: string, reason: EndReason): Promise<EndedSession | null> {
    parts.drop(hash)
    condemned.add(hash)
    try {
      const taken = await take(hash, reason)
      condemned.delete(hash)
      return taken
    } catch (cause) {
      unannounced.set(hash, { reason, ended: unannounced.get(hash)?.ended ?? null })
      scheduleRetry()
      throw new GatewayError(
        'logout.not-stored',
        'the session store did not take the end of a session; it is tried again every second',
        { cause },
      )
    }
  }

  async function take(hash: string, reason: EndReason): Promise<EndedSession | null> {
    const at = keysOf(hash)
    const taken = await records.take(at.record, at.visits)
    const before = unannounced.get(hash)
    // The winner announces; a loser of the race may still have to finish an announcement that failed before.
    if (taken === null && before === undefined) return null
    // A failover brought it back: everybody was told when it ended.
    const revived = taken !== null && recent.has(hash)
    recent.decided(hash, reason)
    const record = taken === null ? null : (openRecord(keys, at, taken.value)?.record ?? null)
    const ended = record === null || revived ? (before?.ended ?? null) : endedOf(at, record, taken?.visits ?? [])
    unannounced.set(hash, { reason, ended })
    await parts.log.append({ kind: 'session', key: hash, reason })
    unannounced.delete(hash)
    if (record === null) return ended
    const { identity } = record
    for (const handle of everyHandleOf(identity)) {
      parts.directory.remove(directoryKey(keys, handle.kind, identity.idp, handle.value), hash).catch(() => {})
    }
    if (!record.provisional && !revived) parts.report({ name: 'session.ended', reason, idp: identity.idp })
    return ended
  }

  function endedOf(at: RecordKeys, record: SessionRecord, visited: readonly string[]): EndedSession {
    const { identity, device, keep } = record
    return { hash: at.hash, identity, device, keep: openKeep(keys, at, keep), visited }
  }

  async function endMembers(directory: readonly string[]): Promise<Ended> {
    const read = await Promise.all(
      directory.map(async key => (await parts.directory.members(key)).map(hash => ({ key, hash }))),
    )
    const members = read.flat()
    const hashes = [...new Set(members.map(({ hash }) => hash))]
    const outcomes = new Map(await Promise.all(hashes.map(async hash => [hash, await end(hash, 'idp')] as const)))
    return {
      ended: [...outcomes.values()].filter(one => one !== null),
      over: members.filter(({ hash }) => outcomes.get(hash) === null),
    }
  }

  async function lookAgain(directory: readonly string[], first: Promise<Ended>): Promise<void> {
    const second = await endMembers(directory)
    second.ended.forEach(parts.endedLate)
    // Without a record at both looks: in between, a sign-in under way has written its own (SESSIONS B 24).
    const stillOver = new Set(second.over.map(({ key, hash }) => `${key} ${hash}`))
    for (const { key, hash } of (await first).over) {
      if (stillOver.has(`${key} ${hash}`)) parts.directory.remove(key, hash).catch(() => {})
    }
  }

  function scheduleRetry(): void {
    if (retry !== null || closed) return
    retry = setTimeout(() => {
      retry = null
      retryNow().catch(() => {})
    }, retryMs)
    retry.unref()
  }

  /** Whatever fails waits for the next round. */
  async function retryNow(): Promise<void> {
    const waiting = [...unannounced]
    const repeated = marksLost
    try {
      if (marksLost) await recent.markAgain(parts.tombstones)
      marksLost = false
    } catch {
      return scheduleRetry()
    }
    for (let from = 0; from < waiting.length; from += retriedAtOnce) {
      await Promise.allSettled(
        waiting.slice(from, from + retriedAtOnce).map(async ([hash, { reason }]) => {
          const ended = await take(hash, reason)
          unannounced.delete(hash)
          condemned.delete(hash)
          if (ended !== null) parts.endedLate(ended)
        }),
      )
    }
    if (!repeated) parts.report({ name: 'session.end-retried', left: unannounced.size })
    else if (waiting.length > 0) parts.report({ name: 'session.ends-repeated', ends: waiting.length })
    if (unannounced.size > 0) scheduleRetry()
  }
}
