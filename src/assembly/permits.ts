/** Whether what is open would be let through once more, by the configuration of the moment (SESSIONS S8, B 7). */
import { GatewayError } from '../errors.ts'
import type { Passage } from '../model/passage.ts'
import type { Locate, ResourcePlace, Target } from '../model/place.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { authorize } from '../policy/authorize.ts'

/**
 * @param opened as it was when it was opened, perhaps under another configuration: the site must still be at this address,
 *               and its origin the one that it leads to
 */
export type Permits = (passage: Passage, opened: Resource, session: Session | null) => boolean

export function createPermits(locate: Locate): Permits {
  return function permits({ request, observed }, opened, session) {
    const method = request.method ?? ''
    const place = observed.target === null ? null : placeOf(locate, observed.target, method)
    if (place === null || place.resource.id !== opened.id) return false
    if (place.resource.origin.origin !== opened.origin.origin) return false
    const context = { method, address: observed.client }
    const decision = authorize({ resource: place.resource, access: place.access, context }, session)
    // Without the identity that it was opened with, or with one, a path is another one to its site.
    return decision.effect === 'permit' && (decision.session === null) === (session === null)
  }
}

/** Null: no site is there any more, or the path has several readings now. */
function placeOf(locate: Locate, target: Target, method: string): ResourcePlace | null {
  try {
    const place = locate(target, method)
    if (place.kind === 'site-logout') return place.place
    return place.kind === 'resource' ? place : null
  } catch (error) {
    if (error instanceof GatewayError) return null
    throw error
  }
}
