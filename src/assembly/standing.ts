/** What those who outlive an assembly ask of the one that stands at the moment. */
import type { Settings } from '../config/schema.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { RecheckSettings } from '../session/recheck.ts'
import type { Permits } from './permits.ts'

export interface Standing {
  readonly settings: Settings
  readonly providers: ReadonlyMap<string, IdentityProvider>
  readonly tellParticipants: TellParticipants
  readonly askAgain: RecheckSettings['ask']
  readonly permits: Permits
}
