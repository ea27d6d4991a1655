/** A clock that stands still until a test moves it. Hand `clock.now` to whatever takes a `now`. */

export interface SettableClock {
  /** Milliseconds since the epoch. Needs no `this`. */
  readonly now: () => number
  /** @param ms milliseconds since the epoch; may lie in the past, as on a machine whose clock is put right */
  readonly set: (ms: number) => void
  readonly advance: (ms: number) => void
}

/**
 * @param start milliseconds since the epoch; by default the morning of Monday 2 November 2026 (UTC), so that failures read alike
 */
export function settableClock(start: number = Date.UTC(2026, 10, 2, 8, 0, 0)): SettableClock {
  let current = start
  return {
    now: () => current,
    set: ms => {
      current = ms
    },
    advance: ms => {
      current += ms
    },
  }
}
