/**
 * Which idps are offered at this moment: some only stand in for another that is away (docs/sessions.md B 16). Judged when people choose
 * and again when what they typed comes in, by how the gateway sees the other one then.
 */
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'

export type Offered = ReturnType<typeof createOffered>

/** @param standsInFor the idp in whose absence this one is offered; null: it always is */
export function createOffered(
  providers: ReadonlyMap<IdpId, IdentityProvider>,
  standsInFor: (idp: IdpId) => IdpId | null,
) {
  return {
    now(idp: IdpId): boolean {
      const other = standsInFor(idp)
      return other === null || providers.get(other)?.health() === 'down'
    },

    standsInFor,
  }
}
