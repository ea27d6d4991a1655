/** How often something was used that is good for so many times. What it is called is hashed before it becomes a key. */
import { createHash } from 'node:crypto'
import type { CounterStore } from '../model/store.ts'

/** @returns counts one use; false: it has had as many as it may */
export function createUses(counters: CounterStore): (name: string, most: number) => Promise<boolean> {
  return (name, most) => counters.raise(`pas:u:${createHash('sha256').update(name).digest('base64url')}`, most)
}
