/**
 * Ends of the last 20 minutes, remembered by the processes that decided or heard them. A failover of Redis may lose an end
 * that it had confirmed, since its replicas are told later, and then the record is there again: a process that knows of the
 * end never serves it, and the one that decided it says it again (SESSIONS A4, B 18).
 */
import type { EndReason } from '../model/session.ts'
import type { EndEntry, EndedLog, TombstoneStore } from '../model/store.ts'

/** Longer than any failover that anybody would call one, ms. */
const memoryMs = 20 * 60_000
/** Ends and marks at most; the oldest go. About 15 MB of them. */
const limit = 100_000
/** Lines on many sessions at most; an operator ends all of an idp a few times in a year. */
const wideLimit = 100

interface Known {
  /** Our clock, ms. */
  readonly at: number
  /** Null: another process decided it. */
  readonly own: EndReason | null
}

interface Mark {
  readonly value: string
  /** Our clock, ms. */
  readonly until: number
}

export class RecentEnds {
  readonly #ends = new Map<string, Known>()
  readonly #marks = new Map<string, Mark>()
  /** Lines on all sessions of an idp, or of everybody, that this process wrote. */
  readonly #wide: { readonly at: number; readonly entry: EndEntry }[] = []
  readonly #now: () => number

  /** @param now milliseconds since the epoch, never stepping back */
  constructor(now: () => number) {
    this.#now = now
  }

  has(hash: string): boolean {
    const known = this.#ends.get(hash)
    return known !== undefined && this.#now() - known.at < memoryMs
  }

  /** Comes back through the log to the process that decided it: then it stays its own. */
  heard(hash: string): void {
    if (!this.#ends.has(hash)) this.#put(hash, null)
  }

  decided(hash: string, reason: EndReason): void {
    this.#put(hash, reason)
  }

  /** Those that this process decided. */
  own(): readonly (readonly [hash: string, reason: EndReason])[] {
    this.#forgetOld()
    return [...this.#ends].flatMap(([hash, { own }]) => (own === null ? [] : [[hash, own] as const]))
  }

  /** The same tombstones, and every mark set through it is remembered as long as it lasts. */
  marking(tombstones: TombstoneStore): TombstoneStore {
    return {
      ...tombstones,
      mark: (key, value, lifeMs) => {
        this.#marks.delete(key)
        this.#marks.set(key, { value, until: this.#now() + lifeMs })
        if (this.#marks.size > limit) dropFirst(this.#marks)
        return tombstones.mark(key, value, lifeMs)
      },
    }
  }

  /** The same log, and every line on many sessions written through it is remembered. */
  telling(log: EndedLog): EndedLog {
    return {
      ...log,
      append: entry => {
        if (entry.kind === 'idp' || entry.kind === 'all') {
          this.#wide.push({ at: this.#now(), entry })
          if (this.#wide.length > wideLimit) this.#wide.shift()
        }
        return log.append(entry)
      },
    }
  }

  /** Writes every such line once more. */
  async tellAgain(log: EndedLog): Promise<void> {
    const now = this.#now()
    for (const { at, entry } of [...this.#wide]) if (now - at < memoryMs) await log.append(entry)
  }

  /** Sets every mark once more, for the rest of its life. */
  async markAgain(tombstones: TombstoneStore): Promise<void> {
    const now = this.#now()
    for (const [key, { value, until }] of [...this.#marks]) {
      if (until > now) await tombstones.mark(key, value, until - now)
      else this.#marks.delete(key)
    }
  }

  #put(hash: string, own: EndReason | null): void {
    this.#forgetOld()
    this.#ends.delete(hash)
    this.#ends.set(hash, { at: this.#now(), own })
    if (this.#ends.size > limit) dropFirst(this.#ends)
  }

  /** In the order in which they came, so the oldest are first. */
  #forgetOld(): void {
    const now = this.#now()
    for (const [hash, { at }] of this.#ends) {
      if (now - at < memoryMs) return
      this.#ends.delete(hash)
    }
  }
}

function dropFirst(map: Map<string, unknown>): void {
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
