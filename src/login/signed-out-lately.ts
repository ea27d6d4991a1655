/** The mark that a sign-out leaves in the browser: the next sign-in asks the person again (docs/sessions.md A8, C1). */
import { cookieName, cookieValue } from '../model/cookie.ts'

/** How long it holds, ms. */
const lifeMs = 12 * 60 * 60_000

/** @param now milliseconds since the epoch */
export function signedOutLately(cookies: string | null, now: number): boolean {
  const since = Number(cookieValue(cookies, cookieName.fresh) ?? Number.NaN)
  return now - since * 1000 < lifeMs
}
