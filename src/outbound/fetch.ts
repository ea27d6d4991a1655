/**
 * One request to another server and its whole answer, with an end: the gateway's own questions (discovery, tokens,
 * keys), never a visitor's traffic. A peer that is slow, endless or enormous costs at most the deadline and the limit.
 */
import { Agent, errors, fetch as undiciFetch } from 'undici'
import { GatewayError } from '../errors.ts'
import { OutboundError, type OutboundFailure, type OutboundFetch } from '../model/outbound.ts'
import type { Connector } from './connector.ts'

export interface FetchLimits {
  /** From the call to the last byte of the answer. */
  readonly deadlineMs: number
  /** Of the answer's body, after decompression. */
  readonly bytes: number
}

export interface Fetching {
  readonly fetch: OutboundFetch
  /** Ends all connections; requests in flight fail. */
  readonly close: () => Promise<void>
}

export function createFetch(connector: Connector, limits: FetchLimits): Fetching {
  const dispatcher = new Agent({
    connect: connector,
    allowH2: false,
    // A POST on a connection that the peer is closing fails and cannot be repeated, so only very fresh ones are reused.
    keepAliveTimeout: 1_000,
    keepAliveMaxTimeout: 1_000,
  })

  const fetch: OutboundFetch = async (url, request) => {
    const deadline = AbortSignal.timeout(limits.deadlineMs)
    const signal = request.signal === null ? deadline : AbortSignal.any([deadline, request.signal])
    try {
      // Not node's own fetch: it is another undici, which refuses this one's dispatcher.
      const answer = await undiciFetch(url, {
        method: request.method,
        headers: { ...request.headers },
        body: request.body,
        redirect: 'manual',
        signal,
        dispatcher,
      })
      const body = await wholeBody(answer.body, limits.bytes)
      return new Response(nullBody(answer.status) ? null : body, {
        status: answer.status,
        headers: [...answer.headers],
      })
    } catch (cause) {
      throw failureOf(cause, `${request.method} ${url.origin}${url.pathname}`, lateness(deadline, signal, limits))
    }
  }

  return { fetch, close: () => dispatcher.destroy() }
}

class TooLarge extends Error {}

/** Reads at most `limit` bytes; one more, and the connection is cut. */
async function wholeBody(body: AsyncIterable<Uint8Array> | null, limit: number): Promise<Buffer<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body ?? []) {
    size += part.byteLength
    // Leaving the loop cancels the stream, which destroys the connection.
    if (size > limit) throw new TooLarge(`the answer is larger than ${limit} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function nullBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

/** Null: it was not too late. */
function lateness(deadline: AbortSignal, signal: AbortSignal, limits: FetchLimits): string | null {
  if (deadline.aborted) return `no whole answer within ${limits.deadlineMs / 1000} s`
  return signal.aborted ? 'no whole answer in the time that was left' : null
}

function failureOf(cause: unknown, request: string, late: string | null): OutboundError {
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
