/** What is still open, and may have to be closed: with its session, or because of a reload (SESSIONS S8, B 7). */
import type { Session } from './session.ts'

export interface OpenTraffic {
  /** Called once. */
  readonly close: () => void
  /** As the decision would be now: claims, rules and logout links change while a stream is open. Null: with no session. */
  readonly permitted: (session: Session | null) => boolean
  /** Milliseconds for which it may go on when it may not be open any more: none for a stream, which never ends by itself. */
  readonly graceMs: number
}

/**
 * @param session null: it was opened without one
 * @returns call it when the traffic is over by itself
 */
export type WatchTraffic = (session: Session | null, traffic: OpenTraffic) => () => void
