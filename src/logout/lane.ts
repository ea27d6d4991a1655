/** Work of which only so much is under way at a time; the rest waits in order. */
export class Lane {
  #under = 0
  readonly #limit: number
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#under >= this.#limit) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#under++
    try {
      await work()
    } finally {
      // Handed over, not given back: nobody who comes now overtakes.
      const next = this.#waiting.shift()
      if (next === undefined) this.#under--
      else next()
    }
  }
}
