/** The form for an access code. What was typed is never shown again: whoever looks over a shoulder reads no code. */
import type { ErrorCode } from '../errors.ts'
import type { Language, Text } from '../model/text.ts'
import { octagon } from './drawings.ts'
import { clip, type Html, href, html } from './escape.ts'
import { aboutOf, type FailureData } from './failure.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import { sentences } from './sentences.ts'
import { mailto, type PageContext, type Site } from './site.ts'
import { answerWithin, form } from './ways-out.ts'

export interface AccessCodeData {
  /** As people know this way of signing in. */
  readonly label: Text
  readonly going: Text | null
  /** A path of the portal: the form posts there. */
  readonly action: string
  readonly token: string
  /** What became of the last try; null: there was none. */
  readonly failed: { readonly code: ErrorCode; readonly retryAfterS: number | null } | null
  /** Where people choose another way; null: there is no other. */
  readonly otherWay: string | null
}

export function accessCodePage(site: Site, c: PageContext, d: AccessCodeData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: AccessCodeData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const label = clip(d.label[language], 80)
  const going = d.going && clip(d.going[language], 80)
  const main = html`${going && whither(words.going(going))}${heading(level, 0, html`${label}`)}
${notice(site, c, d, language, level)}${form(d.action, d.token, {}, field(d, language, level))}
<p>${words.lost} ${whom(site, c, language)} ${words.neverSend}</p>`
  const title = d.failed === null ? html`${label}` : html`${words.error}${label}`
  return { title, main, quotesReference: true }
}

function notice(site: Site, c: PageContext, d: AccessCodeData, language: Language, level: Level): Html | null {
  if (d.failed === null) return null
  const data: FailureData = { ...nothingKnown, code: d.failed.code, retryAfterS: d.failed.retryAfterS }
  const { title, lead } = sentences[d.failed.code][language](aboutOf(site, c, data, language))
  // Read out once, not in both languages.
  const role = level === 1 ? html` role="alert"` : null
  const correct = wrongIn(d, language) && html` <a href="#${idOf(level)}">${wordsOf[language].correct}</a>`
  return html`<div class="notice stop"${role}>${octagon}<div><p><b>${title}</b></p><p>${lead}${correct}</p></div></div>
`
}

const nothingKnown = { subject: null, going: null, host: null, sent: false, button: null, other: null } as const

function field(d: AccessCodeData, language: Language, level: Level): Html {
  const words = wordsOf[language]
  const id = idOf(level)
  const wrong = wrongIn(d, language)
  const invalid = wrong && html` aria-invalid="true"`
  const error = wrong && html`<span class="error" id="${id}-error">${words.error}${wrong}</span>`
  const other = d.otherWay === null ? null : html`<a href="${href(d.otherWay)}">${words.otherWay}</a>`
  return html`<div class="field"><label for="${id}">${words.label}</label><span class="hint" id="${id}-hint">${words.hint}</span>
<input id="${id}" name="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="100" aria-describedby="${id}-hint${error && ` ${id}-error`}" required${invalid}>${error}</div>
<p class="act"><button class="btn">${words.signIn}</button>${other}</p>`
}

/** The form is there twice, where it is folded in the other language. */
function idOf(level: Level): string {
  return level === 1 ? 'code' : 'code-other'
}

/** What is wrong with what was typed; null: nothing, whatever else failed. */
function wrongIn({ failed }: AccessCodeData, language: Language): string | null {
  const { again, another } = wordsOf[language]
  switch (failed?.code) {
    case 'code.wrong':
      return again
    case 'code.not-yet':
    case 'code.expired':
      return another
    default:
      return null
  }
}

function whom(site: Site, c: PageContext, language: Language): Html {
  const words = wordsOf[language]
  const reference = html`<b class="mono">${c.reference}</b>`
  if (site.contact === null) return words.ask(reference)
  const within = answerWithin(site, language)
  const address = html`<a href="${mailto(site.contact.address, words.subject(c.reference))}">${site.contact.address}</a>`
  return words.write(html`${address}${within && html` (${within})`}`, reference)
}

const wordsOf = {
  fr: {
    going: (going: string) => html`Vous allez vers <b>${going}</b>.`,
    error: html`Erreur&nbsp;: `,
    again: 'à ressaisir',
    another: 'ce code n’ouvre rien en ce moment',
    correct: 'Saisir le code',
    label: 'Code d’accès',
    hint: html`Vingt chiffres et lettres, tels qu’on vous les a transmis, par exemple <span class="mono">7K3M-2VQX-…</span>`,
    signIn: 'Se connecter',
    otherWay: 'Choisir un autre moyen',
    lost: html`Code égaré ou expiré&#8239;?`,
    write: (whom: Html, reference: Html) => html`Écrivez à ${whom} en citant la référence ${reference}.`,
    ask: (reference: Html) => html`Demandez de l’aide à qui vous l’a donné, en citant la référence ${reference}.`,
    neverSend: 'N’envoyez jamais votre code.',
    subject: (reference: string) => `Référence ${reference}`,
  },
  en: {
    going: (going: string) => html`You are going to <b>${going}</b>.`,
    error: html`Error: `,
    again: 'type it again',
    another: 'this code opens nothing at the moment',
    correct: 'Type the code',
    label: 'Access code',
    hint: html`Twenty digits and letters, as they were given to you, such as <span class="mono">7K3M-2VQX-…</span>`,
    signIn: 'Sign in',
    otherWay: 'Choose another way',
    lost: html`Code lost or expired?`,
    write: (whom: Html, reference: Html) => html`Write to ${whom} and quote the reference ${reference}.`,
    ask: (reference: Html) => html`Ask whoever gave it to you for help, and quote the reference ${reference}.`,
    neverSend: 'Never send your code.',
    subject: (reference: string) => `Reference ${reference}`,
  },
} as const
