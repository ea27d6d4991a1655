/** Which account? One form, one button for each idp: a single step for the keyboard, and one list for a screen reader. */
import type { Language, Text } from '../model/text.ts'
import { clip, type Html, href, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import type { PageContext, Site } from './site.ts'
import { form, frontLink, homeLink } from './ways-out.ts'

export interface ChooserData {
  readonly going: Text | null
  readonly idps: readonly OfferedIdp[]
  /** Hidden fields that travel with the choice. */
  readonly carried: Readonly<Record<string, string>>
  readonly token: string
}

export interface OfferedIdp {
  readonly id: string
  readonly label: Text
  /** False: it did not answer lately. It goes last, and can still be tried. */
  readonly available: boolean
  readonly help: { readonly label: Text; readonly url: string } | null
}

export function chooserPage(site: Site, c: PageContext, d: ChooserData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: ChooserData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const going = d.going && clip(d.going[language], 80)
  const idps = [...d.idps.filter(idp => idp.available), ...d.idps.filter(idp => !idp.available)]
  const list = html`<ul class="ways">
${idps.map(idp => choice(idp, language))}</ul>`
  const main = html`${going && whither(words.going(going))}${heading(level, 0, words.title)}
<p class="lead">${words.lead}</p>
${form('/login', d.token, d.carried, list)}
${help(d, language, level)}<p class="act">${frontLink(site, c, language, 'link')}${homeLink(site, language)}</p>`
  return { title: words.title, main, quotesReference: false }
}

function choice(idp: OfferedIdp, language: Language): Html {
  const words = wordsOf[language]
  const down = idp.available
    ? null
    : html`<small>${words.tryAnyway} <span class="tag warn">${words.doesNotAnswer}</span></small>`
  return html`<li><button name="idp" value="${idp.id}"><span><b>${clip(idp.label[language], 80)}</b>${down}</span></button></li>
`
}

function help(d: ChooserData, language: Language, level: Level): Html | null {
  const links = d.idps.flatMap(({ help: link, label }) =>
    link === null
      ? []
      : [
          html`<li>${clip(label[language], 80)}${wordsOf[language].colon}<a href="${href(link.url)}">${link.label[language]}</a></li>`,
        ],
  )
  if (links.length === 0) return null
  return html`${heading(level, 1, wordsOf[language].noAccount)}
<ul>${links}</ul>
`
}

const wordsOf = {
  fr: {
    going: (going: string) => html`Vous allez vers <b>${going}</b>. Connectez-vous pour continuer.`,
    title: html`Choisissez votre compte`,
    lead: html`Le mot de passe vous sera demandé par le service qui gère ce compte, jamais par cette page.`,
    tryAnyway: 'Essayer quand même.',
    doesNotAnswer: 'Ne répond pas',
    noAccount: html`Pas encore de compte, ou besoin d’aide&#8239;?`,
    colon: html`&nbsp;: `,
  },
  en: {
    going: (going: string) => html`You are going to <b>${going}</b>. Sign in to continue.`,
    title: html`Choose your account`,
    lead: html`The service that looks after the account will ask for your password; this page never does.`,
    tryAnyway: 'Try anyway.',
    doesNotAnswer: 'Does not answer',
    noAccount: html`No account yet, or need help?`,
    colon: html`: `,
  },
} as const
