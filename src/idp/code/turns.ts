/** So many at once, so many that wait, and no more: what is dear for us and cheap for whoever asks for it. */
import { GatewayError } from '../../errors.ts'

export class Turns {
  readonly #atOnce: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, mostWaiting: number) {
    this.#atOnce = atOnce
    this.#mostWaiting = mostWaiting
  }

  /** @throws GatewayError `login.busy` as many wait already as may */
  async take<Done>(work: () => Promise<Done>): Promise<Done> {
    if (this.#running < this.#atOnce) this.#running++
    else {
      if (this.#waiting.length >= this.#mostWaiting) {
        const detail = `${this.#atOnce} access codes are being checked and ${this.#mostWaiting} wait`
        throw new GatewayError('login.busy', detail)
      }
      // Whoever ends hands the place over, so nobody who comes in between takes it.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
