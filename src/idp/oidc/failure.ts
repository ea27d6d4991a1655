/**
 * What a failure inside openid-client means. Its errors are told apart by their codes and causes: most failed checks
 * share one code, and what was expected stands in the cause.
 */
import { GatewayError } from '../../errors.ts'
import { quoted, withoutSecrets } from '../quotation.ts'
import { clockHint } from './id-token.ts'

type Members = Readonly<Record<string, unknown>>

/** Which answer was judged, as the detail says it. */
export type Asked = 'the token answer' | 'the userinfo answer'

/** @param sent what the idp was sent that nobody else may know: some repeat it in their errors, and none goes into our log */
export function failureOf(error: unknown, asked: Asked, sent: readonly string[]): GatewayError {
  // Our own fetch has already said what the network did; openid-client only wraps it.
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner instanceof GatewayError) return inner
  }
  const { code, detail } = described(error, value => quoted(withoutSecrets(value, sent)))
  const options = { ...hintFor(error, asked), cause: error }
  return new GatewayError(code, `${asked}: ${detail}`, options)
}

/**
 * The error code in an answer of the provider, of the body (RFC 6749 §5.2) or of the challenge (RFC 6750 §3.1): `invalid_grant`,
 * `invalid_token`. Null: it is no such answer.
 */
export function refusalOf(error: unknown): unknown {
  const cause = member(error, 'cause')
  switch (member(cause, 'code')) {
    case 'OAUTH_RESPONSE_BODY_ERROR':
      return member(cause, 'error')
    case 'OAUTH_WWW_AUTHENTICATE_CHALLENGE': {
      const challenges = member(cause, 'cause')
      const bearer = Array.isArray(challenges) ? challenges.find(one => member(one, 'scheme') === 'bearer') : null
      return member(member(bearer, 'parameters'), 'error') ?? null
    }
    default:
      return null
  }
}

/**
 * What the provider did to everybody, whoever signs in: it did not answer, or not sensibly, or its ID token is signed by a key that it
 * does not publish. The token comes from its own token endpoint, so no browser can bring that about.
 */
export function isItsOwnFault(error: GatewayError): boolean {
  if (error.code === 'idp.unreachable' || error.code === 'idp.invalid-answer') return true
  for (let inner: unknown = error.cause; inner instanceof Error; inner = inner.cause) {
    if (member(inner, 'code') === 'OAUTH_KEY_SELECTION_FAILED') return true
    if (member(inner.cause, 'signature') !== undefined) return true
  }
  return false
}

type Quote = (value: unknown) => string

function described(
  error: unknown,
  quote: Quote,
): { readonly code: 'idp.rejected' | 'idp.invalid-answer'; readonly detail: string } {
  if (!(error instanceof Error)) return { code: 'idp.invalid-answer', detail: quote(error) }
  const code = 'code' in error ? error.code : null
  switch (code) {
    case 'OAUTH_RESPONSE_BODY_ERROR':
      return { code: 'idp.rejected', detail: refusalIn(error, quote) }
    case 'OAUTH_WWW_AUTHENTICATE_CHALLENGE':
      return { code: 'idp.rejected', detail: 'answered 401' }
    case 'OAUTH_RESPONSE_IS_NOT_CONFORM': {
      const status = member(error.cause, 'status')
      return { code: 'idp.invalid-answer', detail: `answered ${status} without an error that we understand` }
    }
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
    case 'OAUTH_PARSE_ERROR':
      return { code: 'idp.invalid-answer', detail: messageIn(error) }
    default: {
      // A check of the body's form finds nonsense; one of a token's or an answer's content finds something refused.
      const found = member(error.cause, 'cause')
      const nonsense = code === 'OAUTH_INVALID_RESPONSE' && member(found, 'body') !== undefined
      return {
        code: nonsense ? 'idp.invalid-answer' : 'idp.rejected',
        detail: `${messageIn(error)}${comparison(found, quote)}`,
      }
    }
  }
}

/** "access_denied, …": the provider's own words, quoted. */
function refusalIn(error: Error, quote: Quote): string {
  const description = member(error, 'error_description')
  return `error ${quote(member(error, 'error'))}${description === undefined ? '' : `, ${quote(description)}`}`
}

function messageIn(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** What was found and what was expected, where openid-client says so. */
function comparison(found: unknown, quote: Quote): string {
  const claim = member(found, 'claim') ?? member(found, 'attribute')
  if (typeof claim !== 'string') {
    const algorithm = member(member(found, 'header'), 'alg') ?? member(found, 'alg')
    return algorithm === undefined ? '' : ` (alg ${quote(algorithm)})`
  }
  const value = member(member(found, 'claims') ?? member(found, 'body'), claim)
  const now = member(found, 'now')
  const expected =
    typeof now === 'number'
      ? `our clock says ${now}, ${quote(member(found, 'tolerance'))} s are tolerated`
      : `expected ${quote(member(found, 'expected'))}`
  return `: ${claim} is ${quote(value)}, ${expected}`
}

function hintFor(error: unknown, asked: Asked): { readonly hint?: string } {
  const refusal = member(error, 'error')
  const unauthorized = asked === 'the token answer' && member(error, 'status') === 401
  if (refusal === 'invalid_client' || refusal === 'unauthorized_client' || unauthorized) {
    return { hint: 'Compare oidc.clientId and oidc.clientSecret with what the idp has registered.' }
  }
  return member(error, 'code') === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' ? { hint: clockHint } : {}
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Members)[name] : undefined
}
