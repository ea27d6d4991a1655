/** Our record that a browser holds an identity. Specification: docs/sessions.md. */
import type { Identity, Strength } from './identity.ts'

/** 256 random bits, base64url, 43 characters. */
export type SessionId = string

/** Whose computer this is, as the person said at sign-in. On a shared one the short idle limit holds. */
export type Device = 'own' | 'shared'

/** Where a cookie is valid: `portal`, `host:<lower-case name>` or `zone:<zone name>`. Part of the cookie's MAC. */
export type Scope = 'portal' | `host:${string}` | `zone:${string}`

/** The slim part of a session: what decisions and headers need, and all that the process keeps in its cache. */
export interface Session {
  readonly id: SessionId
  readonly identity: Identity
  /** What the cookie of this request has reached; a stolen older cookie keeps its own (SESSIONS A5). */
  readonly generation: number
  readonly strength: Strength
  readonly device: Device
  /** Milliseconds since the epoch, by the store's clock. */
  readonly createdAt: number
  /** Milliseconds since the epoch, by the store's clock. Never later than the idp said. */
  readonly absoluteEnd: number
  /** Ids of the resources that the person has left by their own logout link: for these there is no session. */
  readonly left: readonly string[]
}

/** What the idp gave for its own later use (id token, NameID): opaque, never leaves the encrypted record. */
export type IdpMemory = Readonly<Record<string, string>>

/** A session that is over, once and for all. Only the caller that ended it holds this. */
export interface EndedSession {
  /** SHA-256 of the id: what the store's keys carry. */
  readonly hash: string
  readonly identity: Identity
  readonly keep: IdpMemory
  readonly device: Device
  /** Ids of the resources that were visited. */
  readonly visited: readonly string[]
}

export type EndReason = 'user' | 'idp' | 'recheck' | 'replaced' | 'lost-race' | 'overtaken' | 'administrator' | 'limit'
