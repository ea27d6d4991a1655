/** Rates by name, which no reader of the store can guess: an address is one of few. The same for all processes with one secret. */
import type { CounterStore, Rate } from '../model/store.ts'
import type { Keys } from './seal.ts'

export type Meter = (name: string, rate: Rate, many: -1 | 0 | 1) => Promise<number>

export function createMeter(counters: CounterStore, keys: Keys): Meter {
  return (name, rate, many) => {
    const mac = keys.hmac('meter', keys.first, name)?.toString('base64url') ?? ''
    return counters.meter(`pas:m:${mac}`, rate, many)
  }
}
