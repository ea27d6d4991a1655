/** What a tombstone says: an idp ended something, and a sign-in that was under way meanwhile must know (SESSIONS A4). */
import type { LogoutNotice } from '../model/logout.ts'
import { type DirectoryKind, endsOnlyEarlier } from './directory.ts'

interface Tombstone {
  /** Milliseconds since the epoch, by our clock. */
  readonly at: number
  /** Seconds since the epoch, by the idp's. */
  readonly issuedAt: number
  /** Null: whosever it is. */
  readonly subject: string | null
}

export function writeTombstone({ issuedAt, subject }: LogoutNotice, now: number): string {
  const tombstone: Tombstone = { at: now, issuedAt, subject }
  return JSON.stringify(tombstone)
}

/**
 * @param mark     as it stands in the store; null: there is none
 * @param kind     of the directory entry that it belongs to
 * @param issuedAt of the sign-in, seconds since the epoch by the idp's clock
 */
export function isStruck(mark: string | null, kind: DirectoryKind, subject: string, issuedAt: number): boolean {
  if (mark === null) return false
  const tombstone = JSON.parse(mark) as Tombstone
  if (tombstone.subject !== null && tombstone.subject !== subject) return false
  return !endsOnlyEarlier(kind) || issuedAt <= tombstone.issuedAt
}
