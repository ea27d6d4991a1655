/**
 * S6: ending. Exactly one caller wins the record and holds what participants must be told; the log tells everyone else.
 * An end that the store cannot take is kept and tried again, and until then the session is shut in this process.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { EndedSession, EndReason } from '../model/session.ts'
import type { DirectoryStore, EndedLog, RecordStore, TombstoneStore } from '../model/store.ts'
import { directoryKey, everyHandleOf } from './directory.ts'
import type { RecentEnds } from './recent-ends.ts'
import { identityOf, keysOf, openKeep, openRecord, type RecordKeys, type SessionRecord } from './record.ts'
import type { Keys } from './seal.ts'

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
  readonly report: Report
}

export function createEnd(parts: EndParts) {
  const { condemned, keys, recent, records } = parts
  /** Ends whose log entry is not written yet, each with what participants must be told where the record was taken already. */
  const unannounced = new Map<string, { readonly reason: EndReason; readonly ended: EndedSession | null }>()
  let retry: NodeJS.Timeout | null = null
  /** The attempt that runs, or the last one. */
  let round = Promise.resolve()
  let marksLost = false
  let closed = false

  return {
    end,
    endMarked,

    /**
     * The store may have lost ends that it had confirmed: those of this process are made once more, marks first, and each
     * until it succeeds. A record that came back is gone again; a line too many in the log does no harm.
     */
    repeat(): void {
      for (const [hash, reason] of recent.own()) {
        if (!unannounced.has(hash)) unannounced.set(hash, { reason, ended: null })
      }
      marksLost = true
      retryNow()
    },

    /**
     * A last attempt at what waits; whatever the store does not take within this time, ms, is forgotten with this process.
     */
    async finish(withinMs: number): Promise<void> {
      if (unannounced.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, withinMs)
      await Promise.race([round.then(retryNow), promise])
      clearTimeout(timer)
    },

    close(): void {
      closed = true
      if (retry !== null) clearTimeout(retry)
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
    if (record !== null) leaveDirectory(hash, record)
    if (record !== null && !revived) reportEnd(record, reason)
    // What was taken is kept until its end is announced: nobody can take it again.
    const ended = record === null || revived ? (before?.ended ?? null) : endedOf(at, record, taken?.visits ?? [])
    unannounced.set(hash, { reason, ended })
    await parts.log.append({ kind: 'session', key: hash, reason })
    unannounced.delete(hash)
    return ended
  }

  /**
   * One of many that a mark has shut already, in every process and for as long as any may last: the log need not name it.
   * @throws GatewayError `session.store-down`
   */
  async function endMarked(hash: string, reason: EndReason): Promise<EndedSession | null> {
    const at = keysOf(hash)
    const taken = await records.take(at.record, at.visits)
    const record = taken === null ? null : (openRecord(keys, at, taken.value)?.record ?? null)
    if (record === null) return null
    leaveDirectory(hash, record)
    reportEnd(record, reason)
    return endedOf(at, record, taken?.visits ?? [])
  }

  function leaveDirectory(hash: string, { identity }: SessionRecord): void {
    for (const handle of everyHandleOf(identity)) {
      parts.directory.remove(directoryKey(keys, handle.kind, identity.idp, handle.value), hash).catch(() => {})
    }
  }

  /** A provisional one was never said to have begun. */
  function reportEnd({ provisional, identity }: SessionRecord, reason: EndReason): void {
    if (!provisional) parts.report({ name: 'session.ended', reason, idp: identity.idp })
  }

  function endedOf(at: RecordKeys, record: SessionRecord, visited: readonly string[]): EndedSession {
    const { device, keep } = record
    return { hash: at.hash, identity: identityOf(record), device, keep: openKeep(keys, at, keep), visited }
  }

  function scheduleRetry(): void {
    if (retry !== null || closed) return
    retry = setTimeout(() => {
      retry = null
      retryNow()
    }, retryMs)
    retry.unref()
  }

  function retryNow(): Promise<void> {
    round = attempt().catch(() => {})
    return round
  }

  /** Whatever fails waits for the next round. */
  async function attempt(): Promise<void> {
    const waiting = [...unannounced]
    const repeated = marksLost
    try {
      if (marksLost) {
        await recent.markAgain(parts.tombstones)
        await recent.tellAgain(parts.log)
      }
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
