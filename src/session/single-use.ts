/** Values that are used once, sealed: what stands in the store tells nothing and fits no other key. */
import { createHash, randomBytes } from 'node:crypto'
import type { OnceKind, OnceStore } from '../model/store.ts'
import type { Keys } from './seal.ts'

/** Messages of an idp are no values of ours: seen.ts keeps them. */
export type SingleUseKind = Exclude<OnceKind, 'j'>

/** Milliseconds (SESSIONS C2). */
const life: Record<SingleUseKind, number> = { p: 15 * 60_000, a: 60_000, r: 60_000, t: 30_000, o: 10 * 60_000 }

export type SingleUse = ReturnType<typeof createSingleUse>

export function createSingleUse(once: OnceStore, keys: Keys) {
  return {
    /** @returns the reference under which the value can be had, 256 random bits, base64url */
    async put(kind: SingleUseKind, value: unknown, reference = newSecret()): Promise<string> {
      if (!(await claim(kind, value, reference))) throw new Error(`a random reference came twice (${kind})`)
      return reference
    },

    claim,

    /** Null: unknown, expired, or already taken. */
    async peek<Value>(kind: SingleUseKind, reference: string): Promise<Value | null> {
      return opened(keyOf(kind, reference), await once.peek(kind, keyOf(kind, reference)))
    },

    /** Exactly one caller gets it. */
    async take<Value>(kind: SingleUseKind, reference: string): Promise<Value | null> {
      return opened(keyOf(kind, reference), await once.take(kind, keyOf(kind, reference)))
    },
  }

  /** @returns false: the reference holds a value already, and keeps it */
  function claim(kind: SingleUseKind, value: unknown, reference: string): Promise<boolean> {
    const key = keyOf(kind, reference)
    return once.put(kind, key, keys.seal(key, 0, Buffer.from(JSON.stringify(value))), life[kind])
  }

  function opened<Value>(key: string, sealed: Buffer | null): Value | null {
    const plain = sealed === null ? null : keys.open(key, sealed)
    return plain === null ? null : (JSON.parse(plain.plain.toString()) as Value)
  }
}

/** Whatever was sent as a reference is hashed before it becomes a key, so no input shapes a command. */
function keyOf(kind: SingleUseKind, reference: string): string {
  return `pas:${kind}:${createHash('sha256').update(reference).digest('base64url')}`
}

export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}
