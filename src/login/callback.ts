/**
 * The idp's answer (docs/sessions.md S4, in its order): a stale, replayed, duplicated or foreign one never ends in a dead end,
 * never costs a second token request, and consumes nothing that is not its own.
 */
import { GatewayError } from '../errors.ts'
import { cookieName, cookieValue, expireCookie } from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import { type Identity, type IdpId, samePerson } from '../model/identity.ts'
import type { IdentityProvider, SignIn } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { Device, SessionId } from '../model/session.ts'
import type { PendingLogin, PendingLogins } from '../session/pending.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SingleUse } from '../session/single-use.ts'
import { redirect } from './answer.ts'
import { browserOf } from './browser.ts'
import { brokenOff, type Fail, type Failed } from './failed.ts'
import type { createHeardLogout } from './heard-logout.ts'
import type { Arrival } from './login.ts'

export interface CallbackParts {
  readonly portal: string
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly sessions: Sessions
  readonly tellParticipants: TellParticipants
  readonly pending: PendingLogins
  readonly singleUse: SingleUse
  /** Into the names and values of the configuration, as far as the idp is believed. */
  readonly understand: (identity: Identity) => Identity
  /** Of a device that nobody was asked about. */
  readonly device: Device
  readonly heardLogout: ReturnType<typeof createHeardLogout>
  readonly fail: Fail
  readonly report: Report
  readonly now: () => number
}

/** Bytes of a reply that comes by POST (SESSIONS A2). */
export const replyLimit = 256 * 1024

/**
 * Where one of these comes twice, two parsers may read two answers. Refused before anything is looked up or put aside,
 * whatever the protocol; each protocol refuses the doubles of all its own names besides (such as idp/oidc/reply.ts).
 */
const single = ['state', 'code', 'iss', 'error', 'ticket', 'SAMLResponse', 'r']

interface Aside {
  readonly idp: IdpId
  readonly form: string
}

export function createCallback(parts: CallbackParts) {
  const { heardLogout, providers, sessions, pending, singleUse, fail, report, now } = parts

  return {
    /** POST: looked at, put aside, fetched again by a GET, which brings the SameSite=Lax cookies along (SESSIONS A2). */
    async putAside(request: PortalRequest): Promise<Answer> {
      const idp = request.params.idp ?? ''
      const form = request.form ?? new URLSearchParams()
      const logout = await logoutIn(request, { method: 'POST', parameters: form })
      if (logout !== null) return logout
      const state = stateOf(request, form)
      const login = state === null ? null : await pending.peek(state)
      if (hasDoubles(form) || state === null || login === null || login.idp !== idp)
        return stale(request, 'a reply by POST to no sign-in of ours')
      // One for each sign-in: whoever knows a state could otherwise fill the store with it. Who sends the same reply twice
      // (a second click at the idp) is led to the first.
      const aside: Aside = { idp, form: form.toString() }
      if (!(await singleUse.claim('a', aside, state))) {
        const first = await singleUse.peek<Aside>('a', state)
        if (first?.form !== aside.form) return stale(request, 'another reply to this sign-in was put aside already')
      }
      return redirect(`/callback/${idp}?r=${state}`)
    },

    async complete(request: PortalRequest): Promise<Answer> {
      const logout = await logoutIn(request, { method: 'GET', parameters: request.query })
      if (logout !== null) return logout
      if (request.method === 'HEAD' || request.navigation === 'prefetch') return { kind: 'empty', status: 204 }
      const idp = request.params.idp ?? ''
      const provider = providers.get(idp)
      if (request.navigation !== 'document' || provider === undefined || hasDoubles(request.query)) {
        return stale(request, 'a callback that is no document navigation, names no idp, or says a thing twice')
      }
      const message = await messageOf(request, idp)
      if (message === null) return stale(request, 'a reply that was put aside and is gone')
      const state = stateOf(request, message.parameters)
      const login = state === null ? null : await pending.peek(state)
      if (state === null || login === null || login.idp !== idp) return unknown(request)

      const cookie = pending.cookieOf(state, login, request.cookies)
      if (cookie === 'none') {
        return fail(request, { code: 'login.cookies', detail: 'no cookie of any sign-in came', destination: login })
      }
      if (cookie === 'foreign') {
        report({ name: 'callback.foreign', idp })
        return fail(request, {
          code: 'login.foreign',
          detail: 'the reply to a sign-in of another browser',
          destination: login,
        })
      }
      return hear(request, provider, state, login, message)
    },
  }

  async function logoutIn(request: PortalRequest, message: Message): Promise<Answer | null> {
    const provider = providers.get(request.params.idp ?? '')
    if (provider === undefined) return null
    return heardLogout.answerTo(request, provider, { ...message, callback: callbackOf(provider) })
  }

  function callbackOf(provider: IdentityProvider): URL {
    return new URL(`${parts.portal}/callback/${provider.id}`)
  }

  async function hear(
    request: PortalRequest,
    provider: IdentityProvider,
    state: string,
    login: PendingLogin,
    message: Message,
  ): Promise<Answer> {
    let taken = false
    const takePending = async () => {
      const mine = await pending.take(state)
      if (mine === null) throw new LostRace()
      taken = true
      return { idpPending: mine.idpPending, state, begunAt: mine.begunAt }
    }
    try {
      const heard = await provider.hear({ ...message, callback: callbackOf(provider) }, takePending)
      if (heard.kind === 'logout') return heard.answer(await heardLogout.endFromIdp(heard.notices))
      return await signedIn(request, state, login, heard.signIn)
    } catch (error) {
      if (error instanceof LostRace) return unknown(request)
      const storeFailed = taken ? brokenOff(error, login) : null
      if (storeFailed !== null) return fail(request, { ...storeFailed, cookies: [pending.finished(state)] })
      if (!(error instanceof GatewayError) || !error.code.startsWith('idp.')) throw error
      report({ name: 'sign-in.failed', idp: provider.id, code: error.code })
      return fail(request, {
        code: error.code,
        detail: error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message,
        hint: error.hint,
        destination: login,
        idp: provider.id,
        cookies: taken ? [pending.finished(state)] : [],
      })
    }
  }

  /** One session for each browser: the same person keeps theirs, another one's is ended first (SESSIONS A2). */
  async function signedIn(request: PortalRequest, state: string, login: PendingLogin, raw: SignIn): Promise<Answer> {
    const signIn: SignIn = { ...raw, identity: parts.understand(raw.identity) }
    const established = await keepOrEstablish(request, signIn)
    if (established === null) {
      const ended: Failed = {
        code: 'login.ended-meanwhile',
        detail: 'the idp ended this sign-in before it was stored',
        destination: login,
      }
      return fail(request, { ...ended, cookies: [pending.finished(state)] })
    }
    request.page.setSignIns([...request.page.signIns(), now()].slice(-10))
    const arrival: Arrival = { id: established.id, to: login.to, n: login.n, attempt: login.attempt }
    const reference = await singleUse.put('r', arrival)
    return redirect(`/enter?r=${reference}`, [
      pending.arriving(state, sessions.cookieFor('portal', established.id, established.generation)),
      pending.finished(state),
      ...askedSinceSignOut(request, signIn.identity),
    ])
  }

  /** The mark of a sign-out goes once the idp has really asked the person again, and not before (SESSIONS S4). */
  function askedSinceSignOut(request: PortalRequest, { authenticatedAt }: Identity): readonly string[] {
    const signedOutAt = cookieValue(request.cookies, cookieName.fresh)
    return signedOutAt === null || authenticatedAt <= Number(signedOutAt) ? [] : [expireCookie(cookieName.fresh)]
  }

  /** What a cookie of this session says; null: the idp ended the sign-in meanwhile. */
  async function keepOrEstablish(request: PortalRequest, signIn: SignIn): Promise<Established | null> {
    const held = await sessions.arriving(request.cookies)
    if (held !== null && !samePerson(held.session.identity, signIn.identity)) {
      const ended = await sessions.end(held.session.id, 'replaced')
      // In nobody's way: the person who comes now has nothing to do with it.
      if (ended !== null) void parts.tellParticipants(ended)
    } else if (held !== null && (await sessions.renew(held.session.id, signIn))) {
      report({ name: 'session.kept', idp: signIn.identity.idp })
      return { id: held.session.id, generation: held.session.generation }
    }
    return sessions.establish(signIn, { device: parts.device, browser: browserOf(request) })
  }

  /** Nothing pending: used, expired, or never ours. Whoever is signed in is simply led on. */
  async function unknown(request: PortalRequest): Promise<Answer> {
    const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
    return resumed === null ? stale(request, 'no sign-in of ours is pending for this reply') : redirect('/')
  }

  function stale(request: PortalRequest, detail: string): Answer {
    return fail(request, { code: 'login.stale', detail, destination: null })
  }

  async function messageOf(request: PortalRequest, idp: IdpId): Promise<Message | null> {
    const reference = request.query.get('r')
    if (reference === null) return { method: 'GET', parameters: request.query }
    const aside = await singleUse.take<Aside>('a', reference)
    return aside === null || aside.idp !== idp ? null : { method: 'POST', parameters: new URLSearchParams(aside.form) }
  }
}

interface Established {
  readonly id: SessionId
  readonly generation: number
}

interface Message {
  readonly method: 'GET' | 'POST'
  readonly parameters: URLSearchParams
}

/** Two tabs, or two clicks, brought the same reply; the other one has it. */
class LostRace extends Error {}

function stateOf(request: PortalRequest, message: URLSearchParams): string | null {
  return request.params.state ?? message.get('state')
}

function hasDoubles(parameters: URLSearchParams): boolean {
  return single.some(name => parameters.getAll(name).length > 1)
}
