/** Which sids pass for the secret of one session (SESSIONS B 6). */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { guessedBits, idpSessionOf, secretBits } from '../../src/idp/oidc/sid.ts'

describe('a sid', () => {
  it.each([
    ['a UUID', randomUUID()],
    ['64 bits in hexadecimal', 'a0b1c2d3e4f50617'],
    ['a SHA-256 in capitals', createHash('sha256').update('x').digest('hex').toUpperCase()],
    ['21 letters and digits, as oidc-provider makes them', 'V1StGXR8_Z5jdHi6B-myT'],
    ['a ULID', '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
    ['a cuid', 'cjld2cjxh0000qzrmn831i7rn'],
  ])('that is %s is a secret', (_, sid) => {
    expect(guessedBits(sid)).toBeGreaterThanOrEqual(secretBits)
    expect(idpSessionOf(sid, { sub: 'anna', sid, session_state: sid })).toEqual({ kind: 'sid', value: sid })
  })

  it('of 128 random bits is hardly ever mistaken for a name', () => {
    const mistaken = Array.from({ length: 10_000 }, () => randomBytes(16).toString('base64url')).filter(
      sid => guessedBits(sid) < secretBits,
    )
    expect(mistaken.length).toBeLessThan(50)
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
