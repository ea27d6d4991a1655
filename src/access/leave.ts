/**
 * `/.passerelle/leave`: what a browser still holds of this host after a sign-out (SESSIONS A8). The page of the sign-out has
 * it in a frame for each visited host. Without it, Back shows what was read here from the back/forward cache, with
 * no request and whatever Cache-Control had said.
 *
 * It ends nothing and asks no store. It acts for the token of that page alone, and on the session that is over: a page of a
 * neighbour site, which can have this address in frames as often as it likes, would else take the cookie of a session that
 * lives from its person, and with it the form that they are just sending.
 */
import { cookieName, cookiesNamed, expireCookie, transactionLimit, transactionPrefix } from '../model/cookie.ts'
import type { Passage } from '../model/passage.ts'
import type { SessionId } from '../model/session.ts'
import type { Leaving } from '../session/leave-token.ts'
import { hashOf } from '../session/record.ts'
import { answerEmpty, answerPage } from './answer.ts'

const nothing =
  '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Passerelle</title></head><body></body></html>\n'

/**
 * @param portal   the one origin that may frame the answer
 * @param leaving  what the token says; null: it says nothing
 * @param held     the sessions that the cookies of this host name, alive or not; none in a frame on a foreign site
 */
export function leave(passage: Passage, portal: string, leaving: Leaving | null, held: readonly SessionId[]): void {
  const { navigation, request } = passage
  // An image in somebody's post is no sign-out, and neither is a browser that looks ahead.
  if (request.method === 'HEAD' || (navigation !== 'frame' && navigation !== 'document')) {
    return answerEmpty(passage, 204)
  }
  // Somebody else's sign-out, or one before this session: the browser has signed in again since.
  if (leaving === null || held.some(id => !leaving.sessions.includes(hashOf(id)))) return answerEmpty(passage, 204)
  const nonces = cookiesNamed(passage.cookies, transactionPrefix.nonce).slice(0, transactionLimit)
  const names = leaving.keepsCookie ? [] : [cookieName.site, ...nonces.map(({ name }) => name)]
  const expired = names.flatMap(name => ['Set-Cookie', expireCookie(name)])
  // Never "cookies": from one host it erases those of every host of the registrable domain (SESSIONS A6).
  answerPage(passage, 200, nothing, ['Clear-Site-Data', '"cache"', ...expired], portal)
}
