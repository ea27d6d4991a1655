/**
 * The resumed sessions of this process: the slim part only, keyed by (scope, cookie value), so that a cookie of one host
 * is a miss on every other (SESSIONS A5). Bounded; an entry is used for at most 30 seconds without a read of the store.
 */
import type { Scope, Session } from '../model/session.ts'

/** The outer bound on how long an end elsewhere can go unnoticed here, in ms (SESSIONS A4). */
export const entryLifeMs = 30_000

export interface CacheEntry {
  readonly session: Session
  readonly hash: string
  readonly provisional: boolean
  /** Our clock, ms, when the store was asked. */
  readonly readAt: number
  /** What to add to our clock to have the store's, ms. */
  readonly skew: number
  /** The store's clock, ms. Moves with each touch. */
  idleEnd: number
  /** The store's clock, ms. */
  touchedAt: number
  /** When the idp is to be asked again, by our clock, ms; Infinity: never. Moves while somebody asks. */
  recheckAt: number
  /** Resources already noted as visited in the record. */
  readonly visited: Set<string>
}

export class SessionCache {
  readonly #byScope = new Map<Scope, Map<string, CacheEntry>>()
  readonly #byHash = new Map<string, Set<{ scope: Scope; value: string }>>()
  readonly #limit: number
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get(scope: Scope, value: string): CacheEntry | undefined {
    return this.#byScope.get(scope)?.get(value)
  }

  put(scope: Scope, value: string, entry: CacheEntry): void {
    let values = this.#byScope.get(scope)
    if (values === undefined) {
      values = new Map()
      this.#byScope.set(scope, values)
    }
    if (!values.has(value)) {
      if (this.#size >= this.#limit) this.#dropOldest(values)
      this.#size++
      const places = this.#byHash.get(entry.hash) ?? new Set()
      places.add({ scope, value })
      this.#byHash.set(entry.hash, places)
    }
    values.set(value, entry)
  }

  /** Every scope of one session. */
  drop(hash: string): void {
    for (const place of this.#byHash.get(hash) ?? []) {
      if (this.#byScope.get(place.scope)?.delete(place.value)) this.#size--
    }
    this.#byHash.delete(hash)
  }

  dropWhere(over: (entry: CacheEntry) => boolean): void {
    for (const values of this.#byScope.values()) {
      for (const entry of values.values()) if (over(entry)) this.drop(entry.hash)
    }
  }

  clear(): void {
    this.#byScope.clear()
    this.#byHash.clear()
    this.#size = 0
  }

  /** Entries that are past their use; called now and then, so that departed people cost no memory. */
  sweep(now: number): void {
    for (const values of this.#byScope.values()) {
      for (const entry of values.values()) if (now - entry.readAt > entryLifeMs) this.drop(entry.hash)
    }
  }

  get size(): number {
    return this.#size
  }

  #dropOldest(preferred: Map<string, CacheEntry>): void {
    const from = preferred.size > 0 ? preferred : [...this.#byScope.values()].find(values => values.size > 0)
    const oldest = from?.values().next().value
    if (oldest !== undefined) this.drop(oldest.hash)
  }
}
