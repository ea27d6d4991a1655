/**
 * Which idps are offered at this moment: some only stand in for another that is away (docs/sessions.md B 16). Judged when people choose,
 * by how the gateway last saw the other one, and again when what they typed comes in, by another look.
 */
import { setTimeout } from 'node:timers/promises'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'

export type Offered = ReturnType<typeof createOffered>

/** For so long whoever typed something waits for that look: an idp that takes longer is not back yet. */
const lookMs = 2_000

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
      void there.doubt()
      return true
    },

    /** For what was typed meanwhile: nobody may have looked since the form was shown. */
    async still(idp: IdpId): Promise<boolean> {
      const other = standsInFor(idp)
      if (other === null) return true
      const there = providers.get(other)
      if (there?.health() !== 'down') return false
      await Promise.race([there.doubt(), setTimeout(lookMs, undefined, { ref: false })])
      return there.health() === 'down'
    },

    standsInFor,
  }
}
