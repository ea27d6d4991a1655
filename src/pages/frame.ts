/**
 * The frame around every page: head, deck, content, foot. It tells a page in the reader's language and, where the page
 * cannot be asked again, in the other language too, folded.
 */
import type { Language } from '../model/text.ts'
import { arch, brandMark, handrail } from './drawings.ts'
import { clip, type Html, href, html } from './escape.ts'
import { mailto, onPortal, type PageContext, type Site } from './site.ts'
import { stylesheetPath } from './stylesheet.ts'

/** A page in one language. */
export interface View {
  /** Says the state first. Also the page's `<title>`: text without tags. */
  readonly title: Html
  readonly main: Html
  /** True where the text itself quotes the reference; else it stands in the foot. */
  readonly quotesReference: boolean
}

/** @param level 1 for the page, 2 for the same text folded in the other language: a page has one h1 */
export type Telling = (language: Language, level: Level) => View

export type Level = 1 | 2

/** bare: no deck and no foot, for a page inside a frame that may be small. */
export type Shape = 'full' | 'bare'

export function frame(site: Site, c: PageContext, telling: Telling, shape: Shape = 'full'): string {
  const { language } = c
  const other = otherOf[language]
  const view = telling(language, 1)
  const folded = c.place === 'portal' ? null : fold(other, telling(other, 2))
  const onSite = c.place === 'site'
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${view.title} – ${clip(site.name[language], 80)}</title>
<link rel="stylesheet" href="${onSite ? stylesheetPath : '/passerelle.css'}">
${onSite ? null : icon}</head>
<body>
${shape === 'bare' ? null : deck(site, c)}<main id="content" tabindex="-1">
${view.main}
${folded}</main>
${shape === 'bare' ? null : foot(site, c, view.quotesReference)}</body>
</html>
`.toString()
}

/** A heading of the page, `step` levels below its title. */
export function heading(level: Level, step: 0 | 1 | 2, text: Html): Html {
  const id = level === 2 && step === 0 ? html` id="in-the-other-language"` : null
  return html`<h${level + step}${id}>${text}</h${level + step}>`
}

/** The handrail: where the person is going, on every page until they are there. */
export function whither(text: Html): Html {
  return html`<p class="whither">${handrail}<span>${text}</span></p>`
}

const otherOf: Record<Language, Language> = { fr: 'en', en: 'fr' }

const icon = html`<link rel="icon" href="/passerelle.svg" type="image/svg+xml">
`

function deck(site: Site, c: PageContext): Html {
  const words = wordsOf[c.language]
  const name = site.name[c.language]
  const small = name === 'Passerelle' ? null : html`<small>${clip(name, 80)}</small>`
  const named = c.person && html`<span><bdi>${clip(c.person, 60)}</bdi></span>`
  // Also somebody without a name must be able to leave.
  const person =
    c.person === null ? null : html`${named || null}<a href="${onPortal(site, c, '/logout')}">${words.signOut}</a>`
  return html`<a class="skip" href="#content">${words.skip}</a>
<header>
<div class="deck-in"><div>
<a class="brand" href="${onPortal(site, c, '/')}">${brandMark}<span><b>Passerelle</b>${small}</span></a>
<div class="tools">${person}${languageSwitch(c)}</div>
</div></div>
${arch}
</header>
`
}

/** In the other language's own name. Where the page cannot be asked again, it leads to the text folded below. */
function languageSwitch(c: PageContext): Html {
  const other = otherOf[c.language]
  const to = c.place === 'portal' ? withLanguage(c.here ?? '', other) : '#in-the-other-language'
  return html`<a href="${href(to)}" lang="${other}" hreflang="${other}">${wordsOf[other].self}</a>`
}

function withLanguage(here: string, language: Language): string {
  const [path = '', query = ''] = here.split(/\?(.*)/s, 2)
  const parameters = new URLSearchParams(query)
  parameters.set('lang', language)
  return `${path}?${parameters}`
}

function fold(other: Language, view: View): Html {
  return html`<details class="other" lang="${other}"><summary>${wordsOf[other].fold}</summary>
${view.main}
</details>
`
}

function foot(site: Site, c: PageContext, quoted: boolean): Html | null {
  const words = wordsOf[c.language]
  const help = site.help ?? (site.contact === null ? null : mailto(site.contact.address, words.subject(c.reference)))
  const links = [
    [help, words.help],
    [site.personalData, words.personalData],
    [site.accessibility, words.accessibility],
  ].flatMap(([url, label]) => (url ? [html`<a href="${href(url)}">${label ?? ''}</a>`] : []))
  const reference = quoted ? null : html`<p>${words.reference} <span class="mono">${c.reference}</span></p>`
  if (links.length === 0 && reference === null) return null
  return html`<footer class="foot"><div>${links}${reference}</div></footer>
`
}

const wordsOf = {
  fr: {
    self: 'Français',
    fold: 'Lire cette page en français',
    skip: 'Aller au contenu',
    signOut: 'Se déconnecter',
    help: 'Aide et contact',
    personalData: 'Données personnelles',
    accessibility: 'Accessibilité',
    reference: 'Référence',
    subject: (reference: string) => `Référence ${reference}`,
  },
  en: {
    self: 'English',
    fold: 'Read this page in English',
    skip: 'Skip to content',
    signOut: 'Sign out',
    help: 'Help and contact',
    personalData: 'Personal data',
    accessibility: 'Accessibility',
    reference: 'Reference',
    subject: (reference: string) => `Reference ${reference}`,
  },
} as const
