/** What a person changes in their own session, on a page of ours: it is written, or they are told that it is not. */
import { GatewayError } from '../errors.ts'
import type { SessionId } from '../model/session.ts'
import { hashOf, type SessionRecord } from './record.ts'
import type { ChangeRecord } from './record-change.ts'

/** Others write to a record, too; each attempt of `change` is two. */
const attempts = 3

export interface OwnChangeParts {
  readonly change: ChangeRecord
  /** Everything that remembers the session reads it anew, here before this resolves. */
  readonly tellChange: (hash: string) => Promise<void>
}

/**
 * @param edit null: it is already as it should be
 * @returns false: the session is over
 * @throws GatewayError `session.store-down` nothing is changed
 */
export type OwnChange = (id: SessionId, edit: (record: SessionRecord) => SessionRecord | null) => Promise<boolean>

export function createOwnChange({ change, tellChange }: OwnChangeParts): OwnChange {
  return async function ownChange(id, edit) {
    const hash = hashOf(id)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const outcome = await change(hash, edit)
      if (outcome === 'gone') return false
      if (outcome === 'lost') continue
      // Also where another process was faster: this one may not have heard of it yet.
      await tellChange(hash)
      return true
    }
    throw new GatewayError('session.store-down', 'the session is being written to by others all the time')
  }
}
