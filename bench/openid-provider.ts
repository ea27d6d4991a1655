/** The identity provider of every peer that speaks OpenID Connect: it signs one person in, unasked. */
import { type OpenidProvider, startOpenidProvider } from '../demo/openid-provider.ts'

/** The subject that must reach the origin. */
export const subject = 'anna.durand'

export const client = {
  clientId: 'bench',
  clientSecret: 'only-for-the-benchmark-0123456789abcdef',
} as const

export function startProvider(redirectUri: string): Promise<OpenidProvider> {
  const claims = { email: 'anna.durand@example.org', email_verified: true, given_name: 'Anna', family_name: 'Durand' }
  return startOpenidProvider({
    clients: [{ ...client, redirectUris: [redirectUri] }],
    accounts: [{ name: subject, password: 'unused', claims }],
    login: 'auto',
  })
}
