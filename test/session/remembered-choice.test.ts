import { describe, expect, it } from 'vitest'
import type { Identity } from '../../src/model/identity.ts'
import { Secret } from '../../src/model/secret.ts'
import { createRememberedChoice } from '../../src/session/remembered-choice.ts'
import { createKeys } from '../../src/session/seal.ts'
import { anIdentity } from '../policy/a-session.ts'

const one = new Secret('the first secret of the test, long enough')
const two = new Secret('another secret of the test, long enough too')
const remembered = createRememberedChoice(createKeys([one]))

const person = (candidates: Identity['candidates'] = {}, more: Partial<Identity> = {}) =>
  anIdentity({}, { candidates, ...more })
const anna = person({ favourite: ['INSB', 'INEE'], school: ['A', 'B'] })

const name = '__Host-Http-passerelle-choice'
const cookieOf = (line: string) => line.slice(0, line.indexOf(';'))

describe('a choice that a browser remembers', () => {
  const line = remembered.remember(anna, { favourite: 'INEE', school: 'B' })

  it('is what the same person chose, for 180 days, in a cookie that no script and no other host reads', () => {
    expect(remembered.read(`x=1; ${cookieOf(line)}`, anna)).toEqual({ favourite: 'INEE', school: 'B' })
    expect(line).toMatch(/; Path=\/; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax$/)
  })

  it('says neither who it is nor what they chose', () => {
    expect(cookieOf(line)).toMatch(/^__Host-Http-passerelle-choice=[\w-]{43}\.[\w-]{43}$/)
    expect(Buffer.from(cookieOf(line).split('=')[1] ?? '', 'base64url').toString('latin1')).not.toMatch(
      /INEE|anna|campus/,
    )
  })

  it('is nothing to another person, at the same idp or another', () => {
    const { candidates = {} } = anna
    for (const other of [{ subject: 'bruno' }, { idp: 'other' }, { idp: 'campusanna', subject: '' }])
      expect(remembered.read(cookieOf(line), person(candidates, other))).toBeNull()
  })

  it('is as none where the value is not theirs any more, without harm to their other choices', () => {
    expect(remembered.read(cookieOf(line), person({ favourite: ['INSB', 'INSHS'], school: ['A', 'B'] }))).toEqual({
      school: 'B',
    })
    expect(remembered.read(cookieOf(line), person({}))).toBeNull()
    // The value of one claim is not that of another.
    expect(remembered.read(cookieOf(line), person({ school: ['INSB', 'INEE'] }))).toBeNull()
  })

  it('outlives a change of secrets as long as the older one is configured', () => {
    const rotated = createRememberedChoice(createKeys([two, one]))
    expect(rotated.read(cookieOf(line), anna)).toEqual({ favourite: 'INEE', school: 'B' })
    expect(createRememberedChoice(createKeys([two])).read(cookieOf(line), anna)).toBeNull()
  })

  it('that was altered, cut short, made longer or forged is none, however often it comes', () => {
    const value = cookieOf(remembered.remember(anna, { favourite: 'INEE' })).split('=')[1] ?? ''
    const forged = [
      '',
      value.slice(1),
      `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`,
      `${value}A`,
      `${value}.`,
      `"${value}"`,
      'INEE',
      'A'.repeat(43),
      Array(9).fill(value).join('.'),
      'A'.repeat(100_000),
    ]
    for (const sent of forged) expect(remembered.read(`${name}=${sent}`, anna), sent.slice(0, 60)).toBeNull()
    expect(remembered.read(`${name}=${'A'.repeat(43)}; ${name}=${value}`, anna)).toEqual({ favourite: 'INEE' })
  })

  it('keeps values apart that only a careless joining would make alike', () => {
    const odd = person({ a: ['b","c', 'x'], 'a","b': ['c', 'y'] })
    const [first] = [remembered.remember(odd, { a: 'b","c' })]
    expect(remembered.read(cookieOf(first), odd)).toEqual({ a: 'b","c' })
    const lone = person({ a: ['\ud800', '\ud801'] })
    expect(remembered.read(cookieOf(remembered.remember(lone, { a: '\ud801' })), lone)).toEqual({ a: '\ud801' })
  })

  it('is forgotten where there is one', () => {
    expect(remembered.forget(null)).toEqual([])
    expect(remembered.forget(`${name}=x`)).toEqual([`${name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`])
  })
})
