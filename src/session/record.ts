/** The session record as it stands in the store, sealed: docs/sessions.md C2. */
import { createHash } from 'node:crypto'
import { type Chosen, type Identity, type Strength, withChosen } from '../model/identity.ts'
import type { Device, IdpMemory, Session, SessionId } from '../model/session.ts'
import type { Stored } from '../model/store.ts'
import type { Keys } from './seal.ts'

/** What is kept of the browser that signed in, and never more. */
export interface BrowserMemory {
  /** `Firefox`; `other` */
  readonly family: string
  /** `Linux`; absent: unknown, or from a version that did not ask. */
  readonly system?: string
  /** /24 of an IPv4 address, /48 of an IPv6 one. */
  readonly network: string
}

export interface SessionRecord {
  /** As the idp says it and the configuration understands it; what holds is `identityOf`. */
  readonly identity: Identity
  /** What the person chose among the candidates of such claims; absent: nothing yet. */
  readonly chosen?: Chosen
  /** strengths[g] is what a cookie of generation g has reached. */
  readonly strengths: readonly Strength[]
  readonly device: Device
  /** Milliseconds since the epoch, by the store's clock. */
  readonly createdAt: number
  readonly absoluteEnd: number
  /** Seconds since the epoch, by the idp's clock: when it vouched for this. */
  readonly issuedAt: number
  /** For "my sessions". */
  readonly browser: BrowserMemory
  /** The cookie has not come back yet: not counted, not announced, gone within a minute. */
  readonly provisional: boolean
  /** Ids of the sites that were left by their own logout link (left.ts), at most 500; absent: none ever was. */
  readonly left?: readonly string[]
  /** When the idp last said how things stand, at the sign-in or since; by the store's clock, ms. */
  readonly checkedAt: number
  /** No check before this: one has begun somewhere, or the idp did not answer. By the store's clock, ms. */
  readonly checkAfter: number | null
  /** What the idp gave for its own later use, sealed once more: only sign-in, sign-out and checks open it. */
  readonly keep: string
}

export interface RecordKeys {
  readonly hash: string
  readonly record: string
  readonly visits: string
}

/** The id itself is in no key: whoever reads the store learns no cookie. Both keys share a hash tag, so one slot. */
export function keysOf(hash: string): RecordKeys {
  return { hash, record: `pas:{${hash}}:s`, visits: `pas:{${hash}}:v` }
}

/** The hash that a record's key carries; null: no key of a record. */
export function hashOfKey(key: string): string | null {
  return /^pas:\{(.+)\}:s$/.exec(key)?.[1] ?? null
}

export function hashOf(id: SessionId): string {
  return createHash('sha256').update(id).digest('base64url')
}

export function sealRecord(keys: Keys, at: RecordKeys, version: number, record: SessionRecord): Buffer {
  return keys.seal(at.record, version, Buffer.from(JSON.stringify(record)))
}

/**
 * Null where it does not open (tampered, another record's bytes, a key that is gone, a format that is not known), and where
 * what it holds is no record as this version knows it.
 */
export function openRecord(
  keys: Keys,
  at: RecordKeys,
  sealed: Buffer,
): { version: number; record: SessionRecord } | null {
  const opened = keys.open(at.record, sealed)
  if (opened === null) return null
  const record = recordIn(opened.plain.toString())
  return record === null ? null : { version: opened.version, record }
}

function recordIn(text: string): SessionRecord | null {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

/** What others rest on without looking. Fields that a version adds later may be absent. */
function isRecord(value: unknown): value is SessionRecord {
  if (!isMapping(value)) return false
  const { identity, strengths, device, createdAt, absoluteEnd, provisional, keep } = value
  return (
    isMapping(identity) &&
    typeof identity.idp === 'string' &&
    typeof identity.subject === 'string' &&
    typeof identity.authenticatedAt === 'number' &&
    isMapping(identity.claims) &&
    Object.values(identity.claims).every(Array.isArray) &&
    Array.isArray(strengths) &&
    strengths.length > 0 &&
    strengths.every(isMapping) &&
    (device === 'own' || device === 'shared') &&
    typeof createdAt === 'number' &&
    typeof absoluteEnd === 'number' &&
    typeof provisional === 'boolean' &&
    typeof keep === 'string'
  )
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function sealKeep(keys: Keys, at: RecordKeys, keep: IdpMemory): string {
  return keys.seal(`${at.record}#keep`, 0, Buffer.from(JSON.stringify(keep))).toString('base64')
}

export function openKeep(keys: Keys, at: RecordKeys, keep: string): IdpMemory {
  const opened = keys.open(`${at.record}#keep`, Buffer.from(keep, 'base64'))
  return opened === null ? {} : (JSON.parse(opened.plain.toString()) as IdpMemory)
}

/** The expiry tells when the record was last touched; null where the absolute end has cut it short. */
export function lastTouch(stored: Stored, absoluteEnd: number, idleMs: number): number | null {
  return stored.expiresAt >= absoluteEnd ? null : stored.expiresAt - idleMs
}

/** With what the person chose. A value that they do not have any more is as none: the first one holds then. */
export function identityOf({ identity, chosen }: SessionRecord): Identity {
  return chosen === undefined ? identity : withChosen(identity, chosen)
}

const nothingLeft: readonly string[] = []

/** The slim part, for a cookie of this generation. */
export function sessionOf(id: SessionId, generation: number, record: SessionRecord): Session {
  return {
    id,
    identity: identityOf(record),
    generation,
    strength: record.strengths[generation] ?? { acr: null, amr: [] },
    device: record.device,
    createdAt: record.createdAt,
    absoluteEnd: record.absoluteEnd,
    left: record.left ?? nothingLeft,
  }
}
