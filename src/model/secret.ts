/** A secret of the configuration. It prints as `****` wherever it ends up by accident; only `reveal()` gives the value. */
import { inspect } from 'node:util'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '****'
  }

  toJSON(): string {
    return '****'
  }

  [inspect.custom](): string {
    return '****'
  }
}
