/** Below `/.passerelle/`, ours on every host and never forwarded: where hand-offs begin and end (docs/sessions.md C0). */
import { GatewayError } from '../errors.ts'
import { cookieName, setCookie } from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { Passage } from '../model/passage.ts'
import type { LocateUrl, Place } from '../model/place.ts'
import type { Resource } from '../model/resource.ts'
import type { Scope } from '../model/session.ts'
import type { Pages } from '../pages/pages.ts'
import { stylesheetPath } from '../pages/stylesheet.ts'
import type { Handoff, Ticket } from '../session/handoff.ts'
import type { LeaveTokens } from '../session/leave-token.ts'
import type { Sessions } from '../session/sessions.ts'
import { answerEmpty, answerPage, answerRedirect, answerText } from './answer.ts'
import type { Begin } from './challenge.ts'
import { leave } from './leave.ts'
import type { SitePage } from './site-page.ts'

export interface OursParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly sessions: Pick<Sessions, 'resume' | 'read' | 'authentic' | 'cookieFor'>
  readonly handoff: Handoff
  readonly leaveTokens: Pick<LeaveTokens, 'read'>
  readonly locateUrl: LocateUrl
  readonly begin: Begin
  readonly pages: Pages
  readonly sitePage: SitePage
  readonly stylesheet: string
  readonly report: Report
}

export type OurPlace = Extract<Place, { kind: 'ours' }>
export type Ours = (passage: Passage, place: OurPlace) => Promise<void> | void

export function createOurs(parts: OursParts): Ours {
  const { portal, sessions, handoff, locateUrl, begin, pages, sitePage, report } = parts

  return async function ours(passage, { resource, path, query }) {
    passage.observed.resource = resource
    passage.observed.effect = 'ours'
    const { method } = passage.request
    if (method !== 'GET' && method !== 'HEAD') throw new GatewayError('request.method', `${method} ${path}`)
    const parameters = new URLSearchParams(query)
    switch (path) {
      case stylesheetPath:
        return answerText(passage, 'text/css; charset=utf-8', parts.stylesheet)
      case '/.passerelle/begin':
        return started(passage, resource, parameters)
      case '/.passerelle/enter':
        return redeem(passage, resource, parameters.get('t') ?? '')
      case '/.passerelle/leave':
        return left(passage, resource, parameters.get('t') ?? '')
      case '/.passerelle/framed':
        return framed(passage, resource, parameters.get('to'))
      default:
        throw new GatewayError('portal.not-found', path)
    }
  }

  /**
   * A link of ours or of a site: "sign in", "open again"; with `prompt=none`, of a site that would like to know who is there, and
   * asks nobody. Only a navigation may begin (SESSIONS B 22).
   */
  function started(passage: Passage, resource: Resource, parameters: URLSearchParams): void {
    if (passage.navigation !== 'document') return answerEmpty(passage, 204)
    begin(passage, targetOn(resource, parameters.get('to')), 1, false, parameters.get('prompt') === 'none')
  }

  function left(passage: Passage, { at }: Resource, token: string): void {
    const held = sessions.authentic(passage.cookies, `host:${at.hostname}`)
    leave(passage, portal, parts.leaveTokens.read(at.hostname, token), held)
  }

  /** S5. The ticket is consumed before anything is checked, and never by a request that no person made. */
  async function redeem(passage: Passage, resource: Resource, reference: string): Promise<void> {
    const { navigation, request } = passage
    if (request.method === 'HEAD' || navigation === 'prefetch') return answerEmpty(passage, 204)
    const ticket = await handoff.take(reference)
    const scope: Scope = `host:${resource.at.hostname}`
    if (ticket === null) return unknownTicket(passage, resource, scope)
    const belongs = handoff.belongs(ticket, passage.cookies)
    if (!belongs) report({ name: 'handoff.foreign' })
    const resumed = belongs && ticket.scope === scope ? await sessions.read(ticket.id, ticket.generation) : null
    if (resumed === null) return again(passage, resource, scope, ticket)
    answerRedirect(passage, ticket.to, [
      setCookie(cookieName.site, sessions.cookieFor(scope, ticket.id, ticket.generation), null),
      handoff.finished(ticket),
    ])
  }

  async function again(passage: Passage, resource: Resource, scope: Scope, ticket: Ticket): Promise<void> {
    const to = targetOn(resource, ticket.to)
    // Another tab was faster.
    if ((await sessions.resume(passage.cookies, scope, 'none')) !== null) return answerRedirect(passage, to, [])
    if (ticket.attempt === 1) return begin(passage, to, 2, passage.navigation === 'frame')
    sitePage.note(passage, 'login.cookies', 'the second attempt of a hand-off came without its cookie')
    const html = pages.failure(sitePage.context(passage), {
      code: 'login.cookies',
      subject: resource.title,
      going: resource.title,
      host: resource.at.hostname,
      sent: false,
      button: { kind: 'link', href: beginLink(to), does: 'start-again', name: resource.title },
      other: null,
      retryAfterS: null,
    })
    answerPage(passage, 200, html)
  }

  async function unknownTicket(passage: Passage, resource: Resource, scope: Scope): Promise<void> {
    const front = `${resource.at.origin}${resource.at.prefix}`
    if ((await sessions.resume(passage.cookies, scope, 'none')) !== null) return answerRedirect(passage, front, [])
    sitePage.note(passage, 'login.stale', 'a ticket that is unknown, used or too old')
    const html = pages.failure(sitePage.context(passage), {
      code: 'login.stale',
      subject: resource.title,
      going: resource.title,
      host: null,
      sent: false,
      button: { kind: 'link', href: front, does: 'continue', name: resource.title },
      other: null,
      retryAfterS: null,
    })
    answerPage(passage, 400, html)
  }

  function framed(passage: Passage, resource: Resource, to: string | null): void {
    const html = pages.framed(sitePage.context(passage), {
      resource: resource.title,
      open: beginLink(targetOn(resource, to)),
    })
    answerPage(passage, 200, html, [], '*')
  }

  /** An address of this very host; anything else is its front page. */
  function targetOn(resource: Resource, to: string | null): string {
    const located = to === null ? null : locateUrl(to)
    return located?.resource.at.hostname === resource.at.hostname
      ? located.href
      : `${resource.at.origin}${resource.at.prefix}`
  }
}

function beginLink(to: string): string {
  return `/.passerelle/begin?to=${encodeURIComponent(to)}`
}
