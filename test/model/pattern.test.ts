import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../src/model/pattern.ts'
import { promised } from '../stand-in/measure.ts'
import { seeded } from '../stand-in/seeded.ts'

const matches = (pattern: string, value: string) => compilePattern(pattern, 'strict')(value)

describe('a value of a rule', () => {
  it('matches the same text, and no other case of it', () => {
    expect(matches('enseignant', 'enseignant')).toBe(true)
    expect(matches('enseignant', 'Enseignant')).toBe(false)
    expect(matches('enseignant', 'enseignant ')).toBe(false)
    expect(matches('a,b', 'a')).toBe(false)
  })

  it('has no special character but the star', () => {
    expect(matches('a.c', 'abc')).toBe(false)
    expect(matches('[ab]+?', '[ab]+?')).toBe(true)
    expect(matches('(x|y)', 'x')).toBe(false)
  })

  it('matches any text, also none, where a star stands', () => {
    expect(matches('*', '')).toBe(true)
    expect(matches('urn:*:licence:*', 'urn:x:licence:2026')).toBe(true)
    expect(matches('urn:*:licence:*', 'urn:x:licence')).toBe(false)
    expect(matches('a*b', 'ab')).toBe(true)
    expect(matches('ab*ba', 'aba')).toBe(false)
    expect(matches('*aa*aa*', 'aaa')).toBe(false)
    expect(matches('**x**', 'x')).toBe(true)
  })

  it('does not take an @ for any character where the pattern has one (OI-26)', () => {
    expect(matches('*@cnrs.fr', 'anna@cnrs.fr')).toBe(true)
    expect(matches('*@cnrs.fr', 'attacker@evil.example@cnrs.fr')).toBe(false)
    expect(matches('anna@*', 'anna@cnrs.fr@evil.example')).toBe(false)
    expect(matches('*@*.fr', 'anna@cnrs.fr')).toBe(true)
    expect(matches('*@cnrs.fr', 'anna@cnrs.fr.evil.example')).toBe(false)
    expect(matches('*@cnrs.fr', 'anna@xcnrs.fr')).toBe(false)
    expect(matches('*', 'anna@cnrs.fr')).toBe(true)
  })

  it('takes an @ for any character in the wide reading, which exclusions use', () => {
    expect(compilePattern('*@evil.example', 'wide')('x@y@evil.example')).toBe(true)
  })

  it('is compared with a hostile value in a moment', () => {
    const hostile = compilePattern(`${'*a'.repeat(50)}*aaaax*b`, 'strict')
    const begun = performance.now()
    expect(hostile(`${'a'.repeat(100_000)}b`)).toBe(false)
    expect(performance.now() - begun).toBeLessThan(promised(1_000))
  })

  it('agrees with a slow and simple definition on twenty thousand random texts', () => {
    const random = seeded(7)
    const text = (letters: string, longest: number) =>
      Array.from({ length: random(longest + 1) }, () => letters[random(letters.length)]).join('')
    for (let i = 0; i < 20_000; i++) {
      const pattern = text('ab*', 6)
      const value = text('ab', 7)
      expect([pattern, value, matches(pattern, value)]).toEqual([pattern, value, plainly(pattern, value)])
    }
  })
})

/** The definition: a star is nothing, or one more character. */
function plainly(pattern: string, value: string): boolean {
  if (pattern === '') return value === ''
  if (pattern[0] === '*') return plainly(pattern.slice(1), value) || (value !== '' && plainly(pattern, value.slice(1)))
  return value !== '' && pattern[0] === value[0] && plainly(pattern.slice(1), value.slice(1))
}
