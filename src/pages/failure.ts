/** The page of a failure: what happened, what it means, what to do, whom to ask. */
import type { ErrorCode } from '../errors.ts'
import type { Language, Text } from '../model/text.ts'
import { bridge } from './bridge.ts'
import { triangle } from './drawings.ts'
import { clip, type Html, html } from './escape.ts'
import { frame, heading, type Level, type View, whither } from './frame.ts'
import { moment, wait } from './moment.ts'
import type { About, Sentence } from './sentence.ts'
import { sentences } from './sentences.ts'
import { type PageContext, portalHost, type Site } from './site.ts'
import { type Button, button, frontLink, homeLink, referenceToQuote } from './ways-out.ts'

export interface FailureData {
  readonly code: ErrorCode
  /** The idp or the site that the sentence names. */
  readonly subject: Text | null
  /** For the handrail; null: unknown. */
  readonly going: Text | null
  /** Shown as text: an unknown host, or, for login.cookies, the one whose cookie was refused. */
  readonly host: string | null
  /** A form was being sent: its fate is unknown and it will not be sent twice. */
  readonly sent: boolean
  readonly button: Button | null
  readonly other: Button | null
  /** Seconds, as in Retry-After. */
  readonly retryAfterS: number | null
}

export function failurePage(site: Site, c: PageContext, d: FailureData): string {
  return frame(site, c, (language, level) => tell(site, c, d, language, level))
}

function tell(site: Site, c: PageContext, d: FailureData, language: Language, level: Level): View {
  const about = aboutOf(site, c, d, language)
  const said = sentences[d.code][language](about)
  const going = d.going && clip(d.going[language], 80)
  const main = html`${going && whither(onTheWay[language](going))}${drawing(d.code, language, about)}${heading(level, 0, said.title)}
<p class="lead">${said.lead}</p>
${d.sent ? notice(sending[language]) : null}${d.code === 'logout.not-stored' ? notice(sharedComputer[language]) : null}${steps(said, level)}${actions(site, c, d, language, about)}${said.after ? html`<p class="soft">${said.after}</p>` : null}${referenceToQuote(site, c, language)}`
  return { title: said.title, main, quotesReference: true }
}

export function aboutOf(site: Site, c: PageContext, d: FailureData, language: Language): About {
  return {
    subject: d.subject && clip(d.subject[language], 80),
    host: d.host === null ? null : clip(d.host, 253),
    portal: portalHost(site),
    going: d.going !== null,
    signedIn: c.person !== null,
    now: moment(language, c.at),
    wait: d.retryAfterS === null ? null : wait(language, c.at, d.retryAfterS),
  }
}

/** Only where the sentence is about a way that is broken or closed: elsewhere a drawing would say nothing. */
function drawing(code: ErrorCode, language: Language, { subject }: About): Html | null {
  const far = general[language]
  if (code.startsWith('origin.') || code === 'identity.unsendable') return bridge(language, 'cut', subject ?? far.site)
  if (code === 'idp.unreachable' || code === 'idp.invalid-answer') return bridge(language, 'cut', subject ?? far.idp)
  if (code.startsWith('session.store-')) return bridge(language, 'cut', far.sessions)
  if (code === 'policy.denied') return bridge(language, 'gate', subject ?? far.site)
  return null
}

function notice(text: Html): Html {
  return html`<div class="notice warn">${triangle}<div><p>${text}</p></div></div>
`
}

function steps(said: Sentence, level: Level): Html | null {
  if (said.steps === undefined) return null
  const items = said.steps.items.map(item => html`<li>${item}</li>`)
  if (said.steps.heading === null)
    return html`<ul>${items}</ul>
`
  return html`<div class="card">${heading(level, 1, said.steps.heading)}<ol>${items}</ol></div>
`
}

/** The front page is always among the ways out; where nothing else is offered, it is the button. */
function actions(site: Site, c: PageContext, d: FailureData, language: Language, about: About): Html {
  const first = d.button && button(c, language, 'full', d.button)
  const second = d.other && button(c, language, first === null ? 'full' : 'plain', d.other)
  const offersFront = [d.button, d.other].some(offered => offered?.kind === 'link' && offered.does === 'front')
  const soon =
    first && about.wait?.until === null
      ? html`<span class="soft">${preferably[language](about.wait.length)}</span>`
      : null
  const front = offersFront ? null : frontLink(site, c, language, first === null && second === null ? 'full' : 'link')
  return html`<div class="act">${first}${soon}${second}${front}${homeLink(site, language)}</div>
`
}

const general = {
  fr: { site: 'Le site', idp: 'Connexion', sessions: 'Sessions' },
  en: { site: 'The site', idp: 'Sign-in', sessions: 'Sessions' },
} as const

const onTheWay: Record<Language, (going: string) => Html> = {
  fr: going => html`Vous allez vers <b>${going}</b>.`,
  en: going => html`You are going to <b>${going}</b>.`,
}

const preferably: Record<Language, (length: Html) => Html> = {
  fr: length => html`de préférence dans ${length}`,
  en: length => html`preferably in ${length}`,
}

const sending: Record<Language, Html> = {
  fr: html`<b>Vous envoyiez un formulaire.</b> Nous ne savons pas s’il est arrivé, et nous ne l’enverrons pas deux fois. Vérifiez avant de recommencer.`,
  en: html`<b>You were sending a form.</b> We do not know whether it arrived, and we will not send it twice. Check before you try again.`,
}

const sharedComputer: Record<Language, Html> = {
  fr: html`<b>Ordinateur partagé&nbsp;: n’attendez pas.</b> Fermez toutes les fenêtres du navigateur, puis la session de l’ordinateur.`,
  en: html`<b>Shared computer: do not wait.</b> Close every window of the browser, then sign out of the computer.`,
}
