/**
 * Deadlines of one length that are fair to whoever is asked. Node runs timers before it reads sockets, so after a standstill of
 * this process (garbage, a large configuration, a busy machine) an ordinary timer condemns an answer that has long been there.
 * Here what has come is read first, and a standstill, however long, uses up no more than a fifth of the time.
 *
 * All of one list end in the order in which they began, so one timer serves them all: one costs an object and a look at the clock.
 */
export interface Deadline {
  /** It was met, or does not matter any more. A second time does nothing. */
  end(): void
}

/** Its place in a list that leads back to where it begins. */
class Place implements Deadline {
  before: Place = this
  after: Place = this
  readonly dueAt: number
  readonly late: () => void

  constructor(dueAt: number, late: () => void) {
    this.dueAt = dueAt
    this.late = late
  }

  end(): void {
    this.before.after = this.after
    this.after.before = this.before
    this.before = this
    this.after = this
  }
}

export class Deadlines {
  readonly ms: number
  /** The clock is looked at so often, ms, and between two looks it moves by so much at most. */
  readonly #lookMs: number
  readonly #mostMs: number
  /** Stands before the first and after the last. */
  readonly #list = new Place(Number.POSITIVE_INFINITY, () => {})
  /** Milliseconds in which an answer would have been read. */
  #clock = 0
  #lookedAt = 0
  #looking = false

  /** @param ms from the beginning of one to its end */
  constructor(ms: number) {
    this.ms = ms
    this.#lookMs = ms / 10
    this.#mostMs = ms / 5
  }

  /** @param late called once, unless it is ended before; never throws */
  begin(late: () => void): Deadline {
    const now = performance.now()
    const place = new Place(this.#clockAt(now) + this.ms, late)
    const list = this.#list
    place.before = list.before
    place.after = list
    list.before.after = place
    list.before = place
    if (!this.#looking) {
      this.#looking = true
      this.#lookedAt = now
      this.#lookAfter(this.#lookMs)
    }
    return place
  }

  /**
   * What comes after all is nobody's, also where it is a failure.
   *
   * @throws Error it did not come in time
   */
  within<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const deadline = this.begin(() => reject(new Error(`no answer within ${this.ms} ms`)))
      answer.then(
        value => {
          deadline.end()
          resolve(value)
        },
        error => {
          deadline.end()
          reject(error)
        },
      )
    })
  }

  /** For whatever takes a signal, as AbortSignal.timeout gives one. */
  signal(): Deadline & { readonly signal: AbortSignal } {
    const controller = new AbortController()
    const deadline = this.begin(() => controller.abort(new DOMException(`not within ${this.ms} ms`, 'TimeoutError')))
    return { signal: controller.signal, end: () => deadline.end() }
  }

  /** Between two looks; more than that was a standstill. */
  #clockAt(now: number): number {
    // While nobody waits it stands.
    return this.#looking ? this.#clock + Math.min(now - this.#lookedAt, this.#mostMs) : this.#clock
  }

  #lookAfter(ms: number): void {
    setTimeout(this.#look, Math.max(1, Math.ceil(ms))).unref()
  }

  readonly #look = (): void => {
    const now = performance.now()
    const stoodStill = now - this.#lookedAt > this.#mostMs
    this.#clock = this.#clockAt(now)
    this.#lookedAt = now
    if (this.#list.after.dueAt > this.#clock) this.#goOn()
    // Sockets are read between a timer and an immediate. After a standstill an answer may lead to another question first, as a
    // script that Redis has forgotten; and there may be more to read than one turn takes.
    else if (stoodStill) setTimeout(() => setImmediate(this.#judge), this.#lookMs).unref()
    else setImmediate(this.#judge)
  }

  /** By the clock as it was before the sockets were read. */
  readonly #judge = (): void => {
    const list = this.#list
    for (let first = list.after; first.dueAt <= this.#clock; first = list.after) {
      first.end()
      first.late()
    }
    this.#goOn()
  }

  #goOn(): void {
    const first = this.#list.after
    if (first === this.#list) this.#looking = false
    else this.#lookAfter(Math.min(this.#lookMs, first.dueAt - this.#clockAt(performance.now())))
  }
}
