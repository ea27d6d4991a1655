/**
 * What is left to say of a session that is over: kept for ten minutes under a reference that only the browser has, which
 * is also the state that the idp gives back (SESSIONS A8, C2 `o`). A sign-out at the portal and one by a site's own link
 * leave the same.
 */
import { GatewayError } from '../errors.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { TellParticipants } from '../model/logout.ts'
import type { EndedSession } from '../model/session.ts'
import { newSecret, type SingleUse } from '../session/single-use.ts'

export interface ClosedParts {
  readonly portal: string
  readonly providers: ReadonlyMap<IdpId, IdentityProvider>
  readonly tellParticipants: TellParticipants
  readonly singleUse: SingleUse
}

/** What the last page needs; the session itself is gone. */
export interface Closed {
  readonly idp: IdpId
  /** Where the idp ends its own session; null: it cannot, or does not answer. */
  readonly next: string | null
  /** Hashes of the sessions. */
  readonly sessions: readonly string[]
  /** Ids of resources. */
  readonly visited: readonly string[]
  /** Of these, the sites that keep sessions of their own and did not answer when they were told. */
  readonly silent: readonly string[]
  readonly shared: boolean
}

export interface KeepOptions {
  readonly except?: string | null
  /** 256 bits that nobody else can know. */
  readonly reference?: string
}

export type ClosedSessions = ReturnType<typeof createClosedSessions>

export function createClosedSessions({ portal, providers, tellParticipants, singleUse }: ClosedParts) {
  return {
    /**
     * Tells the participants and asks where the idp ends its own session, both at once and within their limits.
     *
     * @param ended   what one act of a person has ended: a browser's sessions, so nearly always one. The first one's idp is
     *                led to
     * @param except  the id of the resource whose own link it was
     * @returns the portal's path that tells the person; without a reference where nothing was ended, or where the store does
     *          not take it: the session is over all the same, and that page can only say less
     */
    async keep(
      ended: readonly EndedSession[],
      { except = null, reference = newSecret() }: KeepOptions = {},
    ): Promise<string> {
      const [first] = ended
      if (first === undefined) return '/signed-out'
      const telling = ended.map(one => tellParticipants(one, { except }))
      const [next, ...told] = await Promise.all([idpLogout(first, reference), ...telling])
      const closed: Closed = {
        idp: first.identity.idp,
        next,
        sessions: ended.map(({ hash }) => hash),
        visited: distinct(ended.flatMap(({ visited }) => visited)),
        silent: distinct(told.flatMap(({ failed }) => failed)),
        shared: ended.some(({ device }) => device === 'shared'),
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

function distinct(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)]
}
