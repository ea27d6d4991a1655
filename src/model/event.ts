/**
 * The closed list of what can happen. Capabilities do not log, they report; observe/ turns each of these into a log
 * line, a metric, or both, and the compiler insists that it handles every one. Reporting never throws and never waits.
 */
import type { ErrorCode } from '../errors.ts'
import type { LogoutChannel } from './logout.ts'
import type { EndReason } from './session.ts'

export type GatewayEvent =
  | { readonly name: 'gateway.started'; readonly address: string }
  /** At the start, and by each reload. `checksum`: 12 hexadecimal digits; `at`: ms since the epoch. */
  | { readonly name: 'configuration.adopted'; readonly checksum: string; readonly at: number }
  /** The one that runs goes on. `detail`: the first problem, with its place. */
  | { readonly name: 'configuration.refused'; readonly problems: number; readonly detail: string }
  | { readonly name: 'gateway.draining' }
  | { readonly name: 'gateway.stopped' }
  | { readonly name: 'session.established'; readonly idp: string }
  | { readonly name: 'session.kept'; readonly idp: string }
  | { readonly name: 'session.ended'; readonly reason: EndReason; readonly idp: string }
  | { readonly name: 'session.limit-reached'; readonly beyond: 'ask' | 'refuse'; readonly idp: string }
  /** By its own logout link; the session lives on. */
  | { readonly name: 'session.site-left'; readonly resource: string }
  | { readonly name: 'session.site-reopened'; readonly resource: string }
  /** By the person, among the values that they have; which one is nobody's business. */
  | { readonly name: 'session.claim-chosen'; readonly claim: string }
  | {
      readonly name: 'session.rechecked'
      readonly idp: string
      readonly outcome: RecheckOutcome
      readonly detail: string | null
    }
  | { readonly name: 'session.undecryptable' }
  | {
      readonly name: 'sessions.listed' | 'sessions.ended'
      readonly selected: 'session' | 'person' | 'idp' | 'all'
      /** Null: of any. */
      readonly idp: string | null
      readonly count: number
      /** False: broken off. */
      readonly complete: boolean
    }
  | { readonly name: 'operations.refused'; readonly address: string; readonly status: number }
  | { readonly name: 'session.end-retried'; readonly left: number }
  | { readonly name: 'participant.told'; readonly resource: string }
  | { readonly name: 'participant.failed'; readonly resource: string; readonly detail: string }
  | { readonly name: 'session.ends-repeated'; readonly ends: number }
  | { readonly name: 'session.end-replicated'; readonly confirmed: boolean }
  | { readonly name: 'cookie.ambiguous' }
  | { readonly name: 'handoff.foreign' }
  | { readonly name: 'callback.foreign'; readonly idp: string }
  /** Null: the portal. */
  | { readonly name: 'request.cross-origin'; readonly resource: string | null }
  | { readonly name: 'sign-in.begun'; readonly idp: string }
  /** Asked without a word: nobody is signed in there. */
  | { readonly name: 'sign-in.nobody'; readonly idp: string }
  | { readonly name: 'sign-in.failed'; readonly idp: string; readonly code: ErrorCode }
  | {
      readonly name: 'logout.heard'
      readonly idp: string
      readonly channel: LogoutChannel
      /** Sessions. */
      readonly ended: number
      readonly stored: boolean
    }
  | { readonly name: 'logout.limited'; readonly idp: string; readonly channel: LogoutChannel }
  /** How many values it said that it may not assert; null: claims that the configuration does not name. */
  | { readonly name: 'claim.disbelieved'; readonly idp: string; readonly claim: string | null; readonly values: number }
  /** An access code was typed. The selector only of a code that exists, and never more of it. */
  | {
      readonly name: 'code.tried'
      readonly idp: string
      readonly outcome: CodeOutcome
      readonly selector: string | null
    }
  /** Of the file of codes, read anew while the gateway runs. broken: the codes stay as they were. */
  | { readonly name: 'codes.read'; readonly idp: string; readonly count: number }
  | { readonly name: 'codes.broken'; readonly idp: string; readonly detail: string }
  | { readonly name: 'idp.up'; readonly idp: string }
  | { readonly name: 'idp.down'; readonly idp: string; readonly detail: string; readonly hint: string | null }
  | { readonly name: 'store.up' }
  | { readonly name: 'store.down'; readonly detail: string }
  | { readonly name: 'store.warned'; readonly detail: string }
  | { readonly name: 'store.log-lost'; readonly detail: string }
  | { readonly name: 'origin.retried'; readonly resource: string }
  /** The site's own logout could not be passed on to it: our session is over, its own may live on. */
  | { readonly name: 'site-logout.unheard'; readonly resource: string; readonly detail: string }
  | { readonly name: 'stream.closed-at-end'; readonly resource: string; readonly kind: 'websocket' | 'answer' }

/**
 * What came of asking the idp again. `unable`: there was nothing to ask with; `unreachable`: it did not answer; `rejected`: it
 * answered what we do not believe. After these three the session goes on as it was.
 */
export type RecheckOutcome = 'unchanged' | 'changed' | 'ended' | 'unable' | 'unreachable' | 'rejected'

/** busy: too many at once, so nobody looked. uncounted: it was right, and what counts its uses failed. */
export type CodeOutcome = 'accepted' | 'wrong' | 'locked' | 'busy' | 'not-yet' | 'expired' | 'used-up' | 'uncounted'

export type Report = (event: GatewayEvent) => void
