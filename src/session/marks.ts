/**
 * Ends of many sessions at once: a mark on a person, on an idp, or on everybody. A session that began at or before it is
 * over, even while its record still stands in the store (SESSIONS A4, C2). Marks on an idp and on everybody are known in
 * each process, so that they hold before anybody has walked the records; a person's sessions are few and ended one by one,
 * and their mark is read where a sign-in under way first counts.
 */
import type { Identity, IdpId } from '../model/identity.ts'
import type { TombstoneStore } from '../model/store.ts'
import { directoryKey, directoryKeys, type Person, tombstoneOf } from './directory.ts'
import type { Keys } from './seal.ts'

export interface MarksParts {
  readonly tombstones: TombstoneStore
  readonly keys: Keys
  /** How long a mark must stand: the longest that a session may last, ms. Read at each mark. */
  readonly lifeMs: number
  /** Whether every mark that was set has been heard of by now. */
  readonly fresh: () => boolean
}

/** Null: everybody. */
export type Wide = IdpId | null

/** Marks that were heard of, at most; an operator sets a few in a year. */
const heardLimit = 1_000
const none = Number.NEGATIVE_INFINITY

export type Marks = ReturnType<typeof createMarks>

export function createMarks(parts: MarksParts) {
  const { tombstones, keys, fresh } = parts
  /** What the store said, by idp; milliseconds since the epoch by the store's clock; `none` where there is none. */
  const learned = new Map<Wide, number>()
  /** What the log said, by the mark's name. */
  const heard = new Map<string, number>()
  const names = new Map<Wide, readonly string[]>()
  let epoch = 0

  return {
    /** @returns what the log of ends carries, for `hear` of every process */
    async setWide(wide: Wide, at: number): Promise<string> {
      const name = tombstoneOf(directoryKey(keys, wide === null ? 'all' : 'idp', wide ?? '', ''))
      await tombstones.mark(name, String(at), parts.lifeMs)
      return `${at}.${name}`
    },

    async setPerson({ idp, subject }: Person, at: number): Promise<void> {
      await tombstones.mark(tombstoneOf(directoryKey(keys, 'person', idp, subject)), String(at), parts.lifeMs)
    },

    /** From the log; an entry that is no mark of ours is left alone. */
    hear(told: string): void {
      const [, at, name] = /^(\d+)\.(.+)$/.exec(told) ?? []
      if (at === undefined || name === undefined) return
      if (heard.size >= heardLimit) heard.delete(heard.keys().next().value ?? '')
      heard.set(name, Math.max(Number(at), heard.get(name) ?? none))
    },

    /** Entries of the log may have been missed, or the secrets have changed: what the store says is asked anew. */
    forget(): void {
      epoch++
      learned.clear()
      names.clear()
    },

    /** By what is known here; for what is remembered here. */
    covers: ({ idp }: Identity, createdAt: number): boolean => createdAt <= known(idp),

    /**
     * For a record that was just read: asks the store where the log alone does not tell.
     * @throws GatewayError `session.store-down`
     */
    over({ idp }: Identity, createdAt: number): boolean | Promise<boolean> {
      if (fresh() && learned.has(idp) && learned.has(null)) return createdAt <= known(idp)
      return learn(idp).then(at => createdAt <= at)
    },

    /** By the store: for a session that is about to count. @throws GatewayError `session.store-down` */
    async overtook({ idp, subject }: Identity, createdAt: number): Promise<boolean> {
      const person = directoryKeys(keys, 'person', idp, subject).map(tombstoneOf)
      return createdAt <= latest(await tombstones.marks([...person, ...namesOf(idp), ...namesOf(null)]))
    },
  }

  async function learn(idp: IdpId): Promise<number> {
    const begun = epoch
    const [ofIdp, ofAll] = await Promise.all([idp, null].map(async one => latest(await tombstones.marks(namesOf(one)))))
    if (begun === epoch) {
      learned.set(idp, ofIdp ?? none)
      learned.set(null, ofAll ?? none)
    }
    return Math.max(ofIdp ?? none, ofAll ?? none, known(idp))
  }

  function known(idp: IdpId): number {
    return Math.max(knownOf(idp), knownOf(null))
  }

  function knownOf(wide: Wide): number {
    const told = heard.size === 0 ? none : Math.max(none, ...namesOf(wide).map(name => heard.get(name) ?? none))
    return Math.max(told, learned.get(wide) ?? none)
  }

  /** One for each secret, the first one's first. */
  function namesOf(wide: Wide): readonly string[] {
    let found = names.get(wide)
    if (found === undefined) {
      found = directoryKeys(keys, wide === null ? 'all' : 'idp', wide ?? '', '').map(tombstoneOf)
      names.set(wide, found)
    }
    return found
  }
}

function latest(marks: readonly (string | null)[]): number {
  return Math.max(none, ...marks.map(mark => (mark === null ? none : Number(mark))))
}
