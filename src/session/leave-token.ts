/**
 * What the last page of a sign-out gives each of its frames: the proof, for one host and two minutes, that these sessions really
 * are over, or have left this site (SESSIONS A8, 4a). The host's answer asks no store, so it works while that is away.
 */
import type { Keys } from './seal.ts'

/** What a frame may do. */
export interface Leaving {
  /** Hashes: a browser that holds another session of this host by now loses nothing. */
  readonly sessions: readonly string[]
  /** Other sites of this host were not left, and need the cookie. */
  readonly keepsCookie: boolean
}

export type LeaveTokens = ReturnType<typeof createLeaveTokens>

/** Milliseconds: the page asks for its frames at once, and has new ones each time that it is asked for. */
const lifeMs = 2 * 60_000

/** @param now milliseconds since the epoch */
export function createLeaveTokens(keys: Keys, now: () => number) {
  return {
    /** @returns base64url, nothing in it to be read: the host's own service worker sees it */
    tokenFor(hostname: string, leaving: Leaving): string {
      const plain = Buffer.from(JSON.stringify({ ...leaving, until: now() + lifeMs }))
      return keys.seal(placeOf(hostname), 0, plain).toString('base64url')
    },

    /** Null: not ours, of another host, or too old. */
    read(hostname: string, token: string): Leaving | null {
      const opened = keys.open(placeOf(hostname), Buffer.from(token, 'base64url'))
      if (opened === null) return null
      const { until, ...leaving } = JSON.parse(opened.plain.toString()) as Leaving & { readonly until: number }
      return now() < until ? leaving : null
    },
  }
}

/** No key of the store: what is sealed for a frame is no record, and no record is a token. */
function placeOf(hostname: string): string {
  return `leave:${hostname}`
}
