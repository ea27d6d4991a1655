/** How often something was used that is good for so many times. What it is called is hashed before it becomes a key. */
import { createHash } from 'node:crypto'
import type { CounterStore } from '../model/store.ts'

export function createUses(counters: CounterStore) {
  return {
    /** @returns counts one use; false: it has had as many as it may */
    count: (name: string, most: number): Promise<boolean> => counters.raise(keyOf(name), most),

    /** How often each was used. */
    used: (names: readonly string[]): Promise<readonly number[]> => counters.counts(names.map(keyOf)),
  }
}

function keyOf(name: string): string {
  return `pas:u:${createHash('sha256').update(name).digest('base64url')}`
}
