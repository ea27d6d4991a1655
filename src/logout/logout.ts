/**
 * Signing out: our door first, and every site is shut with it; then the idp, and nothing depends on its coming back
 * (SESSIONS A8). POST acts, GET only asks: an `<img src=/logout>` must sign nobody out.
 */
import { GatewayError } from '../errors.ts'
import { cookieName, cookieValue, expireCookie, setCookie } from '../model/cookie.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import { displayName, type IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { Resource } from '../model/resource.ts'
import type { Text } from '../model/text.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { LeaveTokens } from '../session/leave-token.ts'
import type { Sessions } from '../session/sessions.ts'
import { settled } from '../session/settled.ts'
import type { Closed, ClosedSessions } from './closed.ts'
import { type Leave, leaveOf } from './leave.ts'

export interface LogoutParts {
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly resources: readonly Resource[]
  readonly sessions: Sessions
  readonly closedSessions: ClosedSessions
  readonly leaveTokens: Pick<LeaveTokens, 'tokenFor'>
  readonly tellParticipants: TellParticipants
  readonly pages: Pages
  readonly now: () => number
}

const freshLifeSeconds = 12 * 60 * 60
/** Seconds before the last page goes on to the idp by itself. */
const onwardAfter = 2
/** Bytes of addresses in headers of ours; nginx takes 4 KB of headers in all unless told otherwise. */
const longestHeaders = 3_000

export type Logout = ReturnType<typeof createLogout>

export function createLogout(parts: LogoutParts) {
  const { sessions, providers, closedSessions, pages, now } = parts

  return {
    async ask(request: PortalRequest): Promise<Answer> {
      const resumed = await sessions.resume(request.cookies, 'portal', 'none')
      if (resumed === null)
        return page(200, pages.closed(contextOf(request, 'portal'), closedData(null, framesOf(null))))
      const { id, identity } = resumed.session
      const html = pages.askLogout(contextOf(request, 'portal', displayName(identity.claims)), {
        visited: titlesOf(sitesOf(await sessions.visited(id))),
        idp: providers.get(identity.idp)?.label ?? null,
        token: request.page.token(),
        cancel: '/',
      })
      // The POST's redirects end at the idp: a form-action would forbid them.
      return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [] }
    },

    /** POST /logout: every session that the browser's portal cookies name, in case somebody planted a second one. */
    async fromUser(request: PortalRequest): Promise<Answer> {
      const ids = sessions.authentic(request.cookies, 'portal')
      const { ended, failure } = await settled(ids.map(id => sessions.end(id, 'user')))
      if (failure !== null) {
        for (const one of ended) void parts.tellParticipants(one)
        if (!(failure.reason instanceof GatewayError)) throw failure.reason
        return notStored(request, failure.reason)
      }
      return { kind: 'redirect', to: await closedSessions.keep(ended), cookies: signedOutCookies() }
    },

    /**
     * GET /signed-out: one address, two states. Closing while a step at the idp remains (`o`), closed after the return
     * (`state`, the same reference; a wrong one or none changes nothing) or where there is no such step. Whoever is signed in,
     * again or still, is not told that their session is closed.
     */
    async signedOut(request: PortalRequest): Promise<Answer> {
      if ((await sessions.resume(request.cookies, 'portal', 'none')) !== null) {
        return { kind: 'redirect', to: '/', cookies: [] }
      }
      const returned = request.query.get('state')
      const reference = returned ?? request.query.get('o')
      const closed = reference === null ? null : await closedSessions.read(reference)
      const idp = closed === null ? null : providers.get(closed.idp)
      const cookies = closed === null ? [] : lateCookies(request)
      const leave = framesOf(closed)
      const more = { cookies, frames: leave.origins }
      if (closed === null || idp === undefined || idp === null) {
        return page(200, pages.closed(contextOf(request, 'portal'), closedData(closed, leave)), more)
      }
      if (returned === null && closed.next !== null) {
        const html = pages.closing(contextOf(request, 'one-shot'), {
          idp: idp.label,
          next: closed.next,
          ...leaving(closed, leave),
        })
        // A longer header would be too much for a proxy's buffer in front of us; the button then is pressed by hand.
        const fits = closed.next.length + leave.origins.join(' ').length <= longestHeaders
        const headers = fits ? { Refresh: `${onwardAfter}; url=${closed.next}` } : {}
        return page(200, html, { ...more, headers })
      }
      const outcome = returned === null ? 'not-closed' : 'closed'
      const data = closedData(closed, leave, { label: idp.label, outcome })
      return page(200, pages.closed(contextOf(request, 'one-shot'), data), more)
    },
  }

  function notStored(request: PortalRequest, error: GatewayError): Answer {
    request.note(error)
    const html = pages.failure(contextOf(request, 'one-shot'), {
      code: 'logout.not-stored',
      subject: null,
      going: null,
      host: null,
      sent: false,
      button: { kind: 'link', href: '/logout', does: 'retry', name: null },
      other: null,
      retryAfterS: 5,
    })
    return {
      kind: 'page',
      status: 503,
      html,
      policy: 'own',
      cookies: signedOutCookies(),
      headers: { 'Retry-After': '5' },
    }
  }

  /** The cookie goes whatever the store says; the next sign-in asks the person again. */
  function signedOutCookies(): readonly string[] {
    const seconds = String(Math.floor(now() / 1000))
    return [expireCookie(cookieName.portal), setCookie(cookieName.fresh, seconds, freshLifeSeconds)]
  }

  /** A sign-out by a site's own link could not reach our cookies on this host: they are written here, and once. */
  function lateCookies({ cookies }: PortalRequest): readonly string[] {
    const written = cookieValue(cookies, cookieName.portal) === null && cookieValue(cookies, cookieName.fresh) !== null
    return written ? [] : signedOutCookies()
  }

  function closedData(
    closed: Closed | null,
    leave: Leave,
    idp: { label: Text; outcome: 'closed' | 'not-closed' } | null = null,
  ) {
    const answering = sitesOf(closed?.visited).filter(({ id }) => closed?.silent.includes(id) !== true)
    return {
      known: closed !== null,
      idp,
      closedSites: titlesOf(answering),
      ...leaving(closed, leave),
      again: '/login',
    }
  }

  function framesOf(closed: Closed | null): Leave {
    const sessions = closed?.sessions ?? []
    return leaveOf(sitesOf(closed?.visited), hostname =>
      parts.leaveTokens.tokenFor(hostname, { sessions, keepsCookie: false }),
    )
  }

  function leaving(closed: Closed | null, { addresses, rest }: Leave) {
    return {
      leave: addresses,
      remembered: titlesOf(rest),
      silent: titlesOf(sitesOf(closed?.silent)),
      shared: closed?.shared ?? false,
    }
  }

  /** In the order of the configuration; an id that no resource has any more names nothing. */
  function sitesOf(ids: readonly string[] = []): readonly Resource[] {
    return parts.resources.filter(({ id }) => ids.includes(id))
  }
}

function titlesOf(sites: readonly Resource[]): readonly Text[] {
  return sites.map(({ title }) => title)
}

function page(status: number, html: string, more: Partial<Extract<Answer, { kind: 'page' }>> = {}): Answer {
  return { kind: 'page', status, html, policy: 'own', cookies: [], ...more }
}
