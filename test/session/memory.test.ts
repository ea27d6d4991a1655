import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { Shelf } from '../../src/session/shelf.ts'
import { settableClock } from '../stand-in/clock.ts'

const value = Buffer.alloc(40)
const minute = 60_000

let store: Store | null = null
afterEach(async () => {
  await store?.close()
  store = null
  vi.useRealTimers()
})

describe('a memory store that holds its limit of sessions', () => {
  it('refuses the next one and drops none', async () => {
    const clock = settableClock()
    store = createMemoryStore({ now: clock.now, limit: 3 })
    for (const key of ['a', 'b', 'c']) await store.records.create(key, value, minute)
    await expect(store.records.create('d', value, minute)).rejects.toMatchObject({
      code: 'session.store-full',
      status: 503,
    })
    expect(await store.records.count()).toBe(3)
    for (const key of ['a', 'b', 'c']) expect(await store.records.read(key)).not.toBeNull()
  })

  it('has room again when sessions have ended or expired', async () => {
    const clock = settableClock()
    store = createMemoryStore({ now: clock.now, limit: 2 })
    await store.records.create('a', value, minute)
    await store.records.create('b', value, 2 * minute)
    await store.records.take('a', 'visits of a')
    expect(await store.records.create('c', value, 2 * minute)).toBe(true)
    await expect(store.records.create('d', value, minute)).rejects.toMatchObject({ code: 'session.store-full' })
    clock.advance(2 * minute)
    expect(await store.records.create('d', value, minute)).toBe(true)
    expect(await store.records.count()).toBe(1)
  })

  it('still says of a session that exists that it exists', async () => {
    store = createMemoryStore({ now: settableClock().now, limit: 1 })
    await store.records.create('a', value, minute)
    expect(await store.records.create('a', value, minute)).toBe(false)
  })
})

describe('values that are used once, in the memory store', () => {
  it('make room by dropping the oldest of their kind', async () => {
    store = createMemoryStore({ now: settableClock().now, onceLimit: 3 })
    await store.once.put('t', 'ticket', value, minute)
    for (const key of ['1', '2', '3', '4']) await store.once.put('p', key, value, minute)
    expect(await store.once.peek('p', '1')).toBeNull()
    for (const key of ['2', '3', '4']) expect(await store.once.peek('p', key)).not.toBeNull()
    expect(await store.once.peek('t', 'ticket')).not.toBeNull()
  })

  it('hold at most 64 MiB of each kind: replies put aside are large', async () => {
    store = createMemoryStore({ now: settableClock().now })
    const reply = Buffer.alloc(256 * 1024)
    for (let each = 0; each < 300; each++) await store.once.put('a', `${each}`, reply, minute)
    expect(await store.once.peek('a', '43')).toBeNull()
    expect(await store.once.peek('a', '44')).not.toBeNull()
    expect(await store.once.peek('a', '299')).not.toBeNull()
  })
})

describe('page states in the memory store', () => {
  it('make room by dropping the one that was longest unused', async () => {
    store = createMemoryStore({ now: settableClock().now, limit: 2 })
    await store.pages.set('a', value, minute, true)
    await store.pages.set('b', value, minute, true)
    await store.pages.touch('a', minute)
    await store.pages.set('c', value, minute, true)
    expect(await store.pages.get('a')).not.toBeNull()
    expect(await store.pages.get('b')).toBeNull()
  })
})

describe('the sweep of the memory store', () => {
  it('arms no timer that is longer than a minute, and none that keeps the process', () => {
    const armed = vi.spyOn(globalThis, 'setInterval')
    store = createMemoryStore({ now: settableClock().now })
    const timer = armed.mock.results[0]?.value as NodeJS.Timeout
    expect(armed).toHaveBeenCalledOnce()
    expect(armed.mock.calls[0]?.[1]).toBeLessThanOrEqual(minute)
    expect(timer.hasRef()).toBe(false)
    armed.mockRestore()
  })

  it('empties every shelf of what has expired although nobody asks for it', async () => {
    vi.useFakeTimers()
    const swept = vi.spyOn(Shelf.prototype, 'sweep')
    store = createMemoryStore({ now: Date.now })
    await store.once.put('p', 'pending', value, minute)
    await store.records.create('record', value, minute)
    await store.directory.add('directory', 'member', Date.now() + minute)
    await store.tombstones.mark('tombstone', 'value', minute)
    await store.pages.set('page', value, minute, true)
    await vi.advanceTimersByTimeAsync(minute - 1_000)
    const shelves = [...new Set(swept.mock.contexts as Shelf<unknown>[])]
    expect(shelves.reduce((sum, shelf) => sum + shelf.size, 0)).toBe(5)
    await vi.advanceTimersByTimeAsync(minute)
    expect(shelves.reduce((sum, shelf) => sum + shelf.size, 0)).toBe(0)
    swept.mockRestore()
  })
})
