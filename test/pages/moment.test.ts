import { describe, expect, it } from 'vitest'
import { moment, wait } from '../../src/pages/moment.ts'

// The zone is the process's, and tests run in any: only what holds in all of them is checked.
const at = new Date('2026-11-20T08:12:00Z')

describe('a day and an hour', () => {
  it('name their zone, and do not break in the middle', () => {
    expect(String(moment('fr', at))).toMatch(
      /^\d+&nbsp;novembre&nbsp;2026 à \d+&nbsp;h&nbsp;\d\d \(UTC([+-][\d:]+)?\)$/,
    )
    expect(String(moment('en', at))).toMatch(/^\d+&nbsp;November&nbsp;2026, \d+:\d\d \(UTC([+-][\d:]+)?\)$/)
  })
})

describe('a wait', () => {
  it('is told in seconds while an hour would say less', () => {
    expect(String(wait('fr', at, 1).length)).toBe('1&nbsp;seconde')
    expect(String(wait('fr', at, 5).length)).toBe('5&nbsp;secondes')
    expect(wait('en', at, 119).until).toBeNull()
  })

  it('has an hour at which it ends', () => {
    expect(String(wait('en', at, 900).length)).toBe('15&nbsp;minutes')
    expect(String(wait('en', at, 900).until)).toMatch(/^\d+:27|:57|:12|:42$/)
    expect(String(wait('fr', at, 900).until)).toMatch(/^\d+&nbsp;h&nbsp;\d\d$/)
  })
})
