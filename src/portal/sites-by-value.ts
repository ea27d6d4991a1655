/**
 * Which of a person's values opens which site. Nothing is read off the rules: each site is decided once more for somebody
 * who had that value alone, so the list cannot promise anything else than the sites themselves would say.
 */
import type { Claims } from '../model/identity.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import type { authorize } from '../policy/authorize.ts'

export interface SitesByValue {
  /** In the order of the claim: its first value is the favourite. */
  readonly groups: readonly { readonly value: string; readonly sites: readonly Resource[] }[]
  /** Those that open whatever the value, or by several together, or by one that is not listed. */
  readonly others: readonly Resource[]
  /** How many values are not listed. */
  readonly unlisted: number
}

/** An idp may name hundreds; each costs a decision for each site. */
const mostListed = 20

export function createSitesByValue(decide: typeof authorize) {
  /**
   * @param open      those that this session opens
   * @param favourite the value that the person chose to have first; null: the first one
   */
  return function sitesByValue(
    open: readonly Resource[],
    session: Session,
    claim: string,
    address: string,
    favourite: string | null = null,
  ): SitesByValue {
    const { claims } = session.identity
    const values = favouriteFirst((Object.hasOwn(claims, claim) ? claims[claim] : undefined) ?? [], favourite)
    const context = { method: 'GET', address }
    const openTo = (sites: readonly Resource[], only: readonly string[]) => {
      const somebody = withValues(session, claim, only)
      return sites.filter(
        resource => decide({ resource, access: resource.access, context }, somebody).effect === 'permit',
      )
    }
    const anyway = new Set(openTo(open, []))
    const byValue = open.filter(resource => !anyway.has(resource))
    const groups = values.slice(0, mostListed).map(value => ({ value, sites: openTo(byValue, [value]) }))
    const grouped = new Set(groups.flatMap(({ sites }) => sites))
    return {
      groups,
      others: open.filter(resource => !grouped.has(resource)),
      unlisted: values.length - groups.length,
    }
  }
}

function favouriteFirst(values: readonly string[], favourite: string | null): readonly string[] {
  if (favourite === null || !values.includes(favourite)) return values
  return [favourite, ...values.filter(value => value !== favourite)]
}

/** Decisions are remembered by the session object: this is another one, and nobody's. */
function withValues(session: Session, claim: string, values: readonly string[]): Session {
  const claims: Claims = { ...session.identity.claims, [claim]: values }
  return { ...session, left: [], identity: { ...session.identity, claims } }
}
