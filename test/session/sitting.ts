/** One store in its examination, with a hand on its time. */
import type { Store } from '../../src/model/store.ts'

export interface Sitting {
  readonly store: Store
  /** Another process on the same sessions; null: this store is one for a single process. */
  readonly peer: Store | null
  /** Milliseconds since the epoch by the store's clock. */
  readonly now: () => Promise<number>
  /** So much of every key's life passes, and no time of the test's. */
  readonly lapse: (ms: number) => Promise<void>
}
