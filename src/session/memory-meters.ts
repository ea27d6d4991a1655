/** Rates in the memory of this process, as the script `meterRate` keeps them in Redis. */
import type { CounterStore, Rate } from '../model/store.ts'

const mostKeys = 20_000

/** @param now milliseconds since the epoch */
export function createMeters(now: () => number) {
  /** Milliseconds since the epoch until which a key's share is spoken for. The key that was counted last stands last. */
  const spokenFor = new Map<string, number>()

  return function meter(key: string, { stepMs, atOnce }: Rate, many: Parameters<CounterStore['meter']>[2]): number {
    const at = now()
    const till = Math.max(spokenFor.get(key) ?? at, at)
    const waitMs = Math.max(0, till - (atOnce - 1) * stepMs - at)
    if (many === 0 || (many > 0 && waitMs > 0)) return waitMs
    spokenFor.delete(key)
    forget(at)
    const next = till + many * stepMs
    if (next > at) spokenFor.set(key, next)
    return 0
  }

  /** Whose time is over is as good as new; beyond the bound the one that was counted longest ago goes, whatever it holds. */
  function forget(at: number): void {
    for (const [key, till] of spokenFor) {
      if (till > at && spokenFor.size < mostKeys) return
      spokenFor.delete(key)
    }
  }
}
