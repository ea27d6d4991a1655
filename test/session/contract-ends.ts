/** The part of the examination that the end of sessions rests on: the directory, the tombstones, the log. */
import { randomUUID } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import type { EndEntry } from '../../src/model/store.ts'
import { patiently } from '../stand-in/measure.ts'
import type { Sitting } from './sitting.ts'

const minute = 60_000

export function examineEnds(sitting: () => Sitting): void {
  describe('the directory', () => {
    it('names each member once, until it is removed', async () => {
      const key = `pas:d:${randomUUID()}`
      const end = (await sitting().now()) + minute
      for (const member of ['a', 'b', 'a']) await sitting().store.directory.add(key, member, end)
      expect((await sitting().store.directory.members(key)).toSorted()).toEqual(['a', 'b'])
      await sitting().store.directory.remove(key, 'a')
      expect(await sitting().store.directory.members(key)).toEqual(['b'])
      await sitting().store.directory.remove(key, 'b')
      await sitting().store.directory.remove(key, 'nobody')
      expect(await sitting().store.directory.members(key)).toEqual([])
    })

    it('lasts as long as the longest of its members', async () => {
      const key = `pas:d:${randomUUID()}`
      const now = await sitting().now()
      await sitting().store.directory.add(key, 'short', now + minute)
      await sitting().store.directory.add(key, 'long', now + 10 * minute)
      await sitting().store.directory.add(key, 'short too', now + 2 * minute)
      await sitting().lapse(9 * minute)
      expect(await sitting().store.directory.members(key)).toContain('long')
      await sitting().lapse(minute)
      expect(await sitting().store.directory.members(key)).toEqual([])
    })

    it('takes members up to a limit, and one of fifty who want the last place', async () => {
      const key = `pas:d:${randomUUID()}`
      const end = (await sitting().now()) + minute
      const enter = (member: string) => sitting().store.directory.enter(key, member, end, 2, [])
      expect(await enter('a')).toEqual({ outcome: 'entered', displaced: [] })
      const wanting = Array.from({ length: 50 }, (_, index) => `late-${index}`)
      const outcomes = await Promise.all(wanting.map(enter))
      expect(outcomes.filter(({ outcome }) => outcome === 'entered')).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === 'full')).toHaveLength(49)
      expect(await sitting().store.directory.members(key)).toHaveLength(2)
      expect(await enter('a')).toEqual({ outcome: 'known', displaced: [] })
    })

    it('lets those who may make room go, in their order and no more than needed', async () => {
      const key = `pas:d:${randomUUID()}`
      const end = (await sitting().now()) + minute
      const enter = (member: string, limit: number, displaced: readonly string[] = []) =>
        sitting().store.directory.enter(key, member, end, limit, displaced)
      for (const member of ['a', 'b', 'c']) await enter(member, 3)
      expect(await enter('d', 3, ['a', 'b'])).toEqual({ outcome: 'entered', displaced: ['a'] })
      // Of two who would displace the same one, the second displaces nobody.
      expect(await enter('e', 3, ['a'])).toEqual({ outcome: 'full', displaced: [] })
      expect(await enter('d', 3, ['b'])).toEqual({ outcome: 'known', displaced: [] })
      // The limit was lowered: all leave who must, or nobody does.
      expect(await enter('e', 2, ['b'])).toEqual({ outcome: 'full', displaced: [] })
      expect(await enter('e', 2, ['b', 'c', 'd'])).toEqual({ outcome: 'entered', displaced: ['b', 'c'] })
      expect((await sitting().store.directory.members(key)).toSorted()).toEqual(['d', 'e'])
      expect(await enter('f', 9, ['d'])).toEqual({ outcome: 'entered', displaced: [] })
    })

    it('of limited size lasts as long as the longest of its members', async () => {
      const key = `pas:d:${randomUUID()}`
      const now = await sitting().now()
      await sitting().store.directory.enter(key, 'long', now + 10 * minute, 5, [])
      await sitting().store.directory.enter(key, 'short', now + minute, 5, [])
      await sitting().lapse(9 * minute)
      expect(await sitting().store.directory.members(key)).toContain('long')
      await sitting().lapse(minute)
      expect(await sitting().store.directory.members(key)).toEqual([])
    })

    it('keeps no member whose end is past already', async () => {
      const key = `pas:d:${randomUUID()}`
      await sitting().store.directory.add(key, 'late', (await sitting().now()) - 1)
      expect(await sitting().store.directory.members(key)).toEqual([])
    })
  })

  describe('tombstones', () => {
    it('are found in the order in which they were asked for, null where there is none', async () => {
      const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()].map(each => `pas:x:${each}`) as [
        string,
        string,
        string,
      ]
      await sitting().store.tombstones.mark(a, '{"at":1}', minute)
      await sitting().store.tombstones.mark(c, '{"at":3}', minute)
      expect(await sitting().store.tombstones.marks([a, b, c])).toEqual(['{"at":1}', null, '{"at":3}'])
      expect(await sitting().store.tombstones.marks([])).toEqual([])
    })

    it('are replaced by later ones, and expire', async () => {
      const key = `pas:x:${randomUUID()}`
      await sitting().store.tombstones.mark(key, 'first', minute)
      await sitting().store.tombstones.mark(key, 'second', 2 * minute)
      await sitting().lapse(minute)
      expect(await sitting().store.tombstones.marks([key])).toEqual(['second'])
      await sitting().lapse(minute)
      expect(await sitting().store.tombstones.marks([key])).toEqual([null])
    })
  })

  describe('the log of ends', () => {
    const anEnd = (): EndEntry => ({ kind: 'session', key: randomUUID(), reason: 'user' })

    /** What it heard of this entry; other tests' lines may still be on their way. */
    function listening(entry: EndEntry, log = sitting().store.ended) {
      const heard: EndEntry[] = []
      const follower = log.follow(each => each.key === entry.key && heard.push(each))
      return { heard, follower }
    }

    it('has told every follower before append() resolves, and moved their counters', async () => {
      const entry = anEnd()
      const listeners = [listening(entry), listening(entry)]
      const before = listeners.map(({ follower }) => follower.counter())
      await sitting().store.ended.append(entry)
      for (const [index, { heard, follower }] of listeners.entries()) {
        expect(heard[0]).toEqual(entry)
        expect(follower.counter()).toBeGreaterThan(before[index] as number)
        await follower.stop()
      }
    })

    it('moves the counter before the entry is heard: what is read in between is not cached', async () => {
      const counters: number[] = []
      const follower = sitting().store.ended.follow(() => counters.push(follower.counter()))
      const before = follower.counter()
      await sitting().store.ended.append(anEnd())
      expect(counters[0]).toBeGreaterThan(before)
      await follower.stop()
    })

    it('tells nobody who has stopped, and is not fresh for them', async () => {
      const entry = anEnd()
      const { heard, follower } = listening(entry)
      await vi.waitFor(() => expect(follower.fresh()).toBe(true), patiently)
      await follower.stop()
      expect(follower.fresh()).toBe(false)
      await sitting().store.ended.append(entry)
      expect(heard).toEqual([])
    })

    it('tells the others when one of them throws, and says so to the one who appended', async () => {
      const entry = anEnd()
      const bad = sitting().store.ended.follow(each => {
        if (each.key === entry.key) throw new Error('a mistake')
      })
      const { heard, follower } = listening(entry)
      await expect(sitting().store.ended.append(entry)).rejects.toThrow('a mistake')
      expect(heard[0]).toEqual(entry)
      await Promise.all([bad.stop(), follower.stop()])
    })

    it('is fresh again and again although nothing is written', async () => {
      const follower = sitting().store.ended.follow(() => {})
      for (let second = 0; second < 2; second++) {
        await new Promise(resolve => setTimeout(resolve, 1_100))
        await vi.waitFor(() => expect(follower.fresh()).toBe(true), patiently)
      }
      await follower.stop()
    })

    it('is heard by every process, whichever wrote it, in its order', async () => {
      const { peer, store } = sitting()
      if (peer === null) return
      for (const [writer, reader] of [
        [store, peer],
        [peer, store],
      ] as const) {
        const ends = Array.from({ length: 200 }, anEnd)
        const known = new Map(ends.map((entry, nth) => [entry.key, nth]))
        const heard: number[] = []
        const follower = reader.ended.follow(({ key }) => known.has(key) && heard.push(known.get(key) as number))
        for (const entry of ends) await writer.ended.append(entry)
        await vi.waitFor(() => expect(new Set(heard).size).toBe(200), patiently)
        expect(heard).toEqual(heard.toSorted((a, b) => a - b))
        await follower.stop()
      }
    })
  })
}
