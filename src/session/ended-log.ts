/** Those in this process who must hear of each end. Both stores tell them before their append() resolves. */
import type { EndEntry, Follower } from '../model/store.ts'

export interface Followers {
  readonly follow: (hear: (entry: EndEntry) => void) => Follower
  /** Everyone hears, even where one of them throws; then that error is thrown on. */
  readonly tell: (entry: EndEntry) => void
}

export function createFollowers(): Followers {
  const listening = new Set<(entry: EndEntry) => void>()

  return {
    follow(hear) {
      let counter = 0
      let stopped = false
      function listen(entry: EndEntry): void {
        // Moved first: a value that is being read while hear() runs is not cached either.
        counter++
        hear(entry)
      }
      listening.add(listen)
      return {
        counter: () => counter,
        // Nothing comes between the one who ends and the one who hears, as long as there is one process.
        fresh: () => !stopped,
        stop: async () => {
          stopped = true
          listening.delete(listen)
        },
      }
    },

    tell(entry) {
      const failures: unknown[] = []
      for (const listen of listening) {
        try {
          listen(entry)
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
