import { describe, expect, it } from 'vitest'
import type { ClaimSettings } from '../../src/claims/claim-settings.ts'
import { createUnderstanding } from '../../src/claims/map.ts'
import type { Claims } from '../../src/model/identity.ts'

const plain = (claims: object) => ({ ...claims })

const absent: ClaimSettings = {
  from: [],
  split: null,
  case: 'keep',
  values: null,
  table: null,
  unlisted: 'drop',
  take: 'all',
  default: null,
}

/** Of an idp that is believed about everything. */
function createClaimsMap(settings: Readonly<Record<string, Partial<ClaimSettings>>> | null) {
  const claims = Object.entries(settings ?? {}).map(([name, claim]) => [name, { ...absent, ...claim }] as const)
  const asserts = new Map([['campus', null]])
  const report = () => expect.unreachable('everything is believed')
  const understanding = createUnderstanding({ claims: Object.fromEntries(claims), asserts, report })
  return (raw: Claims) => understanding.understood(raw, 'campus').claims
}

/** What one name becomes of one raw claim. */
function made(settings: Partial<ClaimSettings>, ...raw: readonly string[]): readonly string[] | undefined {
  return createClaimsMap({ it: { from: ['raw'], ...settings } })({ raw }).it
}

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

describe('values within a value', () => {
  it('come apart at a text, without the spaces around them and without empty ones', () => {
    expect(made({ split: [';'] }, 'a@example.org; b@example.org ;;', 'c@example.org')).toEqual([
      'a@example.org',
      'b@example.org',
      'c@example.org',
    ])
    expect(made({ split: [';'] }, ' ; ')).toBeUndefined()
  })

  it('come apart at each of several texts', () => {
    expect(made({ split: [';', '->'] }, '54->Institut des sciences humaines;53->Biologie')).toEqual([
      '54',
      'Institut des sciences humaines',
      '53',
      'Biologie',
    ])
  })

  it('stay together where no text is named, commas and semicolons included', () => {
    expect(made({}, 'Martin, Anna; dite "Nana"')).toEqual(['Martin, Anna; dite "Nana"'])
  })

  it('keep a line break, which then matches nothing, rather than lose it and match', () => {
    expect(made({ split: [';'], values: { admin: ['chef'] } }, 'admin\r\n;\nadmin')).toBeUndefined()
    expect(made({ split: [';'] }, 'admin\r\n;x')).toEqual(['admin\r\n', 'x'])
  })

  it('end at a thousand, however many one value hides', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `v${i}`)
    expect(made({ split: [','] }, many.join(','))).toEqual(many.slice(0, 1_000))
  })

  it('are looked for ten thousand times at most, however many an idp hides', () => {
    const settings = { split: [';', ','], values: { y: ['found'] } }
    expect(made(settings, `${'x;'.repeat(9_999)}y`)).toEqual(['found'])
    expect(made(settings, `${'x;'.repeat(10_000)}y`)).toBeUndefined()
    expect(made(settings, 'x;'.repeat(5_000), 'x,'.repeat(5_000), 'y')).toBeUndefined()
  })
})

describe('looking up', () => {
  const values = { National_ENS: ['enseignant'], National_DOC: ['enseignant', 'documentaliste'] }

  it('gives what a value becomes, of several values the union, each once and in order', () => {
    expect(made({ values }, 'National_DOC', 'National_ENS')).toEqual(['enseignant', 'documentaliste'])
  })

  it('drops what is not listed: an idp must not say the result itself', () => {
    expect(made({ values }, 'enseignant', 'National_ELV')).toBeUndefined()
  })

  it('keeps what is not listed where the operator wants that', () => {
    expect(made({ values, unlisted: 'keep' }, 'National_ELV', 'National_ENS')).toEqual(['National_ELV', 'enseignant'])
  })

  it('takes a table and values together, as a union', () => {
    const table = 'National_ENS;professeur\n"National_ENS";tuteur;enseignant\n'
    expect(made({ values, table }, 'National_ENS')).toEqual(['enseignant', 'professeur', 'tuteur'])
  })

  it('keeps the order of the table, so that its first value is the favourite', () => {
    const table = '661;INSHS;INSB\n53;INSB\n'
    expect(made({ table, take: 'first' }, '661', '53')).toEqual(['INSHS'])
    expect(made({ table }, '53', '661')).toEqual(['INSB', 'INSHS'])
  })

  it('lets a source that stands first choose the favourite', () => {
    const table = '53;INSB\nINSB;INSB\nINC;INC\n'
    const map = createClaimsMap({ favourite: { from: ['chosen', 'office'], table, take: 'first' } })
    expect(map({ office: ['53'], chosen: ['INC'] }).favourite).toEqual(['INC'])
    expect(map({ office: ['53'] }).favourite).toEqual(['INSB'])
    expect(map({ office: ['53'], chosen: ['none of ours'] }).favourite).toEqual(['INSB'])
  })

  it('compares letters exactly, unless it is asked not to', () => {
    expect(made({ values }, 'National_ens')).toBeUndefined()
    expect(made({ values, case: 'lower' }, 'National_ens', 'NATIONAL_DOC')).toEqual(['enseignant', 'documentaliste'])
    const both = { Lower: ['a'], LOWER: ['b'] }
    expect(made({ values: both, case: 'lower' }, 'lower')).toEqual(['a', 'b'])
  })

  it('finds accents in either of their two encodings (UAX 15)', () => {
    const composed = '\u00c9l\u00e8ve'
    const decomposed = 'E\u0301le\u0300ve'
    expect(made({ values: { [composed]: ['eleve'] } }, decomposed)).toEqual(['eleve'])
    expect(made({ values: { [decomposed]: ['eleve'] } }, composed)).toEqual(['eleve'])
    expect(made({ values: { [composed]: ['eleve'] }, case: 'lower' }, decomposed.toUpperCase())).toEqual(['eleve'])
  })
})

describe('values that are kept', () => {
  it('are not normalised: two encodings of a name stay two', () => {
    expect(made({}, '\u00e9', 'e\u0301')).toEqual(['\u00e9', 'e\u0301'])
  })

  it('are in lower case where that is asked for, in every alphabet', () => {
    expect(made({ case: 'lower' }, 'Anna@CNRS.fr', 'ÉLÈVE', 'ΣΟΦΙΑ')).toEqual(['anna@cnrs.fr', 'élève', 'σοφια'])
  })

  it('never become ASCII that was none: a Kelvin sign is no k, a dotted capital I no i', () => {
    expect(made({ case: 'lower' }, '\u212aate@cnrs.fr', '\u0130an@cnrs.fr')).toEqual([
      '\u212aate@cnrs.fr',
      '\u0130an@cnrs.fr',
    ])
  })

  it('may hold markup, control characters and every script: they are data', () => {
    const odd = ['<script>alert(1)</script>', 'a\r\nX-Admin: 1', '\u202eevil', 'Łukasz 王 😀', '\ud800']
    expect(made({}, ...odd)).toEqual(odd)
  })

  it('may be three hundred', () => {
    const many = Array.from({ length: 300 }, (_, i) => `group-${i}`)
    expect(made({}, ...many)).toEqual(many)
  })
})

describe('a default', () => {
  it('is for people who have no value, whatever the reason', () => {
    const settings = { values: { ENS: ['enseignant'] }, default: ['invite'] }
    expect(made(settings)).toEqual(['invite'])
    expect(made(settings, 'ELV')).toEqual(['invite'])
    expect(made(settings, 'ELV', 'ENS')).toEqual(['enseignant'])
  })
})

describe('a person without any optional claim', () => {
  it('has the defaults and nothing else', () => {
    const map = createClaimsMap({
      email: { from: ['email', 'mail'], split: [';'] },
      domain: { from: ['ou'], table: '53;INSB\n' },
      profile: { from: ['p'], default: ['invite'] },
    })
    expect(plain(map({ sub: ['anna'] }))).toEqual({ sub: ['anna'], profile: ['invite'] })
  })
})
