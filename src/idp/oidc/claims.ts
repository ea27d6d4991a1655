/**
 * From what an OpenID provider says about a person to claims: lists of texts under the provider's own names.
 * OpenID Connect Core 1.0 §5.1, §5.3.2.
 */
import type { Claims } from '../../model/identity.ts'

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

const maxClaims = 1_000
const maxValues = 1_000
const maxLength = 10_000
/** Of objects within objects, and of lists within lists. */
const maxDepth = 5

type Members = Readonly<Record<string, unknown>>

/**
 * A name in both answers takes the userinfo answer's value, which is the fresher one. Numbers and booleans become their
 * text, a list gives its scalars, a member of an object is named by its path (`address.locality`); null is absent.
 * Values over 10,000 characters, and values or claims beyond the thousandth, are left out.
 *
 * An e-mail address that the provider says it has not verified is no `email`: a policy that names an address must not
 * be met by whoever typed it into a form. It is there as `email.unverified`, for operators who decide to trust it.
 *
 * @param userinfo null: the provider has no userinfo endpoint
 * @returns an object without prototype
 */
export function claimsOf(idToken: Members, userinfo: Members | null): Claims {
  const claims: Record<string, readonly string[]> = Object.create(null)
  let count = 0
  const put = (name: string, values: readonly string[]): void => {
    if (values.length === 0 || name in claims || count === maxClaims) return
    claims[name] = values
    count += 1
  }

  const asserted = new Map([...Object.entries(idToken), ...Object.entries(userinfo ?? {})])
  const unverified = isFalse(asserted.get('email_verified'))
  const objects: [name: string, value: Members][] = []
  for (const [name, value] of asserted) {
    if (protocolClaims.has(name)) continue
    if (isObject(value)) objects.push([name, value])
    else put(name === 'email' && unverified ? 'email.unverified' : name, valuesOf(value))
  }
  // Paths last: a claim that bears such a name itself has it.
  for (const [name, value] of objects) putMembers(name, value, 1, put)
  return claims
}

function putMembers(
  path: string,
  object: Members,
  depth: number,
  put: (name: string, values: readonly string[]) => void,
): void {
  for (const [member, value] of Object.entries(object)) {
    const name = `${path}.${member}`
    if (!isObject(value)) put(name, valuesOf(value))
    else if (depth < maxDepth) putMembers(name, value, depth + 1, put)
  }
}

function valuesOf(value: unknown): readonly string[] {
  const scalars = Array.isArray(value) ? value.flat(maxDepth) : [value]
  const texts: string[] = []
  for (const scalar of scalars) {
    const text = textOf(scalar)
    if (text === null || text.length > maxLength) continue
    if (texts.push(text) === maxValues) break
  }
  return texts
}

/** Null: nothing that a rule could compare. */
function textOf(scalar: unknown): string | null {
  switch (typeof scalar) {
    case 'string':
      return scalar
    case 'number':
      return Number.isFinite(scalar) ? String(scalar) : null
    case 'boolean':
      return String(scalar)
    case 'object':
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return null
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Some providers write their booleans as text. */
function isFalse(value: unknown): boolean {
  return value === false || value === 'false'
}
