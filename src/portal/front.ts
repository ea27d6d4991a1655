/** The portal's front page: who is signed in, the sites, and which of them open. */
import type { Answer, PortalRequest, Route } from '../model/exchange.ts'
import { displayName } from '../model/identity.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import type { Text } from '../model/text.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { authorize } from '../policy/authorize.ts'
import type { Sessions } from '../session/sessions.ts'

export interface FrontParts {
  readonly resources: readonly Resource[]
  readonly sessions: Pick<Sessions, 'resume'>
  readonly authorize: typeof authorize
  readonly pages: Pages
  /** The account that a browser would be led to without a question; null: it would be asked. */
  readonly memory: (request: PortalRequest) => Text | null
}

export function createFront({ resources, sessions, authorize, pages, memory }: FrontParts) {
  return async function front(request: PortalRequest): Promise<Answer> {
    const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
    const session = resumed?.session ?? null
    const last = session === null ? memory(request) : null
    const html = pages.front(
      contextOf(request, 'portal', session === null ? null : displayName(session.identity.claims)),
      {
        sites: resources.map(resource => ({
          title: resource.title,
          href: `${resource.at.origin}${resource.at.prefix}`,
          open: opens(resource, session, request.address),
        })),
        signInHref: session === null ? '/login' : null,
        lastTime: last === null ? null : { idp: last, change: '/login?choose=1' },
      },
    )
    return { kind: 'page', status: 200, html, policy: 'own', cookies: [] }
  }

  /** As its front page would be decided now. Before sign-in nobody knows: every site may be one's own; nor is a site closed that the person has left. */
  function opens(resource: Resource, session: Session | null, address: string): boolean {
    if (session === null) return true
    const asked = { resource, access: resource.access, context: { method: 'GET', address } }
    return authorize(asked, session).effect !== 'deny'
  }
}

export function portalRoutes(front: ReturnType<typeof createFront>): readonly Route[] {
  return [{ method: 'GET', path: '/', body: 'none', csrf: false, answer: front }]
}
