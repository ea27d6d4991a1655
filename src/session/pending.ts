/**
 * Sign-ins under way: one cookie and one record each, so that twenty tabs do not share anything (SESSIONS A2). The state
 * is 256 random bits; its hash names both the cookie and the key.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  cookiesNamed,
  cookieValue,
  expireCookie,
  expireOldest,
  setCookie,
  transactionLife,
  transactionPrefix,
} from '../model/cookie.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdpPending } from '../model/idp.ts'
import type { Device } from '../model/session.ts'
import { newSecret, type SingleUse } from './single-use.ts'

/** Where a sign-in leads, carried through all of it. */
export interface Destination {
  /** A located, rebuilt URL; null: the portal's front page. */
  readonly to: string | null
  /** The nonce's hash of the hand-off that asked; null: none did. */
  readonly n: string | null
  readonly attempt: number
}

export interface PendingLogin extends Destination {
  readonly idp: IdpId
  readonly idpPending: IdpPending
  /** What the person said of the computer; null: nobody asked. */
  readonly device: Device | null
  /** The idp was told to ask nobody anything. */
  readonly passive: boolean
  /** SHA-256 of the cookie, base64url. */
  readonly cookieHash: string
  /** Milliseconds since the epoch. */
  readonly begunAt: number
}

export type PendingLogins = ReturnType<typeof createPendingLogins>

export function createPendingLogins(singleUse: SingleUse, now: () => number) {
  return {
    newState: () => newSecret(),

    /** @returns the Set-Cookie lines of this transaction */
    async begin(
      state: string,
      cookies: string | null,
      login: Omit<PendingLogin, 'cookieHash' | 'begunAt'>,
    ): Promise<readonly string[]> {
      const value = newSecret(16)
      await singleUse.put('p', { ...login, cookieHash: hash(value), begunAt: now() } satisfies PendingLogin, state)
      const name = nameOf(state)
      return [...expireOldest(cookies, transactionPrefix.pending), setCookie(name, value, transactionLife)]
    },

    peek: (state: string) => singleUse.peek<PendingLogin>('p', state),
    take: (state: string) => singleUse.take<PendingLogin>('p', state),

    /** none: the browser sent no cookie of any sign-in; foreign: not the one of this sign-in. */
    cookieOf(state: string, login: PendingLogin, cookies: string | null): 'matches' | 'foreign' | 'none' {
      const sent = cookieValue(cookies, nameOf(state))
      if (sent !== null && timingSafeEqual(Buffer.from(hash(sent)), Buffer.from(login.cookieHash))) return 'matches'
      return anyPendingCookie(cookies) ? 'foreign' : 'none'
    },

    finished: (state: string) => expireCookie(nameOf(state)),

    /** The session that came of it, in a cookie of its own until /enter takes it over: as long as it is provisional. */
    arriving: (state: string, value: string) => setCookie(transactionPrefix.session + tagOf(state), value, 60),
  }
}

function nameOf(state: string): string {
  return transactionPrefix.pending + tagOf(state)
}

function tagOf(state: string): string {
  return hash(state).slice(0, 8)
}

function anyPendingCookie(cookies: string | null): boolean {
  return cookiesNamed(cookies, transactionPrefix.pending).length > 0
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}
