/** The portal's addresses for signing in (docs/sessions.md C0). */
import type { Route } from '../model/exchange.ts'
import type { IdentityProvider } from '../model/idp.ts'
import { type createCallback, replyLimit } from './callback.ts'
import type { LeftSite } from './left-site.ts'
import type { Login } from './login.ts'
import type { Prompt } from './prompt.ts'

export function loginRoutes(
  login: Login,
  callback: ReturnType<typeof createCallback>,
  leftSite: LeftSite,
  prompt: Prompt,
  prompting: readonly IdentityProvider[],
): readonly Route[] {
  return [
    // Before the callback of the others: what comes from a form of ours is never put aside.
    ...prompting.flatMap(provider => promptRoutes(prompt, provider)),
    { method: 'GET', path: '/enter', body: 'none', csrf: false, answer: login.enter },
    { method: 'GET', path: '/login', body: 'none', csrf: false, answer: login.start },
    { method: 'POST', path: '/login', body: 'form', csrf: 'own-origin', answer: login.choose },
    { method: 'POST', path: '/open', body: 'form', csrf: 'own-origin', answer: request => leftSite.reopen(request) },
    { method: 'GET', path: '/callback/:idp{/:state}', body: 'none', csrf: false, answer: callback.complete },
    {
      method: 'POST',
      path: '/callback/:idp{/:state}',
      body: 'form',
      bodyLimit: replyLimit,
      csrf: false,
      answer: callback.putAside,
    },
  ]
}

function promptRoutes(prompt: Prompt, provider: IdentityProvider): readonly Route[] {
  const path = `/callback/${provider.id}/:state`
  return [
    { method: 'GET', path, body: 'none', csrf: false, answer: request => prompt.ask(request, provider) },
    { method: 'POST', path, body: 'form', csrf: 'own-origin', answer: request => prompt.answer(request, provider) },
  ]
}
