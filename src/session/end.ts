/**
 * S6: ending. Exactly one caller wins the record and holds what participants must be told; the log tells everyone else.
 * An end that the store cannot take is kept and tried again, and until then the session is shut in this process.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { LogoutNotice } from '../model/logout.ts'
import type { EndedSession, EndReason } from '../model/session.ts'
import type { DirectoryStore, EndedLog, RecordStore, TombstoneStore } from '../model/store.ts'
import { directoryKey, directoryKeys, handlesOf, handlesOfNotice, tombstoneOf } from './directory.ts'
import { keysOf, openKeep, openRecord, type RecordKeys, type SessionRecord } from './record.ts'
import type { Keys } from './seal.ts'

/** How long a tombstone waits for a sign-in that it overtook, ms (SESSIONS C2). */
const tombstoneLifeMs = 20 * 60_000
/** A sign-in may be between its directory entry and its record when the notice comes: look once more. */
const secondLookMs = 2_000
const retryMs = 1_000

export interface EndParts {
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly tombstones: TombstoneStore
  readonly log: EndedLog
  readonly keys: Keys
  readonly condemned: Set<string>
  readonly drop: (hash: string) => void
  /** Hears of a session whose end came through after its caller had gone. */
  readonly endedLate: (ended: EndedSession) => void
  readonly now: () => number
  readonly report: Report
}

export function createEnd(parts: EndParts) {
  const { condemned, keys, records } = parts
  /** Ends whose log entry is not written yet, each with what participants must be told where the record was taken already. */
  const unannounced = new Map<string, { readonly reason: EndReason; readonly ended: EndedSession | null }>()
  let retry: NodeJS.Timeout | null = null
  const timers = new Set<NodeJS.Timeout>()

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
      await Promise.all(found.map(key => parts.tombstones.mark(tombstoneOf(key), mark, tombstoneLifeMs)))
      const timer = setTimeout(() => {
        timers.delete(timer)
        endMembers(found).then(
          late => late.forEach(parts.endedLate),
          () => {},
        )
      }, secondLookMs)
      timer.unref()
      timers.add(timer)
      return endMembers(found)
    },

    close(): void {
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
    const record = taken === null ? null : (openRecord(keys, at, taken.value)?.record ?? null)
    const ended = record === null ? (before?.ended ?? null) : endedOf(at, record, taken?.visits ?? [])
    unannounced.set(hash, { reason, ended })
    await parts.log.append({ kind: 'session', key: hash, reason })
    unannounced.delete(hash)
    if (record === null) return ended
    const { identity } = record
    for (const handle of handlesOf(identity)) {
      parts.directory.remove(directoryKey(keys, handle.kind, identity.idp, handle.value), hash).catch(() => {})
    }
    if (!record.provisional) parts.report({ name: 'session.ended', reason, idp: identity.idp })
    return ended
  }

  function endedOf(at: RecordKeys, record: SessionRecord, visited: readonly string[]): EndedSession {
    const { identity, device, keep } = record
    return { hash: at.hash, identity, device, keep: openKeep(keys, at, keep), visited }
  }

  async function endMembers(directory: readonly string[]): Promise<readonly EndedSession[]> {
    const members = new Set((await Promise.all(directory.map(key => parts.directory.members(key)))).flat())
    const ended = await Promise.all([...members].map(hash => end(hash, 'idp')))
    return ended.filter(one => one !== null)
  }

  function scheduleRetry(): void {
    if (retry !== null) return
    retry = setTimeout(async () => {
      retry = null
      for (const [hash, { reason }] of [...unannounced]) {
        try {
          const ended = await take(hash, reason)
          unannounced.delete(hash)
          condemned.delete(hash)
          if (ended !== null) parts.endedLate(ended)
        } catch {
          // Still down: the next round tries again.
        }
      }
      parts.report({ name: 'session.end-retried', left: unannounced.size })
      if (unannounced.size > 0) scheduleRetry()
    }, retryMs)
    retry.unref()
  }
}
