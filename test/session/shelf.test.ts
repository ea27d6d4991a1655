import { describe, expect, it } from 'vitest'
import { Shelf } from '../../src/session/shelf.ts'
import { settableClock } from '../stand-in/clock.ts'

function filled(count: number, lifeMs = 1_000) {
  const clock = settableClock()
  const shelf = new Shelf<number>(clock.now)
  for (let each = 0; each < count; each++) shelf.put(`${each}`, each, clock.now() + lifeMs)
  return { clock, shelf }
}

describe('a shelf', () => {
  it('shows an entry up to the last millisecond of its life, and not at its end', () => {
    const { clock, shelf } = filled(1)
    clock.advance(999)
    expect(shelf.get('0')?.value).toBe(0)
    clock.advance(1)
    expect(shelf.get('0')).toBeNull()
    expect(shelf.size).toBe(0)
  })

  it('takes nothing in whose life is over', () => {
    const { clock, shelf } = filled(1)
    shelf.put('0', 1, clock.now())
    expect(shelf.size).toBe(0)
  })

  it('drops its oldest entry, and a rewritten one is the youngest', () => {
    const { clock, shelf } = filled(3)
    shelf.put('0', 0, clock.now() + 1_000)
    shelf.dropOldest()
    expect(['0', '1', '2'].map(key => shelf.get(key)?.value ?? null)).toEqual([0, null, 2])
  })

  it('knows what its entries weigh, however they leave', () => {
    const clock = settableClock()
    const shelf = new Shelf<string>(clock.now, value => value.length)
    shelf.put('a', '12345', clock.now() + 1_000)
    shelf.put('a', '123', clock.now() + 1_000)
    shelf.put('b', '1', clock.now() + 1_000)
    shelf.put('c', '12', clock.now() + 2_000)
    expect(shelf.weight).toBe(6)
    shelf.delete('b')
    shelf.delete('b')
    expect(shelf.weight).toBe(5)
    clock.advance(1_000)
    shelf.sweep(10)
    expect(shelf.weight).toBe(2)
    shelf.dropOldest()
    shelf.dropOldest()
    expect(shelf.weight).toBe(0)
  })

  it('counts only what is alive', () => {
    const { clock, shelf } = filled(3)
    shelf.put('long', 9, clock.now() + 2_000)
    clock.advance(1_000)
    expect(shelf.live()).toBe(1)
    expect(shelf.size).toBe(4)
  })
})

describe('the sweep of a shelf', () => {
  it('looks at no more entries than it may, and goes on there the next time', () => {
    const { clock, shelf } = filled(100)
    clock.advance(1_000)
    shelf.sweep(30)
    expect(shelf.size).toBe(70)
    for (let each = 0; each < 3; each++) shelf.sweep(30)
    expect(shelf.size).toBe(0)
  })

  it('begins again once it has seen everything', () => {
    const { clock, shelf } = filled(10)
    shelf.sweep(100)
    clock.advance(1_000)
    shelf.sweep(100)
    expect(shelf.size).toBe(0)
  })

  it('comes to its end although entries are written behind it', () => {
    const { clock, shelf } = filled(10)
    for (let each = 0; each < 10; each++) {
      shelf.sweep(3)
      shelf.put(`${each}`, each, clock.now() + 5_000)
    }
    expect(shelf.size).toBe(10)
    clock.advance(5_000)
    shelf.sweepAll()
    expect(shelf.size).toBe(0)
  })
})
