/**
 * What we ask of an ID token beyond openid-client, which has verified signature, `iss`, `aud`, `exp`, `nbf` and `nonce`
 * before: that its times are times, that it was made for this very sign-in, and that its hashes fit what came with it;
 * and of one that came by a refresh, that it says what the first one said.
 * OpenID Connect Core 1.0 §2, §3.1.3.7, §3.1.3.8, §12.2.
 */
import { createHash } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import { quoted } from '../quotation.ts'
import { headerOf } from './token-header.ts'

export interface IdTokenContext {
  readonly clientId: string
  readonly accessToken: string
  /** Null: the token came by a refresh, which has no code. */
  readonly code: string | null
  /** When it was asked for, or somebody set out to fetch it. Milliseconds since the epoch, both. */
  readonly begunAt: number
  readonly now: number
  /** The idp was told to ask the person again, since `begunAt`. */
  readonly forced: boolean
  /** Seconds by which two clocks may differ. */
  readonly toleranceS: number
}

export interface CheckedIdToken {
  readonly subject: string
  /** Seconds since the epoch: `auth_time`, or where the idp does not say, the token's own time. */
  readonly authenticatedAt: number
  /** Seconds since the epoch: the token's own time. */
  readonly issuedAt: number
  readonly acr: string | null
  readonly amr: readonly string[]
  readonly sid: string | null
}

type Members = Readonly<Record<string, unknown>>

/** 9999-12-31: a later time is a mistake or an attack on somebody's arithmetic. */
const lastSecond = 253_402_300_799

/**
 * @param token  as received, three parts
 * @param claims as openid-client has read them
 * @throws GatewayError `idp.rejected` the detail names claim, value and expectation
 */
export function checkIdToken(token: string, claims: Members, context: IdTokenContext): CheckedIdToken {
  const header = headerOf(token)
  // A token made for another purpose (logout+jwt, at+jwt) is none for signing in (RFC 8725 §3.11).
  if (header.typ !== undefined && String(header.typ).toLowerCase().replace('application/', '') !== 'jwt') {
    throw refused(`the ID token's typ is ${quoted(header.typ)}`)
  }

  const now = Math.floor(context.now / 1000)
  const issuedAt = time(claims, 'iat')
  time(claims, 'exp')
  if (claims.nbf !== undefined) time(claims, 'nbf')
  if (issuedAt > now + context.toleranceS) throw clocks('iat', issuedAt, now, 'after', context)
  const begun = Math.floor(context.begunAt / 1000)
  if (issuedAt < begun - context.toleranceS) throw clocks('iat', issuedAt, begun, 'before', context)
  const authenticatedAt = claims.auth_time === undefined ? issuedAt : time(claims, 'auth_time')
  if (authenticatedAt > now + context.toleranceS) throw clocks('auth_time', authenticatedAt, now, 'after', context)
  if (context.forced) askedAgain(claims.auth_time, begun, context)

  // openid-client looks at azp only where there are several audiences.
  if (claims.azp !== undefined && claims.azp !== context.clientId) {
    throw refused(`the ID token's azp is ${quoted(claims.azp)}, not ${context.clientId}`)
  }
  // It does not compare these in the code flow; present, they must fit: a token put together from two answers does not.
  checkHash(claims, 'at_hash', context.accessToken, header.alg)
  if (context.code !== null) checkHash(claims, 'c_hash', context.code, header.alg)

  return {
    subject: subjectOf(claims),
    // A clock that is ahead signs nobody in tomorrow: whoever reads this compares it with ours.
    authenticatedAt: Math.floor(Math.min(authenticatedAt, now)),
    issuedAt: Math.floor(issuedAt),
    acr: typeof claims.acr === 'string' ? claims.acr : null,
    amr: amrOf(claims.amr),
    sid: typeof claims.sid === 'string' && claims.sid !== '' && claims.sid.length <= 255 ? claims.sid : null,
  }
}

/**
 * A token that came by a refresh, beside the last one that we kept (Core §12.2). `iss` and `aud` are what they must be
 * already. A later `auth_time` is accepted and changes nothing: some idps write there when they last asked the person, for
 * whatever client; an earlier one contradicts what the idp said before.
 *
 * @param last null: it was too long to be kept
 * @throws GatewayError `idp.rejected`
 */
export function checkRefreshed(checked: CheckedIdToken, claims: Members, subject: string, last: Members | null): void {
  if (checked.subject !== subject) {
    throw refused(`the refreshed ID token's sub is ${quoted(checked.subject)}, and ${quoted(subject)} had signed in`)
  }
  if (claims.nonce !== undefined && last?.nonce !== undefined && claims.nonce !== last.nonce) {
    throw refused("the refreshed ID token's nonce is not that of the sign-in")
  }
  if (
    claims.auth_time !== undefined &&
    last?.auth_time !== undefined &&
    time(claims, 'auth_time') < time(last, 'auth_time')
  ) {
    throw refused(
      `the refreshed ID token's auth_time is ${quoted(claims.auth_time)}, before the ${quoted(last.auth_time)} of the sign-in`,
    )
  }
}

/** An idp that ignores the wish signs in whoever sat there before: after a sign-out, that must not pass as a new sign-in. */
function askedAgain(authTime: unknown, begun: number, { toleranceS }: IdTokenContext): void {
  if (typeof authTime === 'number' && authTime >= begun - toleranceS) return
  const found = typeof authTime === 'number' ? `is ${iso(authTime)}` : 'is missing'
  throw new GatewayError(
    'idp.rejected',
    `the idp was told to ask the person again, but the ID token's auth_time ${found}; this sign-in began ${iso(begun)}, ${toleranceS} s are tolerated`,
    { hint: 'The idp must follow prompt=login and max_age=0, and then send auth_time (OpenID Connect Core §3.1.2.1).' },
  )
}

function subjectOf(claims: Members): string {
  const subject = claims.sub
  // Half a character and a broken one are all the same once they are written down: many people would be one.
  const printable = typeof subject === 'string' && subject.isWellFormed() && !/[\0-\x1f\x7f\ufffd]/.test(subject)
  if (!printable || subject === '' || subject.length > 255) {
    throw refused(`the ID token's sub is ${quoted(subject)}: 1 to 255 printable characters are expected (Core §2)`)
  }
  return subject
}

function time(claims: Members, name: string): number {
  const value = claims[name]
  // JSON can say 1e400, which is read as Infinity and is later than every clock.
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > lastSecond) {
    throw refused(`the ID token's ${name} is ${quoted(value)}, which is no time`)
  }
  return value
}

function amrOf(amr: unknown): readonly string[] {
  const listed = typeof amr === 'string' ? [amr] : amr
  return Array.isArray(listed) ? listed.filter(method => typeof method === 'string') : []
}

/** The left half of the hash that the signature's algorithm names (Core §3.1.3.6). */
function checkHash(claims: Members, name: 'at_hash' | 'c_hash', of: string, algorithm: unknown): void {
  if (claims[name] === undefined) return
  const bits = /(256|384|512)$/.exec(String(algorithm))?.[1] ?? '512'
  const digest = createHash(`sha${bits}`).update(of).digest()
  const expected = digest.subarray(0, digest.length / 2).toString('base64url')
  if (claims[name] !== expected) throw refused(`the ID token's ${name} does not fit what came with it`)
}

function clocks(
  name: string,
  value: number,
  ours: number,
  order: 'before' | 'after',
  context: IdTokenContext,
): GatewayError {
  const what = order === 'after' ? 'our clock' : 'this sign-in began'
  const detail = `the ID token's ${name} is ${iso(value)}, ${Math.abs(value - ours)} s ${order} ${what} (${iso(ours)}); ${context.toleranceS} s are tolerated`
  return new GatewayError('idp.rejected', detail, { hint: clockHint })
}

export const clockHint = 'Compare the clocks of the gateway and of the idp (NTP).'

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

function refused(detail: string): GatewayError {
  return new GatewayError('idp.rejected', detail)
}
