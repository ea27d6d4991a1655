import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EndEntry } from '../../src/model/store.ts'
import { type Following, type LogLine, startFollowing } from '../../src/session/follow.ts'
import { patiently } from '../stand-in/measure.ts'

interface Asked {
  readonly what: 'newest' | 'read'
  readonly after: string
  readonly anchor: string
  readonly waitMs: number
  readonly newest: (id: string) => void
  readonly lines: (lines: readonly LogLine[] | null) => void
  readonly fail: () => void
}

let now = 0
let asked: Asked[]
let heard: EndEntry[]
let failures: unknown[]
let following: Following

const line = (id: string): LogLine => ({ id, entry: { kind: 'session', key: `of ${id}`, reason: 'user' } })

beforeEach(() => {
  now = 0
  asked = []
  heard = []
  failures = []
  const ask = <Answer>(what: Asked['what'], after = '', anchor = '', waitMs = 0) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    asked.push({
      ...{ what, after, anchor, waitMs },
      newest: id => resolve(id as Answer),
      lines: lines => resolve(lines as Answer),
      fail: () => reject(new Error('lost')),
    })
    return promise
  }
  following = startFollowing({
    reader: {
      newest: () => ask<string>('newest'),
      read: (after, anchor, waitMs) => ask<readonly LogLine[] | null>('read', after, anchor, waitMs),
      close: () => asked.at(-1)?.fail(),
    },
    hear: entry => heard.push(entry),
    failed: error => failures.push(error),
    monotonic: () => now,
  })
})
afterEach(() => following.stop())

/** The question that is open, once there are so many. */
async function question(nth: number): Promise<Asked> {
  await vi.waitFor(() => expect(asked).toHaveLength(nth), patiently)
  return asked[nth - 1] as Asked
}

describe('whoever follows the log', () => {
  it('is not fresh before its first answer, and begins at the newest line', async () => {
    now = 500
    expect(following.fresh()).toBe(false)
    ;(await question(1)).newest('7-3')
    expect(await question(2)).toMatchObject({ what: 'read', after: '7-3', anchor: '7-3', waitMs: 400 })
    expect(following.fresh()).toBe(true)
  })

  it('has its hearers forget what they read before the first answer', async () => {
    ;(await question(1)).newest('7-3')
    await question(2)
    expect(heard).toEqual([expect.objectContaining({ kind: 'lost' })])
  })

  it('begins at the beginning where nothing was written yet, and then needs no line to be there', async () => {
    ;(await question(1)).newest('0-0')
    expect(await question(2)).toMatchObject({ after: '0-0', anchor: '0-0' })
  })

  it('goes on after the line heard last', async () => {
    ;(await question(1)).newest('1-0')
    ;(await question(2)).lines([line('2-0'), line('2-1')])
    expect(await question(3)).toMatchObject({ after: '2-1', anchor: '2-1' })
    expect(heard.slice(1).map(({ key }) => key)).toEqual(['of 2-0', 'of 2-1'])
  })

  it('is fresh for less than a second from when it asked, however late the answer came', async () => {
    ;(await question(1)).newest('1-0')
    const waiting = await question(2)
    now = 900
    waiting.lines([line('2-0')])
    await question(3)
    now = 999
    expect(following.fresh()).toBe(true)
    now = 1_000
    expect(following.fresh()).toBe(false)
  })

  it('knows by an empty answer that nothing had come while Redis waited', async () => {
    ;(await question(1)).newest('1-0')
    const waiting = await question(2)
    now = 410
    waiting.lines([])
    await question(3)
    now = 1_399
    expect(following.fresh()).toBe(true)
    now = 1_400
    expect(following.fresh()).toBe(false)
  })

  it('asks at once after a failure, from the same line, without waiting for news', async () => {
    ;(await question(1)).newest('1-0')
    ;(await question(2)).fail()
    expect(await question(3)).toMatchObject({ after: '1-0', waitMs: 0 })
    expect(failures).toHaveLength(1)
    ;(await question(3)).lines([line('2-0')])
    expect(await question(4)).toMatchObject({ after: '2-0', waitMs: 400 })
    expect(heard.map(({ kind }) => kind)).toEqual(['lost', 'session'])
  })

  it('does not wait for news where it comes to an answer so late that it knows nothing fresh', async () => {
    ;(await question(1)).newest('1-0')
    const waiting = await question(2)
    now = 2_000
    waiting.lines([])
    expect(following.fresh()).toBe(false)
    expect(await question(3)).toMatchObject({ after: '1-0', waitMs: 0 })
    expect(following.fresh()).toBe(false)
    ;(await question(3)).lines([])
    expect(await question(4)).toMatchObject({ after: '1-0', waitMs: 400 })
    expect(following.fresh()).toBe(true)
  })

  it('is not fresh while more lines wait than one answer holds', async () => {
    ;(await question(1)).newest('1-0')
    const waiting = await question(2)
    now = 2_000
    waiting.fail()
    ;(await question(3)).lines(Array.from({ length: 1_000 }, (_, nth) => line(`2-${nth}`)))
    expect(await question(4)).toMatchObject({ after: '2-999', waitMs: 0 })
    expect(following.fresh()).toBe(false)
    ;(await question(4)).lines([])
    await question(5)
    expect(following.fresh()).toBe(true)
  })

  it('says that the log is lost where the line heard last is not in it, and begins anew', async () => {
    ;(await question(1)).newest('5-0')
    ;(await question(2)).lines(null)
    ;(await question(3)).newest('4-0')
    expect(await question(4)).toMatchObject({ after: '4-0', anchor: '4-0' })
    expect(heard.map(({ kind }) => kind)).toEqual(['lost', 'lost'])
  })

  it('wants its own newest line to be there too, heard or not', async () => {
    ;(await question(1)).newest('1-0')
    const waiting = await question(2)
    following.wrote('10-0')
    following.wrote('9-9')
    waiting.lines([])
    expect(await question(3)).toMatchObject({ after: '1-0', anchor: '10-0' })
    ;(await question(3)).lines([line('10-0'), line('11-0')])
    expect(await question(4)).toMatchObject({ after: '11-0', anchor: '11-0' })
    ;(await question(4)).lines(null)
    ;(await question(5)).newest('3-0')
    // A number, not a text: 9-9 is older than 10-0. And what was written before the loss is no anchor.
    expect(await question(6)).toMatchObject({ after: '3-0', anchor: '3-0' })
  })

  it('hears each line once even where a hearer throws', async () => {
    await following.stop()
    const keys: string[] = []
    const answers = [[line('2-0'), line('3-0')]]
    const reads: string[] = []
    const other = startFollowing({
      reader: {
        newest: async () => '1-0',
        read: async after => {
          reads.push(after)
          const next = answers.shift()
          if (next !== undefined) return next
          await new Promise(resolve => setTimeout(resolve, 5))
          return []
        },
        close: () => {},
      },
      hear(entry) {
        keys.push(entry.key)
        if (entry.key === 'of 2-0') throw new Error('a mistake')
      },
      failed: () => {},
      monotonic: () => now,
    })
    await vi.waitFor(() => expect(reads).toContain('2-0'), patiently)
    await other.stop()
    expect(keys.filter(key => key === 'of 2-0')).toHaveLength(1)
  })

  it('is never fresh again once it has stopped', async () => {
    ;(await question(1)).newest('1-0')
    await question(2)
    await following.stop()
    expect(following.fresh()).toBe(false)
  })
})
