/** What an OpenID provider tells us server to server. OpenID Connect Back-Channel Logout 1.0 §2.5. */
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider } from '../../model/idp.ts'
import { checkLogoutToken, type LogoutTokenContext } from './logout-token.ts'

export function createBackChannel(
  idp: IdpId,
  context: LogoutTokenContext,
): NonNullable<IdentityProvider['backChannel']> {
  return async function backChannel(form) {
    const { subject, sid, issuedAt, id, notAfter } = await checkLogoutToken(form, context)
    return {
      idp,
      subject,
      // Signed as it is, it may name a session by what others could guess.
      idpSession: sid === null ? null : { kinds: ['sid', 'guessable-sid'], value: sid },
      issuedAt,
      message: { id, notAfter },
    }
  }
}
