/**
 * What is left to say of a session that is over: kept for ten minutes under a reference that only the browser has, which
 * is also the state that the idp gives back (SESSIONS A8, C2 `o`). A sign-out at the portal and one by a site's own link
 * leave the same.
 */
import { GatewayError } from '../errors.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { EndedSession } from '../model/session.ts'
import { newSecret, type SingleUse } from '../session/single-use.ts'

export interface ClosedParts {
  readonly portal: string
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly singleUse: SingleUse
}

/** What the last page needs; the session itself is gone. */
export interface Closed {
  readonly idp: IdpId
  /** Where the idp ends its own session; null: it cannot, or does not answer. */
  readonly next: string | null
  readonly visited: readonly string[]
  readonly shared: boolean
}

export type ClosedSessions = ReturnType<typeof createClosedSessions>

export function createClosedSessions({ portal, providers, singleUse }: ClosedParts) {
  return {
    /**
     * @param reference 256 bits that nobody else can know
     * @returns the portal's path that tells the person; without a reference where the store does not take it: the session is
     *          over all the same, and that page can only say less
     */
    async keep(ended: EndedSession, reference = newSecret()): Promise<string> {
      const closed: Closed = {
        idp: ended.identity.idp,
        next: await idpLogout(ended, reference),
        visited: ended.visited,
        shared: ended.device === 'shared',
      }
      try {
        await singleUse.put('o', closed, reference)
        return `/signed-out?o=${reference}`
      } catch (error) {
        if (error instanceof GatewayError) return '/signed-out'
        throw error
      }
    },

    read: (reference: string) => singleUse.peek<Closed>('o', reference),
  }

  async function idpLogout({ identity, keep }: EndedSession, reference: string): Promise<string | null> {
    try {
      const step = await providers.get(identity.idp)?.end(keep, new URL(`${portal}/signed-out`), reference)
      return step?.to.href ?? null
    } catch (error) {
      // The session is over all the same; the last page says that the idp's is not.
      if (error instanceof GatewayError) return null
      throw error
    }
  }
}
