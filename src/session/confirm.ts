/**
 * The moment in which a session begins to count: its cookie has come back (SESSIONS S3). In this order: it takes a place
 * among its person's sessions, then marks are looked for, then it is no longer provisional. Whoever ends a person's or an
 * idp's sessions sets the mark first and looks for sessions then, so one of the two always sees the other.
 */
import type { Report } from '../model/event.ts'
import type { SessionId } from '../model/session.ts'
import type { Marks } from './marks.ts'
import type { Persons } from './persons.ts'
import type { Resumed } from './resume.ts'

export interface ConfirmParts {
  readonly persons: Persons
  readonly marks: Marks
  readonly confirm: (id: SessionId) => Promise<'confirmed' | 'already' | 'gone'>
  readonly end: (hash: string, reason: 'overtaken') => Promise<unknown>
  readonly report: Report
}

export function createConfirm({ persons, marks, confirm, end, report }: ConfirmParts) {
  /**
   * @returns null: it is gone, or was ended meanwhile; a session that still is provisional: its person holds as many as
   *          they may, and it opens nothing
   * @throws GatewayError `session.store-down`
   */
  return async function confirmed(resumed: Resumed | null): Promise<Resumed | null> {
    if (resumed === null || !resumed.provisional) return resumed
    const { id, identity, createdAt, absoluteEnd } = resumed.session
    const { hash } = resumed.entry
    if (!(await persons.admit(hash, identity, absoluteEnd))) return resumed
    if (await marks.overtook(identity, createdAt)) {
      await end(hash, 'overtaken')
      return null
    }
    switch (await confirm(id)) {
      case 'gone':
        return null
      case 'confirmed':
        report({ name: 'session.established', idp: identity.idp })
        return { ...resumed, provisional: false }
      case 'already':
        return { ...resumed, provisional: false }
    }
  }
}
