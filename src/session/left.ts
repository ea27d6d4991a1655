/**
 * The sites that a person has left while the session lives on (SESSIONS A8 (5), C2 `left`). It stands in the record and not in
 * a cookie: an older cookie of the site, a kept or a stolen one, opens it no more.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { SessionId } from '../model/session.ts'
import { hashOf } from './record.ts'
import type { ChangeRecord } from './record-change.ts'

/** More than any configuration has of such links; the record stays small (SESSIONS C2). */
const limit = 500
/** Others write to a record, too; each attempt of `change` is two. */
const attempts = 3

export interface LeftParts {
  readonly change: ChangeRecord
  /** Everything that remembers the session reads it anew, here before this resolves. */
  readonly tellChange: (hash: string) => Promise<void>
  readonly report: Report
}

export function createLeft({ change, tellChange, report }: LeftParts) {
  return {
    /**
     * @param resource the site's id
     * @returns false: the session is over
     * @throws GatewayError `session.store-down` nothing is left
     */
    async leave(id: SessionId, resource: string): Promise<boolean> {
      const alive = await write(id, left => (left.includes(resource) ? null : [...left, resource].slice(-limit)))
      if (alive) report({ name: 'session.site-left', resource })
      return alive
    },

    /** The person opens it again. As `leave`. */
    async reopen(id: SessionId, resource: string): Promise<boolean> {
      const alive = await write(id, left => (left.includes(resource) ? left.filter(one => one !== resource) : null))
      if (alive) report({ name: 'session.site-reopened', resource })
      return alive
    },
  }

  async function write(id: SessionId, edit: (left: readonly string[]) => readonly string[] | null): Promise<boolean> {
    const hash = hashOf(id)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const outcome = await change(hash, record => {
        const left = edit(record.left ?? [])
        return left === null ? null : { ...record, left }
      })
      if (outcome === 'gone') return false
      if (outcome === 'lost') continue
      // Also where another process was faster: this one may not have heard of it yet.
      await tellChange(hash)
      return true
    }
    throw new GatewayError('session.store-down', 'the session is being written to by others all the time')
  }
}
