/** The log of ends as a stream of Redis (SESSIONS C2, S7): how it is written and read. */
import { Deadlines } from '../model/deadlines.ts'
import type { EndEntry } from '../model/store.ts'
import { type LogLine, type LogReader, linesLimit } from './follow.ts'
import type { Connection } from './redis-connection.ts'

/** Of a cluster it is on one server, like every key. */
export const logKey = 'pas:ended'
/** About how many lines it keeps: far more than a process can miss between two reads. */
const length = 100_000
/** Milliseconds until a read without an answer has failed; one waits 400 for news. */
export const readWithinMs = 900

/** @returns the line's id */
export async function writeLine(redis: Connection, { kind, key, reason }: EndEntry): Promise<string> {
  const id = await redis.xadd(logKey, 'MAXLEN', '~', length, '*', 'kind', kind, 'key', key, 'reason', reason)
  if (id === null) throw new Error('XADD gave no id')
  return id
}

/** @param redis a connection of its own: a read that waits for news holds up everything behind it */
export function createLogReader(redis: Connection): LogReader {
  const deadlines = new Deadlines(readWithinMs)
  return {
    async newest() {
      if (redis.status !== 'ready') throw new Error('no connection')
      const [line] = await deadlines.within(redis.xrevrange(logKey, '+', '-', 'COUNT', 1))
      return line?.[0] ?? '0-0'
    },

    async read(after, anchor, waitMs) {
      // One round trip. Both are looked for first: a line that is written in between does no harm. Where a failover lost the line that
      // was heard last, one of ours that was written since would hide it.
      const both = redis.pipeline().xrange(logKey, anchor, anchor, 'COUNT', 1).xrange(logKey, after, after, 'COUNT', 1)
      const from = ['STREAMS', logKey, after] as const
      if (waitMs === 0) both.xread('COUNT', linesLimit, ...from)
      else both.xread('COUNT', linesLimit, 'BLOCK', waitMs, ...from)
      if (redis.status !== 'ready') throw new Error('no connection')
      const replies = (await deadlines.within(both.exec())) ?? []
      const failed = replies.find(([error]) => error !== null)
      if (failed !== undefined) throw failed[0]
      const [anchored, heard, read] = replies.map(([, reply]) => (reply ?? []) as readonly unknown[])
      if (anchor !== '0-0' && anchored?.length === 0) return null
      if (after !== '0-0' && heard?.length === 0) return null
      const streams = (read ?? []) as readonly (readonly [string, readonly (readonly [string, string[]])[]])[]
      return (streams[0]?.[1] ?? []).map(([id, fields]): LogLine => ({ id, entry: entryOf(fields) }))
    },

    close: () => redis.disconnect(),
  }
}

const kinds: readonly string[] = ['session', 'changed', 'idp', 'all'] satisfies EndEntry['kind'][]

/** A line of a later version says only that something ended. */
function entryOf(fields: readonly string[]): EndEntry {
  const value = (name: string) => {
    const at = fields.findIndex((field, index) => index % 2 === 0 && field === name)
    return at < 0 ? '' : (fields[at + 1] ?? '')
  }
  const kind = value('kind')
  const known = kinds.includes(kind) ? (kind as EndEntry['kind']) : 'unknown'
  return { kind: known, key: value('key'), reason: value('reason') }
}
