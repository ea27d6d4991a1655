/** What both planes of one assembly stand on, what outlives it among it; each plane takes what it needs. */
import type { Understanding } from '../claims/map.ts'
import type { Settings } from '../config/schema.ts'
import type { ClosedSessions } from '../logout/closed.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { LocateUrl } from '../model/place.ts'
import type { PublicAddress, Resource } from '../model/resource.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Pages } from '../pages/pages.ts'
import type { createLocate } from '../resource/locate.ts'
import type { createFailurePage } from '../server/failure-page.ts'
import type { AssertionKeys } from '../session/assertion-keys.ts'
import type { Handoff } from '../session/handoff.ts'
import type { LeaveTokens } from '../session/leave-token.ts'
import type { SingleUse } from '../session/single-use.ts'
import type { Lasting } from './lasting.ts'
import type { Permits } from './permits.ts'

export interface Core
  extends Pick<
    Lasting,
    | 'store'
    | 'keys'
    | 'sessions'
    | 'outbound'
    | 'writeSoon'
    | 'open'
    | 'limits'
    | 'report'
    | 'now'
    | 'wall'
    | 'monotonic'
    | 'random'
  > {
  readonly settings: Settings
  readonly portal: PublicAddress
  readonly resources: readonly Resource[]
  readonly locate: ReturnType<typeof createLocate>
  readonly locateUrl: LocateUrl
  readonly providers: ReadonlyMap<string, IdentityProvider>
  readonly understanding: Understanding
  /** Whoever ends a session calls it with what it got: exactly one caller does. */
  readonly tellParticipants: TellParticipants
  readonly assertionKeys: AssertionKeys
  readonly singleUse: SingleUse
  readonly closedSessions: ClosedSessions
  readonly handoff: Handoff
  readonly leaveTokens: LeaveTokens
  readonly pages: Pages
  readonly failurePage: ReturnType<typeof createFailurePage>
  readonly metrics: Metrics
  /** By the configuration of the moment, whichever assembly asks. */
  readonly permits: Permits
}
