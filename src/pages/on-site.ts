/** Two small pages on a resource's own host: a form that came without a session, and a page inside somebody's frame. */
import type { Language, Text } from '../model/text.ts'
import { clip, type Html, href, html } from './escape.ts'
import { failurePage } from './failure.ts'
import { frame, heading } from './frame.ts'
import type { PageContext, Site } from './site.ts'

export interface NotSentData {
  readonly resource: Text
  readonly openAgain: string
}

export interface FramedData {
  readonly resource: Text
  readonly open: string
}

/** A POST without a session: nothing was passed on. */
export function notSentPage(site: Site, c: PageContext, d: NotSentData): string {
  return failurePage(site, c, {
    code: 'login.not-sent',
    subject: d.resource,
    going: null,
    host: null,
    sent: false,
    button: { kind: 'link', href: d.openAgain, does: 'open-again', name: null },
    other: null,
    retryAfterS: null,
  })
}

/** Never an idp in a frame (SESSIONS A9): one link that opens a window, where the address can be seen. */
export function framedPage(site: Site, c: PageContext, d: FramedData): string {
  return frame(
    site,
    c,
    (language, level) => {
      const words = wordsOf[language]
      const resource = clip(d.resource[language], 80)
      const main = html`${heading(level, 0, words.title)}
<p>${words.lead(resource)}</p>
<p class="act"><a class="btn" href="${href(d.open)}" target="_blank" rel="noopener">${words.open(resource)}</a></p>`
      return { title: words.title, main, quotesReference: true }
    },
    'bare',
  )
}

const wordsOf: Record<
  Language,
  { readonly title: Html; readonly lead: (resource: string) => Html; readonly open: (resource: string) => Html }
> = {
  fr: {
    title: html`Connexion nécessaire`,
    lead: resource =>
      html`${resource} s’affiche ici à l’intérieur d’une autre page. La connexion se fait dans sa propre fenêtre, où vous voyez l’adresse&#8239;; revenez ensuite ici et rechargez la page.`,
    open: resource => html`Ouvrir ${resource} dans une nouvelle fenêtre`,
  },
  en: {
    title: html`Sign-in needed`,
    lead: resource =>
      html`${resource} is shown here inside another page. Signing in takes place in a window of its own, where you can see the address; then come back here and reload the page.`,
    open: resource => html`Open ${resource} in a new window`,
  },
}
