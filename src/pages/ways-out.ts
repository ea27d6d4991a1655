/** What a page offers at its end: the buttons, a way out in words, and the reference with whom to ask. */
import type { Language, Text } from '../model/text.ts'
import { type Html, href, html } from './escape.ts'
import { moment } from './moment.ts'
import { mailto, onPortal, type PageContext, type Site } from './site.ts'

export type Button =
  | {
      readonly kind: 'link'
      readonly href: string
      readonly does: 'retry' | 'continue' | 'start-again' | 'front' | 'open-again' | 'choose' | 'instead'
      /** Of the site, for "Continue to X"; of the idp, for "Enter with X" (instead). */
      readonly name: Text | null
    }
  | {
      readonly kind: 'post'
      readonly action: string
      readonly token: string
      readonly does: 'close-both' | 'try-again' | 'continue'
      readonly fields?: Readonly<Record<string, string>>
    }

/** full: the step that most people want, one in a page. */
export type Look = 'full' | 'plain'

/** Null for a form on a resource's host: the sandbox there would post it without an Origin (SESSIONS A1). */
export function button(c: PageContext, language: Language, look: Look, wanted: Button): Html | null {
  const style = look === 'full' ? 'btn' : 'btn plain'
  if (wanted.kind === 'link') {
    const name = wanted.name === null ? null : wanted.name[language]
    return html`<a class="${style}" href="${href(wanted.href)}">${linkLabel(c, language, wanted.does, name)}</a>`
  }
  if (c.place === 'site') return null
  const label = html`<button class="${style}">${postLabels[language][wanted.does]}</button>`
  return form(wanted.action, wanted.token, wanted.fields ?? {}, label)
}

/**
 * A form of ours. `autocomplete="off"`: else Firefox puts an older page's token back after a reload.
 *
 * @param action a path of the portal
 */
export function form(action: string, token: string, fields: Readonly<Record<string, string>>, content: Html): Html {
  const hidden = Object.entries({ ...fields, token }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  return html`<form method="post" action="${href(action)}" autocomplete="off">${hidden}
${content}
</form>`
}

export function frontLink(site: Site, c: PageContext, language: Language, look: Look | 'link'): Html {
  const style = { full: html` class="btn"`, plain: html` class="btn plain"`, link: null }[look]
  return html`<a${style} href="${href(onPortal(site, c, '/'))}">${frontLabel(c, language)}</a>`
}

/** Null where the configuration names no web site. */
export function homeLink(site: Site, language: Language): Html | null {
  return site.home && html`<a href="${href(site.home.url)}">${site.home.label[language]}</a>`
}

/** "If this lasts": the reference as the log has it, the hour, and whom to write to. */
export function referenceToQuote(site: Site, c: PageContext, language: Language): Html {
  const reference = html`<b>${c.reference}</b>`
  const when = moment(language, c.at)
  const within = answerWithin(site, language)
  const whom = site.contact && html`${writeTo(site.contact.address, c, language)}${within && html` (${within})`}`
  if (language === 'fr') {
    const ask = whom ? html`écrivez à ${whom}` : html`demandez de l’aide à votre établissement`
    return html`<p class="ref">Si cela dure, ${ask} en citant la référence ${reference}<br>${when}</p>`
  }
  const ask = whom ? html`write to ${whom}` : html`ask your institution for help`
  return html`<p class="ref">If this lasts, ${ask} and quote the reference ${reference}<br>${when}</p>`
}

/** `réponse sous deux jours ouvrés`; null where the configuration promises nothing. */
export function answerWithin(site: Site, language: Language): Html | null {
  const within = site.contact?.within ?? null
  if (within === null) return null
  return language === 'fr' ? html`réponse sous ${within.fr}` : html`answer within ${within.en}`
}

function writeTo(address: string, c: PageContext, language: Language): Html {
  const subject = `${language === 'fr' ? 'Référence' : 'Reference'} ${c.reference}`
  return html`<a href="${mailto(address, subject)}">${address}</a>`
}

function frontLabel(c: PageContext, language: Language): Html {
  if (language === 'fr') return c.person === null ? html`Accueil de Passerelle` : html`Mes ressources`
  return c.person === null ? html`Passerelle’s front page` : html`My resources`
}

function linkLabel(
  c: PageContext,
  language: Language,
  does: (Button & { kind: 'link' })['does'],
  name: string | null,
): Html {
  const labels = linkLabels[language]
  switch (does) {
    case 'continue':
      return name === null ? labels.continue : html`${labels.continueTo} ${name}`
    case 'front':
      return frontLabel(c, language)
    case 'instead':
      return labels.instead(name ?? '')
    case 'retry':
    case 'start-again':
    case 'open-again':
    case 'choose':
      return labels[does]
  }
}

const linkLabels = {
  fr: {
    retry: html`Réessayer`,
    continue: html`Continuer`,
    continueTo: html`Continuer vers`,
    'start-again': html`Reprendre la connexion`,
    'open-again': html`Ouvrir la page de nouveau`,
    choose: html`Choisir un autre compte`,
    instead: (name: string) => html`Entrer par «&nbsp;${name}&nbsp;»`,
  },
  en: {
    retry: html`Try again`,
    continue: html`Continue`,
    continueTo: html`Continue to`,
    'start-again': html`Sign in again`,
    'open-again': html`Open the page again`,
    choose: html`Choose another account`,
    instead: (name: string) => html`Enter with “${name}”`,
  },
} as const

const postLabels = {
  fr: {
    'close-both': html`Fermer les deux et recommencer`,
    'try-again': html`Réessayer`,
    continue: html`Continuer`,
  },
  en: { 'close-both': html`Close both and start again`, 'try-again': html`Try again`, continue: html`Continue` },
} as const
