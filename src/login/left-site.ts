/**
 * A site that the person has left by its own logout link is not opened in silence (docs/sessions.md S3 (b), A8 (5)): a page says
 * so, and opens it when they ask.
 */
import type { Answer, PortalRequest } from '../model/exchange.ts'
import { displayName } from '../model/identity.ts'
import type { LocatedUrl, LocateUrl } from '../model/place.ts'
import type { Session } from '../model/session.ts'
import { contextOf } from '../pages/context.ts'
import type { Pages } from '../pages/pages.ts'
import type { isLeft } from '../policy/authorize.ts'
import type { Sessions } from '../session/sessions.ts'
import { redirect } from './answer.ts'
import { asFields, placed, readDestination, type Wanted } from './destination.ts'

export interface LeftSiteParts {
  readonly sessions: Pick<Sessions, 'resume' | 'reopen'>
  readonly isLeft: typeof isLeft
  readonly locateUrl: LocateUrl
  readonly pages: Pages
}

export type LeftSite = ReturnType<typeof createLeftSite>

export function createLeftSite({ sessions, isLeft, locateUrl, pages }: LeftSiteParts) {
  return {
    refuse,

    /**
     * POST /open, from our own origin. Pages that were opened together each made a page state, and the browser kept one:
     * whoever brings another's token is asked again.
     */
    async reopen(request: PortalRequest): Promise<Answer> {
      const form = request.form ?? new URLSearchParams()
      const asked = readDestination(form)
      const located = asked.to === null ? null : locateUrl(asked.to)
      if (located === null) return redirect('/')
      const wanted = placed(asked, located)
      const enter = redirect(`/enter?${new URLSearchParams(asFields(wanted))}`)
      const resumed = await sessions.resume(request.cookies, 'portal', 'navigation')
      if (resumed === null) return enter
      if (!request.page.tokenMatches(form.get('token'))) {
        return refuse(request, wanted, located, resumed.session) ?? enter
      }
      await sessions.reopen(resumed.session.id, located.resource.id)
      return enter
    },
  }

  /** Null: it was not left, and may be opened. */
  function refuse(request: PortalRequest, wanted: Wanted, located: LocatedUrl, session: Session): Answer | null {
    const { resource } = located
    if (!isLeft(resource, session)) return null
    if (wanted.framed) {
      return redirect(`${resource.at.origin}/.passerelle/framed?to=${encodeURIComponent(located.href)}`)
    }
    // The answer to a POST has no address that could be asked again in the other language.
    const place = request.method === 'POST' ? 'one-shot' : 'portal'
    const html = pages.siteLeft(contextOf(request, place, displayName(session.identity.claims)), {
      resource: resource.title,
      leave: null,
      token: request.page.token(),
      action: '/open',
      fields: asFields(placed(wanted, located)),
    })
    return { kind: 'page', status: 200, html, policy: 'leads-away', cookies: [] }
  }
}
