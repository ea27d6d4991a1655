/** The portal's addresses for signing out (docs/sessions.md C0). */
import type { Route } from '../model/exchange.ts'
import type { createBackChannel } from './back-channel.ts'
import type { createFrontChannel } from './front-channel.ts'
import type { Logout } from './logout.ts'
import type { OneSite } from './one-site.ts'

export function logoutRoutes(logout: Logout, oneSite: OneSite): readonly Route[] {
  return [
    { method: 'GET', path: '/logout', body: 'none', csrf: false, answer: logout.ask },
    { method: 'POST', path: '/logout', body: 'form', csrf: true, withoutPageState: true, answer: logout.fromUser },
    { method: 'GET', path: '/logout/:resource', body: 'none', csrf: false, answer: oneSite.show },
    { method: 'POST', path: '/logout/:resource', body: 'form', csrf: true, answer: oneSite.leave },
    // Where a sign-out leads while the store is away, too.
    { method: 'GET', path: '/signed-out', body: 'none', csrf: false, withoutPageState: true, answer: logout.signedOut },
  ]
}

/** For idps: neither has a cookie of ours, a form of ours, or a person who reads the answer. */
export function fromIdpRoutes(
  backChannel: ReturnType<typeof createBackChannel>,
  frontChannel: ReturnType<typeof createFrontChannel>,
): readonly Route[] {
  const bare = { csrf: false, withoutCookies: true } as const
  return [
    { method: 'POST', path: '/backchannel/:idp', body: 'form', ...bare, answer: backChannel },
    { method: 'GET', path: '/frontchannel/:idp', body: 'none', ...bare, answer: frontChannel },
  ]
}
