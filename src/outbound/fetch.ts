/**
 * One request to another server and its whole answer, with an end: the gateway's own questions (discovery, tokens,
 * keys), never a visitor's traffic. A peer that is slow, endless or enormous costs at most the deadline and the limit.
 */
import { Agent, fetch as undiciFetch } from 'undici'
import { Deadlines } from '../model/deadlines.ts'
import type { OutboundFetch } from '../model/outbound.ts'
import type { Connector } from './connector.ts'
import { failureOf, lateness, TooLarge } from './failure.ts'

export interface FetchLimits {
  /** From the call to the last byte of the answer. */
  readonly deadlineMs: number
  /** Of the answer's body, after decompression. */
  readonly bytes: number
}

export interface Fetching {
  readonly fetch: OutboundFetch
  /** Connections end as their requests do. */
  readonly retire: () => void
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

  const deadlines = new Deadlines(limits.deadlineMs)

  const fetch: OutboundFetch = async (url, request) => {
    const deadline = deadlines.signal()
    const signal = request.signal === null ? deadline.signal : AbortSignal.any([deadline.signal, request.signal])
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
      throw failureOf(
        cause,
        `${request.method} ${url.origin}${url.pathname}`,
        lateness(deadline.signal, signal, limits.deadlineMs),
      )
    } finally {
      deadline.end()
    }
  }

  return { fetch, retire: () => void dispatcher.close(), close: () => dispatcher.destroy() }
}

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
