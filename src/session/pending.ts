/**
 * Sign-ins under way: one cookie and one record each, so that twenty tabs do not share anything (SESSIONS A2). The state
 * is 256 random bits; its hash names both the cookie and the key.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  cookieValue,
  eachCookie,
  expireCookie,
  expireOldest,
  setCookie,
  transactionLife,
  transactionLimit,
  transactionPrefix,
} from '../model/cookie.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdpPending } from '../model/idp.ts'
import type { SessionId } from '../model/session.ts'
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

    /**
     * Which session the sign-ins under way in this browser have come to. Twenty tabs restored at once bring their
     * callbacks before any of them has a session cookie; each brings the transaction cookies of all, which nobody else
     * has, and by these they find one session (SESSIONS A2).
     */
    async common(cookies: string | null): Promise<readonly SessionId[]> {
      const found = await Promise.all(transactionsOf(cookies).map(key => singleUse.peek<SessionId>('b', key)))
      return [...new Set(found.filter(id => id !== null))]
    },

    /** @returns a session that another tab has named meanwhile; null: ours is the one */
    async name(cookies: string | null, id: SessionId): Promise<SessionId | null> {
      // In one order for all tabs: of two that come at once, the first key that they share decides.
      for (const key of transactionsOf(cookies)) {
        if (await singleUse.claim('b', id, key)) continue
        const other = await singleUse.peek<SessionId>('b', key)
        if (other !== null && other !== id) return other
      }
      return null
    },
  }
}

function nameOf(state: string): string {
  return transactionPrefix.pending + hash(state).slice(0, 8)
}

function anyPendingCookie(cookies: string | null): boolean {
  return transactionsOf(cookies).length > 0
}

/** Hashes of the values, not the names: only the browser itself has those. */
function transactionsOf(cookies: string | null): readonly string[] {
  if (cookies === null) return []
  const pending = Array.from(eachCookie(cookies)).filter(({ name }) => name.startsWith(transactionPrefix.pending))
  return pending
    .map(({ value }) => hash(value))
    .sort()
    .slice(0, transactionLimit)
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}
