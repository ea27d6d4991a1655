/** The words of signing out. */
import type { IdpId, IdpSession } from './identity.ts'
import type { EndedSession, SessionId } from './session.ts'

/**
 * An idp says that sessions are over: one session of its own, or all of a subject. Never neither. Where it names both, only
 * what is of both ends.
 */
export interface LogoutNotice {
  readonly idp: IdpId
  readonly subject: string | null
  /** The kinds say where such a value may have stood when the person signed in. */
  readonly idpSession: { readonly kinds: readonly IdpSession['kind'][]; readonly value: string } | null
  /** Seconds since the epoch, by the idp's clock; of a subject, sign-ins issued at or before it end. */
  readonly issuedAt: number
  /** The message's own name, by which the same one is known again; `notAfter`, ms since the epoch. Null: it has none. */
  readonly message: { readonly id: string; readonly notAfter: number } | null
  /** False: nobody vouches for it and too many came, so it ends what is there, and no sign-in that is still under way. */
  readonly leavesMark?: boolean
}

/** How an idp told us. front-subject: by a name that anybody may know. */
export type LogoutChannel = 'back' | 'front' | 'front-subject' | 'callback'

export interface LogoutOutcome {
  /** Sessions. */
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

/** Ids of the resources that must hear of an end (SAML Core §3.7: participants): those that have, and those that have not. */
export interface Told {
  readonly told: readonly string[]
  /** It did not answer in time, or not well. Those whose turn has not come yet are told all the same. */
  readonly failed: readonly string[]
}

/** Sites that have just not answered, by the ids of their resources: shared by the ends of one piece of work. */
export interface Unanswered {
  readonly has: (resource: string) => boolean
  readonly add: (resource: string) => void
}

export interface TellOptions {
  /** The id of the resource where the person has just signed out by its own link: it knows. */
  readonly except?: string | null
  /** Sites in it are not told, and count as failed at once; one that does not answer is put there. */
  readonly unanswered?: Unanswered | null
}

/**
 * Tells the visited sites that keep sessions of their own. Never throws, answers within 3 seconds. Whoever ends many
 * sessions waits for each few, what waits for its turn is held in memory, and gives them all the same `unanswered`: else each
 * few would wait for the same dead site.
 */
export type TellParticipants = (ended: EndedSession, options?: TellOptions) => Promise<Told>

/** What a site's own logout link has closed. */
export interface ClosedFromSite {
  /** The portal's path that says so, once the other participants are told. */
  readonly path: Promise<string>
  /** This request ended it; others only hear that it is over. */
  readonly first: boolean
}

/**
 * Ends a session for a site's own logout link, once, however often it is pressed.
 *
 * @param resource the site's id: it need not be told
 * @returns null: it was over before, and nothing is left to say of it
 * @throws GatewayError `logout.not-stored` shut in this process, not yet in the store
 */
export type CloseFromSite = (id: SessionId, resource: string) => Promise<ClosedFromSite | null>
