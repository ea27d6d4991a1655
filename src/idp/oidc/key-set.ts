/**
 * The public keys of one provider: fetched when they are needed, kept while the provider does not answer, fetched anew
 * for a key that is not known yet, and never more often than the cool-down allows, whatever tokens arrive.
 * RFC 7517; OpenID Connect Core 1.0 §10.1.1 (rotation).
 */
import { createPublicKey } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import { ask } from '../ask.ts'
import type { WantedKey } from './wanted-key.ts'

/** A public key, reduced to what a verification needs. */
export type PublicJwk = Readonly<Record<string, string>>

export interface KeySet {
  /**
   * @returns every usable key, at most a hundred; perhaps none that fits
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` there is no set, or only one that is too old; or the named key may be
   * in a newer one that cannot be fetched
   */
  readonly keysFor: (jwksUri: string, wanted: WantedKey) => Promise<readonly PublicJwk[]>
  /** Why the last fetch failed: a key that is missing may be in the set by now. Null: it did not. */
  readonly failure: () => unknown
}

/** Looked at again after so long: a key that the provider has withdrawn is not believed for longer. */
const freshMs = 10 * 60_000
/** Beyond this an old set is not used, even while the provider's keys cannot be fetched. */
const usableMs = 60 * 60_000
/** Between two fetches for the sake of a key that is not in the set. */
const coolDownMs = 30_000
/** After a failed fetch, while there is no set at all to go on with; else the cool-down. */
const pauseMs = 5_000

const maxKeys = 100

export function createKeySet(needs: { readonly fetch: OutboundFetch; readonly now: () => number }): KeySet {
  const { now } = needs
  let held: { readonly uri: string; readonly keys: readonly PublicJwk[]; readonly at: number } | null = null
  let soughtAt = Number.NEGATIVE_INFINITY
  let failure: { readonly error: unknown; readonly at: number } | null = null
  let fetching: Promise<void> | null = null

  /** True also where the clock was set back. */
  function over(at: number, ms: number): boolean {
    return Math.abs(now() - at) >= ms
  }

  function isUsable(uri: string): boolean {
    return held !== null && held.uri === uri && !over(held.at, usableMs)
  }

  async function refetch(uri: string): Promise<void> {
    try {
      const answer = await ask(needs.fetch, 'GET', new URL(uri), { signal: null })
      held = { uri, keys: usableKeys(await answer.text(), answer.status, uri), at: now() }
      failure = null
    } catch (error) {
      failure = { error, at: now() }
    }
  }

  function fetchOnce(uri: string): Promise<void> {
    fetching ??= refetch(uri).finally(() => {
      fetching = null
    })
    return fetching
  }

  return {
    keysFor: async (uri, wanted) => {
      const mayAsk = failure === null || over(failure.at, isUsable(uri) ? coolDownMs : pauseMs)
      if (held === null || held.uri !== uri || over(held.at, freshMs)) {
        if (mayAsk) await fetchOnce(uri)
      } else if (!isKnown(held.keys, wanted) && mayAsk && over(soughtAt, coolDownMs)) {
        soughtAt = now()
        await fetchOnce(uri)
      }
      if (held === null || !isUsable(uri)) {
        throw failure?.error ?? new GatewayError('idp.unreachable', `GET ${uri}: no keys`)
      }
      // A provider that has changed its keys is none that lies.
      if (failure !== null && wanted.kid !== null && !isKnown(held.keys, wanted)) throw failure.error
      return held.keys
    },

    failure: () => failure?.error ?? null,
  }
}

/** Without a `kid` the key may have changed behind the same silence, so it never counts as known. */
function isKnown(keys: readonly PublicJwk[], wanted: WantedKey): boolean {
  return wanted.kid !== null && keys.some(key => key.kid === wanted.kid)
}

function usableKeys(json: string, status: number, uri: string): readonly PublicJwk[] {
  const keys = status === 200 ? parsedKeys(json) : null
  if (keys === null) throw new GatewayError('idp.invalid-answer', `GET ${uri}: answered ${status}, not a set of keys`)
  return keys
    .slice(0, maxKeys)
    .map(publicKey)
    .filter(key => key !== null)
}

function parsedKeys(json: string): readonly unknown[] | null {
  try {
    const set: unknown = JSON.parse(json)
    return typeof set === 'object' && set !== null && 'keys' in set && Array.isArray(set.keys) ? set.keys : null
  } catch {
    return null
  }
}

const membersOf: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
}

/** Null: not a public signing key that we accept. A set may hold others, for encryption or of kinds yet to come. */
function publicKey(entry: unknown): PublicJwk | null {
  if (typeof entry !== 'object' || entry === null) return null
  const jwk = entry as Readonly<Record<string, unknown>>
  const members = typeof jwk.kty === 'string' && Object.hasOwn(membersOf, jwk.kty) ? membersOf[jwk.kty] : undefined
  if (members === undefined) return null
  if (jwk.use !== undefined && jwk.use !== 'sig') return null
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes('verify')) return null
  // A private key that was published is no longer anybody's.
  if (jwk.d !== undefined) return null

  const key: Record<string, string> = {}
  for (const name of ['kty', ...members]) {
    const value = jwk[name]
    if (typeof value !== 'string') return null
    key[name] = value
  }
  for (const name of ['kid', 'alg']) {
    const value = jwk[name]
    if (typeof value === 'string') key[name] = value
    else if (value !== undefined) return null
  }
  return isStrong(key) ? key : null
}

/** RSA of 2048 bits (RFC 7518 §3.3) up to 8192, where verifying starts to cost; the curves of RFC 7518 and 8037. */
function isStrong(jwk: PublicJwk): boolean {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {}
    switch (key.asymmetricKeyType) {
      case 'rsa':
        return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 3n && publicExponent < 2n ** 33n
      case 'ec':
        return namedCurve === 'prime256v1' || namedCurve === 'secp384r1' || namedCurve === 'secp521r1'
      case 'ed25519':
        return true
      default:
        return false
    }
  } catch {
    return false
  }
}
