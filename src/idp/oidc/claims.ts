/**
 * From what an OpenID provider says about a person to claims: lists of texts under the provider's own names.
 * OpenID Connect Core 1.0 §5.1, §5.3.2.
 */
import type { Claims } from '../../model/identity.ts'
import { claimsFrom } from '../nested-claims.ts'

/** About the tokens, not about the person; strength and session have their own places in an identity. */
export const protocolClaims: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'nonce',
  'azp',
  'at_hash',
  'c_hash',
  's_hash',
  'sid',
  'session_state',
  'auth_time',
  'acr',
  'amr',
  'cnf',
  'events',
  '_claim_names',
  '_claim_sources',
])

/**
 * A name in both answers takes the userinfo answer's value, which is the fresher one. Nested values are named by their path
 * (idp/nested-claims.ts).
 *
 * An e-mail address of which the provider does not say that it verified it, where it speaks of that at all, is no `email`: a policy that names an address must not
 * be met by whoever typed it into a form. It is there as `email.unverified`, for operators who decide to trust it.
 *
 * @param userinfo null: the provider has no userinfo endpoint
 * @returns an object without prototype
 */
export function claimsOf(idToken: Members, userinfo: Members | null): Claims {
  const asserted = new Map([...Object.entries(idToken), ...Object.entries(userinfo ?? {})])
  const unverified = !mayBeTrue(asserted.get('email_verified'))
  const aboutThePerson = [...asserted].filter(([name]) => !protocolClaims.has(name))
  return claimsFrom(
    aboutThePerson.map(([name, value]) => [name === 'email' && unverified ? 'email.unverified' : name, value] as const),
  )
}

type Members = Readonly<Record<string, unknown>>

/** Not said, or true. Some providers write their booleans as text, `True` and `False` too; whatever else there is, is no yes. */
function mayBeTrue(value: unknown): boolean {
  if (typeof value === 'string') return /^true$/i.test(value)
  return value === undefined || value === null || value === true
}
