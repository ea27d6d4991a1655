/**
 * So many in a minute, for each of many, in bounded memory: the generic cell rate algorithm (ITU-T I.371), which keeps one
 * number for each key, the time until which its share is spoken for. Rests on nothing; the clock is a parameter.
 */

export interface MeterOptions {
  readonly perMinute: number
  /** So many may come in one moment; a minute's worth where it is not said. */
  readonly atOnce?: number
  /** Keys that are remembered; the one that was counted longest ago is forgotten for a new one. */
  readonly mostKeys: number
}

export class Meter {
  readonly #stepMs: number
  readonly #aheadMs: number
  readonly #mostKeys: number
  /** Milliseconds, on the caller's clock. The key that was counted last stands last. */
  readonly #spokenFor = new Map<string, number>()

  constructor({ perMinute, atOnce = perMinute, mostKeys }: MeterOptions) {
    this.#stepMs = 60_000 / perMinute
    this.#aheadMs = (atOnce - 1) * this.#stepMs
    this.#mostKeys = mostKeys
  }

  /** Keys that are remembered now. */
  get size(): number {
    return this.#spokenFor.size
  }

  /**
   * Counts nothing.
   * @param now milliseconds, never stepping back
   * @returns milliseconds until one more is within the limit; 0: it is now
   */
  wait(key: string, now: number): number {
    return Math.max(0, (this.#spokenFor.get(key) ?? now) - this.#aheadMs - now)
  }

  count(key: string, now: number): void {
    const until = Math.max(this.#spokenFor.get(key) ?? now, now) + this.#stepMs
    this.#spokenFor.delete(key)
    this.#forget(now)
    this.#spokenFor.set(key, until)
  }

  /** Whose time is over is as good as new; beyond the bound the one that was counted longest ago goes, whatever it holds. */
  #forget(now: number): void {
    for (const [key, until] of this.#spokenFor) {
      if (until > now && this.#spokenFor.size < this.#mostKeys) return
      this.#spokenFor.delete(key)
    }
  }
}
