/**
 * How a capability asks another server something: the face that outbound/ implements and gateway.ts hands out, so that
 * siblings need not know outbound/.
 */

export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  /** Null: none. */
  readonly body: string | null
  /** Ends the request before its deadline does. Null: nothing but the deadline. */
  readonly signal: AbortSignal | null
}

/**
 * One request and its whole answer, within 10 seconds and 1 MiB. The answer comes as it is, whatever its status:
 * a redirect is handed back and never followed. No cookies are kept or sent.
 *
 * @throws OutboundError there is no whole answer; `reason` says why
 */
export type OutboundFetch = (url: URL, request: OutboundRequest) => Promise<Response>

/**
 * One request to an origin, and the status of its answer: a redirect is not followed, the body is read to a bound and
 * dropped. The connection is new, and serves nothing else.
 *
 * @throws OutboundError there is no answer within 3 seconds; `reason` says why
 */
export type OutboundTell = (
  url: URL,
  request: {
    readonly method: 'GET' | 'POST'
    /** Flat: name, value, name, value … Values are bytes in latin1 strings. */
    readonly headers: readonly string[]
  },
) => Promise<number>

/** Where a connection's bytes are read into, by those who do not want new memory for every read. */
export interface ReadInto {
  /** Asked when the connection is made, and again after each read, for the next one. */
  readonly buffer: () => Uint8Array
  /** No more is read while the socket is paused. */
  readonly read: (length: number) => void
}

/** Why there is no answer. refused-address: the name leads where the gateway never goes (SESSIONS B 15). */
export type OutboundFailure = 'unreachable' | 'timeout' | 'too-large' | 'malformed' | 'refused-address'

export class OutboundError extends Error {
  readonly reason: OutboundFailure
  /** For the operator: what to do about it. Null: nothing that we know of. */
  readonly hint: string | null

  /**
   * @param message method, address without query, and what went wrong, for the log
   */
  constructor(reason: OutboundFailure, message: string, options: { hint: string | null; cause: unknown }) {
    super(message, { cause: options.cause })
    this.name = 'OutboundError'
    this.reason = reason
    this.hint = options.hint
  }
}
