/**
 * START READING HERE. One request to a protected site: locate → resume → authorize → forward.
 *
 * Nothing returns to an earlier step. Every failure is a thrown GatewayError, caught in one place (server/listener.ts).
 * Nothing is compiled, parsed or looked up in settings here: gateway.ts did that at start.
 */
import { GatewayError } from '../errors.ts'
import type { Decision, Permit } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import type { Passage } from '../model/passage.ts'
import type { Locate, ResourcePlace } from '../model/place.ts'
import type { Scope, Session } from '../model/session.ts'
import { stylesheetPath } from '../pages/stylesheet.ts'
import type { authorize } from '../policy/authorize.ts'
import type { Activity, Resumed, Sessions } from '../session/sessions.ts'
import { answerRedirect, answerText } from './answer.ts'
import type { Challenge } from './challenge.ts'
import { isUnsafe, mustComeFromTheSite } from './cross-origin.ts'
import type { Ours } from './ours.ts'
import { answerPreflight, isPreflight, openToPreflight } from './preflight.ts'
import type { Refuse } from './refuse.ts'
import { isServiceWorker, unregisteringWorker } from './service-worker.ts'
import type { SiteLogout } from './site-logout.ts'

export interface AccessParts {
  readonly locate: Locate
  readonly sessions: Pick<Sessions, 'resume' | 'visit'>
  readonly authorize: typeof authorize
  readonly forward: (passage: Passage, place: ResourcePlace, permit: Permit) => Promise<void>
  readonly challenge: Challenge
  readonly refuse: Refuse
  readonly ours: Ours
  readonly siteLogout: SiteLogout
  readonly stylesheet: string
  readonly decided: (resource: string, effect: Decision['effect']) => void
  readonly report: Report
}

export function createAccess(parts: AccessParts) {
  const { locate, sessions, authorize, forward, challenge, refuse, ours, siteLogout, stylesheet } = parts

  return function access(passage: Passage): Promise<void> | void {
    const { request, observed } = passage
    const place = locate(targetOf(passage), request.method ?? '')
    switch (place.kind) {
      case 'resource':
        return visit(passage, place)
      case 'site-logout':
        return siteLogout(passage, place.place, visit)
      case 'ours':
        return ours(passage, place)
      case 'redirect':
        return answerRedirect(passage, place.to, [], 308)
      case 'portal':
      case 'unknown':
        // The page that says so is styled like every other.
        if (observed.target?.raw === stylesheetPath) return answerText(passage, 'text/css; charset=utf-8', stylesheet)
        throw new GatewayError(
          'resource.unknown-host',
          `no resource at ${observed.target?.host ?? ''}${observed.target?.path ?? ''}`,
        )
    }
  }

  function visit(passage: Passage, place: ResourcePlace): Promise<void> | void {
    const { resource } = place
    passage.observed.resource = resource
    if (isServiceWorker(passage) && resource.serviceWorkers === 'refuse') {
      return answerText(passage, 'text/javascript; charset=utf-8', unregisteringWorker)
    }
    if (isPreflight(passage) && place.scope !== null) {
      if (resource.preflight === 'forward') return judge(passage, { ...place, access: openToPreflight }, null)
      if (answerPreflight(passage, resource)) return
    }
    const resumed = resume(passage, place.scope)
    // From this process's cache, as nearly always, it is here already: a promise would cost every request its detour.
    if (resumed instanceof Promise) return resumed.then(found => judge(passage, place, found))
    return judge(passage, place, resumed)
  }

  function judge(passage: Passage, place: ResourcePlace, resumed: Resumed | null): Promise<void> | void {
    const { resource } = place
    passage.observed.session = resumed?.session ?? null
    if (resumed !== null) mustComeFromTheSite(passage, resource, parts.report)
    const decision = decide(place, resumed?.session ?? null, passage)

    switch (decision.effect) {
      case 'challenge':
        return challenge(passage, decision)
      case 'deny':
        return refuse(passage, decision)
      case 'permit':
        if (resumed !== null && decision.session !== null) sessions.visit(resumed, resource.id)
        return forward(passage, place, decision)
    }
  }

  function decide(place: ResourcePlace, session: Session | null, { request, observed }: Passage): Decision {
    const context = { method: request.method ?? '', address: observed.client }
    const decision = authorize({ resource: place.resource, access: place.access, context }, session)
    observed.effect = decision.effect
    parts.decided(place.resource.id, decision.effect)
    return decision
  }

  /** Null scope: a public path, where no cookie is read and no store asked. */
  function resume(passage: Passage, scope: Scope | null): Promise<Resumed | null> | Resumed | null {
    return scope === null ? null : sessions.resume(passage.cookies, scope, () => activityOf(passage))
  }
}

function targetOf({ observed }: Passage) {
  if (observed.target === null) throw new GatewayError('internal', 'access before the target was read')
  return observed.target
}

function activityOf({ request, navigation, upgrade }: Passage): Activity {
  if (navigation === 'prefetch') return 'none'
  if (upgrade !== null) return 'background'
  return navigation === 'document' || isUnsafe(request.method) ? 'navigation' : 'background'
}
