/**
 * S7: ends are a log in the store that every process follows, not a message that may be missed (SESSIONS A4). Whoever knows
 * the log as it was within the last second may believe its own memory; whoever does not asks the store for each request. A
 * process that may have missed something forgets everything. Rests on model/ only; what is followed is a parameter.
 */
import type { EndEntry } from '../model/store.ts'

export interface LogLine {
  /** `milliseconds-sequence`, growing. */
  readonly id: string
  readonly entry: EndEntry
}

/** One read of the log, however it is kept. Each call throws when the connection is lost. */
export interface LogReader {
  /** Id of the newest line; `0-0` where there is none. */
  readonly newest: () => Promise<string>
  /**
   * What comes after `after`, at most `limit` lines; 0 ms: what is there already, else it waits so long for news.
   *
   * @param after  the line heard last, which must still be there; `0-0`: none
   * @param anchor another line that must be there; `0-0`: none
   * @returns null: it is not. The log was trimmed past it, emptied, or is another one since a failover
   */
  readonly read: (after: string, anchor: string, waitMs: number) => Promise<readonly LogLine[] | null>
  /** Ends a read that waits. */
  readonly close: () => void
}

export interface FollowParts {
  readonly reader: LogReader
  /** `lost`: what was ended meanwhile is not known. */
  readonly hear: (entry: EndEntry) => void
  /** Of a read, after each that failed. */
  readonly failed: (error: unknown) => void
  /** Milliseconds. */
  readonly monotonic: () => number
}

/** Milliseconds that one read waits for news. */
const waitMs = 400
/** Lines of one read at most. */
export const linesLimit = 1_000
/** How old, in ms, what the store said may be when it is believed: this process' memory, by the log, and a record that was read. */
export const freshMs = 1_000
/** Between attempts to reach a log that is out of reach, ms. */
const pauseMs = 50

const nothing = '0-0'

export interface Following {
  readonly fresh: () => boolean
  /** An own line was written under this id: it must be there as long as the log is whole. */
  readonly wrote: (id: string) => void
  /** Resolves when the first attempt to reach the log has ended, well or not. */
  readonly attempted: Promise<void>
  readonly stop: () => Promise<void>
}

export function startFollowing({ reader, hear, failed, monotonic }: FollowParts): Following {
  let knownAt = Number.NEGATIVE_INFINITY
  /** Of the line heard last; null: the log was never reached. */
  let last: string | null = null
  let newestOwn = nothing
  let waits = false
  let stopped = false
  let wake = () => {}
  const attempted = Promise.withResolvers<void>()
  const done = loop()

  return {
    fresh: () => !stopped && isFresh(),

    wrote(id) {
      if (before(newestOwn, id)) newestOwn = id
    },

    attempted: attempted.promise,

    async stop() {
      stopped = true
      reader.close()
      wake()
      await done
    },
  }

  function isFresh(): boolean {
    return monotonic() - knownAt < freshMs
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      try {
        await (last === null ? beginAnew() : readOn(last))
      } catch (error) {
        // The next answer must not be waited for: until it comes, every request asks the store.
        waits = false
        if (stopped) return
        failed(error)
        attempted.resolve()
        await new Promise<void>(resolve => {
          wake = resolve
          setTimeout(resolve, pauseMs).unref()
        })
      }
      attempted.resolve()
    }
  }

  async function readOn(from: string): Promise<void> {
    // An answer tells what was so when it was given, and it was given after it was asked for, however late it comes.
    const askedAt = monotonic()
    // Nor is the next one waited for where this process stood still and what it knows has grown old meanwhile.
    const waited = waits && isFresh() ? waitMs : 0
    const lines = await reader.read(from, before(from, newestOwn) ? newestOwn : from, waited)
    if (lines === null) return beginAnew()
    for (const { id, entry } of lines) {
      // First: a hearer that throws must not hear it again and again.
      last = id
      hear(entry)
    }
    waits = lines.length < linesLimit
    if (waits) knownAt = askedAt + (lines.length === 0 ? waited : 0)
  }

  /** Whatever was ended before the newest line may have been missed. */
  async function beginAnew(): Promise<void> {
    const askedAt = monotonic()
    newestOwn = nothing
    last = await reader.newest()
    hear({ kind: 'lost', key: '', reason: 'the log of ends is not the one that was followed' })
    knownAt = askedAt
    waits = true
  }
}

/** Stream ids are `milliseconds-sequence`, and neither part fits a comparison of text. */
function before(a: string, b: string): boolean {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number)
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number)
  return aMs === bMs ? aSequence < bSequence : aMs < bMs
}
