/**
 * "Sign in first." Only a document navigation is led away; a frame is handed over silently or told to open a window; a
 * script, an API call or a WebSocket gets 401 in JSON; a form that was sent gets a page that says so (SESSIONS S2, A9).
 */
import type { Challenge as Challenged } from '../model/decision.ts'
import type { Passage } from '../model/passage.ts'
import { type LocateUrl, longestTarget } from '../model/place.ts'
import type { Resource } from '../model/resource.ts'
import type { Pages } from '../pages/pages.ts'
import type { Handoff } from '../session/handoff.ts'
import { answerJson, answerPage, answerRedirect } from './answer.ts'
import { corsHeaders } from './cross-origin.ts'
import type { SitePage } from './site-page.ts'

export interface ChallengeParts {
  /** `https://acces.example.org` */
  readonly portal: string
  readonly handoff: Handoff
  readonly locateUrl: LocateUrl
  readonly pages: Pages
  readonly sitePage: SitePage
}

export type Challenge = (passage: Passage, decision: Challenged) => void
export type Begin = (passage: Passage, to: string, attempt: number, framed: boolean, silent?: boolean) => void

const scheme = ['WWW-Authenticate', 'Passerelle']

export function createChallenge(parts: ChallengeParts): Challenge {
  const begin = createBegin(parts)

  return function challenge(passage, { resource }) {
    const { request, navigation } = passage
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (reads && (navigation === 'document' || navigation === 'frame')) {
      return begin(passage, target(passage, resource), 1, navigation === 'frame')
    }
    if (navigation === 'document') return notSent(passage, resource)
    answerJson(passage, 401, { error: 'login.required' }, [...scheme, ...corsHeaders(passage, resource)])
  }

  /** Nobody signs in to be signed out: from the site's own logout link the way leads to its front page. */
  function target(passage: Passage, resource: Resource): string {
    const address = wanted(passage, resource)
    return parts.locateUrl(address) === null ? frontOf(resource) : address
  }

  function notSent(passage: Passage, resource: Resource): void {
    parts.sitePage.note(
      passage,
      'login.not-sent',
      `${passage.request.method} without a session; the body was not forwarded`,
    )
    const page = parts.pages.notSent(parts.sitePage.context(passage), {
      resource: resource.title,
      openAgain: target(passage, resource),
    })
    answerPage(passage, 401, page, scheme)
  }
}

/** Starts a hand-off: a nonce that stays in this browser, its hash to the portal (SESSIONS S2). */
export function createBegin({ portal, handoff }: Pick<ChallengeParts, 'portal' | 'handoff'>): Begin {
  return function begin(passage, to, attempt, framed, silent = false) {
    const { n, cookies } = handoff.begin(passage.cookies)
    const frame = framed ? '&f=1' : ''
    const prompt = silent ? '&prompt=none' : ''
    const enter = `${portal}/enter?to=${encodeURIComponent(to)}&n=${n}&a=${attempt}${frame}${prompt}`
    // HEAD has the same status, and leaves nothing behind.
    answerRedirect(passage, enter, passage.request.method === 'HEAD' ? [] : cookies)
  }
}

/** The address that was asked for, by the configuration's own scheme and host; too long: the site's front page. */
export function wanted({ observed }: Passage, resource: Resource): string {
  const { at } = resource
  const address = `${at.origin}${observed.target?.raw ?? at.prefix}`
  return address.length > longestTarget ? frontOf(resource) : address
}

function frontOf({ at }: Resource): string {
  return `${at.origin}${at.prefix}`
}
