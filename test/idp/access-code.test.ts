/** What an access code is made of, how it is kept, and how many of them are checked at once (docs/sessions.md B 16). */
import { describe, expect, it } from 'vitest'
import { withCode, withoutCode } from '../../src/config/access-code-edit.ts'
import { momentIn, readCodes } from '../../src/config/access-codes.ts'
import { hashOf, matches, readHash, writeHash } from '../../src/idp/code/hash.ts'
import { codeIn, inGroups, newCode } from '../../src/idp/code/spelling.ts'
import { Turns } from '../../src/idp/code/turns.ts'

const hash = `scrypt:15:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`
const entry = (more = '', selector = '7K3M') => `- selector: ${selector}\n  hash: ${hash}\n${more}`
const rules = { mayCountUses: true }

describe('an access code', () => {
  it('is twenty characters of Crockford base32 in groups of four, and none like another', () => {
    const made = Array.from({ length: 500 }, () => newCode(new Set()))
    for (const code of made) expect(inGroups(code)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){4}$/)
    expect(new Set(made.map(({ whole }) => whole)).size).toBe(500)
    // Each of the 32 letters comes, in each of the places.
    for (let at = 4; at < 20; at++) expect(new Set(made.map(({ whole }) => whole[at])).size).toBeGreaterThan(24)
  })

  it.each([
    ['7K3M-2VQX-0000-1111-ZZZZ'],
    ['7k3m2vqx00001111zzzz'],
    [' 7K3M 2VQX oooo IlLi zzzz\n'],
    ['7K3M–2VQX—O000‑1111 ZZZZ'],
    ['７Ｋ３Ｍ2VQX00001111ZZZZ'],
  ])('is read as people type it: %j', typed => {
    expect(codeIn(typed)).toEqual({ selector: '7K3M', whole: '7K3M2VQX00001111ZZZZ' })
  })

  it.each([
    [''],
    ['7K3M'],
    ['7K3M-2VQX-0000-1111-ZZZU'],
    ['7K3M-2VQX-0000-1111-ZZZZ-7'],
    ['é'.repeat(20)],
    ['7'.repeat(100_000)],
  ])('is not read into %j', typed => {
    expect(codeIn(typed)).toBeNull()
  })
})

describe('the hash of a code', () => {
  it('is matched by that code only, and never the same twice', async () => {
    const [one, other] = [await hashOf('7K3M2VQX00001111ZZZZ'), await hashOf('7K3M2VQX00001111ZZZZ')]
    expect(writeHash(one)).not.toBe(writeHash(other))
    expect(await matches('7K3M2VQX00001111ZZZZ', readHash(writeHash(one)))).toBe(true)
    expect(await matches('7K3M2VQX00001111ZZZ0', one)).toBe(false)
    expect(await matches('7K3M2VQX00001111ZZZZ', null)).toBe(false)
  })

  it('of another cost or shape is none: all tries take the same time', () => {
    expect(readHash(hash)).not.toBeNull()
    for (const text of [hash.replace('15', '10'), hash.replace('scrypt', 'bcrypt'), hash.slice(0, -1), `${hash}A`, ''])
      expect(readHash(text)).toBeNull()
  })
})

describe('turns', () => {
  it('are two at once and fifty that wait; whoever comes then is told so, and all others come to their turn', async () => {
    const turns = new Turns(2, 50)
    let [running, most] = [0, 0]
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const work = async () => {
      most = Math.max(most, ++running)
      await gate
      running--
    }
    const taken = Array.from({ length: 52 }, () => turns.take(work))
    await expect(turns.take(work)).rejects.toMatchObject({ code: 'login.busy', status: 503 })
    release()
    await Promise.all(taken)
    expect([most, running]).toEqual([2, 0])
    await expect(turns.take(async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await turns.take(async () => 'again')).toBe('again')
  })
})

describe('a file of codes', () => {
  it('is read whole: claims, a time, a number of uses, hosts and a note', () => {
    const more = `  claims: { level: [reader, 'x'] }\n  from: 2026-09-01\n  until: 2027-06-30\n  uses: 3\n  hosts: [Nature.example.org]\n  note: Lycée\n`
    const { codes, faults } = readCodes(entry(more), rules)
    expect(faults).toEqual([])
    expect(codes[0]).toMatchObject({
      selector: '7K3M',
      from: Date.parse('2026-09-01T00:00:00Z'),
      until: Date.parse('2027-07-01T00:00:00Z'),
      uses: 3,
      hosts: ['nature.example.org'],
      note: 'Lycée',
    })
    expect({ ...codes[0]?.claims }).toEqual({ level: ['reader', 'x'] })
  })

  it.each(['', '# nothing yet\n', '[]\n'])('may be empty: %j', text => {
    expect(readCodes(text, rules)).toEqual({ codes: [], faults: [], named: new Set() })
  })

  it.each([
    ['selector: x', 1, 'must be a list'],
    ['- 7', 1, 'must be an access code'],
    [entry('  use: 3\n'), 3, '"use" is not known here; did you mean "uses"?'],
    [entry('', '1234'), 1, 'selector must be text; put it in quotes'],
    [entry('', 'O000'), 1, 'four characters'],
    [`${entry()}${entry()}`, 3, '7K3M is a selector already (line 1)'],
    [entry().replace('15', '10'), 2, 'hash must be one that'],
    [entry('  from: tomorrow\n'), 3, 'from must be a day or a moment'],
    [entry('  until: 2027-02-30\n'), 3, 'until must be a day or a moment'],
    [entry('  from: 2027-02-01\n  until: 2027-01-30\n'), 4, 'until must be later than from'],
    [entry('  uses: 0\n'), 3, 'uses must be a whole number'],
    [entry('  uses: some\n'), 3, 'uses must be a whole number'],
    [entry('  hosts: [https://nature.example.org]\n'), 3, 'hosts must be names of hosts'],
    [entry('  hosts: []\n'), 3, 'hosts must be a text or a list of texts'],
    [entry('  claims: { level: [3] }\n'), 3, 'claims.level must be a text'],
    [entry('  claims: reader\n'), 3, 'claims must be names with values'],
    [`${entry()} x: {`, 3, ''],
  ])('is broken at its line: %j', (text, line, message) => {
    const { faults } = readCodes(text, rules)
    expect(faults[0]?.line).toBe(line)
    expect(faults[0]?.message).toContain(message)
  })

  it('counts no uses where the store would forget them', () => {
    expect(readCodes(entry('  uses: 3\n'), { mayCountUses: false }).faults[0]).toMatchObject({
      line: 3,
      message: expect.stringContaining('uses needs session.store of kind redis'),
    })
  })

  it('keeps what people wrote into it when a code comes or goes', () => {
    const before = `# of the library\n${entry('  # until the summer\n  note: Lycée\n')}`
    const added = withCode(before, { selector: 'ABCD', hash })
    expect(readCodes(added, rules).codes.map(({ selector }) => selector)).toEqual(['7K3M', 'ABCD'])
    expect(added).toContain('# of the library')
    expect(added).toContain('# until the summer')
    expect(withoutCode(added, 'ABCD')).toBe(before)
    expect(withoutCode(added, 'NONE')).toBeNull()
    const emptied = withoutCode(before, '7K3M') ?? ''
    expect(readCodes(emptied, rules)).toMatchObject({ codes: [], faults: [] })
    expect(readCodes(withCode(emptied, { selector: 'ABCD', hash }), rules).codes).toHaveLength(1)
  })

  it('has days that begin and end in UTC, and moments with their offset', () => {
    expect(momentIn('2027-06-30', 'from')).toBe(Date.parse('2027-06-30T00:00:00Z'))
    expect(momentIn('2027-06-30', 'until')).toBe(Date.parse('2027-07-01T00:00:00Z'))
    expect(momentIn('2027-06-30T18:00+02:00', 'until')).toBe(Date.parse('2027-06-30T16:00:00Z'))
    // The same moment, in the night in which clocks in Paris go forward, and the two halves past two of the one in which they go back.
    expect(momentIn('2027-03-28T03:00:00+02:00', 'from')).toBe(momentIn('2027-03-28T02:00:00+01:00', 'from'))
    const [summer, winter] = ['+02:00', '+01:00'].map(offset => momentIn(`2027-10-31T02:30${offset}`, 'until') ?? 0)
    expect((winter ?? 0) - (summer ?? 0)).toBe(3_600_000)
    // A day has twenty-four hours, whatever the clocks of people do: it is one of UTC.
    const [from, until] = [momentIn('2027-10-31', 'from'), momentIn('2027-10-31', 'until')]
    expect((until ?? 0) - (from ?? 0)).toBe(24 * 3_600_000)
    expect(momentIn('2027-06-30T02:00+14:00', 'until')).toBe(Date.parse('2027-06-29T12:00:00Z'))
    for (const text of [
      '2027-06-30T18:00+25:00',
      '2027-06-30T18:00:60Z',
      '2027-06-30T18:00 Europe/Paris',
      '30/06/2027',
    ])
      expect(momentIn(text, 'from')).toBeNull()
    for (const text of ['2027-06-31', '2027-13-01', '2027', '2027-06-30T18:00', 'never'])
      expect(momentIn(text, 'from')).toBeNull()
  })
})
