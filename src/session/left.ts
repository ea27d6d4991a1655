/**
 * The sites that a person has left while the session lives on (SESSIONS A8 (5), C2 `left`). It stands in the record and not in
 * a cookie: an older cookie of the site, a kept or a stolen one, opens it no more.
 */
import type { Report } from '../model/event.ts'
import type { SessionId } from '../model/session.ts'
import type { OwnChange } from './own-change.ts'

/** More than any configuration has of such links; the record stays small (SESSIONS C2). */
const limit = 500

export interface LeftParts {
  readonly ownChange: OwnChange
  readonly report: Report
}

export function createLeft({ ownChange, report }: LeftParts) {
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

  function write(id: SessionId, edit: (left: readonly string[]) => readonly string[] | null): Promise<boolean> {
    return ownChange(id, record => {
      const left = edit(record.left ?? [])
      return left === null ? null : { ...record, left }
    })
  }
}
