/** Random numbers that are the same in every run, so that a failure can be looked at again: xorshift (Marsaglia, 2003). */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 1
  return function random(below) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
