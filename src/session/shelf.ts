/**
 * A map whose entries expire, for the memory store. Nothing expired is ever seen; the memory itself comes back by a
 * sweep that looks at a bounded number of entries at a time. Order is that of insertion, so the first entry is the oldest.
 */

interface Kept<Value> {
  readonly value: Value
  /** Milliseconds since the epoch; at this very moment the entry is gone. */
  readonly expiresAt: number
}

export class Shelf<Value> {
  readonly #entries = new Map<string, Kept<Value>>()
  readonly #now: () => number
  readonly #weigh: (value: Value) => number
  #sweeping: Iterator<[string, Kept<Value>]> = this.#entries.entries()
  #weight = 0

  /** @param weigh what an entry counts in `weight`; it must not change while the entry is here */
  constructor(now: () => number, weigh: (value: Value) => number = () => 1) {
    this.#now = now
    this.#weigh = weigh
  }

  /** Entries held, expired ones that no sweep has met yet included. */
  get size(): number {
    return this.#entries.size
  }

  get weight(): number {
    return this.#weight
  }

  get(key: string): Kept<Value> | null {
    const kept = this.#entries.get(key)
    if (kept === undefined) return null
    if (kept.expiresAt > this.#now()) return kept
    this.delete(key)
    return null
  }

  /** The entry becomes the youngest. */
  put(key: string, value: Value, expiresAt: number): void {
    this.delete(key)
    if (expiresAt <= this.#now()) return
    this.#entries.set(key, { value, expiresAt })
    this.#weight += this.#weigh(value)
  }

  delete(key: string): void {
    const kept = this.#entries.get(key)
    if (kept === undefined) return
    this.#entries.delete(key)
    this.#weight -= this.#weigh(kept.value)
  }

  /** Of the entries that have not expired. Survives whatever is put and deleted meanwhile. */
  *keys(): Generator<string> {
    for (const [key, kept] of this.#entries) if (kept.expiresAt > this.#now()) yield key
  }

  dropOldest(): void {
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.delete(oldest)
  }

  /** Entries that have not expired. Walks them all. */
  live(): number {
    const now = this.#now()
    let count = 0
    for (const kept of this.#entries.values()) if (kept.expiresAt > now) count++
    return count
  }

  sweepAll(): void {
    const now = this.#now()
    for (const [key, kept] of this.#entries) if (kept.expiresAt <= now) this.delete(key)
  }

  /** Goes on where the last sweep stopped: a long shelf is swept in several goes. */
  sweep(atMost: number): void {
    const now = this.#now()
    for (let looked = 0; looked < atMost; looked++) {
      const next = this.#sweeping.next()
      if (next.done) {
        this.#sweeping = this.#entries.entries()
        return
      }
      const [key, kept] = next.value
      if (kept.expiresAt <= now) this.delete(key)
    }
  }
}
