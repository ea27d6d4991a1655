/**
 * Is this signature by one of these keys? For tokens that openid-client does not know: signing algorithms with a public key,
 * one key or none. RFC 7515 §5.2; RFC 7518 §3; RFC 8037.
 */
import { constants, createPublicKey, verify } from 'node:crypto'
import type { PublicJwk } from './key-set.ts'

interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv: string | null
  /** Null: the algorithm hashes by itself. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly pss: boolean
}

const rsa = (hash: 'sha256' | 'sha384' | 'sha512', pss = false): Algorithm => ({ kty: 'RSA', crv: null, hash, pss })
const ec = (crv: string, hash: 'sha256' | 'sha384' | 'sha512'): Algorithm => ({ kty: 'EC', crv, hash, pss: false })
const ed25519: Algorithm = { kty: 'OKP', crv: 'Ed25519', hash: null, pss: false }

/** No `none` and no HMAC, whoever asks. */
const algorithms = new Map<string, Algorithm>([
  ['RS256', rsa('sha256')],
  ['RS384', rsa('sha384')],
  ['RS512', rsa('sha512')],
  ['PS256', rsa('sha256', true)],
  ['PS384', rsa('sha384', true)],
  ['PS512', rsa('sha512', true)],
  ['ES256', ec('P-256', 'sha256')],
  ['ES384', ec('P-384', 'sha384')],
  ['ES512', ec('P-521', 'sha512')],
  ['Ed25519', ed25519],
  ['EdDSA', ed25519],
])

/** no-key, several-keys: none of the keys fits what the header says, or more than one, and which is meant is not guessed. */
export type Verified = 'valid' | 'invalid' | 'no-key' | 'several-keys' | 'unknown-algorithm'

/**
 * @param token compact: three parts in base64url, the first two of which are signed
 * @param kid   null: the header names no key
 */
export function verifySignature(token: string, alg: string, kid: string | null, keys: readonly PublicJwk[]): Verified {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) return 'unknown-algorithm'
  const fitting = keys.filter(
    key =>
      key.kty === algorithm.kty &&
      (algorithm.crv === null || key.crv === algorithm.crv) &&
      (kid === null || key.kid === kid) &&
      (key.alg === undefined || algorithms.get(key.alg) === algorithm),
  )
  const [jwk] = fitting
  if (jwk === undefined) return 'no-key'
  if (fitting.length > 1) return 'several-keys'

  const end = token.lastIndexOf('.')
  const key = {
    key: createPublicKey({ key: jwk, format: 'jwk' }),
    // ECDSA as JOSE writes it, r and s one after the other (RFC 7518 §3.4).
    dsaEncoding: 'ieee-p1363' as const,
    ...(algorithm.pss
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}),
  }
  const signed = Buffer.from(token.slice(0, end))
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  return verify(algorithm.hash, signed, key, signature) ? 'valid' : 'invalid'
}
