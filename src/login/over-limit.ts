/**
 * A sign-in whose person already has as many sessions as they may (docs/sessions.md B 21): it is refused, or waits, still
 * provisional, on a page that asks which other session to close. Until then it opens nothing.
 */
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { LocateUrl } from '../model/place.ts'
import type { SessionId } from '../model/session.ts'
import { contextOf } from '../pages/context.ts'
import type { ListedSession, Pages } from '../pages/pages.ts'
import type { Destination } from '../session/pending.ts'
import type { KnownSession, Resumed, Sessions } from '../session/sessions.ts'
import { asFields } from './destination.ts'
import type { Fail } from './failed.ts'

export interface OverLimitParts {
  readonly sessions: Pick<Sessions, 'of' | 'end' | 'waitForPlace'>
  readonly beyond: 'ask' | 'refuse'
  readonly listed: (known: KnownSession, viewer: SessionId) => ListedSession
  readonly locateUrl: LocateUrl
  readonly pages: Pages
  readonly fail: Fail
  readonly report: Report
}

/** Cookies that the answer sets. */
export interface Handover {
  /** The browser's one session takes the place of what callbacks have left. */
  readonly taken: readonly string[]
  /** Nothing of it stays. */
  readonly dropped: readonly string[]
}

export type OverLimit = ReturnType<typeof createOverLimit>

export function createOverLimit(parts: OverLimitParts) {
  const { sessions, beyond, locateUrl, pages, fail, report } = parts

  return async function overLimit(
    request: PortalRequest,
    wanted: Destination,
    resumed: Resumed,
    cookies: Handover,
  ): Promise<Answer> {
    // The session came back with its cookie: this browser goes in no circles.
    request.page.setSignIns([])
    const { session } = resumed
    if (beyond === 'refuse') {
      report({ name: 'session.limit-reached', beyond, idp: session.identity.idp })
      await sessions.end(session.id, 'limit')
      const detail = `a person of ${session.identity.idp} has as many sessions as session.perPerson.limit permits`
      return fail(request, {
        code: 'login.too-many-sessions',
        detail,
        destination: wanted,
        cookies: cookies.dropped,
      })
    }
    const until = await sessions.waitForPlace(resumed)
    const fields = asFields(wanted)
    const again = wanted.to === null ? '/login' : `/enter?${new URLSearchParams(fields)}`
    // The question has an address of its own, which may be loaded again: whoever closed a session elsewhere is led on.
    if (until === null || cookies.taken.length > 0) {
      if (until !== null) report({ name: 'session.limit-reached', beyond, idp: session.identity.idp })
      return { kind: 'redirect', to: again, cookies: cookies.taken }
    }
    const others = await sessions.of(session.identity)
    const html = pages.chooseSession(contextOf(request, 'portal'), {
      others: others.map(known => parts.listed(known, session.id)),
      going: wanted.to === null ? null : (locateUrl(wanted.to)?.resource.title ?? null),
      carried: { ...fields, asked: '1' },
      again,
      until: new Date(until),
      token: request.page.token(),
    })
    // The POST's redirects end on a site: a form-action would forbid them.
    return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [] }
  }
}
