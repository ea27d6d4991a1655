/** How the idp of a session is asked again, and its answer understood and believed as at a sign-in. */
import type { Understanding } from '../claims/map.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { RecheckSettings } from '../session/recheck.ts'

export function createAskAgain(
  providers: ReadonlyMap<string, IdentityProvider>,
  understood: Understanding['understood'],
): RecheckSettings['ask'] {
  return async function askAgain(identity, keep) {
    const refresh = providers.get(identity.idp)?.refresh ?? null
    if (refresh === null)
      return { kind: 'unable', why: 'the idp is not configured any more, or its protocol cannot be asked' }
    const answer = await refresh(identity, keep)
    if (answer.kind !== 'renewed' || answer.claims === null) return answer
    return { ...answer, ...understood(answer.claims, identity.idp) }
  }
}
