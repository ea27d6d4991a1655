/**
 * "My sessions": a person sees where their account is open, and closes what should not be. Also what the page behind a
 * sign-in that finds no place asks for (docs/sessions.md B 21). GET shows, POST ends (SESSIONS A6).
 */
import { GatewayError } from '../errors.ts'
import type { Answer, PortalRequest, Route } from '../model/exchange.ts'
import { displayName } from '../model/identity.ts'
import type { TellParticipants } from '../model/logout.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { Handles } from '../session/handles.ts'
import { inParts } from '../session/in-parts.ts'
import type { KnownSession, Resumed, Sessions } from '../session/sessions.ts'
import { settled } from '../session/settled.ts'
import type { Listed } from './listed.ts'

export interface MySessionsParts {
  readonly sessions: Pick<Sessions, 'resume' | 'arriving' | 'of' | 'endKnown'>
  readonly handles: Handles
  readonly listed: Listed
  readonly pages: Pages
  readonly tellParticipants: TellParticipants
  /** The sign-out of this browser: POST /logout. */
  readonly signOut: (request: PortalRequest) => Promise<Answer>
}

export type MySessions = ReturnType<typeof createMySessions>

export function createMySessions(parts: MySessionsParts) {
  const { sessions, pages } = parts

  return {
    async show(request: PortalRequest): Promise<Answer> {
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      // Whoever is being asked which session to close is led to that question.
      if (resumed === null) return redirect('/login')
      const { session, entry } = resumed
      const known = await sessions.of(session.identity)
      const here = known.find(({ hash }) => hash === entry.hash)
      if (here === undefined) return redirect('/login')
      const html = pages.mySessions(contextOf(request, 'portal', displayName(session.identity.claims)), {
        here: parts.listed(here, session.id),
        others: known.filter(one => one !== here).map(one => parts.listed(one, session.id)),
        token: request.page.token(),
      })
      return { kind: 'page', status: 200, html, policy: 'own', cookies: [] }
    },

    /**
     * POST /sessions: `end` is `others`, `everywhere`, or the handle of one; a handle that names none changes nothing.
     * @throws GatewayError `session.store-down`, `logout.not-stored`, `portal.form-expired`
     */
    async close(request: PortalRequest): Promise<Answer> {
      const form = request.form ?? new URLSearchParams()
      const asked = wayBack(form)
      if (!request.page.tokenMatches(form.get('token'))) {
        // Tabs that were opened together each made a page state, and the browser kept one: the question is asked again.
        if (asked !== null) return redirect(asked)
        throw new GatewayError('portal.form-expired', 'POST /sessions without the token of this browser’s page state')
      }
      const resumed = await sessions.arriving(request.cookies)
      if (resumed === null) return redirect('/login')
      // Another tab has answered meanwhile, or somebody signed out: nothing need be closed any more.
      if (asked !== null && !resumed.provisional) return redirect(asked)
      const end = form.get('end') ?? ''
      const here = resumed.entry.hash
      const known = (await sessions.of(resumed.session.identity)).filter(({ hash }) => hash !== here)
      await endAll(chosen(end, resumed, known))
      return end === 'everywhere' ? parts.signOut(request) : redirect(asked ?? '/sessions')
    },
  }

  function chosen(end: string, resumed: Resumed, others: readonly KnownSession[]): readonly KnownSession[] {
    // A sign-in that asks for a place asks for one.
    if (!resumed.provisional && (end === 'others' || end === 'everywhere')) return others
    const one = parts.handles.named(end, resumed.session.id, others)
    return one === null ? [] : [one]
  }

  async function endAll(known: readonly KnownSession[]): Promise<void> {
    for (const some of inParts(known)) {
      const { ended, failure } = await settled(some.map(({ hash }) => sessions.endKnown(hash, 'user')))
      for (const one of ended) void parts.tellParticipants(one)
      if (failure !== null) throw failure.reason
    }
  }
}

export function sessionRoutes(mine: MySessions): readonly Route[] {
  return [
    { method: 'GET', path: '/sessions', body: 'none', csrf: false, answer: mine.show },
    { method: 'POST', path: '/sessions', body: 'form', csrf: 'own-origin', answer: mine.close },
  ]
}

/** Where a sign-in that asks goes on; it is read again there. Null: the form is that of "my sessions". */
function wayBack(form: URLSearchParams): string | null {
  if (form.get('asked') !== '1') return null
  if (!form.has('to')) return '/login'
  const carried = new URLSearchParams()
  for (const name of ['to', 'n', 'a']) if (form.has(name)) carried.set(name, form.get(name) ?? '')
  return `/enter?${carried}`
}

function redirect(to: string): Answer {
  return { kind: 'redirect', to, cookies: [] }
}
