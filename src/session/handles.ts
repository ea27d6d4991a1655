/** A session as a page shows it: named by a handle that is good for one viewer only. */
import { timingSafeEqual } from 'node:crypto'
import type { SessionId } from '../model/session.ts'
import { hashOf } from './record.ts'
import type { Keys } from './seal.ts'

export type Handles = ReturnType<typeof createHandles>

/** A handle says nothing of the session, and whoever is signed in elsewhere cannot use it; what it may close is looked up. */
export function createHandles(keys: Keys) {
  return {
    handleOf,

    /** Which of these the handle names; null: none, whatever was sent. */
    named<Known extends { readonly hash: string }>(
      handle: string,
      viewer: SessionId,
      among: readonly Known[],
    ): Known | null {
      const sent = Buffer.from(handle)
      for (const known of among) {
        const expected = Buffer.from(handleOf(viewer, known.hash))
        if (sent.length === expected.length && timingSafeEqual(sent, expected)) return known
      }
      return null
    },
  }

  /** @returns base64url, 43 characters */
  function handleOf(viewer: SessionId, hash: string): string {
    const mac = keys.hmac('handle', keys.first, `${hashOf(viewer)}\0${hash}`)
    return mac === null ? '' : mac.toString('base64url')
  }
}
