/** Leaving one site while the session lives on, in two pages: what to close, and a site that was left. */
import type { Text } from '../model/text.ts'
import { clip, href, html } from './escape.ts'
import { frame, heading } from './frame.ts'
import { onPortal, type PageContext, type Site } from './site.ts'
import { form, frontLink } from './ways-out.ts'

export interface AskSiteData {
  readonly resource: Text
  readonly token: string
  /** Where this site alone is closed; `fields` go along. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
  /** Where "stay" leads. */
  readonly cancel: string
}

export interface SiteLeftData {
  readonly resource: Text
  /** On the site's host, for a frame in which the browser forgets what it holds of it; null: it has forgotten. */
  readonly leave: string | null
  readonly token: string
  /** Where it is opened again; `fields` go along. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export function askSitePage(site: Site, c: PageContext, d: AskSiteData): string {
  return frame(site, c, (language, level) => {
    const words = wordsOf[language]
    const resource = clip(d.resource[language], 80)
    const main = html`${heading(level, 0, words.ask)}
<p class="lead">${words.askLead(resource)}</p>
<div class="act">${form(d.action, d.token, d.fields, html`<button class="btn">${words.thisOnly(resource)}</button>`)}${form('/logout', d.token, {}, html`<button class="btn plain">${words.everything}</button>`)}<a href="${href(d.cancel)}">${words.stay}</a></div>
<p class="soft">${words.hint}</p>`
    return { title: words.askTitle, main, quotesReference: false }
  })
}

export function siteLeftPage(site: Site, c: PageContext, d: SiteLeftData): string {
  return frame(site, c, (language, level) => {
    const words = wordsOf[language]
    const resource = clip(d.resource[language], 80)
    const main = html`${heading(level, 0, words.left(resource))}
<p class="lead">${words.leftLead}</p>
<div class="act">${form(d.action, d.token, d.fields, html`<button class="btn">${words.reopen(resource)}</button>`)}${frontLink(site, c, language, 'plain')}<a href="${href(onPortal(site, c, '/logout'))}">${words.everything}</a></div>
<p class="soft">${words.sharedComputer}</p>${d.leave !== null && level === 1 ? html`<iframe hidden src="${href(d.leave)}"></iframe>` : null}`
    return { title: words.left(resource), main, quotesReference: false }
  })
}

const wordsOf = {
  fr: {
    askTitle: html`Se déconnecter&#8239;?`,
    ask: html`Que voulez-vous fermer&#8239;?`,
    askLead: (resource: string) =>
      html`Vous quittez ${resource}. Vous pouvez fermer ce seul site, et garder votre session pour les autres, ou fermer tous les sites ouverts par Passerelle. Enregistrez d’abord ce que vous étiez en train d’écrire.`,
    thisOnly: (resource: string) => html`Fermer seulement ${resource}`,
    everything: html`Me déconnecter de tout`,
    stay: 'Rester',
    hint: html`Sur un ordinateur partagé, fermez tout.`,
    left: (resource: string) => html`Vous avez quitté ${resource}`,
    leftLead: html`Ce site est fermé pour vous. Votre session reste ouverte pour les autres&#8239;; celui-ci ne s’ouvrira de nouveau que si vous le demandez ici.`,
    reopen: (resource: string) => html`Ouvrir ${resource} de nouveau`,
    sharedComputer: html`Ordinateur partagé&nbsp;: ce site seul est fermé. Avant de quitter le poste, déconnectez-vous de tout.`,
  },
  en: {
    askTitle: html`Sign out?`,
    ask: html`What do you want to close?`,
    askLead: (resource: string) =>
      html`You are leaving ${resource}. You can close this site alone and keep your session for the others, or close all sites opened through Passerelle. First save what you were writing.`,
    thisOnly: (resource: string) => html`Close only ${resource}`,
    everything: html`Sign me out of everything`,
    stay: 'Stay',
    hint: html`On a shared computer, close everything.`,
    left: (resource: string) => html`You have left ${resource}`,
    leftLead: html`This site is closed for you. Your session stays open for the others; this one opens again only when you ask for it here.`,
    reopen: (resource: string) => html`Open ${resource} again`,
    sharedComputer: html`Shared computer: only this site is closed. Before you leave it, sign out of everything.`,
  },
} as const
