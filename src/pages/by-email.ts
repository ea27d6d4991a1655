/**
 * The other way on the page that asks which account: an e-mail address, of which only the domain counts. A form of its own, so
 * that Enter in the field sends this and nothing else. What was typed stays in the field, and goes nowhere but into the POST.
 */
import type { Language } from '../model/text.ts'
import { octagon } from './drawings.ts'
import { clip, type Html, html } from './escape.ts'
import { heading, type Level } from './frame.ts'
import { form } from './ways-out.ts'

/** Whether this is the person's own computer. */
export interface RememberQuestion {
  /** What stands marked. */
  readonly remember: boolean
  /** Idle limit where it is not, ms. */
  readonly sharedIdleMs: number
}

export interface ByEmail {
  /** As it was typed. */
  readonly typed: string
  /** Why the page is here again; null: it is here for the first time. */
  readonly failed: EmailFailure | null
  /** "Remember this choice?"; null: not asked. */
  readonly question: RememberQuestion | null
  /** Hidden fields that travel with it. */
  readonly carried: Readonly<Record<string, string>>
}

/** unknown: no idp that this site admits has people with such addresses. */
export type EmailFailure = { readonly kind: 'no-address' } | { readonly kind: 'unknown'; readonly domain: string }

export function byEmail(d: ByEmail, token: string, language: Language, level: Level): Html {
  const words = wordsOf[language]
  const id = idOf(level)
  const failed =
    d.failed && html`<span class="error" id="${id}-error">${words.error}${words[d.failed.kind].short}</span>`
  const described = failed === null ? `${id}-hint` : `${id}-hint ${id}-error`
  const invalid = failed === null ? null : html` aria-invalid="true"`
  return html`${heading(level, 1, words.heading)}
${form(
  '/login',
  token,
  d.carried,
  html`<div class="field"><label for="${id}">${words.label}</label><span class="hint" id="${id}-hint">${words.hint}</span>
<input id="${id}" name="email" inputmode="email" autocomplete="email" autocapitalize="none" spellcheck="false" maxlength="254" value="${d.typed}" aria-describedby="${described}" required${invalid}>${failed}</div>
${d.question && ownComputer(d.question, language)}<p class="act"><button class="btn plain">${words.confirm}</button></p>`,
)}
`
}

function ownComputer({ remember, sharedIdleMs }: RememberQuestion, language: Language): Html {
  const words = wordsOf[language]
  const checked = remember ? html` checked` : null
  const means = words.rememberMeans(Math.max(1, Math.round(sharedIdleMs / 60_000)))
  return html`<label class="option"><input type="checkbox" name="remember" value="yes"${checked}><span><b>${words.remember}</b><small>${means}</small></span></label>
`
}

/** On top of the page, with the way to the field. */
export function emailNotice({ failed }: ByEmail, language: Language, level: Level): Html | null {
  if (failed === null) return null
  const words = wordsOf[language]
  // Read out once, not in both languages.
  const role = level === 1 ? html` role="alert"` : null
  return html`<div class="notice stop"${role}>${octagon}<div><p><b>${said(failed, language)}</b></p><p>${words[failed.kind].help} <a href="#${idOf(level)}">${words.correct}</a></p></div></div>
`
}

/** Before the title of the page. */
export function emailError(d: ByEmail | null, language: Language): Html | null {
  return d === null || d.failed === null ? null : wordsOf[language].error
}

function said(failed: EmailFailure, language: Language): Html {
  const words = wordsOf[language]
  return failed.kind === 'unknown' ? words.unknown.said(clip(failed.domain, 80)) : words['no-address'].said
}

/** The form is there twice, where it is folded in the other language. */
function idOf(level: Level): string {
  return level === 1 ? 'email' : 'email-other'
}

const wordsOf = {
  fr: {
    heading: html`Ou par votre adresse de courriel`,
    label: 'Adresse de courriel professionnelle ou universitaire',
    hint: html`Par exemple prenom.nom@exemple.fr. Elle sert seulement à trouver votre établissement et n’est pas conservée.`,
    remember: 'J’utilise mon propre ordinateur, mémoriser ce choix',
    rememberMeans: (minutes: number) =>
      html`Sinon, votre session se ferme après ${minutes}&nbsp;minute${minutes > 1 ? 's' : ''} sans activité, ou avec le navigateur.`,
    confirm: 'Trouver mon établissement',
    error: html`Erreur&nbsp;: `,
    correct: 'Corriger l’adresse',
    unknown: {
      said: (domain: string) => html`Aucun compte de cette page ne correspond aux adresses en <bdi>@${domain}</bdi>.`,
      short: 'adresse non reconnue ici.',
      help: html`Ce n’est pas forcément une faute de frappe&nbsp;: tous les établissements ne sont pas reconnus ainsi. Choisissez alors votre compte dans la liste.`,
    },
    'no-address': {
      said: html`Ceci n’est pas une adresse de courriel.`,
      short: 'ceci n’est pas une adresse de courriel.',
      help: html`Une adresse a la forme nom@établissement.fr.`,
    },
  },
  en: {
    heading: html`Or by your e-mail address`,
    label: 'E-mail address at work or at university',
    hint: html`Such as first.last@example.org. It only serves to find your institution, and is not kept.`,
    remember: 'I use my own computer, remember this choice',
    rememberMeans: (minutes: number) =>
      html`Otherwise your session closes after ${minutes} minute${minutes > 1 ? 's' : ''} without activity, or with the browser.`,
    confirm: 'Find my institution',
    error: html`Error: `,
    correct: 'Correct the address',
    unknown: {
      said: (domain: string) => html`No account on this page is known for addresses at <bdi>@${domain}</bdi>.`,
      short: 'address not recognised here.',
      help: html`It need not be a typing mistake: not all institutions are recognised in this way. Then choose your account from the list.`,
    },
    'no-address': {
      said: html`This is not an e-mail address.`,
      short: 'this is not an e-mail address.',
      help: html`An address looks like name@institution.org.`,
    },
  },
} as const
