/**
 * The end of a session that a site's own logout link asks for, once, however often the link is pressed: a double click is two
 * requests, and the browser shows the answer to the second.
 */
import { createHash } from 'node:crypto'
import type { ClosedFromSite, CloseFromSite } from '../model/logout.ts'
import type { SessionId } from '../model/session.ts'
import type { Sessions } from '../session/sessions.ts'
import type { ClosedSessions } from './closed.ts'

export interface CloseFromSiteParts {
  readonly sessions: Pick<Sessions, 'end'>
  readonly closedSessions: ClosedSessions
}

export function createCloseFromSite({ sessions, closedSessions }: CloseFromSiteParts): CloseFromSite {
  const underWay = new Map<SessionId, Promise<ClosedFromSite | null>>()

  return async function closeFromSite(id, resource) {
    const running = underWay.get(id)
    if (running !== undefined) {
      const closed = await running
      return closed === null ? null : { ...closed, first: false }
    }
    const begun = close(id, resource)
    underWay.set(id, begun)
    const over = () => underWay.delete(id)
    begun.then(closed => (closed === null ? over() : closed.path.then(over, over)), over)
    return begun
  }

  async function close(id: SessionId, resource: string): Promise<ClosedFromSite | null> {
    const reference = referenceOf(id)
    const ended = await sessions.end(id, 'user')
    if (ended !== null) {
      return { path: closedSessions.keep([ended], { except: resource, reference }), first: true }
    }
    const known = await closedSessions.read(reference)
    return known === null ? null : { path: Promise.resolve(`/signed-out?o=${reference}`), first: false }
  }
}

/** The same for every request that brings the session's cookie, in every process; the id itself is known to nobody else. */
function referenceOf(id: SessionId): string {
  return createHash('sha256').update(`closed\0${id}`).digest('base64url')
}
