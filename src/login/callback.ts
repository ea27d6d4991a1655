/**
 * The idp's answer (docs/sessions.md S4, in its order): a stale, replayed, duplicated or foreign one never ends in a dead end,
 * never costs a second token request, and consumes nothing that is not its own.
 */
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { PendingLogins } from '../session/pending.ts'
import type { SingleUse } from '../session/single-use.ts'
import { redirect } from './answer.ts'
import type { Expect } from './expected.ts'
import type { Hear, Message } from './hear.ts'
import type { createHeardLogout } from './heard-logout.ts'

export interface CallbackParts {
  readonly portal: string
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly pending: PendingLogins
  readonly singleUse: SingleUse
  readonly heardLogout: ReturnType<typeof createHeardLogout>
  readonly expect: Expect
  readonly hear: Hear
}

/** Bytes of a reply that comes by POST (SESSIONS A2). */
export const replyLimit = 256 * 1024

/**
 * Where one of these comes twice, two parsers may read two answers. Refused before anything is looked up or put aside,
 * whatever the protocol; each protocol refuses the doubles of all its own names besides (such as idp/oidc/reply.ts).
 */
const single = ['state', 'code', 'iss', 'error', 'ticket', 'SAMLResponse', 'r']

interface Aside {
  readonly idp: IdpId
  readonly form: string
}

export function createCallback(parts: CallbackParts) {
  const { heardLogout, providers, pending, singleUse, expect } = parts

  return {
    /** POST: looked at, put aside, fetched again by a GET, which brings the SameSite=Lax cookies along (SESSIONS A2). */
    async putAside(request: PortalRequest): Promise<Answer> {
      const idp = request.params.idp ?? ''
      const form = request.form ?? new URLSearchParams()
      const logout = await logoutIn(request, { method: 'POST', parameters: form })
      if (logout !== null) return logout
      const state = stateOf(request, form)
      const login = state === null ? null : await pending.peek(state)
      if (hasDoubles(form) || state === null || login === null || login.idp !== idp)
        return expect.stale(request, 'a reply by POST to no sign-in of ours')
      // One for each sign-in: whoever knows a state could otherwise fill the store with it. Who sends the same reply twice
      // (a second click at the idp) is led to the first.
      const aside: Aside = { idp, form: form.toString() }
      if (!(await singleUse.claim('a', aside, state))) {
        const first = await singleUse.peek<Aside>('a', state)
        if (first?.form !== aside.form)
          return expect.stale(request, 'another reply to this sign-in was put aside already')
      }
      return redirect(`/callback/${idp}?r=${state}`)
    },

    async complete(request: PortalRequest): Promise<Answer> {
      const logout = await logoutIn(request, { method: 'GET', parameters: request.query })
      if (logout !== null) return logout
      if (request.method === 'HEAD' || request.navigation === 'prefetch') return { kind: 'empty', status: 204 }
      const idp = request.params.idp ?? ''
      const provider = providers.get(idp)
      if (request.navigation !== 'document' || !hearsReplies(provider) || hasDoubles(request.query)) {
        return expect.stale(request, 'a callback that is no document navigation, names no idp, or says a thing twice')
      }
      const message = await messageOf(request, idp)
      if (message === null) return expect.stale(request, 'a reply that was put aside and is gone')
      const found = await expect.expected(request, idp, stateOf(request, message.parameters))
      if (found.kind === 'not') return found.answer
      return parts.hear(request, { provider, ...found, message })
    },
  }

  async function logoutIn(request: PortalRequest, message: Message): Promise<Answer | null> {
    const provider = providers.get(request.params.idp ?? '')
    if (provider === undefined) return null
    return heardLogout.answerTo(request, provider, {
      ...message,
      callback: new URL(`${parts.portal}/callback/${provider.id}`),
      address: request.address,
      passive: false,
    })
  }

  async function messageOf(request: PortalRequest, idp: IdpId): Promise<Message | null> {
    const reference = request.query.get('r')
    if (reference === null) return { method: 'GET', parameters: request.query }
    const aside = await singleUse.take<Aside>('a', reference)
    return aside === null || aside.idp !== idp ? null : { method: 'POST', parameters: new URLSearchParams(aside.form) }
  }
}

/** What a person types comes by a form of ours (prompt.ts), and by no other way. */
function hearsReplies(provider: IdentityProvider | undefined): provider is IdentityProvider {
  return provider !== undefined && provider.prompt === null
}

function stateOf(request: PortalRequest, message: URLSearchParams): string | null {
  return request.params.state ?? message.get('state')
}

function hasDoubles(parameters: URLSearchParams): boolean {
  return single.some(name => parameters.getAll(name).length > 1)
}
