/** What an OpenID Connect provider needs to be told about us, and we about it. */
import { z } from 'zod'
import { orNull } from '../../setting/or-null.ts'
import { secret } from '../../setting/secret.ts'
import { webAddressText } from '../../setting/web-address.ts'

const scope = z
  .string({ error: 'must be a scope, such as openid' })
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: 'must be one scope, without spaces' })

export const oidcSettings = z
  .strictObject({
    issuer: webAddressText({ example: 'https://sso.example.edu', http: 'local', path: 'any' }).describe(
      'The issuer identifier, exactly as the provider writes it; its configuration is found from there. Plain http only on this machine.',
    ),
    clientId: z
      .string({ error: 'must be text' })
      .min(1, { error: 'must not be empty' })
      .describe('The client identifier that the provider gave us.'),
    clientSecret: orNull(secret).describe('Absent: a public client, protected by PKCE alone.'),
    clientAuthentication: orNull(z.enum(['basic', 'post'])).describe(
      'How the secret is sent: in the Authorization header or in the form. Absent: `basic`, unless the provider only takes the form.',
    ),
    scopes: z
      .array(scope)
      .refine(scopes => scopes.includes('openid'), { error: 'must have "openid" among them (OpenID Connect)' })
      .prefault(['openid', 'profile', 'email'])
      .describe('What is asked of the provider. `openid` must be among them.'),
  })
  .superRefine((oidc, context) => {
    if (oidc.clientSecret === null && oidc.clientAuthentication !== null)
      context.addIssue({
        code: 'custom',
        path: ['clientAuthentication'],
        message: 'needs clientSecret: a public client has nothing to authenticate with',
      })
  })

export type OidcSettings = z.output<typeof oidcSettings>
