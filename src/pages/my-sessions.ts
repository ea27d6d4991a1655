/** The sessions of a person: the page on which they look after them, and the one that asks which to close. */
import type { Language, Text } from '../model/text.ts'
import { clip, type Html, href, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import { elapsed, moment } from './moment.ts'
import { mySpace } from './my-space.ts'
import { sessionWords } from './session-words.ts'
import type { PageContext, Site } from './site.ts'
import { form, homeLink } from './ways-out.ts'

export interface ListedSession {
  /** What the form sends to close it. */
  readonly handle: string
  /** `Firefox`; null: unknown. */
  readonly browser: string | null
  /** `Linux`; null: unknown. */
  readonly system: string | null
  /** `192.0.2.0/24` */
  readonly network: string
  readonly account: Text
  readonly shared: boolean
  readonly openedAt: Date
  /** Not used before this; perhaps a little later. Null: not known. */
  readonly usedAt: Date | null
  /** Closes by itself then at the latest. */
  readonly until: Date
}

export interface MySessionsData {
  readonly here: ListedSession
  /** The oldest first. */
  readonly others: readonly ListedSession[]
  readonly token: string
}

export interface ChooseSessionData {
  /** Whoever is asked may close one of them. */
  readonly others: readonly ListedSession[]
  readonly going: Text | null
  /** Hidden fields that travel with the choice. */
  readonly carried: Readonly<Record<string, string>>
  /** Asks again, for who has closed one elsewhere. */
  readonly again: string
  /** How long the sign-in waits for the answer. */
  readonly until: Date
  readonly token: string
}

/** The latest; pages stay small. */
const mostShown = 100

/** One form for each session, POST /sessions: `end` is its handle, or `others`, or `everywhere`. */
export function mySessionsPage(site: Site, c: PageContext, d: MySessionsData): string {
  return frame(site, c, (language, level) => {
    const words = sessionWords[language]
    const count = d.others.length
    const others = html`<section class="card">${heading(level, 1, words.elsewhere)}
${count > mostShown ? html`<p class="soft">${words.notAllShown(mostShown, count)}</p>` : null}${count === 0 ? html`<p>${words.noneElsewhere}</p>` : rows(c, d.others.slice(-mostShown), d.token, {}, language)}
${count > 1 ? closeAll(words.closeOthers(count), 'others', d.token) : null}</section>`
    const main = html`${mySpace(language, '/sessions')}
${heading(level, 0, words.mine)}
<p class="lead">${words.mineLead}</p>
<section class="card">${heading(level, 1, words.thisDevice)}
<ul class="things"><li><div>${nameOf(d.here, language)} <span class="tag ok">${words.here}</span>${sharedTag(d.here, language)}
<small>${account(d.here, language)}</small><small>${words.openedUntil(moment(language, d.here.openedAt), moment(language, d.here.until))}</small></div>
<a class="btn plain small" href="/logout">${words.signMeOut}</a></li></ul></section>
${others}
${heading(level, 1, words.surprised)}
<p>${words.surprisedHelp}</p>
${closeAll(words.closeEverything, 'everywhere', d.token, 'full')}
${homeLink(site, language)}`
    return { title: words.mine, main, quotesReference: false }
  })
}

export function chooseSessionPage(site: Site, c: PageContext, d: ChooseSessionData): string {
  return frame(site, c, (language, level) => choose(site, c, d, language, level))
}

function choose(site: Site, c: PageContext, d: ChooseSessionData, language: Language, level: Level): View {
  const words = sessionWords[language]
  const going = d.going && clip(d.going[language], 80)
  const decline = form('/logout', d.token, {}, html`<button class="btn plain">${words.closeNone}</button>`)
  const main = html`${going && whither(words.going(going))}${heading(level, 0, words.which)}
<p class="lead">${words.whichLead(d.others.length)}</p>
<section class="card">${heading(level, 1, words.openNow)}
${rows(c, d.others, d.token, d.carried, language)}</section>
<p>${words.waits(moment(language, d.until))}</p>
<div class="act">${decline}<a href="${href(d.again)}">${words.closedElsewhere}</a>${homeLink(site, language)}</div>`
  return { title: words.which, main, quotesReference: false }
}

function rows(
  c: PageContext,
  sessions: readonly ListedSession[],
  token: string,
  carried: Readonly<Record<string, string>>,
  language: Language,
): Html {
  const words = sessionWords[language]
  const items = sessions.map(one => {
    const label = html`${words.close}<span class="aside"> ${words.theSession} ${nameOf(one, language)}, ${moment(language, one.openedAt)}</span>`
    const press = html`<button class="btn plain small" name="end" value="${one.handle}">${label}</button>`
    const used = one.usedAt && words.used(elapsed(language, one.usedAt, c.at))
    return html`<li><div>${nameOf(one, language)}${sharedTag(one, language)}
<small>${account(one, language)}</small><small>${words.opened(moment(language, one.openedAt), used)}</small></div>
${form('/sessions', token, carried, press)}</li>
`
  })
  return html`<ul class="things">
${items}</ul>`
}

function closeAll(label: Html, which: 'others' | 'everywhere', token: string, look: 'plain' | 'full' = 'plain'): Html {
  const style = look === 'full' ? 'btn' : 'btn plain'
  return html`<div class="act">${form('/sessions', token, {}, html`<button class="${style}" name="end" value="${which}">${label}</button>`)}</div>`
}

function nameOf({ browser, system }: ListedSession, language: Language): Html {
  const words = sessionWords[language]
  const name = browser ?? words.unknownBrowser
  return html`<b>${system === null ? name : words.on(name, system)}</b>`
}

function account({ account: label, network }: ListedSession, language: Language): Html {
  return sessionWords[language].account(clip(label[language], 80), network)
}

function sharedTag({ shared }: ListedSession, language: Language): Html | null {
  return shared ? html` <span class="tag warn">${sessionWords[language].shared}</span>` : null
}
