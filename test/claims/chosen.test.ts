import { describe, expect, it } from 'vitest'
import { chosenClaims } from '../../src/claims/chosen.ts'
import type { ClaimSettings } from '../../src/claims/claim-settings.ts'
import { createUnderstanding, type UnderstandingParts } from '../../src/claims/map.ts'
import type { Claims } from '../../src/model/identity.ts'

const absent: ClaimSettings = {
  from: ['ou'],
  split: null,
  case: 'keep',
  values: null,
  table: null,
  unlisted: 'drop',
  take: 'all',
  default: null,
}
const table = '53;INSB\n55;INEE\n76;INSHS;INSB\n'
const domain: ClaimSettings = { ...absent, table }
const favourite: ClaimSettings = { ...absent, table, take: 'chosen' }

function understood(
  claims: Readonly<Record<string, ClaimSettings>>,
  raw: Claims,
  more: Partial<UnderstandingParts> = {},
) {
  const asserts = new Map([['campus', null]])
  const made = createUnderstanding({ claims, asserts, report: () => {}, ...more }).understood(raw, 'campus')
  return { claims: { ...made.claims }, candidates: made.candidates }
}

describe('a claim that people choose', () => {
  it('is the first of its values, and has all of them to choose from, in their order and each once', () => {
    expect(understood({ domain, favourite }, { ou: ['55', '76', '53'] })).toEqual({
      claims: { ou: ['55', '76', '53'], domain: ['INEE', 'INSHS', 'INSB'], favourite: ['INEE'] },
      candidates: { favourite: ['INEE', 'INSHS', 'INSB'] },
    })
  })

  it('has nothing to choose from with one value, or none', () => {
    expect(understood({ favourite }, { ou: ['55'] })).toEqual({
      claims: { ou: ['55'], favourite: ['INEE'] },
      candidates: undefined,
    })
    expect(understood({ favourite }, { ou: ['nothing'] }).claims).toEqual({ ou: ['nothing'] })
  })

  it('offers what the idp is believed about, and nothing else', () => {
    const asserts = new Map([
      ['campus', { favourite: { kind: 'like', anyOf: ['INS*'] }, ou: { kind: 'any' } } as const],
    ])
    expect(understood({ favourite }, { ou: ['55', '76'] }, { asserts })).toEqual({
      claims: { ou: ['55', '76'], favourite: ['INSHS'] },
      candidates: { favourite: ['INSHS', 'INSB'] },
    })
  })

  it('offers defaults to who has no value', () => {
    const guests = { ...favourite, default: ['INSHS', 'INP'] }
    expect(understood({ favourite: guests }, {})).toEqual({
      claims: { favourite: ['INSHS'] },
      candidates: { favourite: ['INSHS', 'INP'] },
    })
  })

  it('is one value also where the operator wrote several, for an access code', () => {
    const named = new Set(['campus'])
    expect(understood({ favourite }, { favourite: ['INSHS', 'INSB'] }, { named })).toEqual({
      claims: { favourite: ['INSHS'] },
      candidates: { favourite: ['INSHS', 'INSB'] },
    })
  })

  it('offers fifty values at most, and four kilobytes of them: the record keeps the list', () => {
    const everything = { ...absent, take: 'chosen' } as const
    const many = Array.from({ length: 300 }, (_, index) => `v${index}`)
    expect(understood({ it: everything }, { ou: many }).candidates?.it).toEqual(many.slice(0, 50))
    const long = ['é'.repeat(1_000), 'b'.repeat(2_000), 'c'.repeat(200), 'd']
    expect(understood({ it: everything }, { ou: long }).candidates?.it).toEqual(long.slice(0, 2))
    expect(understood({ it: everything }, { ou: ['x'.repeat(5_000), 'y'] })).toMatchObject({ candidates: undefined })
  })

  it('has a claim called as objects call their own', () => {
    const claims = { constructor: favourite }
    expect(understood(claims, {}).claims).toEqual({})
    expect(understood(claims, { ou: ['53', '55'] }).candidates).toEqual({ constructor: ['INSB', 'INEE'] })
  })
})

describe('what people know the values by', () => {
  it('is the claim that has all of them, wherever it stands; itself, where there is none', () => {
    const first: ClaimSettings = { ...favourite, take: 'first' }
    const school: ClaimSettings = { ...absent, from: ['uai'], take: 'chosen' }
    expect(chosenClaims({ first, favourite, school, domain })).toEqual([
      { claim: 'favourite', among: 'domain' },
      { claim: 'school', among: 'school' },
    ])
    expect(chosenClaims({ domain })).toEqual([])
  })

  it('is no claim of other values: another source, spelling, table or mapping', () => {
    const others: readonly Partial<ClaimSettings>[] = [
      { from: ['ou', 'o'] },
      { split: [';'] },
      { case: 'lower' },
      { table: '53;INSB\n' },
      { values: { 53: ['INSB'] } },
      { unlisted: 'keep' },
    ]
    for (const other of others)
      expect(chosenClaims({ favourite, domain: { ...domain, ...other } }), JSON.stringify(other)).toEqual([
        { claim: 'favourite', among: 'favourite' },
      ])
    const values = { favourite: { ...favourite, values: { 1: ['A'], 2: ['B'] } } }
    expect(chosenClaims({ ...values, domain: { ...domain, values: { 2: ['B'], 1: ['A'] } } })[0]?.among).toBe('domain')
  })
})
