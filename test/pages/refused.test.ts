import { describe, expect, it } from 'vitest'
import type { Claims } from '../../src/model/identity.ts'
import type { Condition } from '../../src/model/resource.ts'
import { type Language, textOf } from '../../src/model/text.ts'
import { createPages } from '../../src/pages/pages.ts'
import { context, janus, refusal, site } from './samples.ts'

const pages = createPages(site, {
  idps: { janus },
  values: { domain: { INSHS: { fr: 'sciences humaines', en: 'humanities' } } },
})

type Rules = readonly (readonly Condition[])[]

function refused(language: Language, needed: Rules, held: Claims, more = {}): string {
  return pages.refused(context(language, 'portal'), { ...refusal, needed, held, ...more })
}

/** The rows of facts as text: term, then its values. */
function facts(html: string): Record<string, readonly string[]> {
  const text = (part: string) =>
    part
      .replace(/<[^>]*>/g, '')
      .replaceAll('&nbsp;', ' ')
      .replaceAll('&#39;', "'")
      .trim()
  const rows = [...html.matchAll(/<dt>(.*?)<\/dt>((?:<dd>.*?<\/dd>)+)/gs)]
  return Object.fromEntries(
    rows.map(([, term = '', values = '']) => [
      text(term),
      [...values.matchAll(/<dd>(.*?)<\/dd>/gs)].map(m => text(m[1] ?? '')),
    ]),
  )
}

const needs = (language: Language, ...conditions: readonly Condition[]) =>
  facts(refused(language, [conditions], {}))[language === 'fr' ? 'Il faut' : 'What is needed']?.[0]

const claim = (name: string, anyOf: readonly string[], negated = false): Condition => ({
  kind: 'claim',
  claim: name,
  anyOf,
  negated,
})

describe('what is needed, in plain words', () => {
  it('is every rule, one after the other', () => {
    const html = refused('fr', refusal.needed, refusal.held)
    expect(facts(html)['Il faut']).toEqual([
      'le domaine INSB ou INEE, et pas le profil invite',
      'ou bien une adresse de courriel @partner.example.org',
      'ou bien une connexion depuis un réseau admis, par exemple sur place',
    ])
    expect(facts(refused('en', refusal.needed, refusal.held))['What is needed']).toEqual([
      'the domain INSB or INEE, and not the profile invite',
      'or else an e-mail address at @partner.example.org',
      'or else a connection from an admitted network, on the premises for example',
    ])
  })

  it('names an unusual claim as the policy does', () => {
    expect(needs('fr', claim('employeeType', ['A', 'B', 'C']))).toBe('la valeur A, B ou C pour « employeeType »')
    expect(needs('en', claim('employeeType', ['A']))).toBe('the value A for “employeeType”')
  })

  it.each([
    ['*', 'any domain'],
    ['bio*', 'a domain that begins with bio'],
    ['*.fr', 'a domain that ends with .fr'],
    ['a*z', 'a domain of the form a*z'],
    ['*@partner.example.org', 'an address at @partner.example.org'],
  ])('reads the pattern %s', (pattern, words) => {
    expect(needs('en', claim('domain', [pattern]))).toBe(words)
  })

  it('says values and patterns together', () => {
    expect(needs('fr', claim('domain', ['INSB', 'bio*']))).toBe('le domaine INSB, ou un domaine qui commence par bio')
  })

  it('turns negations into words', () => {
    expect(needs('fr', claim('profile', ['invite', 'essai'], true))).toBe('pas le profil invite ni essai')
    expect(needs('en', claim('profile', ['*'], true))).toBe('no profile was sent')
    expect(needs('en', { kind: 'idp', anyOf: ['janus'], negated: true })).toBe('not a sign-in with Janus account')
  })

  it('names idps by their labels, or by their ids where there is none', () => {
    expect(needs('fr', { kind: 'idp', anyOf: ['janus', 'toString'], negated: false })).toBe(
      'une connexion par Compte Janus ou toString',
    )
  })

  it('speaks of methods and networks without figures', () => {
    expect(needs('fr', { kind: 'method', anyOf: ['GET', 'HEAD'], negated: false })).toBe(
      'une simple consultation, sans rien envoyer',
    )
    expect(needs('en', { kind: 'method', anyOf: ['POST'], negated: false })).toBe('an action of the kind POST')
    expect(refused('en', refusal.needed, {})).not.toContain('192.0.2')
  })

  it('never lists other people', () => {
    expect(needs('fr', claim('email', ['chef@example.org', 'audit@example.org']))).toBe(
      'une adresse de courriel de la liste admise',
    )
    expect(needs('en', claim('sub', ['u1234']))).toBe('a value on the list of those admitted for “sub”')
    expect(needs('en', claim('owner', ['chef@example.org']))).not.toContain('chef@')
    expect(needs('en', claim('eduPersonScopedAffiliation', ['staff@example.org']))).toContain('staff@example.org')
  })

  it('is cut where a policy is long', () => {
    const values = Array.from({ length: 300 }, (_, index) => `urn:mace:example.org:entitlement:journal-${index}`)
    const rules = Array.from({ length: 40 }, () => [claim('entitlement', values), claim('domain', values)])
    const html = pages.refused(context('fr', 'site'), { ...refusal, needed: rules, held: { entitlement: values } })
    expect(html).toContain('ou bien 34&nbsp;autres possibilités')
    expect(html).toContain('autres')
    expect(Buffer.byteLength(html)).toBeLessThan(20_000)
  })
})

describe('what the account has', () => {
  it('is only what a rule asks for', () => {
    const html = refused('fr', [[claim('domain', ['INSB'])]], { domain: ['INSHS'], phone: ['0123456789'] })
    expect(facts(html)['Vous avez']).toEqual(['le domaine INSHS (sciences humaines)'])
    expect(html).not.toContain('0123456789')
  })

  it('says so where nothing was sent', () => {
    expect(facts(refused('fr', [[claim('email', ['*@x.org'])]], {}))['Vous avez']).toEqual([
      'aucune adresse de courriel transmise',
    ])
    expect(facts(refused('en', [[claim('constructor', ['x'])]], {}))['What you have']).toEqual([
      'no value was sent for “constructor”',
    ])
  })

  it('lists several values', () => {
    expect(facts(refused('en', [[claim('group', ['x'])]], { group: ['a', 'b', 'c'] }))['What you have']).toEqual([
      'the group a, b and c',
    ])
  })

  it('is left out where no rule asks for anything', () => {
    expect(facts(refused('fr', [[{ kind: 'idp', anyOf: ['janus'], negated: false }]], {}))).not.toHaveProperty(
      'Vous avez',
    )
  })
})

describe('why, in one sentence', () => {
  const lead = (html: string) => /<p class="lead">(.*?)<\/p>/.exec(html)?.[1]

  it('names the claim where it is the only one', () => {
    expect(lead(refused('fr', [[claim('domain', ['INSB'])]], { domain: ['INSHS'] }))).toBe(
      'Votre connexion a réussi. Mais le domaine rattaché à votre compte ne donne pas accès à Nature.',
    )
    expect(lead(refused('en', [[claim('domain', ['INSB'])]], {}))).toBe(
      'You signed in correctly. But your account sent us no domain, and Nature depends on it.',
    )
  })

  it('names the network where nothing else is asked for', () => {
    expect(lead(refused('en', [[{ kind: 'address', anyOf: ['::1/128'], negated: false }]], {}))).toBe(
      'You signed in correctly. But Nature opens only from certain networks.',
    )
  })

  it('names the service that the account came by where it is not admitted', () => {
    const html = refused('fr', [], {}, { reason: 'idp-not-admitted' })
    expect(lead(html)).toContain('Nature ne s’ouvre pas par le service «&nbsp;Compte Janus&nbsp;»')
    expect(facts(html)['Il faut']).toEqual(['une connexion par un autre service que « Compte Janus »'])
  })

  it('is general where several things are asked for', () => {
    expect(lead(refused('en', refusal.needed, {}))).toContain('does not meet the conditions of access to Nature')
  })
})

describe('the page of a refusal', () => {
  const html = refused('fr', refusal.needed, refusal.held)

  it('says the state first, and draws a gate', () => {
    expect(html).toContain('<title>Accès refusé&nbsp;: Nature – Bibliothèque Exemple</title>')
    expect(html).toContain('<h1>Ce compte n’ouvre pas Nature</h1>')
    expect(html).toContain('il est fermé pour ce compte.')
  })

  it('names the account, and leaves out a name that is not known', () => {
    expect(facts(html).Compte).toEqual(['Compte Janus, anne.lefevre@example.org'])
    const unnamed = refused('fr', refusal.needed, {}, { account: { idp: janus, name: null } })
    expect(facts(unnamed).Compte).toEqual(['Compte Janus'])
  })

  it('offers another account, whom to write to, and what is open', () => {
    expect(html).toContain('href="https://acces.example.org/login?again=1"')
    expect(html).toContain('href="mailto:acces@example.org?subject=Nature%20%E2%80%93%20r%C3%A9f%C3%A9rence%207K2M4Q"')
    expect(html).toContain('Voir ce qui m’est ouvert')
  })

  it('ends with the reference and the policy’s own name', () => {
    expect(html).toMatch(/<b>7K2M4Q<\/b><br>[^<]*, règle «&nbsp;life-sciences&nbsp;»<\/p>\n<\/main>/)
  })

  it('speaks of the resource in each language', () => {
    const both = pages.refused(context('fr', 'site'), { ...refusal, resource: { fr: 'Cours', en: 'Courses' } })
    expect(both).toContain('<h1>Ce compte n’ouvre pas Cours</h1>')
    expect(both).toContain('<h2 id="in-the-other-language">This account does not open Courses</h2>')
  })
})

it('shows a wide choice of rules with few words each', () => {
  const rules = [[claim('group', ['a'])], [claim('group', ['b'])]]
  expect(facts(refused('en', rules, { group: ['c'] }, { resource: textOf('X') }))['What is needed']).toEqual([
    'the group a',
    'or else the group b',
  ])
})
