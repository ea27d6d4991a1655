/** SESSIONS A7: what an idp says counts as far as the operator said that it is believed, and no further. */
import { describe, expect, it } from 'vitest'
import { createUnderstanding } from '../../src/claims/map.ts'
import type { Asserts, Belief } from '../../src/model/belief.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { Claims, Identity, Strength } from '../../src/model/identity.ts'

const any: Belief = { kind: 'any' }
const none: Belief = { kind: 'none' }
const like = (...anyOf: string[]): Belief => ({ kind: 'like', anyOf })

const setting = (from: string, more: object = {}) => ({
  from: [from],
  split: null,
  case: 'keep' as const,
  values: null,
  table: null,
  unlisted: 'drop' as const,
  take: 'all' as const,
  default: null,
  ...more,
})

const claims = {
  email: setting('mail', { case: 'lower' }),
  domain: setting('ou', { table: '53;INSB\n54;INSHS\n' }),
  profile: setting('p', { default: ['guest'] }),
  favourite: setting('ou', { table: '53;INSB\n54;INSHS\n', take: 'first' }),
}

function understanding(asserts: Asserts | null) {
  const events: GatewayEvent[] = []
  const made = createUnderstanding({
    claims,
    asserts: new Map([['op', asserts]]),
    report: event => events.push(event),
  })
  return { ...made, events }
}

const understood = (asserts: Asserts | null, raw: Claims) => ({
  ...understanding(asserts).understood(raw, 'op').claims,
})

describe('an idp without asserts', () => {
  it('is believed about everything', () => {
    expect(understood(null, { mail: ['Audit@Example.org'], ou: ['53'], sub: ['a'] })).toEqual({
      email: ['audit@example.org'],
      domain: ['INSB'],
      favourite: ['INSB'],
      profile: ['guest'],
      mail: ['Audit@Example.org'],
      ou: ['53'],
      sub: ['a'],
    })
  })
})

describe('an idp with asserts', () => {
  it('is believed about the claims that are named, by the names of policies, and about nothing else', () => {
    expect(understood({ domain: any }, { mail: ['a@cnrs.fr'], ou: ['53'], sub: ['a'], email: ['b@cnrs.fr'] })).toEqual({
      domain: ['INSB'],
      profile: ['guest'],
    })
  })

  it('may say the values that are like its patterns, after they were mapped', () => {
    const raw = { mail: ['Anna@CNRS.fr', 'audit@example.org'], ou: ['53', '54'] }
    expect(understood({ email: like('*@cnrs.fr'), domain: like('INSB') }, raw)).toEqual({
      email: ['anna@cnrs.fr'],
      domain: ['INSB'],
      profile: ['guest'],
    })
  })

  it.each(['a@example.org@cnrs.fr', 'a@cnrs.fr.example.org', 'a@xcnrs.fr', 'a@cnrs.fr\n', 'cnrs.fr', ''])(
    'may not say %j where it may say *@cnrs.fr',
    value => {
      expect(understood({ email: like('*@cnrs.fr') }, { mail: [value] }).email).toBeUndefined()
    },
  )

  it('has every other claim where it says so, but never those that are denied to it', () => {
    const raw = { mail: ['a@cnrs.fr'], ou: ['53'], sub: ['a'], acr: ['mfa'], amr: ['otp'] }
    expect(understood({ email: none, '*': any }, raw)).toEqual({
      domain: ['INSB'],
      favourite: ['INSB'],
      profile: ['guest'],
      mail: ['a@cnrs.fr'],
      ou: ['53'],
      sub: ['a'],
    })
  })

  it('cannot choose a default away, nor fill it', () => {
    expect(understood({}, { p: ['admin'] })).toEqual({ profile: ['guest'] })
  })

  it('has the first of the values that it may say, not the first of all', () => {
    expect(understood({ favourite: like('INSHS') }, { ou: ['53', '54'] }).favourite).toEqual(['INSHS'])
  })

  it('cannot be taken for another by a claim named like a part of an object', () => {
    const raw = JSON.parse('{"__proto__":["x"],"constructor":["y"],"toString":["z"]}')
    expect(understood({ email: any }, raw)).toEqual({ profile: ['guest'] })
  })
})

describe('an idp that is not configured', () => {
  it('is believed about nothing', () => {
    const { understood: read } = understanding(null)
    expect({ ...read({ mail: ['a@cnrs.fr'], sub: ['a'] }, 'other').claims }).toEqual({ profile: ['guest'] })
  })
})

describe('what is not believed', () => {
  it('is reported by claim and number, without the values, and what the configuration does not name as one', () => {
    const { understood: read, events } = understanding({ email: like('*@cnrs.fr'), nick: none })
    const others = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`c${i}`, ['x', 'y']]))
    read({ ...others, mail: ['audit@example.org', 'b@example.org', 'c@cnrs.fr'], ou: ['53'], nick: ['n'] }, 'op')
    expect(events).toEqual([
      { name: 'claim.disbelieved', idp: 'op', claim: 'nick', values: 1 },
      { name: 'claim.disbelieved', idp: 'op', claim: 'email', values: 2 },
      { name: 'claim.disbelieved', idp: 'op', claim: 'domain', values: 1 },
      { name: 'claim.disbelieved', idp: 'op', claim: 'favourite', values: 1 },
      { name: 'claim.disbelieved', idp: 'op', claim: null, values: 1_000 },
    ])
  })

  it('is nothing where everything is believed', () => {
    const { understood: read, events } = understanding({ email: any, domain: any, favourite: any, '*': any })
    read({ mail: ['a'], ou: ['53'], sub: ['a'] }, 'op')
    expect(events).toEqual([])
  })
})

describe('how strongly a person signed in', () => {
  const strong: Strength = { acr: 'mfa', amr: ['pwd', 'otp'] }
  const identity: Identity = {
    idp: 'op',
    subject: 'anna',
    claims: {},
    authenticatedAt: 0,
    strength: strong,
    idpSession: null,
  }
  const strength = (asserts: Asserts | null) => understanding(asserts).identity(identity).strength

  it('is believed of an idp that is believed about everything', () => {
    expect(strength(null)).toEqual(strong)
  })

  it('is not believed of an idp that is believed about other things only, be it all other claims', () => {
    expect(strength({ email: any })).toEqual({ acr: null, amr: [] })
    expect(strength({ '*': any })).toEqual({ acr: null, amr: [] })
  })

  it('is believed as far as the idp is believed about acr and amr', () => {
    expect(strength({ acr: like('mfa') })).toEqual({ acr: 'mfa', amr: [] })
    expect(strength({ acr: like('silver'), amr: like('pwd') })).toEqual({ acr: null, amr: ['pwd'] })
    expect(strength({ acr: any, amr: any })).toEqual(strong)
  })

  it('is counted where it is not believed, by name where the operator named it', () => {
    const named = understanding({ acr: like('silver') })
    named.identity(identity)
    expect(named.events).toEqual([
      { name: 'claim.disbelieved', idp: 'op', claim: 'acr', values: 1 },
      { name: 'claim.disbelieved', idp: 'op', claim: null, values: 2 },
    ])
  })
})
