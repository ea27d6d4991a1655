/** What becomes of a provider's claims (OI-26, the border's side): typed values, nothing guessed, nothing merged. */
import { describe, expect, it } from 'vitest'
import { claimsOf } from '../../src/idp/oidc/claims.ts'

const plain = (claims: object) => ({ ...claims })

describe('claims', () => {
  it('are lists, even for a single value', () => {
    expect(plain(claimsOf({ given_name: 'Anna', groups: ['a', 'b'] }, null))).toEqual({
      given_name: ['Anna'],
      groups: ['a', 'b'],
    })
  })

  it('of the userinfo answer stand beside those of the ID token, and take their place under the same name', () => {
    const claims = claimsOf({ groups: ['old'], given_name: 'Anna' }, { groups: ['new', 'newer'], family_name: 'Adam' })
    expect(plain(claims)).toEqual({ groups: ['new', 'newer'], given_name: ['Anna'], family_name: ['Adam'] })
  })

  it('say what the texts of numbers and booleans are', () => {
    expect(plain(claimsOf({ level: 3, ratio: 0.5, active: true, locked: false }, null))).toEqual({
      level: ['3'],
      ratio: ['0.5'],
      active: ['true'],
      locked: ['false'],
    })
  })

  it('are absent where they are null, an empty list, or hold nothing comparable (OI-26)', () => {
    expect(plain(claimsOf({ a: null, b: [], c: [null, {}], d: {}, e: Number.POSITIVE_INFINITY }, null))).toEqual({})
  })

  it('keep an empty text, which is a value', () => {
    expect(plain(claimsOf({ nickname: '' }, null))).toEqual({ nickname: [''] })
  })

  it('of lists are their scalars, in order', () => {
    expect(plain(claimsOf({ groups: ['a', ['b', ['c']], { name: 'd' }, 5, null] }, null))).toEqual({
      groups: ['a', 'b', 'c', '5'],
      '/groups/name': ['d'],
    })
  })

  it('of an object bear its path (RFC 6901)', () => {
    const raw = { realm_access: { roles: ['admin', 'user'] }, address: { locality: 'Nancy', geo: { lat: 48.69 } } }
    expect(plain(claimsOf(raw, null))).toEqual({
      '/realm_access/roles': ['admin', 'user'],
      '/address/locality': ['Nancy'],
      '/address/geo/lat': ['48.69'],
    })
  })

  it('of objects in a list are read like those of a single one', () => {
    const school = (externalId: string, ...classes: string[]) => ({ externalId, classes: { classe: classes } })
    const one = { userAttributes: { profile: 'Teacher', schools: { school: school('0870003F', 'TPS') } } }
    const two = { userAttributes: { schools: { school: [school('0870003F', 'TPS', 'PS'), school('0541234A', 'CP')] } } }
    expect(plain(claimsOf(one, null))).toEqual({
      '/userAttributes/profile': ['Teacher'],
      '/userAttributes/schools/school/externalId': ['0870003F'],
      '/userAttributes/schools/school/classes/classe': ['TPS'],
    })
    expect(plain(claimsOf(two, null))).toEqual({
      '/userAttributes/schools/school/externalId': ['0870003F', '0541234A'],
      '/userAttributes/schools/school/classes/classe': ['TPS', 'PS', 'CP'],
    })
  })

  it('have names that no path can be taken for, nor they for one', () => {
    const raw = {
      '/a/b': 'a name',
      a: { b: 'a path', 'c/d': 'slash', 'e~f': 'tilde' },
      'a.b': 'dotted',
      'urn:oid:0.9.2342.19200300.100.1.3': 'oid',
      'https://example.org/roles': ['admin'],
      'https://example.org/app': { roles: 'nested' },
    }
    expect(plain(claimsOf(raw, null))).toEqual({
      '/~1a~1b': ['a name'],
      '/a/b': ['a path'],
      '/a/c~1d': ['slash'],
      '/a/e~0f': ['tilde'],
      'a.b': ['dotted'],
      'urn:oid:0.9.2342.19200300.100.1.3': ['oid'],
      'https://example.org/roles': ['admin'],
      '/https:~1~1example.org~1app/roles': ['nested'],
    })
  })

  it('about the protocol are left out', () => {
    const protocol = { iss: 'i', aud: 'a', exp: 1, iat: 1, nbf: 1, nonce: 'n', at_hash: 'h', c_hash: 'h', azp: 'a' }
    const session = { sid: 's', session_state: 's', auth_time: 1, acr: 'mfa', amr: ['pwd'], jti: 'j' }
    expect(plain(claimsOf({ ...protocol, ...session, sub: 'anna' }, { ...session, sub: 'anna' }))).toEqual({
      sub: ['anna'],
    })
  })

  it('are exact: case, commas, spaces, look-alikes and a second @ stay as they are (OI-26)', () => {
    const odd = ['Staff', 'staff,admin', ' staff', 'ѕtaff', 'a@evil.com@company.com', 'é', 'é']
    expect(claimsOf({ groups: odd }, null).groups).toEqual(odd)
  })

  it('named like parts of JavaScript’s objects are claims like any other', () => {
    const raw = JSON.parse('{"__proto__":"x","constructor":"y","toString":{"valueOf":"z"}}')
    const claims = claimsOf(raw, null)
    expect(Object.getPrototypeOf(claims)).toBeNull()
    expect(Object.entries(claims)).toEqual([
      ['__proto__', ['x']],
      ['constructor', ['y']],
      ['/toString/valueOf', ['z']],
    ])
    expect(claims.hasOwnProperty).toBeUndefined()
  })
})

describe('an e-mail address', () => {
  it('that the provider says it has not verified is not `email` (OI-26)', () => {
    // .NET writes its booleans with a capital letter; what is no boolean is no yes.
    for (const email_verified of [false, 'false', 'False', 0, 1, '', 'no', [], [true], { toString: 1 }]) {
      const claims = claimsOf({ email: 'chef@example.org', email_verified }, null)
      expect(claims.email).toBeUndefined()
      expect(claims['email.unverified']).toEqual(['chef@example.org'])
    }
    expect(claimsOf({ email: 'chef@example.org' }, { email_verified: false }).email).toBeUndefined()
    expect(claimsOf({ email_verified: false }, { email: 'chef@example.org' }).email).toBeUndefined()
  })

  it('of which the provider says nothing, or that it is verified, is `email`', () => {
    expect(claimsOf({ email: 'a@example.org' }, null).email).toEqual(['a@example.org'])
    for (const email_verified of [true, 'true', 'True', null]) {
      expect(claimsOf({ email: 'a@example.org', email_verified }, null).email).toEqual(['a@example.org'])
    }
  })
})

describe('claims without measure', () => {
  it('are cut at a thousand values, and lose values over ten thousand characters', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `g${i}`)
    expect(claimsOf({ groups: many }, null).groups).toEqual(many.slice(0, 1_000))
    expect(claimsOf({ photo: 'x'.repeat(10_001), note: 'x'.repeat(10_000) }, null)).toEqual({
      note: ['x'.repeat(10_000)],
    })
    expect(claimsOf({ photos: ['x'.repeat(10_001), 'y'] }, null).photos).toEqual(['y'])
  })

  it('are cut at a thousand names', () => {
    const raw = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`c${i}`, 'x']))
    expect(Object.keys(claimsOf(raw, null))).toHaveLength(1_000)
  })

  it('nested ever deeper are cut at twelve levels', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(200)}"end"${'}'.repeat(200)}`)
    expect(plain(claimsOf(deep, null))).toEqual({})
    const lists = JSON.parse(`${'['.repeat(200)}"end"${']'.repeat(200)}`)
    expect(plain(claimsOf({ lists }, null))).toEqual({})
  })
})
