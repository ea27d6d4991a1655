import { beforeEach, describe, expect, it } from 'vitest'
import { Meter } from '../../src/limits/meter.ts'

let now = 0
let meter: Meter
beforeEach(() => {
  now = 1_000_000
  meter = new Meter({ perMinute: 60, atOnce: 10, mostKeys: 3 })
})

/** How many of so many that come at once are within the limit. */
function admitted(key: string, count: number): number {
  let passed = 0
  for (let i = 0; i < count; i++) {
    if (meter.wait(key, now) > 0) continue
    meter.count(key, now)
    passed += 1
  }
  return passed
}

describe('a meter', () => {
  it('lets so many through in one moment, and then as many as come back with time', () => {
    expect(admitted('a', 50)).toBe(10)
    now += 999
    expect(admitted('a', 50)).toBe(0)
    now += 1
    expect(admitted('a', 50)).toBe(1)
    now += 5_000
    expect(admitted('a', 50)).toBe(5)
    now += 3_600_000
    expect(admitted('a', 50)).toBe(10)
  })

  it('says how long to wait, to the millisecond, and waiting costs nothing', () => {
    admitted('a', 10)
    now += 300
    expect(meter.wait('a', now)).toBe(700)
    expect(meter.wait('a', now)).toBe(700)
    now += 700
    expect(meter.wait('a', now)).toBe(0)
  })

  it('never lets more than a minute’s worth and one moment’s through in any minute', () => {
    const passed: number[] = []
    for (let i = 0; i < 3_000; i++) {
      now += 100
      if (admitted('a', 3) > 0) passed.push(now)
    }
    const worst = Math.max(...passed.map(from => passed.filter(at => at >= from && at < from + 60_000).length))
    expect(worst).toBeLessThanOrEqual(70)
  })

  it('keeps the keys apart', () => {
    expect(admitted('a', 20)).toBe(10)
    expect(admitted('b', 20)).toBe(10)
  })

  it('remembers so many keys and no more; for a new one it forgets the one that was counted longest ago', () => {
    admitted('a', 9)
    for (const key of ['b', 'c', 'a', 'd']) admitted(key, 10)
    expect(meter.size).toBe(3)
    expect(['a', 'c', 'd'].map(key => meter.wait(key, now) > 0)).toEqual([true, true, true])
    expect(meter.wait('b', now)).toBe(0)
    for (let i = 0; i < 10_000; i++) meter.count(`key ${i}`, now)
    expect(meter.size).toBe(3)
  })

  it('forgets whose time is over', () => {
    for (const key of ['a', 'b']) meter.count(key, now)
    now += 60_000
    meter.count('c', now)
    expect(meter.size).toBe(1)
  })
})
