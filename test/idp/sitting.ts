/** One sign-in protocol in its examination: an idp that does as it is told, and what reaches our callback from there. */
import type { GatewayEvent } from '../../src/model/event.ts'
import type { BrowserStep, IdentityProvider, IdpMessage, SignIn } from '../../src/model/idp.ts'
import type { LogoutNotice } from '../../src/model/logout.ts'
import type { WireAnswer } from '../stand-in/adversarial-op.ts'

/** What a protocol cannot have, and why: the examination says so by name, and sees that it is not there. */
export type Lacking = Readonly<Partial<Record<'server' | 'logsOut', string>>>

/** What a browser brings to the callback. */
export type Brought = Pick<IdpMessage, 'method' | 'parameters'>

export interface Examined {
  readonly provider: IdentityProvider
  /** Oldest first. */
  readonly events: readonly GatewayEvent[]
}

/** The idp, where it is a server of somebody else's. */
export interface IdpServer {
  /** Of every address to which people are led. */
  readonly origin: string
  readonly goDown: () => Promise<void>
  readonly comeUp: () => Promise<void>
  /** Instead of its answer when it is looked for (look), or asked about a reply (ask). */
  readonly answers: (which: 'look' | 'ask', how: WireAnswer) => void
  /** It says no to every reply, and repeats to us all that it was sent. */
  readonly refuses: () => void
  /** How often it was asked about a reply. */
  readonly asked: () => number
  /** How often it was looked for. */
  readonly looked: () => number
  /** How often it was asked for anything that is no endpoint of its protocol. */
  readonly strays: () => number
  /** From now on, of whomever it signs in. */
  readonly says: (claims: Readonly<Record<string, readonly string[]>>) => void
  /** Its clock is wrong by so many seconds. */
  readonly clockIsWrong: (seconds: number) => void
  /** It asked the person so many seconds ago by its clock, and has remembered them since. */
  readonly askedPersonBefore: (seconds: number) => void
}

/** How a sign-in goes in which the idp may ask nobody anything. */
export interface Silently {
  /** The parameter that tells it so. */
  readonly word: readonly [string, string]
  /** Each way in which it says that nobody is signed in there. */
  readonly nobody: readonly (readonly [string, (begun: Stated) => Brought])[]
  /** What is near to it and says something else. */
  readonly refused: readonly (readonly [string, (begun: Stated) => Brought])[]
}

export type Stated = { readonly state: string }

export interface Sitting {
  /** The gateway's clock and the idp's, milliseconds since the epoch. */
  readonly now: () => number
  readonly advance: (ms: number) => void
  /** The protocol as after a restart of the gateway; what it asks others is given up after `patienceMs` (10 s by default). */
  readonly examined: (patienceMs?: number) => Examined
  /** Null: the gateway itself asks, so there is no silence. */
  readonly silently: Silently | null
  /** The idp spares the person to type who they are. */
  readonly takesLoginHint: boolean
  /** Who is signed in when nothing else is said. */
  readonly subject: string
  /**
   * The browser at the idp, from where begin() led it.
   *
   * @param how.fromMemory the idp does not ask the person again, although it was told to
   */
  readonly reply: (step: BrowserStep, how?: { readonly subject?: string; readonly fromMemory?: boolean }) => Brought
  /** Replies, bent, that must neither use up a sign-in nor cause a request. */
  readonly worthless: readonly (readonly [string, (reply: URLSearchParams) => void])[]
  /** In a reply and in the configuration: never in a log. */
  readonly secrets: (reply: Brought) => readonly string[]
  /** Null: the gateway itself knows the person, as by an access code; then `Lacking` says so. */
  readonly server: IdpServer | null
  /** The idp ends its own session with this person; null: it tells nobody. */
  readonly logsOut: ((at: IdentityProvider, signIn: SignIn) => Promise<readonly LogoutNotice[]>) | null
  /** The same, in a message that proves nothing. */
  readonly forgesLogout: ((at: IdentityProvider) => Promise<unknown>) | null
  /** Everybody is honest again. */
  readonly reset: () => Promise<void>
  readonly stop: () => Promise<void>
}
