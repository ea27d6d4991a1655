/**
 * The sets in which a person's sessions stand, kept small however often somebody begins one (SESSIONS B 24). A record that runs
 * out leaves its members behind, and the sets last as long as their longest member: whoever begins sign-ins and finishes none
 * would fill them, and whoever reads them later would look for thousands of records that are gone.
 */
import { setImmediate } from 'node:timers/promises'
import type { DirectoryStore } from '../model/store.ts'
import { directoryKeys, type Person } from './directory.ts'
import { inParts } from './in-parts.ts'
import type { Look } from './known.ts'
import type { Keys } from './seal.ts'

export interface TidyParts {
  readonly directory: DirectoryStore
  readonly keys: Keys
  readonly look: Look
}

/** Of the sessions that begin here, every so many-th has its person's sets looked after. */
const every = 16
/** Members that are looked at then: far more than come in between, and no more however large a set became. */
const lookedAt = 200
/** A sign-in may be between its directory entry and its record: look once more. As in end-all.ts, ms. */
const secondLookMs = 2_000

export type Tidy = ReturnType<typeof createTidy>

export function createTidy({ directory, keys, look }: TidyParts) {
  const timers = new Set<NodeJS.Timeout>()
  /** People whose sets are being looked at: to read a set is dear where it is large. */
  const underWay = new Set<string>()
  let count = 0

  return {
    forget,

    /** A session of this person has begun. Never waits, never fails. */
    begun(person: Person): void {
      const name = `${person.idp}\0${person.subject}`
      if (count++ % every !== 0 || underWay.has(name)) return
      underWay.add(name)
      // The sign-in first.
      setImmediate()
        .then(() => tidy(person))
        .catch(() => {})
        .finally(() => underWay.delete(name))
    },

    close(): void {
      for (const timer of timers) clearTimeout(timer)
    },
  }

  async function tidy(person: Person): Promise<void> {
    const counted = new Set(await membersOf(person, 'person'))
    const others = (await membersOf(person, 'sub')).filter(hash => !counted.has(hash))
    // These had a record once.
    for (const hash of await gone(some([...counted]))) await forget(hash, person)
    const perhaps = await gone(some(others))
    if (perhaps.length === 0) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      forgetIfGone(perhaps, person).catch(() => {})
    }, secondLookMs)
    timer.unref()
    timers.add(timer)
  }

  async function forgetIfGone(hashes: readonly string[], person: Person): Promise<void> {
    for (const hash of await gone(hashes)) await forget(hash, person)
  }

  async function forget(hash: string, { idp, subject }: Person): Promise<void> {
    const names = (['person', 'sub'] as const).flatMap(kind => directoryKeys(keys, kind, idp, subject))
    await Promise.all(names.map(name => directory.remove(name, hash)))
  }

  async function gone(hashes: readonly string[]): Promise<readonly string[]> {
    const found: string[] = []
    for (const part of inParts(hashes)) {
      const known = await Promise.all(part.map(look))
      found.push(...part.filter((_, index) => known[index] === null))
    }
    return found
  }

  async function membersOf({ idp, subject }: Person, kind: 'person' | 'sub'): Promise<readonly string[]> {
    const names = directoryKeys(keys, kind, idp, subject)
    return [...new Set((await Promise.all(names.map(name => directory.members(name)))).flat())]
  }
}

/** All of a small set; of a large one, each time others. */
function some(hashes: readonly string[]): readonly string[] {
  const from = Math.floor(Math.random() * Math.max(1, hashes.length - lookedAt + 1))
  return hashes.slice(from, from + lookedAt)
}
