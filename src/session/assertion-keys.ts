/**
 * The keys with which the gateway signs what origins must be able to believe (SESSIONS B 4). Derived from the configured
 * secrets: every replica has the same, none is stored, and they rotate with the secrets. Rests on node:crypto only.
 */
import { createECDH, createHash, createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import type { Secret } from '../model/secret.ts'
import { derived } from './seal.ts'

export interface AssertionKeys {
  /** A JWK set (RFC 7517 §5) as JSON, public parts only: one key for each secret, the one that signs first. */
  readonly published: string
  /**
   * A compact JWS (RFC 7515 §7.1) under the first secret's key, ES256.
   * @param type of the token: a reader of one kind takes no other for it (RFC 8725 §3.11)
   */
  readonly sign: (type: 'logout+jwt', claims: Readonly<Record<string, unknown>>) => string
}

interface AssertionKey {
  readonly kid: string
  readonly key: KeyObject
  readonly jwk: JsonWebKey
}

const scalarBytes = 32
/** The order of P-256's base point (SP 800-186 §3.2.1.3): a private key lies between 0 and this. */
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

/**
 * @param secrets the first signs; each at least 32 bytes of UTF-8
 * @throws Error where there is none, or one is too short
 */
export function createAssertionKeys(secrets: readonly Secret[]): AssertionKeys {
  const all = secrets.map(secret => keyOf(privateScalar(attempt => derived(secret, purposeOf(attempt), scalarBytes))))
  const first = all[0]
  if (first === undefined) throw new Error('no session secret is configured')
  // The same secret twice is one key.
  const distinct = [...new Map(all.map(one => [one.kid, one])).values()]
  const keys = distinct.map(({ kid, jwk }) => ({ ...jwk, kid, use: 'sig', alg: 'ES256' }))

  return {
    published: JSON.stringify({ keys }),

    sign(type, claims) {
      const signed = `${part({ alg: 'ES256', typ: type, kid: first.kid })}.${part(claims)}`
      // RFC 7518 §3.4: R and S side by side, not in DER.
      const signature = sign('sha256', Buffer.from(signed), { key: first.key, dsaEncoding: 'ieee-p1363' })
      return `${signed}.${signature.toString('base64url')}`
    },
  }
}

/** The first candidate that is a private key: of 2³² one is not, and reducing it would favour some keys (FIPS 186-5 §A.2.2). */
export function privateScalar(candidate: (attempt: number) => Buffer): Buffer {
  for (let attempt = 0; ; attempt++) {
    const scalar = candidate(attempt)
    if (scalar.compare(order) < 0 && scalar.some(byte => byte !== 0)) return scalar
  }
}

function purposeOf(attempt: number): string {
  return attempt === 0 ? 'assertion' : `assertion/${attempt}`
}

function keyOf(scalar: Buffer): AssertionKey {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  // Uncompressed (SEC 1 §2.3.3): 4, x, y.
  const point = curve.getPublicKey()
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 1 + scalarBytes).toString('base64url'),
    y: point.subarray(1 + scalarBytes).toString('base64url'),
  }
  return {
    kid: thumbprint(jwk),
    key: createPrivateKey({ key: { ...jwk, d: scalar.toString('base64url') }, format: 'jwk' }),
    jwk,
  }
}

/** RFC 7638 §3.2: the required members in lexicographic order, without white space. */
function thumbprint({ crv, kty, x, y }: { crv: string; kty: string; x: string; y: string }): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
