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
      if (other === null) return true
      const there = providers.get(other)
      if (there?.health() !== 'down') return false
      // Whoever is offered this one does not try the other: somebody must see that it is back.
      there.doubt()
      return true
    },

    standsInFor,
  }
}
