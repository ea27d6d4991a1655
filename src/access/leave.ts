/**
 * `/.passerelle/leave`: what a browser still holds of this host after a sign-out (SESSIONS A8). The page of the sign-out has
 * it in a frame for each visited host. Without it, Back shows what was read here from the back/forward cache, with
 * no request and whatever Cache-Control had said.
 *
 * It ends nothing and asks no store: who brings a browser here costs its person a silent hand-off at most.
 */
import { cookieName, cookiesNamed, expireCookie, transactionLimit, transactionPrefix } from '../model/cookie.ts'
import type { Passage } from '../model/passage.ts'
import { answerEmpty, answerPage } from './answer.ts'

const nothing =
  '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Passerelle</title></head><body></body></html>\n'

/**
 * @param portal      the one origin that may frame the answer
 * @param keepsCookie other sites of this host, which were not left, need it
 */
export function leave(passage: Passage, portal: string, keepsCookie: boolean): void {
  const { navigation, request } = passage
  // An image in somebody's post is no sign-out, and neither is a browser that looks ahead.
  if (request.method === 'HEAD' || (navigation !== 'frame' && navigation !== 'document')) {
    return answerEmpty(passage, 204)
  }
  const nonces = cookiesNamed(passage.cookies, transactionPrefix.nonce).slice(0, transactionLimit)
  const names = keepsCookie ? [] : [cookieName.site, ...nonces.map(({ name }) => name)]
  const expired = names.flatMap(name => ['Set-Cookie', expireCookie(name)])
  // Never "cookies": from one host it erases those of every host of the registrable domain (SESSIONS A6).
  answerPage(passage, 200, nothing, ['Clear-Site-Data', '"cache"', ...expired], portal)
}
