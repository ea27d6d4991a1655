/** Which sids pass for the secret of one session (SESSIONS B 6). */
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { guessedBits, idpSessionOf, secretBits } from '../../src/idp/oidc/sid.ts'

describe('a sid', () => {
  it.each([
    ['a UUID', randomUUID],
    ['64 bits in hexadecimal', () => `a0${randomBytes(7).toString('hex')}`],
    ['a SHA-256 in capitals', () => `A0${randomBytes(31).toString('hex').toUpperCase()}`],
    ['128 bits in base64url', () => randomBytes(16).toString('base64url')],
    ['21 letters and digits, as oidc-provider makes them', () => 'V1StGXR8_Z5jdHi6B-myT'],
    ['a ULID', () => '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ['a cuid', () => 'cjld2cjxh0000qzrmn831i7rn'],
  ])('that is %s is a secret', (_, make) => {
    for (let time = 0; time < 100; time++) {
      const sid = make()
      expect(guessedBits(sid), sid).toBeGreaterThanOrEqual(secretBits)
      expect(idpSessionOf(sid, { sub: 'anna', sid, session_state: sid })).toEqual({ kind: 'sid', value: sid })
    }
  })

  it.each([
    ['a name', 'alice'],
    ['a long name with a year', 'christophe.dupont1985'],
    ['an e-mail address', 'a0b1c2d3e4f5a0b1c2d3e4f5@campus.example'],
    ['a directory’s name', 'uid=a0b1c2d3e4f5a0b1c2d3,ou=people'],
    ['a number', '12345678901234567890123'],
    ['a moment', '2026-11-20-12-00-00-000001'],
    ['a few words', 'the-quick-brown-fox-jumps'],
    ['short', 'a0b1c2d3e4f5a0'],
  ])('that is %s can be guessed', (_, sid) => {
    expect(guessedBits(sid)).toBeLessThan(secretBits)
    expect(idpSessionOf(sid, { sub: 'anna' })).toEqual({ kind: 'guessable-sid', value: sid })
  })

  it('that the provider also says of the person is none, however random', () => {
    const name = randomUUID()
    expect(idpSessionOf(name, { sub: name, sid: name })).toEqual({ kind: 'guessable-sid', value: name })
    expect(idpSessionOf(name, { sub: 'anna', employee: name })).toEqual({ kind: 'guessable-sid', value: name })
  })
})
