/** One request on its way through the gateway: what came in, and what is to be said of it in the log and the metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
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

export interface Passage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly observed: Observed
  /** Told when it is asked for: most requests never need it. */
  readonly navigation: Navigation
  /** The raw Cookie header; null: none. */
  readonly cookies: string | null
  /** Set for `Upgrade: websocket`: the browser's connection, and what came behind its head. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | null
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean
}
