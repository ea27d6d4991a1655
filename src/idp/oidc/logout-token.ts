/**
 * A logout token: the idp's signed word that sessions are over. What costs nothing is looked at first, so that a thousand
 * forged ones a second cost neither a signature nor a request. OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6.
 */
import { GatewayError } from '../../errors.ts'
import { quoted } from '../quotation.ts'
import { clockHint } from './id-token.ts'
import type { KeySet } from './key-set.ts'
import type { Metadata } from './metadata.ts'
import { verifySignature } from './signature.ts'
import { headerOf } from './token-header.ts'

export interface LogoutTokenContext {
  /** As the configuration writes it: enough to throw other people's tokens away. */
  readonly issuer: string
  readonly clientId: string
  readonly metadata: () => Promise<Metadata>
  readonly keySet: KeySet
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Seconds by which two clocks may differ. */
  readonly toleranceS: number
}

/** `subject`, `sid` or both are set. */
export interface CheckedLogoutToken {
  readonly subject: string | null
  readonly sid: string | null
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly id: string
  /** Milliseconds since the epoch, by our clock: from then on the same token is refused as too old. */
  readonly notAfter: number
}

type Members = Readonly<Record<string, unknown>>

const event = 'http://schemas.openid.net/event/backchannel-logout'
/**
 * Seconds. An idp tells at once or again with a new token; an older one was kept by somebody. `exp` is looked at too where it
 * is there: providers that follow an early draft send none, and this limit stands in for it.
 */
const longestLife = 120
/** Characters; the longest real ones have a fifth of it. */
const longestToken = 8_192
/** 9999-12-31. */
const lastSecond = 253_402_300_799

/**
 * @param form what came to the back channel
 * @throws GatewayError `logout.token-rejected`                    the detail names what was found
 * @throws GatewayError `idp.unreachable`, `idp.invalid-answer`    the idp's keys are out of reach: nothing is known
 */
export async function checkLogoutToken(
  form: URLSearchParams,
  context: LogoutTokenContext,
): Promise<CheckedLogoutToken> {
  const token = tokenIn(form)
  const header = headerOf(token)
  const claims = claimsOf(token)
  checkType(header)
  if (!sameAddress(claims.iss, context.issuer)) throw wrong('iss', claims.iss, context.issuer)
  if (!isFor(claims.aud, context.clientId)) throw wrong('aud', claims.aud, `${context.clientId}, alone`)
  const checked = contentOf(claims, context)

  const metadata = await context.metadata()
  if (claims.iss !== metadata.issuer) throw wrong('iss', claims.iss, metadata.issuer)
  if (typeof header.alg !== 'string' || !metadata.signingAlgorithms.includes(header.alg)) {
    throw wrong('alg', header.alg, metadata.signingAlgorithms.join(', '))
  }
  const kid = typeof header.kid === 'string' ? header.kid : null
  const verified = verifySignature(token, header.alg, kid, await context.keySet.keysFor(metadata.jwksUri, { kid }))
  const unknown = verified === 'no-key' ? context.keySet.failure() : null
  if (unknown !== null) throw unknown
  if (verified !== 'valid') {
    throw refused(`its signature is not the idp's: ${verified} (alg ${header.alg}, kid ${quoted(header.kid)})`)
  }
  return checked
}

function tokenIn(form: URLSearchParams): string {
  const [token = '', ...more] = form.getAll('logout_token')
  if (token === '' || more.length > 0) throw refused('the form must have logout_token, once (§2.5)')
  if (token.length > longestToken) throw refused(`it has ${token.length} characters, more than ${longestToken}`)
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw refused('it is no signed token of three parts')
  return token
}

function claimsOf(token: string): Members {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Members
  } catch {
    // Said below.
  }
  throw refused('its claims are no JSON object')
}

/** Many providers still say JWT or nothing; a token that was made for another purpose says so (§2.4; RFC 8725 §3.11). */
function checkType(header: Members): void {
  const { typ } = header
  const type = String(typ ?? 'jwt')
    .toLowerCase()
    .replace(/^application\//, '')
  if (type !== 'logout+jwt' && type !== 'jwt') throw wrong('typ', typ, 'logout+jwt')
  // Whatever it demands, we do not know it (RFC 7515 §4.1.11).
  if (header.crit !== undefined) throw refused(`its crit is ${quoted(header.crit)}, and no extension is known here`)
}

/** A logout token is for one relying party: a list of others besides is another kind of token, or another's. */
function isFor(aud: unknown, clientId: string): boolean {
  const [only, ...more] = Array.isArray(aud) ? aud : [aud]
  return only === clientId && more.length === 0
}

function sameAddress(iss: unknown, expected: string): boolean {
  return typeof iss === 'string' && URL.canParse(iss) && new URL(iss).href === new URL(expected).href
}

function contentOf(claims: Members, { now, toleranceS }: LogoutTokenContext): CheckedLogoutToken {
  const seconds = now() / 1000
  const issuedAt = time(claims, 'iat')
  if (issuedAt > seconds + toleranceS) throw clocks('iat', issuedAt, seconds, `${toleranceS} s ahead are tolerated`)
  if (issuedAt < seconds - longestLife) throw clocks('iat', issuedAt, seconds, `${longestLife} s are its longest life`)
  if (claims.exp !== undefined && time(claims, 'exp') < seconds - toleranceS) {
    throw clocks('exp', time(claims, 'exp'), seconds, `${toleranceS} s are tolerated`)
  }
  // What tells it from an ID token, which the same keys sign.
  if (claims.nonce !== undefined) throw refused('it has a nonce, which is an ID token’s (§2.4)')
  const events = claims.events
  if (!isObject(events) || !Object.hasOwn(events, event) || !isObject(events[event])) {
    throw refused(`its events are ${quoted(events)}: an object under ${event} is expected (§2.4)`)
  }
  const id = name(claims, 'jti')
  if (id === null) throw wrong('jti', claims.jti, 'a name of its own')
  const subject = name(claims, 'sub')
  const sid = name(claims, 'sid')
  if (subject === null && sid === null) throw refused('it has neither sub nor sid (§2.4)')
  return { subject, sid, issuedAt, id, notAfter: (issuedAt + longestLife) * 1000 }
}

/** Null: absent. */
function name(claims: Members, claim: 'sub' | 'sid' | 'jti'): string | null {
  const value = claims[claim]
  if (value === undefined) return null
  if (typeof value !== 'string' || value === '' || value.length > 255) throw wrong(claim, value, '1 to 255 characters')
  return value
}

function time(claims: Members, claim: 'iat' | 'exp'): number {
  const value = claims[claim]
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > lastSecond) {
    throw wrong(claim, value, 'a time')
  }
  return value
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function clocks(claim: string, value: number, ours: number, rule: string): GatewayError {
  const detail = `the logout token's ${claim} is ${iso(value)}, our clock says ${iso(ours)}; ${rule}`
  return new GatewayError('logout.token-rejected', detail, { hint: clockHint })
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

function wrong(what: string, found: unknown, expected: string): GatewayError {
  return refused(`its ${what} is ${quoted(found)}, expected is ${expected}`)
}

function refused(detail: string): GatewayError {
  return new GatewayError('logout.token-rejected', `the logout token: ${detail}`)
}
