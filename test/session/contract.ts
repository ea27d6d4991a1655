/** The examination that every store sits: what sessions may rely on, whichever store the operator chose. */
import { randomUUID } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OnceKind, recordVersionOffset, type Store } from '../../src/model/store.ts'
import { examineEnds } from './contract-ends.ts'
import type { Sitting } from './sitting.ts'

const minute = 60_000

export function examine(begin: () => Promise<Sitting>): void {
  let sitting: Sitting
  let store: Store
  let record: string
  let visits: string

  beforeAll(async () => {
    sitting = await begin()
    store = sitting.store
  })
  beforeEach(() => {
    const hash = randomUUID()
    record = `pas:{${hash}}:s`
    visits = `pas:{${hash}}:v`
  })

  describe('counts', () => {
    it('go up to their end and no further, whoever counts at the same moment', async () => {
      const raised = await Promise.all(Array.from({ length: 20 }, () => store.counters.raise(`pas:u:${record}`, 7)))
      expect(raised.filter(Boolean)).toHaveLength(7)
      expect(await store.counters.raise(`pas:u:${record}`, 7)).toBe(false)
      // The end may be moved: what was counted stays.
      expect(await store.counters.raise(`pas:u:${record}`, 8)).toBe(true)
      expect(await store.counters.raise(`pas:u:${record}`, 8)).toBe(false)
    })

    it('say how far they stand, and none where nothing was counted', async () => {
      for (let nth = 0; nth < 3; nth++) await store.counters.raise(`pas:u:${record}`, 7)
      const keys = [`pas:u:${visits}`, `pas:u:${record}`]
      expect(await store.counters.counts(keys)).toEqual([0, 3])
      expect(await store.counters.counts([])).toEqual([])
    })
  })

  describe('rates', () => {
    const rate = { stepMs: minute, atOnce: 7 }
    const take = (name = record, many: -1 | 0 | 1 = 1) => store.counters.meter(`pas:m:${name}`, rate, many)

    it('let so many through at once, whoever comes at the same moment, and then say how long to wait', async () => {
      const waits = await Promise.all(Array.from({ length: 20 }, () => take()))
      expect(waits.filter(wait => wait === 0)).toHaveLength(7)
      for (const wait of waits.filter(wait => wait > 0)) {
        expect(wait).toBeGreaterThan(minute - 10_000)
        expect(wait).toBeLessThanOrEqual(minute)
      }
      // Each key by itself.
      expect(await take(visits)).toBe(0)
    })

    it('count nothing where one only asks, and one less where one is taken back', async () => {
      for (let i = 0; i < 20; i++) expect(await take(record, 0)).toBe(0)
      for (let i = 0; i < 7; i++) await take()
      expect(await take(record, 0)).toBeGreaterThan(0)
      await take(record, -1)
      expect(await take(record, 0)).toBe(0)
      expect([await take(), (await take()) > 0]).toEqual([0, true])
      // No credit is saved up.
      for (let i = 0; i < 20; i++) await take(record, -1)
      const waits = await Promise.all(Array.from({ length: 8 }, () => take()))
      expect(waits.filter(wait => wait === 0)).toHaveLength(7)
    })

    it('forget each one after its time', async () => {
      for (let i = 0; i < 8; i++) await take()
      await sitting.lapse(7 * minute)
      expect(await take(record, 0)).toBe(0)
    })
  })

  describe('values that are used once', () => {
    it('come back byte for byte, whatever the bytes', async () => {
      const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      await store.once.put('p', record, value, minute)
      expect(await store.once.peek('p', record)).toEqual(value)
      expect(await store.once.take('p', record)).toEqual(value)
    })

    it('may be as large as a reply that is put aside, 256 KiB, and as small as nothing', async () => {
      const large = Buffer.alloc(256 * 1024, 0xe9)
      await store.once.put('a', record, large, minute)
      expect(await store.once.take('a', record)).toEqual(large)
      await store.once.put('a', record, Buffer.alloc(0), minute)
      expect(await store.once.take('a', record)).toEqual(Buffer.alloc(0))
    })

    it('go to exactly one of fifty callers', async () => {
      await store.once.put('t', record, Buffer.from('ticket'), minute)
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.once.take('t', record)))
      expect(taken.filter(value => value !== null)).toEqual([Buffer.from('ticket')])
    })

    it('can be looked at as often as one likes', async () => {
      await store.once.put('o', record, Buffer.from('ended'), minute)
      expect(await store.once.peek('o', record)).toEqual(Buffer.from('ended'))
      expect(await store.once.peek('o', record)).toEqual(Buffer.from('ended'))
    })

    it('do not replace one another', async () => {
      expect(await store.once.put('r', record, Buffer.from('first'), minute)).toBe(true)
      expect(await store.once.put('r', record, Buffer.from('second'), minute)).toBe(false)
      expect(await store.once.peek('r', record)).toEqual(Buffer.from('first'))
    })

    it('are gone when their life is over, and the key is free again', async () => {
      for (const kind of ['p', 'a', 'r', 't', 'o'] as OnceKind[]) {
        const key = `pas:${kind}:${randomUUID()}`
        await store.once.put(kind, key, Buffer.from('x'), minute)
        await sitting.lapse(minute)
        expect(await store.once.peek(kind, key)).toBeNull()
        expect(await store.once.take(kind, key)).toBeNull()
        expect(await store.once.put(kind, key, Buffer.from('y'), minute)).toBe(true)
      }
    })

    it('are null when nobody put them there', async () => {
      expect(await store.once.peek('p', record)).toBeNull()
      expect(await store.once.take('p', record)).toBeNull()
    })
  })

  describe('a session record', () => {
    it('is created once', async () => {
      expect(await store.records.create(record, version(0, 'first'), minute)).toBe(true)
      expect(await store.records.create(record, version(0, 'second'), minute)).toBe(false)
      expect((await store.records.read(record))?.value).toEqual(version(0, 'first'))
    })

    it('is read with the time of the store and the time it still has', async () => {
      await store.records.create(record, version(0), minute)
      const stored = await store.records.read(record)
      const now = await sitting.now()
      expect(Math.abs((stored?.now ?? 0) - now)).toBeLessThan(5_000)
      const left = (stored?.expiresAt ?? 0) - (stored?.now ?? 0)
      expect(left).toBeGreaterThan(minute - 5_000)
      expect(left).toBeLessThanOrEqual(minute)
    })

    it('is absent once it has expired: nothing reads, touches, replaces or takes it', async () => {
      await store.records.create(record, version(0), minute)
      await sitting.lapse(minute)
      expect(await store.records.read(record)).toBeNull()
      expect(await store.records.touch(record, (await sitting.now()) + minute)).toBe(false)
      expect(await store.records.replace(record, 0, version(1), null)).toBe('absent')
      expect(await store.records.take(record, visits)).toBeNull()
      expect(await store.records.read(record)).toBeNull()
    })

    it('is found by a scan, in batches, whatever else is written and ended meanwhile', async () => {
      const keys = Array.from({ length: 2_500 }, () => `pas:{${randomUUID()}}:s`)
      for (const key of keys) await store.records.create(key, version(0), minute)
      await store.once.put('t', `pas:t:${randomUUID()}`, Buffer.from('no record'), minute)
      const found = new Set<string>()
      let batches = 0
      for await (const batch of store.records.scan()) {
        for (const key of batch) found.add(key)
        batches++
        const last = keys.at(-1) as string
        await store.records.touch(last, (await sitting.now()) + 2 * minute)
        await store.records.take(keys[batches] as string, visitsOf(keys[batches] as string))
        await store.records.create(`pas:{${randomUUID()}}:s`, version(0), minute)
      }
      expect(batches).toBeGreaterThan(1)
      const stayed = keys.filter((_, index) => index === 0 || index > batches)
      expect(stayed.filter(key => !found.has(key))).toEqual([])
      expect([...found].filter(key => !/^pas:\{.*\}:s$/.test(key))).toEqual([])
      for (const key of keys) await store.records.take(key, visitsOf(key))
    })

    it('may hold 32 KiB of any bytes', async () => {
      const value = Buffer.alloc(32 * 1024, 0xff)
      await store.records.create(record, value, minute)
      expect((await store.records.read(record))?.value).toEqual(value)
    })

    it('is not changed by writing into what was given or read', async () => {
      const given = version(7, 'as created')
      await store.records.create(record, given, minute)
      given.fill(0)
      ;(await store.records.read(record))?.value.fill(0)
      expect((await store.records.read(record))?.value).toEqual(version(7, 'as created'))
    })

    it('lives longer or shorter by a touch', async () => {
      await store.records.create(record, version(0), minute)
      expect(await store.records.touch(record, (await sitting.now()) + 10 * minute)).toBe(true)
      await sitting.lapse(9 * minute)
      expect(await store.records.read(record)).not.toBeNull()
      expect(await store.records.touch(record, (await sitting.now()) - 1)).toBe(true)
      expect(await store.records.read(record)).toBeNull()
    })

    it('is never created by a touch', async () => {
      expect(await store.records.touch(record, (await sitting.now()) + minute)).toBe(false)
      expect(await store.records.read(record)).toBeNull()
    })

    it('is replaced where it still is what was read, and keeps its expiry if none is given', async () => {
      await store.records.create(record, version(4_000_000_000, 'old'), minute)
      expect(await store.records.replace(record, 4_000_000_000, version(4_000_000_001, 'new'), null)).toBe('replaced')
      expect((await store.records.read(record))?.value).toEqual(version(4_000_000_001, 'new'))
      await sitting.lapse(minute)
      expect(await store.records.read(record)).toBeNull()
    })

    it('is replaced together with its expiry if one is given', async () => {
      await store.records.create(record, version(0), minute)
      await store.records.replace(record, 0, version(1), (await sitting.now()) + 10 * minute)
      await sitting.lapse(9 * minute)
      expect((await store.records.read(record))?.value).toEqual(version(1))
      await sitting.lapse(minute)
      expect(await store.records.read(record)).toBeNull()
    })

    it('is not replaced once its version moved', async () => {
      await store.records.create(record, version(1, 'mine'), minute)
      expect(await store.records.replace(record, 0, version(1, 'late'), null)).toBe('stale')
      expect((await store.records.read(record))?.value).toEqual(version(1, 'mine'))
    })

    it('is replaced by one of fifty who read the same version', async () => {
      await store.records.create(record, version(0), minute)
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, each) => store.records.replace(record, 0, version(1, `${each}`), null)),
      )
      expect(outcomes.filter(outcome => outcome === 'replaced')).toHaveLength(1)
      expect(outcomes.filter(outcome => outcome === 'stale')).toHaveLength(49)
    })

    it('is not replaced where its bytes are too short to have a version', async () => {
      await store.records.create(record, Buffer.from('x'), minute)
      expect(await store.records.replace(record, 0, version(1), null)).toBe('stale')
    })

    it('is never created by a replacement', async () => {
      expect(await store.records.replace(record, 0, version(1), (await sitting.now()) + minute)).toBe('absent')
      expect(await store.records.read(record)).toBeNull()
    })

    it('is taken by exactly one of fifty callers, and is gone for every other call', async () => {
      await store.records.create(record, version(3, 'mine'), minute)
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.records.take(record, visits)))
      expect(taken.filter(each => each !== null)).toEqual([{ value: version(3, 'mine'), visits: [] }])
      expect(await store.records.read(record)).toBeNull()
      expect(await store.records.replace(record, 3, version(4), null)).toBe('absent')
    })
  })

  describe('the resources that a session visited', () => {
    it('are taken together with the record, each once', async () => {
      await store.records.create(record, version(0), minute)
      for (const each of ['journals', 'médiathèque', 'journals']) await store.records.visit(record, visits, each, 500)
      const taken = await store.records.take(record, visits)
      expect(taken?.visits.toSorted()).toEqual(['journals', 'médiathèque'])
      await store.records.create(record, version(0), minute)
      expect((await store.records.take(record, visits))?.visits).toEqual([])
    })

    it('can be looked at without taking anything, and are none once the record is gone', async () => {
      expect(await store.records.visits(record, visits)).toEqual([])
      await store.records.create(record, version(0), minute)
      expect(await store.records.visits(record, visits)).toEqual([])
      for (const each of ['journals', 'médiathèque']) await store.records.visit(record, visits, each, 500)
      for (let look = 0; look < 2; look++) {
        expect((await store.records.visits(record, visits)).toSorted()).toEqual(['journals', 'médiathèque'])
      }
      expect((await store.records.take(record, visits))?.visits).toHaveLength(2)
      expect(await store.records.visits(record, visits)).toEqual([])
    })

    it('are none once the record has lived its time', async () => {
      await store.records.create(record, version(0), minute)
      await store.records.visit(record, visits, 'journals', 500)
      await sitting.lapse(minute + 1)
      expect(await store.records.visits(record, visits)).toEqual([])
    })

    it('are not noted for a record that is gone', async () => {
      await store.records.visit(record, visits, 'journals', 500)
      await store.records.create(record, version(0), minute)
      expect((await store.records.take(record, visits))?.visits).toEqual([])
      await store.records.visit(record, visits, 'journals', 500)
      await store.records.create(record, version(0), minute)
      expect((await store.records.take(record, visits))?.visits).toEqual([])
    })

    it('are no more than the limit', async () => {
      await store.records.create(record, version(0), minute)
      for (let each = 0; each < 8; each++) await store.records.visit(record, visits, `r${each}`, 5)
      expect((await store.records.take(record, visits))?.visits).toHaveLength(5)
    })

    it('live as long as the record, also when a touch or a replacement prolongs it', async () => {
      await store.records.create(record, version(0), minute)
      await store.records.visit(record, visits, 'journals', 500)
      await store.records.touch(record, (await sitting.now()) + 10 * minute)
      await sitting.lapse(9 * minute)
      await store.records.replace(record, 0, version(1), (await sitting.now()) + 10 * minute)
      await sitting.lapse(9 * minute)
      expect((await store.records.take(record, visits))?.visits).toEqual(['journals'])
    })
  })

  examineEnds(() => sitting)

  describe('page state', () => {
    it('is created only where that is asked for, and updated where it exists', async () => {
      const key = `pas:f:${randomUUID()}`
      await store.pages.set(key, Buffer.from('lost'), minute, false)
      expect(await store.pages.get(key)).toBeNull()
      await store.pages.set(key, Buffer.from('first'), minute, true)
      await store.pages.set(key, Buffer.from('second'), 2 * minute, false)
      expect(await store.pages.get(key)).toEqual(Buffer.from('second'))
      await sitting.lapse(minute)
      expect(await store.pages.get(key)).toEqual(Buffer.from('second'))
    })

    it('lives on by a touch, which creates nothing', async () => {
      const key = `pas:f:${randomUUID()}`
      await store.pages.touch(key, minute)
      expect(await store.pages.get(key)).toBeNull()
      await store.pages.set(key, Buffer.from('x'), minute, true)
      await store.pages.touch(key, 10 * minute)
      await sitting.lapse(9 * minute)
      expect(await store.pages.get(key)).toEqual(Buffer.from('x'))
      await sitting.lapse(minute)
      expect(await store.pages.get(key)).toBeNull()
    })

    it('stays away once it is dropped', async () => {
      const key = `pas:f:${randomUUID()}`
      await store.pages.set(key, Buffer.from('x'), minute, true)
      await store.pages.drop(key)
      await store.pages.drop(key)
      await store.pages.set(key, Buffer.from('late'), minute, false)
      await store.pages.touch(key, minute)
      expect(await store.pages.get(key)).toBeNull()
    })
  })

  it('says that it can be reached', async () => {
    expect(await store.reachable()).toBe(true)
  })
}

/** Bytes of the layout that replace() compares: a version at its offset, and something behind it. */
function version(number: number, text = ''): Buffer {
  const head = Buffer.alloc(recordVersionOffset + 4, 0xaa)
  head.writeUInt32BE(number, recordVersionOffset)
  return Buffer.concat([head, Buffer.from(text)])
}

function visitsOf(record: string): string {
  return record.replace(/:s$/, ':v')
}
