/**
 * The value of a session cookie: `v1.<kid>.<id>.<g>.<mac>`, bound by HMAC to the scope in which it is valid (SESSIONS
 * A5). The MAC is checked before the store is asked: an unauthentic value costs no look-up, and the cookie of one host
 * is worth nothing on another.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Scope, SessionId } from '../model/session.ts'
import type { Keys } from './seal.ts'

export interface CookieClaim {
  readonly id: SessionId
  /** The generation of strength that this cookie has reached. */
  readonly generation: number
}

const shape = /^v1\.([\w-]{1,16})\.([\w-]{43})\.(\d{1,6})\.([\w-]{43})$/

export function cookieFor(keys: Keys, scope: Scope, id: SessionId, generation: number): string {
  const kid = keys.first
  return `v1.${kid}.${id}.${generation}.${keys.hmac('cookie', kid, signed(scope, id, generation))?.toString('base64url')}`
}

/** Null: not one of ours, altered, for another scope, or signed with a secret that is gone. */
export function readCookie(keys: Keys, scope: Scope, value: string): CookieClaim | null {
  const parts = shape.exec(value)
  if (parts === null) return null
  const [, kid, id, generation, mac] = parts as unknown as [string, string, string, string, string]
  const expected = keys.hmac('cookie', kid, signed(scope, id, Number(generation)))
  const sent = Buffer.from(mac, 'base64url')
  if (expected === null || sent.length !== expected.length || !timingSafeEqual(sent, expected)) return null
  return { id, generation: Number(generation) }
}

function signed(scope: Scope, id: SessionId, generation: number): string {
  return `v1\0${scope}\0${id}\0${generation}`
}
