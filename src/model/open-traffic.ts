/** What is still open on behalf of a session, and may have to be closed with it (SESSIONS S8). */
import type { Session } from './session.ts'

export interface OpenTraffic {
  /** Called once. */
  readonly close: () => void
  /** As the decision would be now: claims, rules and logout links change while a stream is open. */
  readonly permitted: (session: Session) => boolean
  /** Milliseconds for which it may go on after the session's end: none for a stream, which never ends by itself. */
  readonly graceMs: number
}

/** @returns call it when the traffic is over by itself */
export type WatchTraffic = (session: Session, traffic: OpenTraffic) => () => void
