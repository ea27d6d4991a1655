import { describe, expect, it } from 'vitest'
import type { EndEntry } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { RecentEnds } from '../../src/session/recent-ends.ts'
import { settableClock } from '../stand-in/clock.ts'

const minute = 60_000

describe('ends that a process knows of', () => {
  it('are refused for 20 minutes, whoever decided them', () => {
    const clock = settableClock()
    const recent = new RecentEnds(clock.now)
    recent.decided('own', 'user')
    recent.heard('elsewhere')
    expect(['own', 'elsewhere', 'neither'].map(hash => recent.has(hash))).toEqual([true, true, false])
    clock.advance(20 * minute - 1)
    expect(['own', 'elsewhere'].map(hash => recent.has(hash))).toEqual([true, true])
    clock.advance(1)
    expect(['own', 'elsewhere'].map(hash => recent.has(hash))).toEqual([false, false])
  })

  it('are said again by the process that decided them, also when they have come back through the log', () => {
    const clock = settableClock()
    const recent = new RecentEnds(clock.now)
    recent.decided('early', 'idp')
    clock.advance(15 * minute)
    recent.heard('elsewhere')
    recent.decided('own', 'user')
    recent.heard('own')
    expect(recent.own()).toEqual([
      ['early', 'idp'],
      ['own', 'user'],
    ])
    clock.advance(5 * minute)
    expect(recent.own()).toEqual([['own', 'user']])
  })

  it('keep their marks, which are set again for the rest of their life, and not beyond it', async () => {
    const clock = settableClock()
    const recent = new RecentEnds(clock.now)
    const [before, after] = [createMemoryStore({ now: clock.now }), createMemoryStore({ now: clock.now })]
    const marking = recent.marking(before.tombstones)
    await marking.mark('long', 'a', 20 * minute)
    await marking.mark('short', 'b', 5 * minute)
    clock.advance(6 * minute)
    await recent.markAgain(after.tombstones)
    expect(await after.tombstones.marks(['long', 'short'])).toEqual(['a', null])
    clock.advance(14 * minute)
    expect(await after.tombstones.marks(['long'])).toEqual([null])
    await before.close()
    await after.close()
  })

  it('of many sessions at once have their line written again for 20 minutes', async () => {
    const clock = settableClock()
    const recent = new RecentEnds(clock.now)
    const store = createMemoryStore({ now: clock.now })
    const heard: EndEntry[] = []
    const follower = store.ended.follow(entry => heard.push(entry))
    const log = recent.telling(store.ended)
    await log.append({ kind: 'all', key: '1.pas:x:a', reason: 'administrator' })
    await log.append({ kind: 'session', key: 'one', reason: 'user' })
    await recent.tellAgain(store.ended)
    expect(heard.map(({ kind }) => kind)).toEqual(['all', 'session', 'all'])
    clock.advance(20 * minute)
    await recent.tellAgain(store.ended)
    expect(heard).toHaveLength(3)
    await follower.stop()
    await store.close()
  })
})
