/** Figures that a test promises: told on the terminal whether the promise held or not. */

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

/**
 * Looks again and again until it holds.
 *
 * @returns milliseconds until then
 * @throws Error after `withinMs`
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 20,
): Promise<number> {
  const begun = performance.now()
  for (;;) {
    if (await holds()) return performance.now() - begun
    if (performance.now() - begun > withinMs) throw new Error(`${what}: not within ${withinMs} ms`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

function shown(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0)
}
