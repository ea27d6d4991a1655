/** The one face of every sign-in protocol. Login and logout never ask which protocol it is. */
import type { GatewayError } from '../errors.ts'
import type { Answer } from './exchange.ts'
import type { Claims, Identity, IdpId } from './identity.ts'
import type { LogoutNotice, LogoutOutcome } from './logout.ts'
import type { IdpMemory } from './session.ts'
import type { Text } from './text.ts'

/**
 * Where the browser goes next. prompt: to our own page that asks the person, at the sign-in's callback. Protocols that post add
 * their kind here, and the compiler finds who must answer it.
 */
export type BrowserStep = { readonly kind: 'redirect'; readonly to: URL } | { readonly kind: 'prompt' }

/** What our own page asks for: a form that posts to the callback, same-origin, with the page state's token. */
export type Prompt = 'access-code'

/** again: the idp must ask the person, whatever it remembers. never: it must not, and says so where it would have to. */
export type Asking = 'as-needed' | 'again' | 'never'

export interface LoginAsk {
  readonly asking: Asking
  /** The person's e-mail address, for idps that spare them to type it again; null: unknown, or not this idp's to know. */
  readonly loginHint: string | null
  /** For idps that show or store it: 256 random bits, 43 characters, made by the caller. */
  readonly state: string
}

/** What the idp must remember between begin() and hear(): nonce, verifier, request id. Opaque to others. */
export type IdpPending = Readonly<Record<string, string>>

/** The message that came to the callback, whatever its transport. */
export interface IdpMessage {
  readonly method: 'GET' | 'POST'
  /** The callback's own address, built from `portal`, without query. */
  readonly callback: URL
  readonly parameters: URLSearchParams
  /** The client's, for limits. */
  readonly address: string
  /** The sign-in was begun with `asking: never`: that nobody is signed in there is an answer to it, and to no other. */
  readonly passive: boolean
}

/** Consumes the pending sign-in; throws where it is gone. Called by hear() once the message is worth it. */
export type TakePending = () => Promise<{
  readonly idpPending: IdpPending
  readonly state: string
  readonly begunAt: number
}>

export interface SignIn {
  readonly identity: Identity
  readonly keep: IdpMemory
  /** Seconds since the epoch, by the idp's clock: when it said so, which may be long after it asked the person. */
  readonly issuedAt: number
  /** Milliseconds since the epoch after which the idp no longer vouches for this; null: it did not say. */
  readonly notAfter: number | null
}

export type Heard =
  | { readonly kind: 'sign-in'; readonly signIn: SignIn }
  /** To a passive sign-in: nobody is signed in there, or they would have to be asked something first. */
  | { readonly kind: 'nobody' }
  | HeardLogout

/** A sign-out that came to the callback; the idp reads the answer, or the browser carries it there. */
export interface HeardLogout {
  readonly kind: 'logout'
  /** One for each session of its own that the idp names. */
  readonly notices: readonly LogoutNotice[]
  readonly answer: (outcome: LogoutOutcome) => Answer
}

/** What the idp says of a session that was signed in some time ago. */
export type Refreshed =
  /** It stands by it. `claims` as hear() gives them, null where it said nothing of them; `keep` replaces what was kept. */
  | {
      readonly kind: 'renewed'
      readonly claims: Claims | null
      readonly keep: IdpMemory
      readonly notAfter: number | null
    }
  /** It gave something new to keep, and then failed: the session goes on, with that. */
  | { readonly kind: 'interrupted'; readonly keep: IdpMemory; readonly error: GatewayError }
  /** There is nothing to ask it with. */
  | { readonly kind: 'unable'; readonly why: string }
  /** The idp no longer stands by it: it ends. */
  | { readonly kind: 'ended'; readonly why: string }

export interface IdentityProvider {
  readonly id: IdpId
  readonly label: Text
  /** What a page of ours asks the person for, where begin() says `prompt`; null: the idp asks, on pages of its own. */
  readonly prompt: Prompt | null
  /**
   * @throws GatewayError `idp.unreachable` discovery failed or timed out
   */
  readonly begin: (
    callback: URL,
    ask: LoginAsk,
  ) => Promise<{ readonly step: BrowserStep; readonly idpPending: IdpPending }>
  /**
   * @throws GatewayError `idp.rejected`     the idp said no, or its answer fails a check; `cause` says which
   * @throws GatewayError `idp.unreachable`  no answer from the token, userinfo or key endpoint
   * @throws GatewayError `idp.invalid-answer` the idp answered nonsense
   * @throws GatewayError `code.…`             what the person typed opens nothing
   * @throws GatewayError `login.busy`         too many try at once
   */
  readonly hear: (message: IdpMessage, takePending: TakePending) => Promise<Heard>
  /**
   * Whether a message at the callback is a sign-out by its form alone, such as a CAS `logoutRequest` or a SAML `LogoutRequest`:
   * hear() then gets it at once, although no sign-in is pending. Null: this protocol's sign-outs come elsewhere.
   */
  readonly saysLogout: ((message: IdpMessage) => boolean) | null
  /** Null: the protocol, or this server, cannot end its own session. */
  readonly end: (
    keep: IdpMemory,
    returnTo: URL,
    state: string,
  ) => Promise<(BrowserStep & { readonly kind: 'redirect' }) | null>
  /**
   * A sign-out that the idp tells us server to server (OpenID Connect Back-Channel Logout 1.0 §2.5); null: this idp cannot.
   * @throws GatewayError `logout.token-rejected` it proves nothing
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` it could not be checked: the idp must ask again
   */
  readonly backChannel: ((form: URLSearchParams) => Promise<LogoutNotice>) | null
  /**
   * A sign-out that the idp tells us through the browser (OpenID Connect Front-Channel Logout 1.0); null: it is turned off.
   * No notices where the request names nothing that it may end.
   */
  readonly frontChannel: {
    /** subject: what it names can be guessed, and anybody may send it. */
    readonly by: 'session' | 'subject'
    /** `https://sso.example.edu`: the only ones that may frame our answer. */
    readonly framedBy: () => Promise<readonly string[]>
    readonly hear: (query: URLSearchParams) => readonly LogoutNotice[]
  } | null
  /**
   * Asks the idp whether it still stands by a sign-in, without the person; null: it cannot. What it needs may be good for
   * one use: never twice at a time for one session, and never with what an earlier answer has replaced.
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` nothing is known: the session goes on
   * @throws GatewayError `idp.rejected` the answer fails a check, and is not believed: the session goes on
   */
  readonly refresh: ((identity: Identity, keep: IdpMemory) => Promise<Refreshed>) | null
  /** As the gateway has seen it. */
  readonly health: () => 'up' | 'down' | 'unknown'
  /** Looks again whether it is there, although nobody is sent to it. Resolves when that is known, which may take seconds; never rejects. */
  readonly doubt: () => Promise<void>
}
