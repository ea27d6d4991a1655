/**
 * Signing in: from a person who wants to go somewhere to a session, by whichever identity provider (docs/sessions.md S3, S4).
 * A flow over idp/, session/ and pages/; it never asks which protocol it is.
 */
import { GatewayError } from '../errors.ts'
import type { AdmitWrite } from '../limits/anonymous-writes.ts'
import {
  cookieName,
  cookiesNamed,
  cookieValue,
  cookieValues,
  expireCookie,
  setCookie,
  transactionPrefix,
} from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { LocatedUrl, LocateUrl } from '../model/place.ts'
import type { Text } from '../model/text.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { Handoff } from '../session/handoff.ts'
import type { Destination, PendingLogins } from '../session/pending.ts'
import type { Resumed, Sessions } from '../session/sessions.ts'
import type { SingleUse } from '../session/single-use.ts'
import { answerStep, isNobody, nothing, redirect } from './answer.ts'
import { asFields, enterAgain, placed, readDestination, type Wanted } from './destination.ts'
import { brokenOff, type Fail, waitOf } from './failed.ts'
import type { LeftSite } from './left-site.ts'
import type { OverLimit } from './over-limit.ts'

export interface LoginParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  /** A help link under an idp's name. */
  readonly helpOf: (idp: IdpId) => { readonly label: Text; readonly url: string } | null
  readonly sessions: Sessions
  readonly handoff: Handoff
  readonly pending: PendingLogins
  readonly singleUse: SingleUse
  readonly locateUrl: LocateUrl
  readonly pages: Pages
  readonly fail: Fail
  readonly overLimit: OverLimit
  readonly leftSite: Pick<LeftSite, 'refuse'>
  readonly admitWrite: AdmitWrite
  readonly report: Report
  readonly now: () => number
}

/** What the callback leaves for /enter, which then works with the session that the cookie jar names. */
export interface Arrival extends Destination {
  readonly id: string
}

/** Sign-ins of one browser within this time, ms, that end without a session each: somebody goes in circles. */
const loopWindowMs = 60_000
const loopLimit = 3
/** How long a sign-out makes the next sign-in ask again, ms. */
const freshLifeMs = 12 * 60 * 60_000

export type Login = ReturnType<typeof createLogin>

export function createLogin(parts: LoginParts) {
  const { sessions, handoff, pending, providers, locateUrl, pages, fail, now } = parts

  return {
    /** GET /enter: where hosts send people who need a session there, and where the callback leads. */
    async enter(request: PortalRequest): Promise<Answer> {
      if (isNobody(request)) return nothing
      const reference = request.query.get('r')
      if (reference !== null) return arrive(request, reference)
      const wanted = readDestination(request.query)
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      return resumed === null ? arriveOrAsk(request, wanted, false) : leadOn(request, wanted, resumed)
    },

    /** GET /login: signing in without a target. */
    async start(request: PortalRequest): Promise<Answer> {
      if (isNobody(request)) return nothing
      // Starting points belong to zones, which this version does not have.
      if (request.query.has('url') || request.query.has('qurl')) return notOurs(request)
      const again = request.query.get('again') === '1'
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      if (resumed !== null && !again) return redirect('/')
      return arriveOrAsk(request, { ...readDestination(request.query), framed: false }, again)
    },

    /**
     * POST /login: the chooser's answer, from our own origin. Tabs that were opened together each made a page state, and
     * the browser kept one: whoever brings another's token, or an expired one, is asked again and loses nothing.
     */
    async choose(request: PortalRequest): Promise<Answer> {
      const form = request.form ?? new URLSearchParams()
      const provider = providers.get(form.get('idp') ?? '')
      const asked = readDestination(form)
      const located = asked.to === null ? null : locateUrl(asked.to)
      const wanted = placed(asked, located)
      const again = form.get('again') === '1'
      if (!request.page.tokenMatches(form.get('token'))) {
        return chooser(request, wanted, located, idpsFor(located), again)
      }
      if (provider === undefined) return challenge(request, wanted, null, again)
      return begin(request, wanted, provider, again)
    },
  }

  /** The callback's 303: the session is the one that the cookie names, and from now on it counts. */
  async function arrive(request: PortalRequest, reference: string): Promise<Answer> {
    // Before the reference is used up: where the store does not answer, a reload can still succeed.
    const resumed = await sessions.arriving(request.cookies)
    const arrival = await parts.singleUse.take<Arrival>('r', reference)
    if (arrival === null) {
      return fail(request, {
        code: 'login.stale',
        detail: 'a reference that is unknown, used or too old',
        destination: null,
      })
    }
    if (resumed === null) return notArrived(request, arrival)
    try {
      if (resumed.session.id !== arrival.id) await sessions.end(arrival.id, 'lost-race')
      return await takeOver(request, { ...arrival, framed: false }, resumed)
    } catch (error) {
      const failed = brokenOff(error, arrival)
      if (failed === null) throw error
      return fail(request, failed)
    }
  }

  /** No session of this browser counts: one may still be arriving, or waiting for a place; else an idp is asked. */
  async function arriveOrAsk(request: PortalRequest, wanted: Wanted, again: boolean): Promise<Answer> {
    const arriving = again ? null : await sessions.arriving(request.cookies)
    return arriving === null
      ? challenge(request, wanted, request.query.get('idp'), again)
      : takeOver(request, wanted, arriving)
  }

  function notArrived(request: PortalRequest, arrival: Arrival): Answer {
    const cameBack = sessions.authentic(request.cookies, 'portal').length > 0
    return cameBack
      ? fail(request, { code: 'login.stale', detail: 'the session was over before it was used', destination: arrival })
      : fail(request, {
          code: 'login.cookies',
          status: 200,
          detail: 'the session cookie did not come back',
          destination: arrival,
        })
  }

  /** One cookie for the browser's one session, in place of those that the callbacks of its tabs have left. */
  async function takeOver(request: PortalRequest, wanted: Wanted, resumed: Resumed): Promise<Answer> {
    const { id, generation } = resumed.session
    const value = sessions.cookieFor('portal', id, generation)
    const held = cookieValues(request.cookies, cookieName.portal)
    const left = cookiesNamed(request.cookies, transactionPrefix.session).map(({ name }) => expireCookie(name))
    const cookies = [
      ...(held.length === 1 && held[0] === value ? [] : [setCookie(cookieName.portal, value, null)]),
      ...left,
    ]
    if (resumed.provisional) {
      // No question in a frame: the small page there leads to a window of its own.
      if (wanted.framed) return challenge(request, wanted, null)
      const dropped = held.length === 0 ? left : [expireCookie(cookieName.portal), ...left]
      return parts.overLimit(request, wanted, resumed, { taken: cookies, dropped })
    }
    const answer = await leadOn(request, wanted, resumed)
    return 'cookies' in answer ? { ...answer, cookies: [...cookies, ...answer.cookies] } : answer
  }

  /** With a session: a ticket to the host that asked, or to the one that will ask. */
  async function leadOn(request: PortalRequest, wanted: Wanted, resumed: Resumed): Promise<Answer> {
    request.page.setSignIns([])
    if (wanted.to === null) return redirect('/')
    const located = locateUrl(wanted.to)
    if (located === null) return notOurs(request)
    const refused = parts.leftSite.refuse(request, wanted, located, resumed.session)
    if (refused !== null) return refused
    const { at } = located.resource
    if (wanted.n === null) return redirect(`${at.origin}/.passerelle/begin?to=${encodeURIComponent(located.href)}`)
    const ticket = await handoff.mint(resumed.session, `host:${at.hostname}`, located.href, wanted.n, wanted.attempt)
    return redirect(`${at.origin}/.passerelle/enter?t=${ticket}`)
  }

  /** Without one: which idp, then there. */
  async function challenge(request: PortalRequest, sent: Wanted, asked: IdpId | null, again = false): Promise<Answer> {
    const located = sent.to === null ? null : locateUrl(sent.to)
    if (sent.to !== null && located === null) return notOurs(request)
    const wanted = placed(sent, located)
    if (wanted.framed && located !== null) {
      return redirect(`${located.resource.at.origin}/.passerelle/framed?to=${encodeURIComponent(located.href)}`)
    }
    if (goesInCircles(request)) {
      const detail = `${loopLimit} sign-ins of one browser within a minute, and no session`
      return fail(request, { code: 'login.loop', detail, destination: wanted })
    }
    const admitted = idpsFor(located)
    const named = asked === null ? undefined : admitted.find(provider => provider.id === asked)
    const only = named ?? (admitted.length === 1 ? admitted[0] : undefined)
    // A request that shows no sign of a person's browser gets the page whose form starts the sign-in (SESSIONS B 8).
    if (only !== undefined && request.navigation === 'document') return begin(request, wanted, only, again)
    return chooser(request, wanted, located, admitted, again)
  }

  async function begin(
    request: PortalRequest,
    wanted: Wanted,
    provider: IdentityProvider,
    again: boolean,
  ): Promise<Answer> {
    const refused = parts.admitWrite('sign-in', request.address)
    if (refused !== null) return tooMany(request, wanted, refused)
    const state = pending.newState()
    const force = again || signedOutLately(request)
    try {
      const { step, idpPending } = await provider.begin(callbackOf(provider.id), { force, state })
      const destination = { to: wanted.to, n: wanted.n, attempt: wanted.attempt }
      const cookies = await pending.begin(state, request.cookies, { idp: provider.id, idpPending, ...destination })
      parts.report({ name: 'sign-in.begun', idp: provider.id })
      return answerStep(step, `/callback/${provider.id}/${state}`, cookies)
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.code.startsWith('idp.')) throw error
      parts.report({ name: 'sign-in.failed', idp: provider.id, code: error.code })
      return fail(request, {
        code: error.code,
        detail: error.message,
        hint: error.hint,
        destination: wanted,
        idp: provider.id,
        button: { kind: 'link', href: retryOf(request, wanted, provider), does: 'retry', name: null },
        ...(providers.size > 1
          ? { other: { kind: 'link', href: enterAgain(wanted), does: 'start-again', name: null } }
          : {}),
      })
    }
  }

  function chooser(
    request: PortalRequest,
    wanted: Wanted,
    located: LocatedUrl | null,
    admitted: readonly IdentityProvider[],
    again: boolean,
  ): Answer {
    const refused = request.page.isKept() ? null : parts.admitWrite('page-state', request.address)
    if (refused !== null) return tooMany(request, wanted, refused)
    // The answer to a POST has no address that could be asked again in the other language.
    const html = pages.chooser(contextOf(request, request.method === 'POST' ? 'one-shot' : 'portal'), {
      going: located?.resource.title ?? null,
      idps: admitted.map(({ id, label, health }) => ({
        id,
        label,
        available: health() !== 'down',
        help: parts.helpOf(id),
      })),
      carried: { ...asFields(wanted), ...(again ? { again: '1' } : {}) },
      token: request.page.token(),
    })
    return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [] }
  }

  function idpsFor(located: LocatedUrl | null): readonly IdentityProvider[] {
    const all = [...providers.values()]
    const admitted = located?.resource.idps ?? null
    return admitted === null ? all : all.filter(provider => admitted.includes(provider.id))
  }

  function callbackOf(idp: IdpId): URL {
    return new URL(`${parts.portal}/callback/${idp}`)
  }

  function retryOf(request: PortalRequest, wanted: Wanted, provider: IdentityProvider): string {
    const query = new URLSearchParams({ ...asFields(wanted), idp: provider.id })
    return request.method === 'GET' && request.path === '/enter' ? `/enter?${query}` : `/login?${query}`
  }

  function goesInCircles(request: PortalRequest): boolean {
    return request.page.signIns().filter(time => now() - time < loopWindowMs).length >= loopLimit
  }

  function signedOutLately(request: PortalRequest): boolean {
    const since = Number(cookieValue(request.cookies, cookieName.fresh) ?? Number.NaN)
    return now() - since * 1000 < freshLifeMs
  }

  function tooMany(request: PortalRequest, wanted: Wanted, refused: GatewayError): Answer {
    const { code, message: detail, hint } = refused
    return fail(request, { code, detail, hint, destination: wanted, ...waitOf(refused) })
  }

  function notOurs(request: PortalRequest): Answer {
    return fail(request, {
      code: 'resource.unknown-host',
      detail: 'a target that is no resource of ours',
      destination: null,
      button: { kind: 'link', href: '/', does: 'front', name: null },
    })
  }
}
