/** The portal's front page: who is signed in, the sites, and which of them open. */
import type { Answer, PortalRequest, Route } from '../model/exchange.ts'
import { displayName, type IdpId } from '../model/identity.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { type Text, textOf } from '../model/text.ts'
import { contextOf } from '../pages/context.ts'
import type { ListedSite, StrangersFront } from '../pages/front.ts'
import type { Pages } from '../pages/pages.ts'
import type { authorize } from '../policy/authorize.ts'
import type { Sessions } from '../session/sessions.ts'
import type { MyChoices } from './my-choices.ts'
import { createSitesByValue } from './sites-by-value.ts'

export interface FrontParts {
  readonly resources: readonly Resource[]
  readonly sessions: Pick<Sessions, 'resume'>
  readonly authorize: typeof authorize
  readonly pages: Pages
  /** The claim by whose values the sites are listed; null: they are not. */
  readonly groupBy: string | null
  readonly myChoices: MyChoices
  readonly idpLabel: (idp: IdpId) => Text | null
  /** Where those who look after an account give one, for each idp that signs people in by now. */
  readonly accounts: () => StrangersFront['accounts']
  /** The account that a browser would be led to without a question; null: it would be asked. */
  readonly memory: (request: PortalRequest) => Text | null
}

export function createFront(parts: FrontParts) {
  const { resources, sessions, authorize, pages, groupBy } = parts
  const sitesByValue = createSitesByValue(authorize)

  return async function front(request: PortalRequest): Promise<Answer> {
    const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
    const html = resumed === null ? strangers(request) : personal(request, resumed.session)
    return { kind: 'page', status: 200, html, policy: 'own', cookies: [] }
  }

  /** Before sign-in nobody knows: every site may be one's own. */
  function strangers(request: PortalRequest): string {
    const last = parts.memory(request)
    return pages.front(contextOf(request, 'portal'), {
      kind: 'stranger',
      sites: resources.map(listed),
      accounts: parts.accounts(),
      signInHref: '/login',
      lastTime: last === null ? null : { idp: last, change: '/login?choose=1' },
    })
  }

  /** As the sites' own front pages would be decided now; nor is a site closed that the person has left. */
  function personal(request: PortalRequest, session: Session): string {
    const { claims, idp } = session.identity
    const opens = (resource: Resource) => {
      const asked = { resource, access: resource.access, context: { method: 'GET', address: request.address } }
      return authorize(asked, session).effect !== 'deny'
    }
    const open = resources.filter(opens)
    const { groups, others, unlisted } =
      groupBy === null
        ? { groups: null, others: open, unlisted: 0 }
        : sitesByValue(open, session, groupBy, request.address, parts.myChoices.favouriteOf(session, groupBy))
    const last = parts.memory(request)
    return pages.front(contextOf(request, 'portal', displayName(claims)), {
      kind: 'person',
      groups:
        groupBy === null || groups === null
          ? null
          : { claim: groupBy, of: groups.map(({ value, sites }) => ({ value, sites: sites.map(listed) })), unlisted },
      choices: parts.myChoices.of(request, session),
      open: others.map(listed),
      closed: resources.filter(resource => !open.includes(resource)).map(listed),
      account: parts.idpLabel(idp) ?? textOf(idp),
      lastTime: last && { idp: last, change: '/login?again=1&choose=1', token: request.page.token() },
    })
  }
}

function listed({ title, at }: Resource): ListedSite {
  return { title, href: `${at.origin}${at.prefix}` }
}

export function portalRoutes(front: ReturnType<typeof createFront>): readonly Route[] {
  return [{ method: 'GET', path: '/', body: 'none', csrf: false, answer: front }]
}
