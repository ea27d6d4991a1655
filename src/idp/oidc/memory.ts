/**
 * What of an OpenID sign-in is kept in the session's record. The ID token always: a sign-out shows it to the provider.
 * What can ask the provider again only where sessions are rechecked: a token that nobody needs is only a token to lose.
 */
import type { IdpMemory } from '../../model/session.ts'
import { protocolClaims } from './claims.ts'
import type { Members, Tokens } from './client.ts'
import { membersIn } from './token-header.ts'

/** Characters. A longer token is not kept: as a hint it could not be sent, and the session's record has its own limit. */
const maxToken = 7_000
const maxNames = 2_000

export interface Gathered {
  readonly issuer: string
  readonly tokens: Tokens
  /** Null: the provider has no such endpoint; `failed`: it did not answer, so what it usually says stays as it was known. */
  readonly userinfo: Members | null | 'failed'
  /** Milliseconds since the epoch: when the tokens were asked for. */
  readonly askedAt: number
}

/** @param before what was kept until now: a refresh repeats neither the ID token nor the refresh token (RFC 6749 §6) */
export function memoryOf(gathered: Gathered, rechecks: boolean, before: IdpMemory = {}): IdpMemory {
  const { issuer, tokens, userinfo, askedAt } = gathered
  const fresh = short('idToken', tokens.idToken?.token)
  const idToken = fresh ?? short('idToken', before.idToken) ?? {}
  if (!rechecks) return idToken
  const { refreshToken } = tokens
  const again = refreshToken === null ? short('refreshToken', before.refreshToken) : short('refreshToken', refreshToken)
  return { ...idToken, issuer, ...(again ?? accessOf(tokens, askedAt)), ...namesKept() }

  function namesKept(): IdpMemory | null {
    if (tokens.idToken === null || userinfo === 'failed') return short('onlyInIdToken', before.onlyInIdToken)
    // Names of claims in a token that is not kept would be looked up in an older one.
    return fresh === null ? null : onlyIn(tokens.idToken.claims, userinfo)
  }
}

/** Of the kept ID token, read once more: it was verified when it came. Null: it was too long to be kept. */
export function keptClaims({ idToken }: IdpMemory): Members | null {
  return idToken === undefined ? null : membersIn(idToken.split('.', 2)[1] ?? '')
}

/** What the ID token said and userinfo never does. Null: not known. */
export function claimsOnlyInIdToken(memory: IdpMemory): Members | null {
  const names = namesIn(memory)
  if (names === null) return null
  if (names.length === 0) return {}
  const kept = keptClaims(memory)
  return kept === null ? null : Object.fromEntries(Object.entries(kept).filter(([name]) => names.includes(name)))
}

function accessOf({ accessToken, expiresInS }: Tokens, askedAt: number): IdpMemory {
  const kept = short('accessToken', accessToken)
  if (kept === null) return {}
  return expiresInS === null ? kept : { ...kept, accessTokenUntil: String(askedAt + expiresInS * 1000) }
}

function onlyIn(claims: Members, userinfo: Members | null): IdpMemory {
  const names = Object.keys(claims).filter(name => !protocolClaims.has(name) && name !== 'sub')
  const only = names.filter(name => userinfo === null || !Object.hasOwn(userinfo, name))
  return short('onlyInIdToken', JSON.stringify(only), maxNames) ?? {}
}

function namesIn({ onlyInIdToken }: IdpMemory): readonly string[] | null {
  return onlyInIdToken === undefined ? null : (JSON.parse(onlyInIdToken) as readonly string[])
}

/** Null: there is none, or it is too long. */
function short(name: string, text: string | null | undefined, limit = maxToken): IdpMemory | null {
  return text == null || text === '' || text.length > limit ? null : { [name]: text }
}
