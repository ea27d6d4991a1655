/** The portal's addresses for signing out (docs/sessions.md C0). */
import type { Route } from '../model/exchange.ts'
import type { Logout } from './logout.ts'

export function logoutRoutes(logout: Logout): readonly Route[] {
  return [
    { method: 'GET', path: '/logout', body: 'none', csrf: false, answer: logout.ask },
    { method: 'POST', path: '/logout', body: 'form', csrf: true, withoutPageState: true, answer: logout.fromUser },
    // Where a sign-out leads while the store is away, too.
    { method: 'GET', path: '/signed-out', body: 'none', csrf: false, withoutPageState: true, answer: logout.signedOut },
  ]
}
