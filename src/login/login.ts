/**
 * Signing in: from a person who wants to go somewhere to a session, by whichever identity provider (docs/sessions.md S3, S4).
 * A flow over idp/, session/ and pages/; it never asks which protocol it is.
 */
import { GatewayError } from '../errors.ts'
import type { AdmitWrite } from '../limits/anonymous-writes.ts'
import {
  cookieName,
  cookiesNamed,
  cookieValues,
  expireCookie,
  hasOurs,
  setCookie,
  transactionPrefix,
} from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { LocateUrl } from '../model/place.ts'
import type { Handoff } from '../session/handoff.ts'
import type { Destination, PendingLogins } from '../session/pending.ts'
import type { Resumed, Sessions } from '../session/sessions.ts'
import type { SingleUse } from '../session/single-use.ts'
import { answerStep, isNobody, nothing, redirect } from './answer.ts'
import type { Choice, ChooseIdp, Question } from './choose-idp.ts'
import { asFields, placed, readDestination, type Wanted } from './destination.ts'
import { readLoginHint } from './email-domains.ts'
import { brokenOff, type Fail, failedBy } from './failed.ts'
import type { LeftSite } from './left-site.ts'
import type { OverLimit } from './over-limit.ts'
import { signedOutLately } from './signed-out-lately.ts'
import type { Silent } from './silent.ts'

export interface LoginParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly chooseIdp: ChooseIdp
  readonly sessions: Sessions
  readonly handoff: Handoff
  readonly pending: PendingLogins
  readonly singleUse: SingleUse
  readonly locateUrl: LocateUrl
  readonly fail: Fail
  readonly overLimit: OverLimit
  readonly silent: Silent
  readonly leftSite: Pick<LeftSite, 'refuse'>
  readonly admitWrite: AdmitWrite
  readonly report: Report
  readonly now: () => number
}

/** What the callback leaves for /enter, which then works with the session that the cookie jar names. */
export interface Arrival extends Destination {
  readonly id: string
  /** Nobody was asked anything, and nobody should be now. */
  readonly passive: boolean
}

/** Sign-ins of one browser within this time, ms, that end without a session each: somebody goes in circles. */
const loopWindowMs = 60_000
const loopLimit = 3

export type Login = ReturnType<typeof createLogin>

export function createLogin(parts: LoginParts) {
  const { sessions, handoff, pending, chooseIdp, locateUrl, fail, silent, now } = parts

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
      const asked = readDestination(form)
      const located = asked.to === null ? null : locateUrl(asked.to)
      const again = form.get('again') === '1'
      const hint = readLoginHint(form.get('email'))
      const question: Question = { request, wanted: placed(asked, located), located, again, hint }
      if (!request.page.tokenMatches(form.get('token'))) return askedInVain(question)
      if (form.has('forget')) {
        const cookies = chooseIdp.forget(request)
        // On the front page of somebody who is signed in there is nothing to choose.
        return form.has('stay') ? redirect('/', cookies) : chooser(question, cookies)
      }
      const provider = chooseIdp.meant(question, form)
      if (provider === null) return chooser(question)
      return begin(question, provider, chooseIdp.answered(request, form, provider.id))
    },
  }

  /** The callback's 303: the session is the one that the cookie names, and from now on it counts. */
  async function arrive(request: PortalRequest, reference: string): Promise<Answer> {
    // Before the reference is used up: where the store does not answer, a reload can still succeed.
    const resumed = await sessions.arriving(request.cookies)
    const arrival = await parts.singleUse.take<Arrival>('r', reference)
    if (arrival === null) {
      // The Back button, or a second click: whoever is signed in is simply led on.
      if (resumed !== null && !resumed.provisional) return redirect('/')
      return fail(request, {
        code: 'login.stale',
        detail: 'a reference that is unknown, used or too old',
        destination: null,
      })
    }
    if (resumed === null) return notArrived(request, arrival)
    try {
      if (resumed.session.id !== arrival.id) await sessions.end(arrival.id, 'lost-race')
      return await takeOver(request, { ...arrival, framed: false }, resumed, arrival.passive)
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
  async function takeOver(request: PortalRequest, wanted: Wanted, resumed: Resumed, passive = false): Promise<Answer> {
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
      if (passive) {
        await sessions.end(id, 'limit')
        return silent.unsigned(wanted, dropped)
      }
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
    if (refused !== null) return silent.isAsked(request, false) ? silent.unsigned(wanted, []) : refused
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
    const hint = readLoginHint(request.query.get('login_hint'))
    const question: Question = { request, wanted, located, again, hint }
    if (silent.isAsked(request, again)) return silently(question)
    // A request that shows no sign of a person's browser gets the page whose form starts the sign-in (SESSIONS B 8).
    const unasked = request.navigation === 'document' ? chooseIdp.unasked(question, asked) : null
    return unasked === null ? chooser(question) : begin(question, unasked, chooseIdp.before(request))
  }

  /** Without a word to the person: to an idp that may know them, or on as a visitor. */
  async function silently(question: Question): Promise<Answer> {
    const { request, wanted } = question
    if (silent.goesInCircles(request)) {
      const who = question.located?.resource.id ?? 'a link to the portal'
      const detail = `${who} asks again and again who is there (prompt=none), and nobody is`
      return fail(request, { code: 'login.silent-loop', detail, destination: wanted })
    }
    const idp = silent.idpFor(question)
    if (idp === null) return silent.unsigned(wanted, [silent.remember(request)])
    const { device, cookies } = chooseIdp.before(request)
    return begin(question, idp, { device, cookies: [...cookies, silent.remember(request)] }, true)
  }

  async function begin(
    question: Question,
    provider: IdentityProvider,
    choice: Choice,
    passive = false,
  ): Promise<Answer> {
    const { request, wanted, again, hint } = question
    const refused = parts.admitWrite('sign-in', request.address)
    if (refused !== null)
      return passive ? silent.unsigned(wanted, choice.cookies) : fail(request, failedBy(refused, wanted))
    const state = pending.newState()
    const asking = passive ? 'never' : again || signedOutLately(request.cookies, now()) ? 'again' : 'as-needed'
    const loginHint = chooseIdp.addressFor(hint, provider.id)
    try {
      const { step, idpPending } = await provider.begin(callbackOf(provider.id), { asking, state, loginHint })
      const destination = { to: wanted.to, n: wanted.n, attempt: wanted.attempt }
      const login = { idp: provider.id, idpPending, device: choice.device, passive, ...destination }
      const cookies = await pending.begin(state, request.cookies, login)
      parts.report({ name: 'sign-in.begun', idp: provider.id })
      return answerStep(step, `/callback/${provider.id}/${state}`, [...cookies, ...choice.cookies])
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.code.startsWith('idp.')) throw error
      parts.report({ name: 'sign-in.failed', idp: provider.id, code: error.code })
      if (passive) return silent.unsigned(wanted, choice.cookies)
      return fail(request, {
        ...failedBy(error, wanted),
        idp: provider.id,
        cookies: choice.cookies,
        button: { kind: 'link', href: retryOf(request, wanted, provider), does: 'retry', name: null },
      })
    }
  }

  function chooser(question: Question, cookies: readonly string[] = []): Answer {
    const { request, wanted } = question
    const refused = request.page.isKept() ? null : parts.admitWrite('page-state', request.address)
    if (refused !== null) return fail(request, failedBy(refused, wanted))
    return { kind: 'page', status: 200, html: chooseIdp.page(question), policy: 'leads-away', cookies }
  }

  /** The question once more; but whoever keeps no cookies would be asked it for ever. */
  function askedInVain(question: Question): Answer {
    const { request, wanted } = question
    if (hasOurs(request.cookies)) return chooser(question)
    const detail = 'no cookie of ours came with the answer to the question'
    return fail(request, { code: 'login.cookies', detail, destination: wanted })
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

  function notOurs(request: PortalRequest): Answer {
    return fail(request, {
      code: 'resource.unknown-host',
      detail: 'a target that is no resource of ours',
      destination: null,
      button: { kind: 'link', href: '/', does: 'front', name: null },
    })
  }
}
