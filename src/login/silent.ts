/**
 * Signing in without a word, `prompt=none`: the idp says who is signed in there already, and asks nobody anything (OpenID
 * Connect Core 1.0 §3.1.2.1; `gateway`, CAS Protocol 3.0 §2.1.1). Where nobody is, the person goes on as a visitor. A browser
 * is led to an idp so once in ten minutes at most: a site that asks for it on each of its pages must neither send its
 * readers in circles nor trouble the idp.
 */
import { cookieName, cookieValue, setCookie } from '../model/cookie.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { LocatedUrl, LocateUrl } from '../model/place.ts'
import type { Button } from '../pages/pages.ts'
import type { Destination } from '../session/pending.ts'
import { redirect } from './answer.ts'
import type { ChooseIdp, Question } from './choose-idp.ts'
import { signedOutLately } from './signed-out-lately.ts'

export interface SilentParts {
  readonly locateUrl: LocateUrl
  readonly chooseIdp: Pick<ChooseIdp, 'unasked'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Seconds for which a try is remembered. */
const memoryS = 600
/** So often it is asked for within that time until we stop: twenty tabs may be restored at once. */
const mostAsked = 30

export type Silent = ReturnType<typeof createSilent>

export function createSilent({ locateUrl, chooseIdp, now }: SilentParts) {
  return {
    /** @param again whoever wants another account must be asked */
    isAsked: ({ query }: PortalRequest, again: boolean): boolean => query.get('prompt') === 'none' && !again,

    /** Null: nobody can be asked without a question to the person, or was asked a moment ago. */
    idpFor(question: Question): IdentityProvider | null {
      const { request } = question
      // Who has signed out must be asked again before they are anybody: that is no silent sign-in.
      if (request.navigation !== 'document' || signedOutLately(request.cookies, now())) return null
      if (askedFor(request.cookies) !== null) return null
      const idp = chooseIdp.unasked(question, request.query.get('idp'))
      // Our own form is a question, and an idp that is away keeps nobody waiting for a page that needs no sign-in.
      if (idp === null || idp.prompt !== null) return null
      if (idp.health() !== 'down') return idp
      void idp.doubt()
      return null
    },

    goesInCircles: ({ cookies }: PortalRequest): boolean => (askedFor(cookies)?.times ?? 0) >= mostAsked,

    /** @returns the Set-Cookie line that remembers this time */
    remember({ cookies }: PortalRequest): string {
      const seconds = Math.floor(now() / 1000)
      const { since, times } = askedFor(cookies) ?? { since: seconds, times: 0 }
      return setCookie(cookieName.silent, `${since}.${times + 1}`, since + memoryS - seconds)
    },

    /** On as a visitor: the site judges whether the page is open to these (B 23), and if not sends them here for the ordinary question. */
    unsigned: (wanted: Destination, cookies: readonly string[]): Answer =>
      redirect(placeOf(wanted)?.href ?? '/', cookies),

    /** For a page of failure: the way on that needs no sign-in. Null: there is none. */
    wayOn(wanted: Destination): Button | null {
      const located = placeOf(wanted)
      return located && { kind: 'link', href: located.href, does: 'continue', name: located.resource.title }
    },
  }

  function placeOf({ to }: Destination): LocatedUrl | null {
    return to === null ? null : locateUrl(to)
  }

  /** Signed by nobody: who alters it asks their own idp once more. */
  function askedFor(cookies: string | null): { readonly since: number; readonly times: number } | null {
    const [, since, times] = /^(\d{10})\.(\d{1,4})$/.exec(cookieValue(cookies, cookieName.silent) ?? '') ?? []
    if (since === undefined) return null
    const ageS = now() / 1000 - Number(since)
    return ageS < 0 || ageS >= memoryS ? null : { since: Number(since), times: Number(times) }
  }
}
