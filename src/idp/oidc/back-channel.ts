/** What an OpenID provider tells us server to server. OpenID Connect Back-Channel Logout 1.0 §2.5. */
import type { IdentityProvider } from '../../model/idp.ts'
import { checkLogoutToken, type LogoutTokenContext } from './logout-token.ts'
import type { OidcSettings } from './provider.ts'

export function createBackChannel(
  { id: idp, oidc }: Pick<OidcSettings, 'id' | 'oidc'>,
  needs: Omit<LogoutTokenContext, 'issuer' | 'clientId'>,
): NonNullable<IdentityProvider['backChannel']> {
  const context: LogoutTokenContext = { ...needs, issuer: oidc.issuer, clientId: oidc.clientId }

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
