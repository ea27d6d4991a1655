/** What proves to a host that a session is over (docs/sessions.md A8, 4a). */
import { expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { createLeaveTokens } from '../../src/session/leave-token.ts'
import { createKeys } from '../../src/session/seal.ts'
import { settableClock } from '../stand-in/clock.ts'

const one = new Secret('the secret of the test, which is long enough')
const other = new Secret('another secret of the test, long enough too')
const clock = settableClock()
const tokens = createLeaveTokens(createKeys([one]), clock.now)
const leaving = { sessions: ['a hash', 'and another'], keepsCookie: true }

it('says for its own host what was left, and for no other', () => {
  const token = tokens.tokenFor('app.example.org', leaving)
  expect(token).toMatch(/^[\w-]+$/)
  expect(tokens.read('app.example.org', token)).toEqual(leaving)
  for (const host of ['example.org', 'app2.example.org', '']) expect(tokens.read(host, token)).toBeNull()
})

it('says it for two minutes', () => {
  const token = tokens.tokenFor('app.example.org', leaving)
  clock.advance(119_999)
  expect(tokens.read('app.example.org', token)).toEqual(leaving)
  clock.advance(1)
  expect(tokens.read('app.example.org', token)).toBeNull()
})

it('says nothing when it was altered, cut short, or made by somebody without our secrets', () => {
  const token = tokens.tokenFor('app.example.org', leaving)
  const bytes = Buffer.from(token, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] ?? 0) ^ 1
    expect(tokens.read('app.example.org', altered.toString('base64url')), `byte ${at}`).toBeNull()
  }
  for (const text of [
    '',
    'x',
    token.slice(0, -4),
    createLeaveTokens(createKeys([other]), clock.now).tokenFor('app.example.org', leaving),
  ]) {
    expect(tokens.read('app.example.org', text)).toBeNull()
  }
})

it('is still read while a secret is being changed for another', () => {
  const token = tokens.tokenFor('app.example.org', leaving)
  const rotated = createLeaveTokens(createKeys([other, one]), clock.now)
  expect(rotated.read('app.example.org', token)).toEqual(leaving)
})
