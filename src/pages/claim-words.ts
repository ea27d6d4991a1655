/** How we speak of a claim: the usual names have words of their own, any other is quoted as the policy calls it. */
import type { Language } from '../model/text.ts'
import { clip, type Html, html } from './escape.ts'

export interface ClaimWords {
  /** `le domaine` */
  readonly the: string
  /** `un domaine` */
  readonly a: string
  /** `un domaine quelconque` */
  readonly any: string
  /** `aucun domaine transmis` */
  readonly none: string
  /** `le domaine rattaché à votre compte` */
  readonly yours: Html
  /** `votre compte ne nous a transmis aucun domaine` */
  readonly sentNone: Html
  /** `Domaines`: heads a list of several values. */
  readonly heading: (count: number) => Html
  /** `Mes domaines` */
  readonly mine: Html
  /** `Domaine favori` */
  readonly favourite: Html
  /** Follows the values: ` pour « employeeType »`; empty for the usual names. */
  readonly about: Html
  readonly isAddress: boolean
}

/** French: article and noun; English: the noun, and its indefinite article. The plural where an s does not make it. */
type Usual = {
  readonly fr: readonly [the: string, a: string, noun: string, nouns?: string]
  readonly en: readonly [a: string, noun: string, nouns?: string]
}

const domain: Usual = { fr: ['le ', 'un', 'domaine'], en: ['a', 'domain'] }
const profile: Usual = { fr: ['le ', 'un', 'profil'], en: ['a', 'profile'] }
const institution: Usual = { fr: ['l’', 'un', 'établissement'], en: ['an', 'institution'] }
const affiliation: Usual = { fr: ['le ', 'un', 'rattachement'], en: ['an', 'affiliation'] }
const group: Usual = { fr: ['le ', 'un', 'groupe'], en: ['a', 'group'] }
const role: Usual = { fr: ['le ', 'un', 'rôle'], en: ['a', 'role'] }
const email: Usual = {
  fr: ['l’', 'une', 'adresse de courriel', 'adresses de courriel'],
  en: ['an', 'e-mail address', 'e-mail addresses'],
}

const usual: ReadonlyMap<string, Usual> = new Map([
  ['domain', domain],
  ['domains', domain],
  ['profile', profile],
  ['institution', institution],
  ['affiliation', affiliation],
  ['group', group],
  ['groups', group],
  ['role', role],
  ['roles', role],
  ['email', email],
  ['mail', email],
])

/** Claims whose exact values are persons, whatever they look like. */
const personal = new Set(
  [
    'email',
    'mail',
    'sub',
    'subject',
    'subjectid',
    'uid',
    'eppn',
    'edupersonprincipalname',
    'preferred_username',
  ].concat(['username', 'login', 'name', 'givenname', 'familyname', 'displayname', 'cn']),
)

/**
 * True for an exact value that points at one person. An address-like value counts for any claim but an affiliation or
 * an entitlement, which are scoped in that very shape (`staff@example.org`).
 */
export function namesPeople(claim: string, value: string): boolean {
  if (value.includes('*')) return false
  const name = claim.toLowerCase()
  return personal.has(name) || (value.includes('@') && !/affiliation|entitlement/.test(name))
}

export function claimWords(language: Language, claim: string): ClaimWords {
  const known = usual.get(claim)
  if (known === undefined) return quoted[language](html`<span class="mono">${clip(claim, 48)}</span>`)
  const isAddress = known === email
  if (language === 'en') {
    const [a, noun, nouns = `${noun}s`] = known.en
    return {
      the: `the ${noun}`,
      a: `${a} ${noun}`,
      any: `any ${noun}`,
      none: `no ${noun} was sent`,
      yours: html`the ${noun} attached to your account`,
      sentNone: html`your account sent us no ${noun}`,
      heading: count => html`${capital(count === 1 ? noun : nouns)}`,
      mine: html`My ${nouns}`,
      favourite: html`Favourite ${noun}`,
      about: html``,
      isAddress,
    }
  }
  const [the, a, noun, nouns = `${noun}s`] = known.fr
  const feminine = a === 'une' ? 'e' : ''
  return {
    the: `${the}${noun}`,
    a: `${a} ${noun}`,
    any: `${a} ${noun} quelconque`,
    none: `aucun${feminine} ${noun} transmis${feminine}`,
    yours: html`${the}${noun} rattaché${feminine} à votre compte`,
    sentNone: html`votre compte ne nous a transmis aucun${feminine} ${noun}`,
    heading: count => html`${capital(count === 1 ? noun : nouns)}`,
    mine: html`Mes ${nouns}`,
    favourite: html`${capital(noun)} ${feminine ? 'favorite' : 'favori'}`,
    about: html``,
    isAddress,
  }
}

function capital(noun: string): string {
  return noun.charAt(0).toUpperCase() + noun.slice(1)
}

const quoted: Record<Language, (name: Html) => ClaimWords> = {
  fr: name => ({
    the: 'la valeur',
    a: 'une valeur',
    any: 'une valeur quelconque',
    none: 'aucune valeur transmise',
    yours: html`la valeur de «&nbsp;${name}&nbsp;» rattachée à votre compte`,
    sentNone: html`votre compte ne nous a transmis aucune valeur pour «&nbsp;${name}&nbsp;»`,
    heading: () => name,
    mine: html`Mes valeurs pour «&nbsp;${name}&nbsp;»`,
    favourite: html`Valeur favorite de «&nbsp;${name}&nbsp;»`,
    about: html` pour «&nbsp;${name}&nbsp;»`,
    isAddress: false,
  }),
  en: name => ({
    the: 'the value',
    a: 'a value',
    any: 'any value',
    none: 'no value was sent',
    yours: html`the value of “${name}” attached to your account`,
    sentNone: html`your account sent us no value for “${name}”`,
    heading: () => name,
    mine: html`My values for “${name}”`,
    favourite: html`Favourite value of “${name}”`,
    about: html` for “${name}”`,
    isAddress: false,
  }),
}
