/**
 * A sign-out that an idp sends to the callback, server to server or by the browser (CAS, SAML): no sign-in of ours is pending for
 * it and no cookie vouches for it, so it is told apart by its form, and proves itself to the protocol (docs/sessions.md S4, 3).
 */
import { GatewayError } from '../errors.ts'
import type { AdmitLogoutRequest } from '../limits/logout-requests.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdentityProvider, IdpMessage } from '../model/idp.ts'
import type { LogoutNotice, LogoutOutcome } from '../model/logout.ts'

export interface HeardLogoutParts {
  /** Ends what an idp says is over, and tells whoever must know; never throws for a store that is away. */
  readonly endFromIdp: (notices: readonly LogoutNotice[]) => Promise<LogoutOutcome>
  /** Anybody can send one, and each may leave a mark in the store. */
  readonly admit: AdmitLogoutRequest
}

/** Bytes (SESSIONS A2); replies may be larger. */
const logoutLimit = 64 * 1024

export function createHeardLogout({ endFromIdp, admit }: HeardLogoutParts) {
  return {
    endFromIdp,

    /**
     * Null: it is no sign-out.
     * @throws GatewayError `request.too-large`, `logout.too-many`, or what the protocol finds wrong with it
     */
    async answerTo(request: PortalRequest, provider: IdentityProvider, message: IdpMessage): Promise<Answer | null> {
      if (provider.saysLogout === null || !provider.saysLogout(message)) return null
      // Asked for ahead of time, or with a method that must change nothing.
      if (request.method === 'HEAD' || request.navigation === 'prefetch') return { kind: 'empty', status: 204 }
      const bytes = Buffer.byteLength(message.parameters.toString())
      if (bytes > logoutLimit) {
        throw new GatewayError('request.too-large', `a sign-out of ${bytes} bytes; ${logoutLimit} are read`)
      }
      const { marks } = admit(request.address)
      const heard = await provider.hear(message, noPending)
      if (heard.kind !== 'logout') throw new GatewayError('internal', `${provider.id} took a sign-out for a sign-in`)
      const notices = marks ? heard.notices : heard.notices.map(notice => ({ ...notice, leavesMark: false }))
      return heard.answer(await endFromIdp(notices))
    },
  }
}

async function noPending(): Promise<never> {
  throw new GatewayError('idp.rejected', 'a sign-out is no answer to a sign-in of ours')
}
