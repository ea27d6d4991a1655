/**
 * What a policy asks for and what an account has, in plain words. Names and values are the configuration's; values that
 * name a person are not shown, since they would be somebody else's.
 */
import type { Claims } from '../model/identity.ts'
import type { Condition } from '../model/resource.ts'
import type { Language, Text } from '../model/text.ts'
import { type ClaimWords, claimWords, namesPeople } from './claim-words.ts'
import { clip, type Html, html, join } from './escape.ts'
import { boldValue, type ValueLabels, valueInWords } from './value-words.ts'

/** Labels of the idps by id; an idp without one is shown by its id. */
export type IdpLabels = Readonly<Record<string, Text>>

/** What the configuration calls idps and values. */
export interface Labels {
  readonly idps: IdpLabels
  readonly values: ValueLabels
}

type Rules = readonly (readonly Condition[])[]

/** The names of the claims that the rules ask for, in their order. */
export function claimsAsked(needed: Rules): readonly string[] {
  const names = needed.flat().flatMap(condition => (condition.kind === 'claim' ? [condition.claim] : []))
  return [...new Set(names)]
}

/** One entry for each rule: any of them would have sufficed. Long lists are cut and say so. */
export function neededInWords(language: Language, needed: Rules, labels: Labels): readonly Html[] {
  const rules = needed.filter(rule => rule.length > 0)
  const shown = rules.slice(0, 6)
  const limit = share(shown.flatMap(rule => rule.slice(0, 4)).length, 32)
  const told = shown.map(rule => {
    const conditions = rule.slice(0, 4).map(condition => conditionInWords(language, condition, labels, limit))
    if (rule.length > 4) conditions.push(more[language].conditions(rule.length - 4))
    return join(conditions, more[language].and)
  })
  return rules.length > 6 ? [...told, more[language].rules(rules.length - 6)] : told
}

/** One entry for each claim asked for, also where the account has none of it. */
export function heldInWords(
  language: Language,
  asked: readonly string[],
  held: Claims,
  labels: ValueLabels,
): readonly Html[] {
  const limit = share(Math.min(asked.length, 8), 16)
  return asked.slice(0, 8).map(claim => {
    const words = claimWords(language, claim)
    const values = valuesOf(held, claim)
    if (values.length === 0) return html`${words.none}${words.about}`
    const named = values.map(value => valueInWords(labels, language, claim, value))
    return html`${words.the} ${listed(language, named, limit, 'and')}${words.about}`
  })
}

/** A claim may be called `constructor`. */
export function valuesOf(held: Claims, claim: string): readonly string[] {
  return Object.hasOwn(held, claim) ? (held[claim] ?? []) : []
}

function conditionInWords(language: Language, condition: Condition, labels: Labels, limit: number): Html {
  const words = conditionWords[language]
  switch (condition.kind) {
    case 'claim':
      return claimInWords(language, condition, labels.values, limit)
    case 'idp': {
      const { idps } = labels
      const names = condition.anyOf.map(id => boldValue(Object.hasOwn(idps, id) ? (idps[id]?.[language] ?? id) : id))
      return words.idp(condition.negated, listed(language, names, limit, condition.negated ? 'nor' : 'or'))
    }
    case 'method': {
      const reading = condition.anyOf.every(method => ['GET', 'HEAD', 'OPTIONS'].includes(method))
      if (reading) return condition.negated ? words.sending : words.reading
      const names = condition.anyOf.map(method => html`<span class="mono">${clip(method, 20)}</span>`)
      return words.method(condition.negated, listed(language, names, limit, condition.negated ? 'nor' : 'or'))
    }
    case 'address':
      // Which networks those are is the operator's business: the reader could not tell his own from the figures.
      return condition.negated ? words.otherNetwork : words.network
  }
}

function claimInWords(
  language: Language,
  { claim, anyOf, negated }: Extract<Condition, { kind: 'claim' }>,
  labels: ValueLabels,
  limit: number,
): Html {
  const words = claimWords(language, claim)
  if (anyOf.includes('*')) return negated ? html`${words.none}${words.about}` : html`${words.any}${words.about}`
  const people = anyOf.filter(value => namesPeople(claim, value))
  const plain = anyOf.filter(value => !value.includes('*') && !people.includes(value))
  const patterns = anyOf.filter(value => value.includes('*'))
  const between = negated ? 'nor' : 'or'
  const named = plain.map(value => valueInWords(labels, language, claim, value))
  const alternatives = [
    ...(plain.length > 0 ? [html`${words.the} ${listed(language, named, limit, between)}`] : []),
    ...patterns.slice(0, limit).map(pattern => patternInWords(language, words, pattern)),
    ...(patterns.length > limit ? [more[language].values(patterns.length - limit)] : []),
    ...(people.length > 0 ? [conditionWords[language].listedPeople(words)] : []),
  ]
  const not = negated ? conditionWords[language].not : null
  return html`${not}${join(alternatives, negated ? more[language].commaNor : more[language].commaOr)}${words.about}`
}

/** `*` is the only wildcard. `*@partner.example.org` reads as an address there. */
function patternInWords(language: Language, words: ClaimWords, pattern: string): Html {
  const { at, begins, ends, like } = conditionWords[language]
  const rest = pattern.replaceAll('*', '')
  if (/^\*@[^*]+$/.test(pattern)) return at(words, clip(rest, 60))
  if (/^[^*]+\*$/.test(pattern)) return html`${words.a} ${begins} ${boldValue(rest)}`
  if (/^\*[^*]+$/.test(pattern)) return html`${words.a} ${ends} ${boldValue(rest)}`
  return html`${words.a} ${like} ${boldValue(pattern)}`
}

function listed(language: Language, items: readonly Html[], limit: number, word: 'and' | 'or' | 'nor'): Html {
  const shown = items.slice(0, limit)
  if (items.length > limit) shown.push(more[language].values(items.length - limit))
  const last = shown.pop() ?? html``
  if (shown.length === 0) return last
  return html`${join(shown, html`, `)} ${conditionWords[language][word]} ${last}`
}

/** How many values each of `parts` may show, so that together they stay near `total`. */
function share(parts: number, total: number): number {
  return Math.max(2, Math.floor(total / Math.max(1, parts)))
}

const more = {
  fr: {
    and: html`, et `,
    commaOr: html`, ou `,
    commaNor: html`, ni `,
    values: (count: number) => html`${count}&nbsp;autre${count > 1 ? 's' : null}`,
    conditions: (count: number) =>
      html`${count}&nbsp;autre${count > 1 ? 's' : null} condition${count > 1 ? 's' : null}`,
    rules: (count: number) => html`${count}&nbsp;autre${count > 1 ? 's' : null} possibilité${count > 1 ? 's' : null}`,
  },
  en: {
    and: html`, and `,
    commaOr: html`, or `,
    commaNor: html`, nor `,
    values: (count: number) => html`${count} other${count > 1 ? 's' : null}`,
    conditions: (count: number) => html`${count} other condition${count > 1 ? 's' : null}`,
    rules: (count: number) => html`${count} other possibilit${count > 1 ? 'ies' : 'y'}`,
  },
} as const

const conditionWords = {
  fr: {
    and: 'et',
    or: 'ou',
    nor: 'ni',
    not: html`pas `,
    begins: 'qui commence par',
    ends: 'qui finit par',
    like: 'de la forme',
    at: (words: ClaimWords, domain: string) => html`${words.isAddress ? words.a : 'une adresse'} ${domain}`,
    listedPeople: (words: ClaimWords) => html`${words.a} de la liste admise`,
    idp: (negated: boolean, names: Html) => html`${negated ? 'pas ' : null}une connexion par ${names}`,
    method: (negated: boolean, names: Html) => html`${negated ? 'pas ' : null}une action de la sorte ${names}`,
    reading: html`une simple consultation, sans rien envoyer`,
    sending: html`un envoi, et non une simple consultation`,
    network: html`une connexion depuis un réseau admis, par exemple sur place`,
    otherNetwork: html`une connexion depuis un autre réseau`,
  },
  en: {
    and: 'and',
    or: 'or',
    nor: 'nor',
    not: html`not `,
    begins: 'that begins with',
    ends: 'that ends with',
    like: 'of the form',
    at: (words: ClaimWords, domain: string) => html`${words.isAddress ? words.a : 'an address'} at ${domain}`,
    listedPeople: (words: ClaimWords) => html`${words.a} on the list of those admitted`,
    idp: (negated: boolean, names: Html) => html`${negated ? 'not ' : null}a sign-in with ${names}`,
    method: (negated: boolean, names: Html) => html`${negated ? 'not ' : null}an action of the kind ${names}`,
    reading: html`reading only, without sending anything`,
    sending: html`sending something, not reading only`,
    network: html`a connection from an admitted network, on the premises for example`,
    otherNetwork: html`a connection from another network`,
  },
} as const
