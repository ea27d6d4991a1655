/** A request to the portal and our answer to it, free of any web framework. A flow exports `routes: Route[]`. */

import type { GatewayError } from '../errors.ts'
import type { Navigation } from './navigation.ts'
import type { Language } from './text.ts'

export interface PortalRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly path: string
  /** `:name` parts of the route. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Null unless the route takes a body and a form came. */
  readonly form: URLSearchParams | null
  /** The raw Cookie header; null: none came. */
  readonly cookies: string | null
  readonly navigation: Navigation
  readonly language: Language
  /** The client's address. */
  readonly address: string
  /** Browser family, as the User-Agent tells it, for "my sessions". */
  readonly userAgent: string
  /** Quoted on pages, found in the log. */
  readonly reference: string
  /** When it came. */
  readonly at: Date
  readonly page: PageState
  /** What the log is told about the page of failure that this request ends with. */
  readonly note: (failure: GatewayError) => void
}

/** What our own pages remember of a browser between two of its requests. Never says who is signed in. */
export interface PageState {
  /** False: nothing is remembered of this browser yet, and what is noted now has to be stored anew. */
  readonly isKept: () => boolean
  /** The token that a form of ours must bring back; made at the first call. */
  readonly token: () => string
  readonly tokenMatches: (sent: string | null) => boolean
  /** Times of completed sign-ins, ms since the epoch, for the loop breaker. */
  readonly signIns: () => readonly number[]
  readonly setSignIns: (times: readonly number[]) => void
}

export type Answer =
  | {
      readonly kind: 'page'
      readonly status: number
      readonly html: string
      readonly policy: PagePolicy
      readonly cookies: readonly string[]
      readonly headers?: Readonly<Record<string, string>>
      /** Origins that the page has in frames; none unless said. */
      readonly frames?: readonly string[]
    }
  | { readonly kind: 'redirect'; readonly to: string; readonly cookies: readonly string[] }
  | { readonly kind: 'empty'; readonly status: number }
  /** For programs. */
  | {
      readonly kind: 'json'
      readonly status: number
      readonly body: Readonly<Record<string, unknown>>
      readonly headers?: Readonly<Record<string, string>>
    }
  /** A page with nothing on it, status 200, that only these origins may frame. */
  | { readonly kind: 'framed'; readonly by: readonly string[] }

/**
 * own: forms post to us only. leads-away: a form's POST ends at an idp or on a site, and Chromium applies form-action
 * to every redirect that follows, so there is none.
 */
export type PagePolicy = 'own' | 'leads-away'

/** One row of the table. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Express syntax: `/callback/:idp{/:state}` */
  readonly path: string
  /** form: at most `bodyLimit` bytes of application/x-www-form-urlencoded. */
  readonly body: 'none' | 'form'
  readonly bodyLimit?: number
  /**
   * A form of ours: the token must come back, from our own origin (SESSIONS A6). own-origin: the origin alone is asked for,
   * and the answer looks at the token itself.
   */
  readonly csrf: boolean | 'own-origin'
  /**
   * Answers also while the store cannot give the page state: what the page remembers is empty then, and a form is known as
   * ours by its origin alone. For a sign-out, which must shut this process's door whatever the store does.
   */
  readonly withoutPageState?: boolean
  /** For programs, and for frames in others' pages: no page state is read, kept or named by a cookie. */
  readonly withoutCookies?: boolean
  readonly answer: (request: PortalRequest) => Promise<Answer>
}
