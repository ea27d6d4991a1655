/** From what is known of a session to what a page shows of it. */
import type { IdpId } from '../model/identity.ts'
import type { SessionId } from '../model/session.ts'
import { type Text, textOf } from '../model/text.ts'
import type { ListedSession } from '../pages/pages.ts'
import type { Handles } from '../session/handles.ts'
import type { KnownSession } from '../session/sessions.ts'

export interface ListedParts {
  readonly handles: Handles
  readonly idpLabel: (idp: IdpId) => Text | null
}

export type Listed = ReturnType<typeof createListed>

export function createListed({ handles, idpLabel }: ListedParts) {
  return function listed(known: KnownSession, viewer: SessionId): ListedSession {
    const { identity, browser, usedAt } = known
    return {
      handle: handles.handleOf(viewer, known.hash),
      browser: browser.family === 'other' ? null : browser.family,
      system: browser.system ?? null,
      network: browser.network,
      account: idpLabel(identity.idp) ?? textOf(identity.idp),
      shared: known.device === 'shared',
      openedAt: new Date(known.createdAt),
      usedAt: usedAt === null ? null : new Date(usedAt),
      until: new Date(known.absoluteEnd),
    }
  }
}
