/** Whose an e-mail address is: how it is read, and which entry of the configuration decides. */
import { describe, expect, it } from 'vitest'
import { createEmailDomains, readLoginHint } from '../../src/login/email-domains.ts'
import { asciiDomain } from '../../src/model/email-domain.ts'

describe('a domain', () => {
  it.each([
    ['cnrs.fr', 'cnrs.fr'],
    ['CNRS.Fr', 'cnrs.fr'],
    ['université.fr', 'xn--universit-j4a.fr'],
    ['UNIVERSITÉ.FR', 'xn--universit-j4a.fr'],
    ['universite\u0301.fr', 'xn--universit-j4a.fr'],
    ['xn--universit-j4a.fr', 'xn--universit-j4a.fr'],
    ['例え。jp', 'xn--r8jz45g.jp'],
    ['ｃｎｒｓ．ｆｒ', 'cnrs.fr'],
  ])('%s is compared as %s', (written, compared) => {
    expect(asciiDomain(written)).toBe(compared)
  })

  it.each([
    ...[
      '',
      'cnrs',
      'cnrs.fr.',
      '.cnrs.fr',
      'cnrs..fr',
      '-cnrs.fr',
      'cnrs-.fr',
      'cn_rs.fr',
      '192.0.2.1',
      '0x7f.1',
      '[::1]',
    ],
    ...[
      'cnrs.fr:25',
      'cnrs.fr/x',
      'cnrs.fr?x',
      'cnrs.fr#x',
      'a@cnrs.fr',
      'cn rs.fr',
      'cnrs.fr\n',
      'cnrs%2efr',
      '*.cnrs.fr',
    ],
    ...['cn\u00adrs.fr', 'cn\u200brs.fr', 'xn--.fr', `${'a'.repeat(64)}.fr`, `${'a.'.repeat(126)}fr`],
  ])('is not %j', text => {
    expect(asciiDomain(text)).toBeNull()
  })
})

describe('an e-mail address', () => {
  it.each([
    ['alice@cnrs.fr', 'cnrs.fr', 'alice@cnrs.fr'],
    ['  Alice.Martin+x@Lab.CNRS.fr ', 'lab.cnrs.fr', 'Alice.Martin+x@lab.cnrs.fr'],
    ['josé@université.fr', 'xn--universit-j4a.fr', 'josé@xn--universit-j4a.fr'],
    ['alice@cnrs.fr.', 'cnrs.fr', 'alice@cnrs.fr'],
    ['cnrs.fr', 'cnrs.fr', null],
  ])('%j is of %s', (typed, domain, address) => {
    expect(readLoginHint(typed)).toEqual({ domain, address })
  })

  it('that no idp should be told still says whose it is', () => {
    for (const local of ['"a b"', 'a<b', 'a\u202eb', 'a\tb', 'a\u0000b', 'x'.repeat(65), 'é'.repeat(33), 'a,b', 'a:b'])
      expect(readLoginHint(`${local}@cnrs.fr`), local).toEqual({ domain: 'cnrs.fr', address: null })
  })

  it.each([null, '', ' ', '@', '@cnrs.fr', 'alice@', 'alice', 'alice@cnrs', 'alice@eve@cnrs.fr', 'alice@192.0.2.1'])(
    'is not %j',
    text => {
      expect(readLoginHint(text)).toBeNull()
    },
  )

  it('is not longer than 254 characters', () => {
    expect(readLoginHint(`alice@${'a.'.repeat(123)}fr`)).not.toBeNull()
    expect(readLoginHint(`alice@${'a.'.repeat(124)}fr`)).toBeNull()
  })
})

describe('the owner of a domain', () => {
  const domains = createEmailDomains([
    { id: 'janus', emailDomains: ['cnrs.fr', '*.cnrs.fr'] },
    { id: 'lab', emailDomains: ['lab.cnrs.fr', '*.lab.cnrs.fr'] },
    { id: 'elsewhere', emailDomains: ['*.example.org'] },
    { id: 'codes', emailDomains: [] },
  ])

  it.each([
    ['cnrs.fr', 'janus'],
    ['dr1.cnrs.fr', 'janus'],
    ['a.b.cnrs.fr', 'janus'],
    ['lab.cnrs.fr', 'lab'],
    ['x.lab.cnrs.fr', 'lab'],
    ['www.example.org', 'elsewhere'],
    ['example.org', null],
    ['notcnrs.fr', null],
    ['cnrs.fr.evil.example', null],
    ['fr', null],
    ['__proto__', null],
  ])('%s is %s, by the most exact entry', (domain, owner) => {
    expect(domains.ownerOf(domain)).toBe(owner)
  })
})
