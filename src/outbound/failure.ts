/** Why another server gave no whole answer, in the operator's words. */
import { errors } from 'undici'
import { GatewayError } from '../errors.ts'
import { OutboundError, type OutboundFailure } from '../model/outbound.ts'

export class TooLarge extends Error {}

/** Null: it was not too late. */
export function lateness(deadline: AbortSignal, signal: AbortSignal, deadlineMs: number): string | null {
  if (deadline.aborted) return `no whole answer within ${deadlineMs / 1000} s`
  return signal.aborted ? 'no whole answer in the time that was left' : null
}

/**
 * @param request method and address without query, for the log
 * @param late    from lateness()
 */
export function failureOf(cause: unknown, request: string, late: string | null): OutboundError {
  const { reason, text, hint } =
    late === null ? reasonOf(cause) : { reason: 'timeout' as const, text: late, hint: null }
  return new OutboundError(reason, `${request}: ${text}`, { hint, cause })
}

interface Reason {
  readonly reason: OutboundFailure
  readonly text: string
  readonly hint: string | null
}

/** undici says "fetch failed"; what happened stands at the end of the chain of causes. */
function reasonOf(error: unknown): Reason {
  if (error instanceof TooLarge) return { reason: 'too-large', text: error.message, hint: null }
  if (error instanceof GatewayError) return { reason: 'refused-address', text: error.message, hint: error.hint }
  if (!(error instanceof Error)) return { reason: 'unreachable', text: String(error), hint: null }
  // Several addresses were tried: the first one's failure speaks for all.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error.cause instanceof Error) return reasonOf(error.cause)
  // Not HTTP at all, or a status beyond 599, which a Response cannot have.
  if (error instanceof errors.HTTPParserError || error instanceof RangeError)
    return { reason: 'malformed', text: error.message, hint: null }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null
  return {
    reason: reasonByCode(code),
    text: code === null || error.message.includes(code) ? error.message : `${error.message} (${code})`,
    hint: code !== null && certificateCodes.has(code) ? certificateHint : null,
  }
}

function reasonByCode(code: string | null): OutboundFailure {
  if (code === null) return 'unreachable'
  if (malformedCodes.some(start => code.startsWith(start))) return 'malformed'
  return code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT' ? 'timeout' : 'unreachable'
}

// What the parser, the header limit, the decompressor and the length check say.
const malformedCodes = ['HPE_', 'UND_ERR_HEADERS_OVERFLOW', 'Z_', 'ERR_BROTLI', 'UND_ERR_RES_CONTENT_LENGTH']

const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const certificateHint =
  "The gateway trusts the system's certificate authorities and those of outbound.ca. Renew the certificate, complete its chain, or add its authority there."
