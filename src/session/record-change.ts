/**
 * The one way to write to a session that exists: read, edit, replace if nobody else wrote meanwhile. It never creates, so
 * nothing revives an ended session (SESSIONS A4).
 */
import { GatewayError } from '../errors.ts'
import type { Device } from '../model/session.ts'
import type { RecordStore } from '../model/store.ts'
import { keysOf, openRecord, type RecordKeys, type SessionRecord, sealRecord } from './record.ts'
import type { Keys } from './seal.ts'

/** Bytes, sealed (SESSIONS C2). */
const recordLimit = 32 * 1024

export interface RecordChangeParts {
  readonly records: RecordStore
  readonly keys: Keys
  readonly idleMs: (device: Device) => number
}

/**
 * A version lost to another writer is tried once more.
 *
 * @param hash of the session
 * @param edit null: it is already as it should be; `now` is the store's, ms
 * @param activity `none`: nobody was there, and the idle limit goes on as it was
 * @returns `left`: the edit had nothing to change; `lost`: others wrote twice meanwhile, and nothing of this is written
 * @throws GatewayError `session.store-down`, `idp.invalid-answer`
 */
export type ChangeRecord = (
  hash: string,
  edit: (record: SessionRecord, now: number) => SessionRecord | null,
  activity?: 'none',
) => Promise<'changed' | 'left' | 'lost' | 'gone'>

export function createRecordChange({ records, keys, idleMs }: RecordChangeParts): ChangeRecord {
  return async function change(hash, edit, activity) {
    const at = keysOf(hash)
    for (let attempt = 0; attempt < 2; attempt++) {
      const stored = await records.read(at.record)
      const opened = stored === null ? null : openRecord(keys, at, stored.value)
      if (stored === null || opened === null) return 'gone'
      const record = edit(opened.record, stored.now)
      if (record === null) return 'left'
      const idle = activity === 'none' ? stored.expiresAt : stored.now + idleMs(record.device)
      const idleEnd = Math.min(idle, record.absoluteEnd)
      const sealed = sealWithin(keys, at, opened.version + 1, record)
      // A provisional one keeps its minute, whoever writes to it.
      const until = record.provisional || idleEnd === stored.expiresAt ? null : idleEnd
      const outcome = await records.replace(at.record, opened.version, sealed, until)
      if (outcome !== 'stale') return outcome === 'replaced' ? 'changed' : 'gone'
    }
    return 'lost'
  }
}

/** @throws GatewayError `idp.invalid-answer` the idp sends more than a session can hold */
export function sealWithin(keys: Keys, at: RecordKeys, version: number, record: SessionRecord): Buffer {
  const sealed = sealRecord(keys, at, version, record)
  if (sealed.length <= recordLimit) return sealed
  const detail = `a session record of ${sealed.length} bytes: the idp sends more claims than a session can hold (32 KiB)`
  throw new GatewayError('idp.invalid-answer', detail)
}
