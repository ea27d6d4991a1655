/** Signing out, in three pages: the question, the step that closes the idp's own session, and what was closed. */
import type { Language, Text } from '../model/text.ts'
import { onward, tick, triangle } from './drawings.ts'
import { clip, type Html, href, html, join } from './escape.ts'
import { frame, heading, type Level, type View } from './frame.ts'
import type { PageContext, Site } from './site.ts'
import { form, homeLink } from './ways-out.ts'

export interface AskLogoutData {
  /** Titles of the sites that were visited. */
  readonly visited: readonly Text[]
  readonly idp: Text | null
  readonly token: string
  /** Where "stay" leads. */
  readonly cancel: string
}

/** What the last two pages have in common. */
export interface Leaving {
  /** Addresses on the visited hosts, each for a frame in which the browser forgets what it holds of that host. */
  readonly leave: readonly string[]
  /** Titles of sites for which there is no frame: they were too many, and the browser still holds their pages. */
  readonly remembered: readonly Text[]
  /** Titles of sites that keep a session of their own and did not answer when they were told. */
  readonly silent: readonly Text[]
  readonly shared: boolean
}

export interface ClosingData extends Leaving {
  readonly idp: Text
  /** The idp's end-session address: too long for a header, so the page itself goes on to it. It has nothing to read that the next does not repeat. */
  readonly next: string
}

export interface ClosedData extends Leaving {
  /** False: nothing is known of any session, open or closed, and nothing else is said. */
  readonly known: boolean
  /** Null: the idp has no session of its own to speak of. */
  readonly idp: { readonly label: Text; readonly outcome: 'closed' | 'not-closed' | 'unknown' } | null
  readonly closedSites: readonly Text[]
  /** Signs in again. */
  readonly again: string
}

export function askLogoutPage(site: Site, c: PageContext, d: AskLogoutData): string {
  return frame(site, c, (language, level) => {
    const words = wordsOf[language]
    const content = html`<div class="card">
${heading(level, 1, words.willClose)}
<ul><li>${words.willCloseHere(named(language, d.visited), d.visited.length)}</li>${d.idp && html`<li>${words.willCloseIdp(d.idp[language])}</li>`}</ul>
</div>
<p class="act"><button class="btn">${words.signMeOut}</button><a class="btn plain" href="${href(d.cancel)}">${words.stay}</a></p>`
    const main = html`${heading(level, 0, words.ask)}
<p class="lead">${words.askLead}</p>
${form('/logout', d.token, {}, content)}`
    return { title: words.askTitle, main, quotesReference: false }
  })
}

export function closingPage(site: Site, c: PageContext, d: ClosingData): string {
  return frame(site, c, (language, level) => {
    const words = wordsOf[language]
    const idp = clip(d.idp[language], 80)
    const main = html`${heading(level, 0, words.closing)}
${d.shared ? notice(words.sharedShort) : null}<ul class="done">
${outcome('ok', 'Passerelle', words.closedHere, language)}${silence(d, language)}${memory(d, language)}${outcome('next', idp, words.lastStep, language)}</ul>
<p class="act"><a class="btn" href="${href(d.next)}">${words.closeToo(idp)}</a></p>
<p class="soft">${words.nextPage}</p>
${frames(d, level)}`
    return { title: words.closing, main, quotesReference: false }
  })
}

export function closedPage(site: Site, c: PageContext, d: ClosedData): string {
  return frame(site, c, (language, level) => closed(site, d, language, level))
}

function closed(site: Site, d: ClosedData, language: Language, level: Level): View {
  const words = wordsOf[language]
  if (!d.known) {
    const main = html`${heading(level, 0, words.unknown)}
<p class="lead">${words.unknownLead}</p>
<p>${words.unknownDoubt}</p>
<p class="act"><a class="btn plain" href="${href(d.again)}">${words.again}</a>${homeLink(site, language)}</p>`
    return { title: words.unknown, main, quotesReference: false }
  }
  const sites = named(language, d.closedSites)
  const idp = d.idp && idpOutcome(d.idp, language)
  const main = html`${heading(level, 0, words.closed)}
${d.shared ? notice(html`${heading(level, 1, words.sharedTitle)}${words.sharedSteps}`) : null}${heading(level, 1, words.whatIsClosed)}
<ul class="done">
${outcome('ok', 'Passerelle', words.closedHere, language)}${sites && outcome('ok', sites, words.closedSites(d.closedSites.length), language)}${idp}${silence(d, language)}${memory(d, language)}</ul>
<p class="act"><a class="btn plain" href="${href(d.again)}">${words.again}</a>${homeLink(site, language)}</p>
${frames(d, level)}`
  return { title: words.closed, main, quotesReference: false }
}

function silence({ silent }: Leaving, language: Language): Html | null {
  const sites = named(language, silent)
  return sites && outcome('warn', sites, wordsOf[language].silent(silent.length), language)
}

function memory({ remembered }: Leaving, language: Language): Html | null {
  const sites = named(language, remembered)
  return sites && outcome('warn', sites, wordsOf[language].remembered, language)
}

/** Once, however often the page tells itself: it is the same text again, folded, in the other language. */
function frames({ leave }: Leaving, level: Level): Html | null {
  if (level !== 1 || leave.length === 0) return null
  return html`${leave.map(address => html`<iframe hidden src="${href(address)}"></iframe>`)}
`
}

function idpOutcome(idp: NonNullable<ClosedData['idp']>, language: Language): Html {
  const label = clip(idp.label[language], 80)
  const words = wordsOf[language]
  switch (idp.outcome) {
    case 'closed':
      return outcome('ok', label, words.idpClosed, language)
    case 'not-closed':
      return outcome('warn', label, words.idpNotClosed, language)
    case 'unknown':
      return outcome('warn', label, words.idpUnknown, language)
  }
}

function outcome(state: 'ok' | 'warn' | 'next', what: string | Html, words: Html, language: Language): Html {
  const mark = { ok: tick, warn: triangle, next: onward }[state]
  const style = state === 'next' ? null : html` class="${state}"`
  return html`<li${style}>${mark}<span><b>${what}</b>${wordsOf[language].colon}${words}</span></li>
`
}

function notice(content: Html): Html {
  return html`<div class="notice warn">${triangle}<div>${content}</div></div>
`
}

/** Null where there is none; the names of a long day are counted, not listed. */
function named(language: Language, titles: readonly Text[]): Html | null {
  const shown = titles.slice(0, 12).map(title => html`${clip(title[language], 60)}`)
  const left = titles.length - shown.length
  if (left > 0) shown.push(wordsOf[language].others(left))
  const last = shown.pop()
  if (last === undefined) return null
  return shown.length === 0 ? last : html`${join(shown, html`, `)} ${wordsOf[language].and} ${last}`
}

const wordsOf = {
  fr: {
    askTitle: html`Se déconnecter&#8239;?`,
    ask: html`Fermer votre session&#8239;?`,
    askLead: html`Tous les sites ouverts par Passerelle se fermeront ensemble. Enregistrez d’abord ce que vous étiez en train d’écrire.`,
    willClose: html`Seront fermés`,
    willCloseHere: (sites: Html | null, count: number) =>
      sites === null
        ? html`Votre session dans ce navigateur`
        : html`${sites}, ${count === 1 ? 'visité' : 'visités'} pendant cette session`,
    willCloseIdp: (idp: string) =>
      html`Votre connexion au service «&nbsp;${idp}&nbsp;», dans ce navigateur, s’il le permet`,
    signMeOut: 'Me déconnecter',
    stay: 'Rester',
    closing: html`Fermeture en cours`,
    closedHere: html`fermée, sur tous les sites et dans tous les onglets`,
    lastStep: html`c’est la dernière étape. Si rien ne se passe dans quelques secondes, utilisez le bouton.`,
    closeToo: (idp: string) => html`Fermer aussi «&nbsp;${idp}&nbsp;»`,
    nextPage: html`La page suivante dira ce qui est fermé et ce qui ne l’est pas.`,
    closed: html`Votre session est fermée`,
    unknown: html`Aucune session connue ici`,
    unknownLead: html`Ce navigateur ne nous a présenté aucune session à fermer&nbsp;: elle est déjà fermée, ou bien il ne s’en souvient plus.`,
    unknownDoubt: html`Un site déjà ouvert peut l’être encore. Dans le doute, fermez toutes les fenêtres du navigateur.`,
    sharedShort: html`<p><b>Ordinateur partagé&nbsp;:</b> fermez ensuite toutes les fenêtres du navigateur, puis la session de l’ordinateur.</p>`,
    sharedTitle: html`Ordinateur partagé&nbsp;: encore deux gestes`,
    sharedSteps: html`<ol><li><b>Fermez toutes les fenêtres du navigateur.</b> Un onglet oublié suffirait à rouvrir votre compte.</li><li><b>Fermez la session de l’ordinateur</b> avant de quitter le poste.</li></ol>`,
    whatIsClosed: html`Ce qui est fermé, et ce qui ne l’est pas`,
    closedSites: (count: number) => (count > 1 ? html`fermés` : html`fermé`),
    silent: (count: number) =>
      count > 1
        ? html`ces sites n’ont pas répondu. Plus personne ne peut y entrer par ici, mais leurs propres sessions peuvent durer encore.`
        : html`le site n’a pas répondu. Plus personne ne peut y entrer par ici, mais sa propre session peut durer encore.`,
    remembered: html`vous avez visité tant de sites que le navigateur n’a pas encore oublié ce que vous y avez lu&nbsp;: le bouton Retour pourrait le montrer. Fermez toutes les fenêtres du navigateur.`,
    idpClosed: html`connexion fermée dans ce navigateur`,
    idpNotClosed: html`la connexion y reste ouverte dans ce navigateur, et pourrait rouvrir votre compte. Fermez toutes les fenêtres du navigateur.`,
    idpUnknown: html`ce service n’a pas confirmé que sa propre connexion est fermée. Dans le doute, fermez toutes les fenêtres du navigateur.`,
    again: 'Se reconnecter',
    and: 'et',
    others: (count: number) => html`${count}&nbsp;autre${count > 1 ? 's' : null}`,
    colon: html`&nbsp;: `,
  },
  en: {
    askTitle: html`Sign out?`,
    ask: html`Close your session?`,
    askLead: html`All sites opened through Passerelle will close together. First save what you were writing.`,
    willClose: html`What will be closed`,
    willCloseHere: (sites: Html | null) =>
      sites === null ? html`Your session in this browser` : html`${sites}, visited during this session`,
    willCloseIdp: (idp: string) => html`Your sign-in at the service “${idp}”, in this browser, if it permits`,
    signMeOut: 'Sign me out',
    stay: 'Stay',
    closing: html`Closing`,
    closedHere: html`closed, on all sites and in every tab`,
    lastStep: html`this is the last step. If nothing happens within a few seconds, use the button.`,
    closeToo: (idp: string) => html`Close “${idp}” too`,
    nextPage: html`The next page will say what is closed and what is not.`,
    closed: html`Your session is closed`,
    unknown: html`No session is known here`,
    unknownLead: html`This browser brought us no session to close: it is closed already, or the browser no longer remembers it.`,
    unknownDoubt: html`A site that is open already may still be open. To be safe, close every window of the browser.`,
    sharedShort: html`<p><b>Shared computer:</b> afterwards, close every window of the browser, then sign out of the computer.</p>`,
    sharedTitle: html`Shared computer: two more things`,
    sharedSteps: html`<ol><li><b>Close every window of the browser.</b> One forgotten tab would be enough to open your account again.</li><li><b>Sign out of the computer</b> before you leave it.</li></ol>`,
    whatIsClosed: html`What is closed, and what is not`,
    closedSites: (_count: number) => html`closed`,
    silent: (count: number) =>
      count > 1
        ? html`these sites did not answer. Nobody can enter them from here any more, but their own sessions may last for a while.`
        : html`the site did not answer. Nobody can enter it from here any more, but its own session may last for a while.`,
    remembered: html`you visited so many sites that the browser has not yet forgotten what you read there: its Back button could still show it. Close every window of the browser.`,
    idpClosed: html`sign-in closed in this browser`,
    idpNotClosed: html`the sign-in there stays open in this browser and could open your account again. Close every window of the browser.`,
    idpUnknown: html`this service did not confirm that its own sign-in is closed. To be safe, close every window of the browser.`,
    again: 'Sign in again',
    and: 'and',
    others: (count: number) => html`${count} other${count > 1 ? 's' : null}`,
    colon: html`: `,
  },
} as const
