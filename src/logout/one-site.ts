/**
 * Leaving one site, the portal's side of it: the question that a site's own logout link asks, its answer, and the page that
 * says what is closed (SESSIONS A8 (5)). The end of the whole session is logout.ts.
 */
import { GatewayError } from '../errors.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import { displayName } from '../model/identity.ts'
import type { LocateLogout } from '../model/place.ts'
import { type Resource, sharesHost } from '../model/resource.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { isLeft } from '../policy/authorize.ts'
import type { LeaveTokens } from '../session/leave-token.ts'
import type { Resumed, Sessions } from '../session/sessions.ts'
import { leaveAddress } from './leave.ts'

export interface OneSiteParts {
  readonly resources: readonly Resource[]
  readonly sessions: Pick<Sessions, 'resume' | 'leave'>
  readonly leaveTokens: Pick<LeaveTokens, 'tokenFor'>
  readonly isLeft: typeof isLeft
  readonly locateLogout: LocateLogout
  readonly pages: Pages
}

export type OneSite = ReturnType<typeof createOneSite>

export function createOneSite(parts: OneSiteParts) {
  const { resources, sessions, isLeft, locateLogout, pages } = parts
  const sites = new Map(
    resources.filter(({ logout }) => logout.intercept.length > 0).map(resource => [resource.id, resource]),
  )

  return {
    /** GET /logout/RESOURCE: what to close; once it is left, that it is closed, and how it opens again. */
    async show(request: PortalRequest): Promise<Answer> {
      const resource = siteOf(request)
      const resumed = await sessions.resume(request.cookies, 'portal', 'none')
      if (resumed === null) return redirect('/signed-out')
      if (isLeft(resource, resumed.session)) return closed(request, resource, resumed)
      // There is nothing to choose.
      if (resource.logout.means === 'global') return redirect('/logout')
      return ask(request, resource, resumed)
    },

    /** POST /logout/RESOURCE: this site only. From here the browser goes on to the site's own logout. */
    async leave(request: PortalRequest): Promise<Answer> {
      const resource = siteOf(request)
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      if (resumed === null) return redirect('/signed-out')
      const at = request.form?.get('at') ?? null
      try {
        await sessions.leave(resumed.session.id, resource.id)
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        return notLeft(request, resource, at, error)
      }
      // It need not be one of the site's: somebody may have come here by hand.
      return redirect((at === null ? null : locateLogout(resource, at)) ?? `/logout/${resource.id}`)
    },
  }

  /** @throws GatewayError `portal.not-found` */
  function siteOf({ params, path }: PortalRequest): Resource {
    const resource = sites.get(params.resource ?? '')
    if (resource === undefined) throw new GatewayError('portal.not-found', path)
    return resource
  }

  function ask(request: PortalRequest, resource: Resource, { session: { identity } }: Resumed): Answer {
    const at = request.query.get('at')
    const html = pages.askSite(contextOf(request, 'portal', displayName(identity.claims)), {
      resource: resource.title,
      token: request.page.token(),
      action: `/logout/${resource.id}`,
      fields: at === null ? {} : { at },
      cancel: frontOf(resource),
    })
    return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [] }
  }

  function closed(request: PortalRequest, resource: Resource, { session: { identity }, entry }: Resumed): Answer {
    // The page on which the link was pressed is one that Back would show.
    const leaving = { sessions: [entry.hash], keepsCookie: sharesHost(resource, resources) }
    const leave = leaveAddress(resource.at, parts.leaveTokens.tokenFor(resource.at.hostname, leaving))
    const html = pages.siteLeft(contextOf(request, 'portal', displayName(identity.claims)), {
      resource: resource.title,
      leave,
      token: request.page.token(),
      action: '/open',
      fields: { to: frontOf(resource) },
    })
    return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [], frames: [resource.at.origin] }
  }

  function notLeft(request: PortalRequest, resource: Resource, at: string | null, error: GatewayError): Answer {
    request.note(new GatewayError('logout.not-left', error.message, { cause: error }))
    const query = at === null ? '' : `?${new URLSearchParams({ at })}`
    const html = pages.failure(contextOf(request, 'one-shot'), {
      code: 'logout.not-left',
      subject: resource.title,
      going: null,
      host: null,
      sent: false,
      button: { kind: 'link', href: `/logout/${resource.id}${query}`, does: 'retry', name: null },
      other: null,
      retryAfterS: 5,
    })
    return { kind: 'page', status: 503, html, policy: 'own', cookies: [], headers: { 'Retry-After': '5' } }
  }
}

function frontOf({ at }: Resource): string {
  return `${at.origin}${at.prefix}`
}

function redirect(to: string): Answer {
  return { kind: 'redirect', to, cookies: [] }
}
