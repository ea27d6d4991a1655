/** What a person reads when a sign-in ends on a page instead of on a site: what happened, and one button (SESSIONS C4). */
import { type ErrorCode, failures, GatewayError } from '../errors.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { LocatedUrl, LocateUrl } from '../model/place.ts'
import type { Text } from '../model/text.ts'
import { contextOf } from '../pages/context.ts'
import type { Button, Pages } from '../pages/pages.ts'
import type { Destination } from '../session/pending.ts'
import { chooseAgain, enterAgain, enterBy } from './destination.ts'

export interface FailedParts {
  readonly pages: Pages
  readonly locateUrl: LocateUrl
  /** Whether people choose among idps there; null: the portal's front page. */
  readonly hasChoice: (located: LocatedUrl | null) => boolean
  /** Who is offered there at this moment in the place of one that is away; undefined: nobody. */
  readonly standIn: (
    located: LocatedUrl | null,
    away: string,
  ) => { readonly id: string; readonly label: Text } | undefined
  readonly idpLabel: (idp: string) => Text | null
  /** Host of the portal, which the page on cookies names. */
  readonly portalHost: string
}

export interface Failed {
  readonly code: ErrorCode
  /** Null: the failure's own. */
  readonly status?: number
  /** For the operator, in the log. */
  readonly detail: string
  /** For the operator: what to do about it. */
  readonly hint?: string | null
  /** Seconds after which another try may succeed. */
  readonly retryAfterS?: number
  readonly destination: Destination | null
  readonly idp?: string
  readonly button?: Button
  readonly other?: Button
  readonly cookies?: readonly string[]
}

/**
 * The store went away after something of the sign-in was used up: asking for the same address again could only find it
 * stale, so the page's button leads to where the person was going. Null: another failure.
 */
export function brokenOff(error: unknown, destination: Destination): Failed | null {
  if (!(error instanceof GatewayError) || !error.code.startsWith('session.store-')) return null
  return failedBy(error, destination)
}

/** As a failure says it that was, or could have been, thrown. */
export function failedBy({ code, message, hint, retryAfterS }: GatewayError, destination: Destination): Failed {
  return { code, detail: message, hint, destination, ...(retryAfterS === null ? {} : { retryAfterS }) }
}

export type Fail = ReturnType<typeof createFail>

export function createFail({ pages, locateUrl, hasChoice, standIn, idpLabel, portalHost }: FailedParts) {
  return function fail(request: PortalRequest, failed: Failed): Answer {
    const to = failed.destination?.to ?? null
    const located = to === null ? null : locateUrl(to)
    const going = located?.resource.title ?? null
    const button: Button = failed.button ?? {
      kind: 'link',
      href: failed.destination === null ? '/login' : enterAgain(failed.destination),
      does: going === null ? 'start-again' : 'continue',
      name: going,
    }
    // What failed at one idp may go well at another, and the browser may remember this one.
    const choose: Button | null =
      failed.idp !== undefined && failed.destination !== null && hasChoice(located)
        ? { kind: 'link', href: chooseAgain(failed.destination), does: 'choose', name: null }
        : null
    // Before the question of all idps: whoever is offered in the place of the one that is away.
    const instead = failed.idp === undefined ? undefined : standIn(located, failed.idp)
    const otherwise: Button | null =
      instead === undefined || failed.destination === null
        ? choose
        : { kind: 'link', href: enterBy(failed.destination, instead.id), does: 'instead', name: instead.label }
    const { hint = null, retryAfterS = null } = failed
    request.note(new GatewayError(failed.code, failed.detail, hint === null ? {} : { hint }))
    return {
      kind: 'page',
      status: failed.status ?? failures[failed.code].status,
      html: pages.failure(contextOf(request, 'one-shot'), {
        code: failed.code,
        subject: failed.idp === undefined ? null : idpLabel(failed.idp),
        going,
        host: failed.code === 'login.cookies' ? portalHost : null,
        sent: false,
        button,
        other: failed.other ?? otherwise,
        retryAfterS,
      }),
      policy: 'own',
      cookies: failed.cookies ?? [],
      ...(retryAfterS === null ? {} : { headers: { 'Retry-After': String(retryAfterS) } }),
    }
  }
}
