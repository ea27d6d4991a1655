/** The words of signing out. */
import type { IdpId } from './identity.ts'

/** An idp says that sessions are over: one session of its own, or all of a subject. Never neither. */
export interface LogoutNotice {
  readonly idp: IdpId
  readonly subject: string | null
  readonly idpSession: string | null
  /** Seconds since the epoch; sign-ins issued at or before it end. */
  readonly issuedAt: number
}

export interface LogoutOutcome {
  readonly ended: number
  /** False where an end could not be stored: the idp must be told to try again. */
  readonly stored: boolean
}
