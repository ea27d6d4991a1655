/** Who are you? The first of two steps: links, because nothing begins here, and back leads here again; or an e-mail address, which spares both. */
import type { Language, Text } from '../model/text.ts'
import { type ByEmail, byEmail, emailError, emailNotice } from './by-email.ts'
import { help, type OfferedIdp } from './chooser.ts'
import { clip, href, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import type { PageContext, Site } from './site.ts'
import { frontLink, homeLink } from './ways-out.ts'

export interface ChooseGroupData {
  readonly going: Text | null
  readonly groups: readonly {
    readonly label: Text
    /** Who is meant; null: the label says it. */
    readonly description: Text | null
    readonly href: string
  }[]
  /** Null: no idp is known by the addresses of its people. */
  readonly email: ByEmail | null
  readonly token: string
  /** Those of all groups, for their help links. */
  readonly help: readonly OfferedIdp[]
}

export function chooseGroupPage(site: Site, c: PageContext, d: ChooseGroupData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: ChooseGroupData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const going = d.going && clip(d.going[language], 80)
  const rows = d.groups.map(
    group => html`<li><a href="${href(group.href)}"><span><b>${clip(group.label[language], 80)}</b>${
      group.description && html`<small>${clip(group.description[language], 160)}</small>`
    }</span></a></li>
`,
  )
  const main = html`${going && whither(words.going(going))}<p class="step">${words.step}</p>
${heading(level, 0, words.title)}
${d.email && emailNotice(d.email, language, level)}<ul class="ways">
${rows}</ul>
${d.email && byEmail(d.email, d.token, language, level)}${help(d.help, language, level)}<p class="act">${frontLink(site, c, language, 'link')}${homeLink(site, language)}</p>`
  return { title: html`${emailError(d.email, language)}${words.title}`, main, quotesReference: false }
}

const wordsOf = {
  fr: {
    going: (going: string) => html`Vous allez vers <b>${going}</b>. Connectez-vous pour continuer.`,
    step: 'Étape 1 sur 2',
    title: html`Vous vous connectez en tant que&nbsp;:`,
  },
  en: {
    going: (going: string) => html`You are going to <b>${going}</b>. Sign in to continue.`,
    step: 'Step 1 of 2',
    title: html`You are signing in as:`,
  },
} as const
