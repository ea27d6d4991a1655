/**
 * What somebody chose on a computer of their own, for their next sign-in there: a cookie of MACs, one for each claim, over the
 * person, the claim and the value (docs/sessions.md C1, B 33). It says neither who they are nor what they chose, and whoever
 * signs in is compared with it: to another person, and for a value that they do not have, it is nothing.
 */
import { timingSafeEqual } from 'node:crypto'
import { cookieName, cookieValue, cookieValues, expireCookie, setCookie } from '../model/cookie.ts'
import type { Chosen, Identity } from '../model/identity.ts'
import type { Keys } from './seal.ts'

/** 180 days, in seconds: as long as the idp is remembered. */
const lifeS = 180 * 24 * 60 * 60

/** As many claims as anybody would have people choose. */
const mostClaims = 8
const shape = /^[\w-]{43}(?:\.[\w-]{43}){0,7}$/

export type RememberedChoice = ReturnType<typeof createRememberedChoice>

export function createRememberedChoice(keys: Keys) {
  return {
    /** Null: nothing of this person's, or of what they have to choose from. */
    read(cookies: string | null, person: Identity): Chosen | null {
      const sent = cookieValues(cookies, cookieName.choice)
        .filter(value => shape.test(value))
        .flatMap(value => value.split('.').map(mac => Buffer.from(mac, 'base64url')))
      if (sent.length === 0) return null
      const isSent = (expected: Buffer) =>
        sent.some(mac => mac.length === expected.length && timingSafeEqual(mac, expected))
      const found = Object.entries(person.candidates ?? {}).flatMap(([claim, among]) => {
        const value = among.find(one => keys.macs('choice', choiceOf(person, claim, one)).some(isSent))
        return value === undefined ? [] : [[claim, value] as const]
      })
      return found.length === 0 ? null : Object.fromEntries(found)
    },

    /** @returns the Set-Cookie line */
    remember(person: Identity, chosen: Chosen): string {
      const macs = Object.entries(chosen)
        .slice(-mostClaims)
        .map(([claim, value]) => keys.hmac('choice', keys.first, choiceOf(person, claim, value))?.toString('base64url'))
      return setCookie(cookieName.choice, macs.join('.'), lifeS)
    },

    /** @returns Set-Cookie lines; none where the browser remembers nothing */
    forget: (cookies: string | null): readonly string[] =>
      cookieValue(cookies, cookieName.choice) === null ? [] : [expireCookie(cookieName.choice)],
  }
}

/** As JSON: no two different choices are one text. */
function choiceOf({ idp, subject }: Identity, claim: string, value: string): string {
  return JSON.stringify([idp, subject, claim, value])
}
