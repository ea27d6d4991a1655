/** Which resources a session has visited: whom its end concerns (SESSIONS C2 `v`). */
import type { SessionId } from '../model/session.ts'
import type { RecordStore } from '../model/store.ts'
import { hashOf, keysOf } from './record.ts'
import type { Resumed } from './resume.ts'

const visitsLimit = 500

export function createVisits(records: RecordStore) {
  return {
    /** Notes, once for each session in this process, that a resource was visited. Never waits, never fails. */
    visit({ entry }: Resumed, resource: string): void {
      if (entry.visited.has(resource)) return
      entry.visited.add(resource)
      const at = keysOf(entry.hash)
      records.visit(at.record, at.visits, resource, visitsLimit).catch(() => entry.visited.delete(resource))
    },

    /**
     * Ids of the resources that were visited so far.
     * @throws GatewayError `session.store-down`
     */
    visited(id: SessionId): Promise<readonly string[]> {
      const at = keysOf(hashOf(id))
      return records.visits(at.record, at.visits)
    },
  }
}
