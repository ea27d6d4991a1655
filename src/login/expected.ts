/**
 * Which sign-in of this browser a message at the callback belongs to (docs/sessions.md S4): looked at, never consumed. Whoever
 * has none is told so, by a page with one button.
 */
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { PendingLogin, PendingLogins } from '../session/pending.ts'
import type { Sessions } from '../session/sessions.ts'
import { redirect } from './answer.ts'
import type { Fail } from './failed.ts'
import type { Silent } from './silent.ts'

export interface ExpectedParts {
  readonly sessions: Pick<Sessions, 'resume' | 'authentic'>
  readonly pending: PendingLogins
  readonly fail: Fail
  readonly silent: Pick<Silent, 'wayOn'>
  readonly report: Report
}

export type Expected =
  | { readonly kind: 'expected'; readonly state: string; readonly login: PendingLogin }
  | { readonly kind: 'not'; readonly answer: Answer }

export type Expect = ReturnType<typeof createExpect>

export function createExpect({ sessions, pending, fail, silent, report }: ExpectedParts) {
  return { expected, unknown, stale }

  async function expected(request: PortalRequest, idp: IdpId, state: string | null): Promise<Expected> {
    const login = state === null ? null : await pending.peek(state)
    if (state === null || login === null || login.idp !== idp) return { kind: 'not', answer: await unknown(request) }
    const cookie = pending.cookieOf(state, login, request.cookies)
    if (cookie === 'matches') return { kind: 'expected', state, login }
    // A browser that shows our session keeps cookies: it has only never begun this sign-in.
    if (cookie === 'none' && sessions.authentic(request.cookies, 'portal').length === 0) {
      const detail = 'no cookie of any sign-in came'
      // Whoever keeps no cookies wanted, perhaps, only to look: the page is what ends a circle here.
      const wayOn = login.passive ? silent.wayOn(login) : null
      const button = wayOn === null ? {} : { button: wayOn }
      return { kind: 'not', answer: fail(request, { code: 'login.cookies', detail, destination: login, ...button }) }
    }
    report({ name: 'callback.foreign', idp })
    const detail = 'the reply to a sign-in of another browser'
    return { kind: 'not', answer: fail(request, { code: 'login.foreign', detail, destination: login }) }
  }

  /** Nothing pending: used, expired, or never ours. Whoever is signed in is simply led on. */
  async function unknown(request: PortalRequest): Promise<Answer> {
    const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
    return resumed === null ? stale(request, 'no sign-in of ours is pending for this reply') : redirect('/')
  }

  function stale(request: PortalRequest, detail: string): Answer {
    return fail(request, { code: 'login.stale', detail, destination: null })
  }
}
