/**
 * What this browser remembers, where it must not act on it unasked: after a sign-out, or where another account was asked
 * for. One button goes on, one link changes it, one button forgets it.
 */
import type { Language, Text } from '../model/text.ts'
import { clip, href, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import type { PageContext, Site } from './site.ts'
import { form, frontLink, homeLink } from './ways-out.ts'

export interface AsLastTimeData {
  readonly going: Text | null
  readonly idp: Text
  /** The page that asks which account. */
  readonly change: string
  /** Hidden fields: the idp that is remembered, among what travels along. */
  readonly carried: Readonly<Record<string, string>>
  readonly token: string
}

export function asLastTimePage(site: Site, c: PageContext, d: AsLastTimeData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: AsLastTimeData, language: Language, level: Level): View {
  const words = wordsOf[language]
  const going = d.going && clip(d.going[language], 80)
  const content = html`<div class="card"><dl class="facts pair"><dt>${words.account}</dt><dd>${clip(d.idp[language], 80)}</dd></dl>
<p class="act"><button class="btn">${words.continue}</button><a href="${href(d.change)}">${words.other}</a></p></div>
<p class="soft">${words.notYours}</p>
<p class="act"><button class="btn plain small" name="forget" value="1">${words.forget}</button>${frontLink(site, c, language, 'link')}${homeLink(site, language)}</p>`
  const main = html`${going && whither(words.going(going))}${heading(level, 0, words.title)}
${form('/login', d.token, d.carried, content)}`
  return { title: words.title, main, quotesReference: false }
}

const wordsOf = {
  fr: {
    going: (going: string) => html`Vous allez vers <b>${going}</b>. Connectez-vous pour continuer.`,
    title: html`Comme la dernière fois&#8239;?`,
    account: 'Compte',
    continue: 'Continuer',
    other: 'Choisir un autre compte',
    notYours: html`Ce choix est mémorisé dans ce navigateur. Cet ordinateur n’est pas le vôtre&#8239;?`,
    forget: 'Oublier ce choix',
  },
  en: {
    going: (going: string) => html`You are going to <b>${going}</b>. Sign in to continue.`,
    title: html`As last time?`,
    account: 'Account',
    continue: 'Continue',
    other: 'Choose another account',
    notYours: html`This browser remembers the choice. Is this not your computer?`,
    forget: 'Forget this choice',
  },
} as const
