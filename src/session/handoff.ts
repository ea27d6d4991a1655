/**
 * How a session comes from the portal to another host: by a ticket that is used once, within 30 seconds, and only in
 * the browser that began, which holds the nonce cookie of this very transaction (SESSIONS A1, A2, S2, S5).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  cookieValue,
  expireCookie,
  expireOldest,
  setCookie,
  transactionLife,
  transactionPrefix,
} from '../model/cookie.ts'
import type { Scope, Session, SessionId } from '../model/session.ts'
import { newSecret, type SingleUse } from './single-use.ts'

export interface Ticket {
  readonly id: SessionId
  readonly generation: number
  readonly scope: Scope
  /** Where the person wants to go: a located, rebuilt URL. */
  readonly to: string
  /** SHA-256 of the nonce, base64url. */
  readonly n: string
  readonly attempt: number
}

export interface BegunHandoff {
  /** What the portal is told: base64url, 43 characters. */
  readonly n: string
  readonly cookies: readonly string[]
}

const nonceShape = /^[\w-]{43}$/

export type Handoff = ReturnType<typeof createHandoff>

export function createHandoff(singleUse: SingleUse) {
  return {
    begin(cookies: string | null): BegunHandoff {
      const nonce = newSecret(16)
      const n = hashOfNonce(nonce)
      const name = transactionPrefix.nonce + n.slice(0, 8)
      return {
        n,
        cookies: [...expireOldest(cookies, transactionPrefix.nonce), setCookie(name, nonce, transactionLife)],
      }
    },

    mint(session: Session, scope: Scope, to: string, n: string, attempt: number): Promise<string> {
      const ticket: Ticket = { id: session.id, generation: session.generation, scope, to, n, attempt }
      return singleUse.put('t', ticket)
    },

    /** Consumed before anything is checked. Null: unknown, used, or too late. */
    take(ticket: string): Promise<Ticket | null> {
      return singleUse.take<Ticket>('t', ticket)
    },

    /** Is this the browser that began? */
    belongs(ticket: Ticket, cookies: string | null): boolean {
      const nonce = cookieValue(cookies, transactionPrefix.nonce + ticket.n.slice(0, 8))
      if (nonce === null) return false
      return timingSafeEqual(Buffer.from(hashOfNonce(nonce)), Buffer.from(ticket.n))
    },

    finished(ticket: Ticket): string {
      return expireCookie(transactionPrefix.nonce + ticket.n.slice(0, 8))
    },
  }
}

/** Null: not the shape of a nonce's hash; such a request begins anew. */
export function readNonceHash(n: string | null): string | null {
  return n !== null && nonceShape.test(n) ? n : null
}

function hashOfNonce(nonce: string): string {
  return createHash('sha256').update(`n\0${nonce}`).digest('base64url')
}
