/**
 * A site's own logout link (`logout.intercept`), used by somebody who has a session of ours (SESSIONS A8 (5), A6). What it
 * means is done first; then the request goes on to the site with the visitor's cookies, so that it closes its own session too.
 *
 * It acts where it is pressed: a document navigation that a page of this very site caused. An image, a script, a frame, a
 * prefetch or a page of another site closes nothing, and the site hears nothing of it. A browser that does not say where a
 * GET comes from (no Sec-Fetch-Site) is asked on the portal: a link on any other site would look the same.
 */
import { GatewayError } from '../errors.ts'
import { cookieName, expireCookie } from '../model/cookie.ts'
import type { Permit } from '../model/decision.ts'
import type { CloseFromSite } from '../model/logout.ts'
import type { Passage } from '../model/passage.ts'
import { longestTarget, type ResourcePlace } from '../model/place.ts'
import { type Resource, sharesHost } from '../model/resource.ts'
import type { Scope, Session, SessionId } from '../model/session.ts'
import type { Pages } from '../pages/pages.ts'
import type { authorize, isLeft } from '../policy/authorize.ts'
import type { Sessions } from '../session/sessions.ts'
import { answerPage, answerRedirect } from './answer.ts'
import type { SitePage } from './site-page.ts'

export interface SiteLogoutParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly resources: readonly Resource[]
  readonly sessions: Pick<Sessions, 'resume' | 'authentic' | 'leave'>
  readonly authorize: typeof authorize
  readonly isLeft: typeof isLeft
  readonly close: CloseFromSite
  /** Never rejects. The origin's Set-Cookie lines, as a browser may have them. */
  readonly passOn: (passage: Passage, place: ResourcePlace, permit: Permit) => Promise<readonly string[]>
  readonly pages: Pages
  readonly sitePage: SitePage
}

/** What happens to a request where nobody is signed out. */
export type Visit = (passage: Passage, place: ResourcePlace) => Promise<void> | void
export type SiteLogout = (passage: Passage, place: ResourcePlace, visit: Visit) => Promise<void> | void

/**
 * The browser forgets the pages of this host, those in its back/forward cache too (SESSIONS A8); never "cookies". All but the
 * one on which the link was pressed: that is kept only afterwards, and the portal's page has it forgotten in a frame (leave.ts).
 */
const forgetPages = ['Clear-Site-Data', '"cache"']

export function createSiteLogout(parts: SiteLogoutParts): SiteLogout {
  const { portal, sessions, pages, sitePage } = parts

  return function siteLogout(passage, place, visit) {
    const { resource } = place
    const ids = sessions.authentic(passage.cookies, scopeOf(resource))
    if (ids.length === 0) return visit(passage, place)
    passage.observed.resource = resource
    passage.observed.effect = 'ours'
    if (passage.navigation !== 'document') {
      throw new GatewayError('logout.not-pressed', `${passage.request.method} as a ${passage.navigation} request`)
    }
    if (resource.logout.means !== 'global') return leaveSite(passage, place, visit)
    if (isPressed(passage, resource)) return closeAll(passage, place, ids, visit)
    answerRedirect(passage, `${portal}/logout`, [])
  }

  /** global: every session that the cookies name, in case somebody planted a second one. */
  async function closeAll(
    passage: Passage,
    place: ResourcePlace,
    ids: readonly SessionId[],
    visit: Visit,
  ): Promise<void> {
    // Before the end: nobody would be permitted after it. Nor does the end wait for a store that cannot say who it is.
    const session = await sessionOf(passage, place).catch(refusedIsNull)
    const permit = session === null ? null : permitOf(passage, place, session)
    const outcomes = await Promise.allSettled(ids.map(id => parts.close(id, place.resource.id)))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) return notStored(passage, failed.reason)
    const closed = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? (outcome.value ?? []) : []))
    const [told] = closed
    if (told === undefined) return isOver(passage, place, visit)
    const mayHear = permit !== null && closed.some(({ first }) => first)
    const hearing = mayHear ? parts.passOn(passage, place, permit) : []
    const [path, cookies] = await Promise.all([told.path, hearing])
    answerRedirect(passage, portal + path, [expireCookie(cookieName.site), ...cookies], 303, forgetPages)
  }

  /**
   * local, and ask. Who comes once more to a site that was left already has chosen so on the portal: nothing of ours is left
   * to close here, so it matters no longer who sent them, and the site may still hold a session of its own.
   */
  async function leaveSite(passage: Passage, place: ResourcePlace, visit: Visit): Promise<void> {
    const { resource } = place
    const session = await sessionOf(passage, place)
    if (session === null) return isOver(passage, place, visit)
    const pressed = isPressed(passage, resource)
    const left = parts.isLeft(resource, session)
    if (left && (pressed || passage.request.method === 'GET')) return goodbye(passage, place, session)
    if (left || !pressed || resource.logout.means === 'ask')
      return answerRedirect(passage, question(passage, resource), [])
    try {
      if (!(await sessions.leave(session.id, resource.id))) return isOver(passage, place, visit)
    } catch (error) {
      return notLeft(passage, resource, error)
    }
    return goodbye(passage, place, session)
  }

  /** The site hears of it, and the portal's page says what is closed. */
  async function goodbye(passage: Passage, place: ResourcePlace, session: Session): Promise<void> {
    const { resource } = place
    const permit = permitOf(passage, place, session)
    const cookies = permit === null ? [] : await parts.passOn(passage, place, permit)
    // A shared cookie opens this one no more, and without it the others would lose a form under way.
    const ours = sharesHost(resource, parts.resources) ? [] : [expireCookie(cookieName.site)]
    answerRedirect(passage, portal + pageOf(resource), [...ours, ...cookies], 303, forgetPages)
  }

  /** The session is over, and nothing is left to say of it. */
  function isOver(passage: Passage, place: ResourcePlace, visit: Visit): Promise<void> | void {
    if (decide(passage, place, null).effect === 'permit') return visit(passage, place)
    answerRedirect(passage, `${portal}/signed-out`, [expireCookie(cookieName.site)], 303, forgetPages)
  }

  /** @throws GatewayError `session.ambiguous`, `session.store-down` */
  async function sessionOf(passage: Passage, { resource }: ResourcePlace): Promise<Session | null> {
    const resumed = await sessions.resume(passage.cookies, scopeOf(resource), 'navigation')
    return resumed?.session ?? null
  }

  /** Null: the policy does not let them in, and the site hears nothing of who they are. */
  function permitOf(passage: Passage, place: ResourcePlace, session: Session): Permit | null {
    // As it was before it was left: the site's door is shut, and this is its bell.
    const decision = decide(passage, place, { ...session, left: [] })
    return decision.effect === 'permit' ? decision : null
  }

  function decide({ request, observed }: Passage, { resource, access }: ResourcePlace, session: Session | null) {
    const context = { method: request.method ?? '', address: observed.client }
    return parts.authorize({ resource, access, context }, session)
  }

  /** The portal asks what to close, and leads back to this very address for the site's own session. */
  function question({ observed }: Passage, resource: Resource): string {
    const raw = observed.target?.raw ?? ''
    const at = raw.length > longestTarget ? '' : `?at=${encodeURIComponent(raw)}`
    return `${portal}${pageOf(resource)}${at}`
  }

  function notStored(passage: Passage, error: unknown): void {
    const cookies = ['Set-Cookie', expireCookie(cookieName.site), ...forgetPages]
    unavailable(passage, 'logout.not-stored', error, `${portal}/logout`, cookies)
  }

  function notLeft(passage: Passage, resource: Resource, error: unknown): void {
    unavailable(passage, 'logout.not-left', error, question(passage, resource), [])
  }

  function unavailable(
    passage: Passage,
    code: 'logout.not-stored' | 'logout.not-left',
    error: unknown,
    retry: string,
    headers: readonly string[],
  ): void {
    if (!(error instanceof GatewayError)) throw error
    sitePage.note(passage, code, error.message, error.hint)
    const html = pages.failure(sitePage.context(passage), {
      code,
      subject: passage.observed.resource?.title ?? null,
      going: null,
      host: null,
      sent: false,
      button: { kind: 'link', href: retry, does: 'retry', name: null },
      other: null,
      retryAfterS: 5,
    })
    answerPage(passage, 503, html, ['Retry-After', '5', ...headers])
  }
}

/** Where the portal asks about one site, or says that it is closed. */
function pageOf({ id }: Resource): string {
  return `/logout/${id}`
}

function scopeOf({ at }: Resource): Scope {
  return `host:${at.hostname}`
}

/** A link or a form of a page of this very site, in its own window. */
function isPressed(passage: Passage, { at }: Resource): boolean {
  const { request, navigation, upgrade } = passage
  if (navigation !== 'document' || upgrade !== null) return false
  const site = passage.header('sec-fetch-site')
  if (request.method === 'GET') return site === 'same-origin'
  // A form says where it comes from even to those who know no Sec-Fetch-Site.
  return (
    request.method === 'POST' && (site === undefined ? passage.header('origin') === at.origin : site === 'same-origin')
  )
}

function refusedIsNull(error: unknown): null {
  if (error instanceof GatewayError) return null
  throw error
}
