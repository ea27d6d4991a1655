/** What both planes stand on. gateway.ts makes it once; each plane takes what it needs. */
import type { Understanding } from '../claims/map.ts'
import type { Settings } from '../config/schema.ts'
import type { ClosedSessions } from '../logout/closed.ts'
import type { Report } from '../model/event.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { LocateUrl } from '../model/place.ts'
import type { PublicAddress, Resource } from '../model/resource.ts'
import type { Store } from '../model/store.ts'
import type { createMetrics } from '../observe/metrics.ts'
import type { createOutbound } from '../outbound/outbound.ts'
import type { Pages } from '../pages/pages.ts'
import type { createLocate } from '../resource/locate.ts'
import type { createFailurePage } from '../server/failure-page.ts'
import type { AssertionKeys } from '../session/assertion-keys.ts'
import type { Handoff } from '../session/handoff.ts'
import type { Keys } from '../session/seal.ts'
import type { Sessions } from '../session/sessions.ts'
import type { SingleUse } from '../session/single-use.ts'

export interface Core {
  readonly settings: Settings
  readonly portal: PublicAddress
  readonly resources: readonly Resource[]
  readonly locate: ReturnType<typeof createLocate>
  readonly locateUrl: LocateUrl
  readonly providers: ReadonlyMap<string, IdentityProvider>
  readonly understanding: Understanding
  readonly store: Store
  readonly keys: Keys
  readonly sessions: Sessions
  /** Whoever ends a session calls it with what it got: exactly one caller does. */
  readonly tellParticipants: TellParticipants
  readonly assertionKeys: AssertionKeys
  readonly singleUse: SingleUse
  readonly closedSessions: ClosedSessions
  readonly handoff: Handoff
  readonly outbound: ReturnType<typeof createOutbound>
  readonly pages: Pages
  readonly failurePage: ReturnType<typeof createFailurePage>
  readonly metrics: ReturnType<typeof createMetrics>
  readonly report: Report
  /** Milliseconds since the epoch, never stepping back while the process lives. */
  readonly now: () => number
  /** What the clock on the wall says, ms. */
  readonly wall: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
  /** An integer from 0 to below `max`. */
  readonly random: (max: number) => number
}
