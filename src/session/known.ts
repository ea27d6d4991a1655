/** What may be told of a session without being it: for the person's own page, for operators, and for whoever counts. */
import type { Identity } from '../model/identity.ts'
import type { Device } from '../model/session.ts'
import type { RecordStore } from '../model/store.ts'
import { type BrowserMemory, identityOf, keysOf, lastTouch, openRecord } from './record.ts'
import type { Keys } from './seal.ts'

export interface KnownSession {
  /** SHA-256 of the id: opens nothing. */
  readonly hash: string
  readonly identity: Identity
  readonly device: Device
  readonly browser: BrowserMemory
  /** Milliseconds since the epoch, by the store's clock, as all below. */
  readonly createdAt: number
  /** Within a tenth of the idle limit; null: not known. */
  readonly usedAt: number | null
  readonly absoluteEnd: number
  /** Its cookie has not come back, or its person is being asked which other session to close: it counts for nothing. */
  readonly provisional: boolean
}

/** Null: no such record, or it is past its end. @throws GatewayError `session.store-down` */
export type Look = (hash: string) => Promise<KnownSession | null>

export function createLook(records: RecordStore, keys: Keys, idleMs: (device: Device) => number): Look {
  return async function look(hash) {
    const at = keysOf(hash)
    const stored = await records.read(at.record)
    const record = stored === null ? null : (openRecord(keys, at, stored.value)?.record ?? null)
    if (stored === null || record === null || stored.now >= record.absoluteEnd) return null
    const { device, browser, createdAt, absoluteEnd, provisional } = record
    const usedAt = lastTouch(stored, absoluteEnd, idleMs(device))
    return { hash, identity: identityOf(record), device, browser, createdAt, usedAt, absoluteEnd, provisional }
  }
}
