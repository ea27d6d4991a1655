/** What an origin is asked, who hears its answer, and in which ways none comes. */
import type { Socket } from 'node:net'
import type { RequestBody } from '../model/passage.ts'

export interface OriginRequest {
  /** The head, as it goes on the wire: latin1, with its empty line. */
  readonly head: string
  readonly method: string
  readonly upgrade: boolean
  readonly body: RequestBody | null
  /** Nothing may follow it on its connection, whatever is answered. */
  readonly last: boolean
}

export interface OriginHearer {
  /** Now and then, while the answer is under way. */
  readonly onStillOpen: () => void
  readonly onInformation: (status: number, headers: readonly string[]) => void
  readonly onHead: (status: number, statusText: string, headers: readonly string[]) => void
  /**
   * The bytes are the hearer's until it returns, or, where it returns false, until it calls resume(): no more is read before.
   */
  readonly onBody: (chunk: Buffer) => boolean
  readonly onEnd: () => void
  readonly onUpgrade: (headers: readonly string[], socket: Socket, rest: Buffer) => void
  /** Once, instead of onEnd. */
  readonly onError: (error: Error) => void
}

/** A connection used before was dead when it was used again: the origin may never have seen the request. */
export class ConnectionLost extends Error {}

/** The origin did not go on for too long. */
export class OriginLate extends Error {}

/** The client did not go on with its body for too long. */
export class ClientLate extends Error {}
