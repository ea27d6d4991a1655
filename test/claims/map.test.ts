import { describe, expect, it } from 'vitest'
import { createClaimsMap } from '../../src/claims/map.ts'

const plain = (claims: object) => ({ ...claims })

describe('the claims map', () => {
  it('gives a configured name the values of all its sources, in their order, each once', () => {
    const map = createClaimsMap({ email: { from: ['mail', 'email', 'urn:oid:0.9.2342.19200300.100.1.3'] } })
    const raw = { email: ['b@example.org', 'a@example.org'], mail: ['a@example.org', 'c@example.org'] }
    expect(map(raw).email).toEqual(['a@example.org', 'c@example.org', 'b@example.org'])
  })

  it('keeps the names that are not configured, sources included', () => {
    const map = createClaimsMap({ email: { from: ['mail'] } })
    expect(plain(map({ mail: ['a'], ou: ['INSB'] }))).toEqual({ email: ['a'], mail: ['a'], ou: ['INSB'] })
  })

  it('has no configured name without a value of its sources, even where the idp asserts that very name', () => {
    const map = createClaimsMap({ profile: { from: ['ENTPersonProfils'] } })
    expect(map({ profile: ['teacher'] }).profile).toBeUndefined()
    expect(map({ profile: ['teacher'], ENTPersonProfils: ['pupil'] }).profile).toEqual(['pupil'])
    expect(map({ ENTPersonProfils: [] }).profile).toBeUndefined()
  })

  it('reads sources from the raw claims alone, never from another configured name', () => {
    const map = createClaimsMap({ a: { from: ['raw'] }, b: { from: ['a'] } })
    expect(plain(map({ raw: ['x'] }))).toEqual({ a: ['x'], raw: ['x'] })
  })

  it('lets two names change places', () => {
    const map = createClaimsMap({ a: { from: ['b'] }, b: { from: ['a'] } })
    expect(plain(map({ a: ['1'], b: ['2'] }))).toEqual({ a: ['2'], b: ['1'] })
  })

  it('without configuration keeps every claim', () => {
    expect(plain(createClaimsMap(null)({ mail: ['a'] }))).toEqual({ mail: ['a'] })
  })

  it('treats names like parts of JavaScript’s objects as any other', () => {
    const raw = JSON.parse('{"__proto__":["x"],"constructor":["y"]}')
    const mapped = createClaimsMap({ who: { from: ['__proto__'] }, whom: { from: ['toString'] } })(raw)
    expect(Object.getPrototypeOf(mapped)).toBeNull()
    expect(Object.entries(mapped)).toEqual([
      ['__proto__', ['x']],
      ['constructor', ['y']],
      ['who', ['x']],
    ])
  })
})
