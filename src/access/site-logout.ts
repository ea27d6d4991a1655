/**
 * A site's own logout link (`logout.intercept`), pressed by somebody who has a session of ours (SESSIONS A8 (5), A6). The end
 * comes first; then the request goes on to the site with the visitor's cookies, so that it closes its own session too.
 *
 * Pressed means: a document navigation that a page of this very site caused. An image, a script, a frame, a prefetch or a page
 * of another site closes nothing, and the site hears nothing of it. A browser that does not say where a GET comes from
 * (no Sec-Fetch-Site) is asked on the portal: a link on any other site would look the same.
 */
import { GatewayError } from '../errors.ts'
import { cookieName, expireCookie } from '../model/cookie.ts'
import type { Permit } from '../model/decision.ts'
import type { CloseFromSite } from '../model/logout.ts'
import type { Passage } from '../model/passage.ts'
import type { ResourcePlace } from '../model/place.ts'
import type { Resource } from '../model/resource.ts'
import type { Scope, SessionId } from '../model/session.ts'
import type { Pages } from '../pages/pages.ts'
import type { authorize } from '../policy/authorize.ts'
import type { Sessions } from '../session/sessions.ts'
import { answerPage, answerRedirect } from './answer.ts'
import type { SitePage } from './site-page.ts'

export interface SiteLogoutParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly sessions: Pick<Sessions, 'resume' | 'authentic'>
  readonly authorize: typeof authorize
  readonly close: CloseFromSite
  /** Never rejects. The origin's Set-Cookie lines, as a browser may have them. */
  readonly passOn: (passage: Passage, place: ResourcePlace, permit: Permit) => Promise<readonly string[]>
  readonly pages: Pages
  readonly sitePage: SitePage
}

/** What happens to a request where nobody is signed out. */
export type Visit = (passage: Passage, place: ResourcePlace) => Promise<void> | void
export type SiteLogout = (passage: Passage, place: ResourcePlace, visit: Visit) => Promise<void> | void

/** The browser forgets the pages of this host, those in its back/forward cache too (SESSIONS A8); never "cookies". */
const forgetPages = ['Clear-Site-Data', '"cache"']

export function createSiteLogout(parts: SiteLogoutParts): SiteLogout {
  const { portal, sessions, pages, sitePage } = parts

  return function siteLogout(passage, place, visit) {
    const { resource } = place
    const ids = sessions.authentic(passage.cookies, scopeOf(resource))
    if (ids.length === 0) return visit(passage, place)
    passage.observed.resource = resource
    passage.observed.effect = 'ours'
    if (resource.logout.means === 'global' && isPressed(passage, resource)) return closeAll(passage, place, ids, visit)
    if (passage.navigation === 'document') return answerRedirect(passage, `${portal}/logout`, [])
    throw new GatewayError('logout.not-pressed', `${passage.request.method} as a ${passage.navigation} request`)
  }

  /** Every session that the cookies name, in case somebody planted a second one. */
  async function closeAll(
    passage: Passage,
    place: ResourcePlace,
    ids: readonly SessionId[],
    visit: Visit,
  ): Promise<void> {
    // Before the end: nobody would be permitted after it.
    const permit = await permitOf(passage, place)
    const outcomes = await Promise.allSettled(ids.map(id => parts.close(id, place.resource.id)))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) return notStored(passage, failed.reason)
    const closed = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? (outcome.value ?? []) : []))
    const [told] = closed
    if (told === undefined) return visit(passage, place)
    const mayHear = permit !== null && closed.some(({ first }) => first)
    const hearing = mayHear ? parts.passOn(passage, place, permit) : []
    const [path, cookies] = await Promise.all([told.path, hearing])
    answerRedirect(passage, portal + path, [expireCookie(cookieName.site), ...cookies], 303, forgetPages)
  }

  /** Null: the site may not be told who it is. The end does not wait for a store that cannot say. */
  async function permitOf(passage: Passage, place: ResourcePlace): Promise<Permit | null> {
    try {
      const resumed = await sessions.resume(passage.cookies, scopeOf(place.resource), 'navigation')
      const { request, observed } = passage
      const context = { method: request.method ?? '', address: observed.client }
      const decision = parts.authorize(
        { resource: place.resource, access: place.access, context },
        resumed?.session ?? null,
      )
      return decision.effect === 'permit' ? decision : null
    } catch (error) {
      if (error instanceof GatewayError) return null
      throw error
    }
  }

  function notStored(passage: Passage, error: unknown): void {
    if (!(error instanceof GatewayError)) throw error
    sitePage.note(passage, 'logout.not-stored', error.message, error.hint)
    const html = pages.failure(sitePage.context(passage), {
      code: 'logout.not-stored',
      subject: null,
      going: null,
      host: null,
      sent: false,
      button: { kind: 'link', href: `${portal}/logout`, does: 'retry', name: null },
      other: null,
      retryAfterS: 5,
    })
    answerPage(passage, 503, html, ['Retry-After', '5', 'Set-Cookie', expireCookie(cookieName.site), ...forgetPages])
  }
}

function scopeOf({ at }: Resource): Scope {
  return `host:${at.hostname}`
}

/** A link or a form of a page of this very site, in its own window. */
function isPressed({ request, navigation, upgrade }: Passage, { at }: Resource): boolean {
  if (navigation !== 'document' || upgrade !== null) return false
  const site = request.headers['sec-fetch-site']
  if (request.method === 'GET') return site === 'same-origin'
  // A form says where it comes from even to those who know no Sec-Fetch-Site.
  return (
    request.method === 'POST' && (site === undefined ? request.headers.origin === at.origin : site === 'same-origin')
  )
}
