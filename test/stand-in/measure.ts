/**
 * Figures that a test promises: told on the terminal whether the promise held or not.
 *
 * `npm test` runs on machines of unknown speed, which do other things meanwhile, and on which a second may pass in which nobody
 * does anything. There a promise has room that only a broken mechanism exceeds, and what must come is waited for with patience.
 * `npm run test:long` takes every promise at its word.
 */
const atTheirWord = process.env.PASSERELLE_PROMISES === 'at their word'

/** The bound of what was promised, ms. */
export function promised(ms: number): number {
  return atTheirWord ? ms : ms + 5_000
}

/**
 * How long something that must come within `ms` is waited for, ms: less than the fifteen seconds and the half minute after which
 * much comes right by itself, because idle connections are closed, and nothing that is remembered of a session is believed any longer.
 */
export function patience(ms: number): number {
  return atTheirWord ? ms : ms + 8_000
}

/** @param measured a number of milliseconds, or words */
export function tell(what: string, measured: number | string): void {
  console.log(`  measured  ${what}: ${typeof measured === 'number' ? `${shown(measured)} ms` : measured}`)
}

/** @param share 0.99 for the time that 99 of 100 do not exceed; of no values it is 0 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}

/** Milliseconds that it took, and what came of it. */
export async function timed<Value>(act: () => Promise<Value>): Promise<{ readonly ms: number; readonly value: Value }> {
  const begun = performance.now()
  const value = await act()
  return { ms: performance.now() - begun, value }
}

/** For `vi.waitFor`. */
export const patiently = { timeout: 12_000, interval: 5 }

/**
 * Looks again and again until it holds.
 *
 * @param withinMs so long it may take; with patience (see above), unless promises are taken at their word
 * @returns milliseconds until then
 * @throws Error it did not come true
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
  everyMs = 20,
): Promise<number> {
  const begun = performance.now()
  const waitMs = patience(withinMs)
  for (;;) {
    if (await holds()) return performance.now() - begun
    if (performance.now() - begun > waitMs) throw new Error(`${what}: not within ${waitMs} ms`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

function shown(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0)
}
