/**
 * What a tombstone says: an idp ended something, and a sign-in that was under way meanwhile must know (SESSIONS A4). It is not
 * sealed, so it names nobody: whoever reads the store learns counts and times (A5).
 */
import type { Identity } from '../model/identity.ts'
import type { LogoutNotice } from '../model/logout.ts'
import { type DirectoryKind, endsOnlyEarlier } from './directory.ts'
import type { Keys } from './seal.ts'

interface Tombstone {
  /** Milliseconds since the epoch, by our clock. */
  readonly at: number
  /** Seconds since the epoch, by the idp's. */
  readonly issuedAt: number
  /** Under the first secret of who wrote it. Null: whosever it is. */
  readonly subject: string | null
}

export function writeTombstone(keys: Keys, { idp, issuedAt, subject }: LogoutNotice, now: number): string {
  const named = subject === null ? null : (namesOf(keys, idp, subject)[0] ?? null)
  const tombstone: Tombstone = { at: now, issuedAt, subject: named }
  return JSON.stringify(tombstone)
}

/**
 * @param mark     as it stands in the store; null: there is none
 * @param kind     of the directory entry that it belongs to
 * @param issuedAt of the sign-in, seconds since the epoch by the idp's clock
 */
export function isStruck(
  keys: Keys,
  mark: string | null,
  kind: DirectoryKind,
  { idp, subject }: Identity,
  issuedAt: number,
): boolean {
  if (mark === null) return false
  const tombstone = tombstoneIn(mark)
  // Nothing that we wrote: somebody meddles with the marks, and whoever signs in now signs in once more.
  if (tombstone === null) return true
  if (tombstone.subject !== null && !namesOf(keys, idp, subject).includes(tombstone.subject)) return false
  return !endsOnlyEarlier(kind) || issuedAt <= tombstone.issuedAt
}

function tombstoneIn(mark: string): Tombstone | null {
  try {
    return JSON.parse(mark) as Tombstone | null
  } catch {
    return null
  }
}

/** One for each secret, the first one's first: subjects can be guessed. */
function namesOf(keys: Keys, idp: string, subject: string): readonly string[] {
  return keys.directoryKeys(`struck\0${idp}\0${subject}`)
}
