/** From a message that belongs to a sign-in of this browser to a session, or to a page that says why there is none. */
import { GatewayError } from '../errors.ts'
import { cookieName, cookieValue, expireCookie } from '../model/cookie.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import { type Chosen, type Identity, samePerson } from '../model/identity.ts'
import type { IdentityProvider, SignIn } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { Device, SessionId } from '../model/session.ts'
import type { PendingLogin, PendingLogins } from '../session/pending.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SingleUse } from '../session/single-use.ts'
import { redirect } from './answer.ts'
import { browserOf } from './browser.ts'
import type { Expect } from './expected.ts'
import { brokenOff, type Fail, type Failed } from './failed.ts'
import type { createHeardLogout } from './heard-logout.ts'
import type { Arrival } from './login.ts'
import type { Silent } from './silent.ts'

export interface HearParts {
  readonly portal: string
  readonly sessions: Sessions
  readonly tellParticipants: TellParticipants
  readonly pending: PendingLogins
  readonly singleUse: SingleUse
  /** Into the names and values of the configuration, as far as the idp is believed. */
  readonly understand: (identity: Identity) => Identity
  /** What is supposed of a device that nobody was asked about. */
  readonly assumed: () => Device
  /** What this browser remembers that the person chose among their claims' values; null: nothing. */
  readonly chosenBefore: (request: PortalRequest, person: Identity, device: Device) => Chosen | null
  readonly heardLogout: ReturnType<typeof createHeardLogout>
  readonly expect: Expect
  readonly fail: Fail
  readonly silent: Pick<Silent, 'unsigned'>
  readonly report: Report
  readonly now: () => number
}

export interface Message {
  readonly method: 'GET' | 'POST'
  readonly parameters: URLSearchParams
}

/** What is heard, of which sign-in of ours. */
export interface Reply {
  readonly provider: IdentityProvider
  readonly state: string
  readonly login: PendingLogin
  readonly message: Message
}

export type Hear = ReturnType<typeof createHear>

export function createHear(parts: HearParts) {
  const { heardLogout, sessions, pending, singleUse, fail, report, now } = parts

  /**
   * @param again answers where the message was refused and the sign-in is still pending: the person may try once more.
   *              Null: this failure has a page of its own
   */
  return async function hear(
    request: PortalRequest,
    { provider, state, login, message }: Reply,
    again: (error: GatewayError) => Answer | null = () => null,
  ): Promise<Answer> {
    let taken = false
    const takePending = async () => {
      const mine = await pending.take(state)
      if (mine === null) throw new LostRace()
      taken = true
      return { idpPending: mine.idpPending, state, begunAt: mine.begunAt }
    }
    try {
      const callback = new URL(`${parts.portal}/callback/${provider.id}`)
      const { passive } = login
      const heard = await provider.hear({ ...message, callback, address: request.address, passive }, takePending)
      if (heard.kind === 'logout') return heard.answer(await heardLogout.endFromIdp(heard.notices))
      if (heard.kind === 'nobody') {
        report({ name: 'sign-in.nobody', idp: provider.id })
        return parts.silent.unsigned(login, [pending.finished(state)])
      }
      return await signedIn(request, state, login, heard.signIn)
    } catch (error) {
      if (error instanceof LostRace) return parts.expect.unknown(request)
      const storeFailed = taken ? brokenOff(error, login) : null
      if (storeFailed !== null) return fail(request, { ...storeFailed, cookies: [pending.finished(state)] })
      const asked = error instanceof GatewayError && !taken ? again(error) : null
      if (!(error instanceof GatewayError) || (asked === null && !/^(?:idp|code)\./.test(error.code))) throw error
      report({ name: 'sign-in.failed', idp: provider.id, code: error.code })
      if (asked !== null) return asked
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
    const established = await keepOrEstablish(request, signIn, login.device)
    if (established === null) {
      const ended: Failed = {
        code: 'login.ended-meanwhile',
        detail: 'the idp ended this sign-in before it was stored',
        destination: login,
      }
      return fail(request, { ...ended, cookies: [pending.finished(state)] })
    }
    request.page.setSignIns([...request.page.signIns(), now()].slice(-10))
    const { to, n, attempt, passive } = login
    const arrival: Arrival = { id: established.id, to, n, attempt, passive }
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
  async function keepOrEstablish(
    request: PortalRequest,
    signIn: SignIn,
    answered: Device | null,
  ): Promise<Established | null> {
    const held = await sessions.arriving(request.cookies)
    if (held !== null && !samePerson(held.session.identity, signIn.identity)) {
      const ended = await sessions.end(held.session.id, 'replaced')
      // In nobody's way: the person who comes now has nothing to do with it.
      if (ended !== null) void parts.tellParticipants(ended)
    } else if (held !== null && (await sessions.renew(held.session.id, signIn, answered))) {
      report({ name: 'session.kept', idp: signIn.identity.idp })
      return { id: held.session.id, generation: held.session.generation }
    }
    const device = answered ?? parts.assumed()
    const chosen = parts.chosenBefore(request, signIn.identity, device)
    return sessions.establish(signIn, { device, browser: browserOf(request), chosen })
  }
}

interface Established {
  readonly id: SessionId
  readonly generation: number
}

/** Two tabs, or two clicks, brought the same reply; the other one has it. */
class LostRace extends Error {}
