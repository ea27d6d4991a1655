/**
 * A sign-in for which a page of ours asks the person, such as for an access code (docs/sessions.md C0): the form stands at the callback
 * of its sign-in, and what comes from it, same-origin and with its token, is heard at once. Whoever mistypes tries again, and the
 * sign-in keeps its target; going back and loading again change nothing.
 */

import { failures, GatewayError } from '../errors.ts'
import type { AdmitWrite } from '../limits/anonymous-writes.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { LocatedUrl, LocateUrl } from '../model/place.ts'
import { shownPath } from '../model/shown-path.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { PendingLogin } from '../session/pending.ts'
import { isNobody, nothing, redirect } from './answer.ts'
import { chooseAgain } from './destination.ts'
import type { Expect } from './expected.ts'
import { type Fail, failedBy } from './failed.ts'
import type { Hear } from './hear.ts'
import type { Offered } from './offered.ts'

export interface PromptParts {
  readonly offered: Offered
  readonly expect: Expect
  readonly hear: Hear
  readonly locateUrl: LocateUrl
  /** Whether another idp admits people there. */
  readonly hasChoice: (located: LocatedUrl | null) => boolean
  readonly pages: Pages
  readonly fail: Fail
  readonly admitWrite: AdmitWrite
}

/** Failures after which the same form stands there again. */
const mayTryAgain = (code: string) => code.startsWith('code.') || code === 'login.busy'

export type Prompt = ReturnType<typeof createPrompt>

export function createPrompt({ offered, expect, hear, locateUrl, hasChoice, pages, fail, admitWrite }: PromptParts) {
  return {
    /** GET /callback/<idp>/<state>: the form. */
    async ask(request: PortalRequest, provider: IdentityProvider): Promise<Answer> {
      if (isNobody(request)) return nothing
      if (request.navigation !== 'document') return expect.stale(request, 'a form that no document asked for')
      // A form that was bent into a GET: what was typed leaves the address, and no link of the page repeats it.
      if (request.query.has('code')) return redirect(request.path)
      const found = await expect.expected(request, provider.id, request.params.state ?? null)
      if (found.kind === 'not') return found.answer
      if (!offered.now(provider.id)) return notOffered(request, provider, found.login)
      return form(request, provider, found.login, null)
    },

    /** POST there, from our own origin. */
    async answer(request: PortalRequest, provider: IdentityProvider): Promise<Answer> {
      const found = await expect.expected(request, provider.id, request.params.state ?? null)
      if (found.kind === 'not') return found.answer
      const { login } = found
      if (!(await offered.still(provider.id))) return notOffered(request, provider, login)
      const parameters = request.form ?? new URLSearchParams()
      if (!request.page.tokenMatches(parameters.get('token'))) {
        const expired = `POST ${shownPath(request.path)} without the token of this browser's page state`
        return form(request, provider, login, new GatewayError('portal.form-expired', expired))
      }
      const message = { method: 'POST' as const, parameters }
      return hear(request, { provider, ...found, message }, error =>
        mayTryAgain(error.code) ? form(request, provider, login, error) : null,
      )
    },
  }

  function form(
    request: PortalRequest,
    provider: IdentityProvider,
    login: PendingLogin,
    failed: GatewayError | null,
  ): Answer {
    const refused = request.page.isKept() ? null : admitWrite('page-state', request.address)
    if (refused !== null) return fail(request, failedBy(refused, login))
    if (failed !== null) request.note(failed)
    const located = login.to === null ? null : locateUrl(login.to)
    // The answer to a POST has no address that could be asked again in the other language.
    const html = pages.accessCode(contextOf(request, request.method === 'POST' ? 'one-shot' : 'portal'), {
      label: provider.label,
      going: located?.resource.title ?? null,
      action: `/callback/${provider.id}/${request.params.state ?? ''}`,
      token: request.page.token(),
      failed: failed && { code: failed.code, retryAfterS: failed.retryAfterS },
      otherWay: hasChoice(located) ? chooseAgain(login) : null,
    })
    return {
      kind: 'page',
      status: failed === null ? 200 : failures[failed.code].status,
      html,
      // The POST's redirects end on a site: a form-action would forbid them.
      policy: 'leads-away',
      cookies: [],
      headers: {
        ...(failed?.status === 401 ? { 'WWW-Authenticate': 'Passerelle' } : {}),
        ...(failed?.retryAfterS == null ? {} : { 'Retry-After': String(failed.retryAfterS) }),
      },
    }
  }

  function notOffered(request: PortalRequest, provider: IdentityProvider, login: PendingLogin): Answer {
    return fail(request, {
      code: 'code.not-offered',
      detail: `${provider.id} is offered only while ${offered.standsInFor(provider.id)} is away`,
      destination: login,
      idp: provider.id,
    })
  }
}
