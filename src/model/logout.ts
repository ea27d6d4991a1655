/** The words of signing out. */
import type { IdpId } from './identity.ts'
import type { EndedSession } from './session.ts'

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

/** What a site's own logout link means, and how the site hears of an end elsewhere. */
export interface LogoutPolicy {
  /** Path prefixes of the site, public, as rules read them: a request to one of them is the site's own logout. */
  readonly intercept: readonly string[]
  /** global: the whole session; local: only this site; ask: a page of ours asks. */
  readonly means: 'global' | 'local' | 'ask'
  /** Called on the origin when the session ends elsewhere; null: never. */
  readonly notify: { readonly path: string; readonly method: 'GET' | 'POST' } | null
}

/** Anyone who must hear that a session ended (SAML Core §3.7). Never throws; has its own deadline. */
export interface Participant {
  /** The resource's id. */
  readonly resource: string
  readonly tell: (ended: EndedSession) => Promise<'told' | 'failed'>
}
