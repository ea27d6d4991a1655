/**
 * Which idp the person of a computer of their own chose last: the cookie `idp.mac` (docs/sessions.md C1, B 20). It says
 * nothing of who they are, and opens nothing; signed, so that nobody who can plant a cookie chooses where they sign in.
 */
import { timingSafeEqual } from 'node:crypto'
import { cookieName, cookieValue, cookieValues, expireCookie, setCookie } from '../model/cookie.ts'
import type { IdpId } from '../model/identity.ts'
import type { Keys } from './seal.ts'

/** 180 days, in seconds. */
const lifeS = 180 * 24 * 60 * 60

const shape = /^([a-z0-9-]{1,64})\.([\w-]{43})$/

export type RememberedIdp = ReturnType<typeof createRememberedIdp>

export function createRememberedIdp(keys: Keys) {
  return {
    /** Null: none, altered, or signed with a secret that is gone. Whether the idp still exists is the caller's to look up. */
    read(cookies: string | null): IdpId | null {
      for (const value of cookieValues(cookies, cookieName.idp)) {
        const [, idp = '', mac = ''] = shape.exec(value) ?? []
        const sent = Buffer.from(mac, 'base64url')
        const matches = (expected: Buffer) => sent.length === expected.length && timingSafeEqual(sent, expected)
        if (idp !== '' && keys.macs('chooser', idp).some(matches)) return idp
      }
      return null
    },

    /** @returns the Set-Cookie line */
    remember(idp: IdpId): string {
      const [mac] = keys.macs('chooser', idp)
      return setCookie(cookieName.idp, `${idp}.${mac?.toString('base64url')}`, lifeS)
    },

    /** @returns Set-Cookie lines; none where the browser remembers nothing */
    forget: (cookies: string | null): readonly string[] =>
      cookieValue(cookies, cookieName.idp) === null ? [] : [expireCookie(cookieName.idp)],
  }
}
