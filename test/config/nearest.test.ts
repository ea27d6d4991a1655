import { describe, expect, it } from 'vitest'
import { nearest, suggestion } from '../../src/config/nearest.ts'

describe('the nearest name', () => {
  it.each([
    ['stroe', 'store'],
    ['sotre', 'store'],
    ['stor', 'store'],
    ['Store', 'store'],
    ['at', 'at'],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, ['secrets', 'store', 'at', 'idleTimeout'])).toBe(expected)
  })

  it('is nobody where all are far', () => {
    expect(nearest('colour', ['secrets', 'store', 'at'])).toBeNull()
    expect(nearest('x', [])).toBeNull()
    expect(suggestion('colour', ['store'])).toBe('')
  })
})
