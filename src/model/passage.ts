/** One request on its way through the gateway: what came in, and what is to be said of it in the log and the metrics. */
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type { ErrorCode } from '../errors.ts'
import type { Navigation } from './navigation.ts'
import type { Target } from './place.ts'
import type { Resource } from './resource.ts'
import type { Session } from './session.ts'

/** Filled in as it becomes known; written once, when the response is over. */
export interface Observed {
  /** Milliseconds on the monotonic clock. */
  readonly startedAt: number
  /** The client's address: the socket's, or what a trusted proxy said. */
  client: string
  target: Target | null
  /** It was given to the portal. With neither this nor a resource nobody knows whose it was. */
  portal: boolean
  resource: Resource | null
  /** For the page of a failure, which greets nobody it does not know; never for the log. */
  session: Session | null
  effect: 'permit' | 'challenge' | 'deny' | 'ours' | null
  /** From asking the origin to the head of its answer; null: it was not asked, or did not answer. */
  originMs: number | null
  /** What a page of ours quotes that is no failure; null: there was none. */
  reference: string | null
  failure: {
    readonly code: ErrorCode
    readonly reference: string
    readonly detail: string
    readonly hint: string | null
  } | null
}

/** What was asked, as it came. node's IncomingMessage is one. */
export interface ClientRequest {
  readonly method?: string | undefined
  /** As on the request line: latin1, so that every byte is one character. */
  readonly url?: string | undefined
  readonly httpVersionMinor: number
  /** Names and values in turn, latin1, in the order and spelling in which they came. */
  readonly rawHeaders: readonly string[]
  readonly socket: Socket
}

/** Where the answer goes. node's ServerResponse is one, with the same meaning of every word. */
export interface ClientResponse {
  readonly statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  /** Everything was handed to the system; what was not is lost. */
  readonly writableFinished: boolean
  readonly destroyed: boolean
  readonly socket: Socket | null
  /** False: this answer is the last of its connection. */
  shouldKeepAlive: boolean
  /** Names and values in turn, latin1. Where no Content-Length is among them, the framing is the response's own care. */
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, statusText: string, headers: string[]): unknown
  flushHeaders(): void
  /** @param written the chunk is the caller's again; called later in any case, save where the client has gone */
  write(chunk: Buffer, written: () => void): unknown
  /** Bytes that the system has not taken yet; those of no chunk, if it is 0. */
  readonly writableLength: number
  end(): unknown
  end(text: string, encoding: 'latin1' | 'utf8'): unknown
  /** `close`: the answer is over, whole or not; once, after everything else. */
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
  removeHeader(name: string): void
  writeContinue(): void
  writeEarlyHints(hints: { readonly link: string[] }): void
}

/** The body of a request on its way up: streamed with back-pressure, never collected, and cut when the client leaves. */
export interface RequestBody {
  readonly stream: Readable
  /** Bytes, as announced; null: it comes in chunks. */
  readonly length: number | null
}

export interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
  /** From here on the connection is nobody's but the caller's. */
  release(): void
}

export interface Passage {
  readonly request: ClientRequest
  readonly response: ClientResponse
  /** The value of a header, by its name in lower case; several lines are one where they may be (RFC 9110 §5.3). */
  header(name: string): string | undefined
  /** To be called once, by whoever reads it; null: there is none. */
  openBody(): RequestBody | null
  readonly observed: Observed
  /** Told when it is asked for: most requests never need it. */
  readonly navigation: Navigation
  /** The raw Cookie header; null: none. */
  readonly cookies: string | null
  /** Set for `Upgrade: websocket`: the browser's connection, and what came behind its head. */
  readonly upgrade: Upgrade | null
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean
}
