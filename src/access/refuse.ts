/** "This account does not open it": 403, on the site's own host, with what would have sufficed in plain words. */
import type { Deny } from '../model/decision.ts'
import { displayName } from '../model/identity.ts'
import type { Passage } from '../model/passage.ts'
import { type Text, textOf } from '../model/text.ts'
import type { Pages } from '../pages/pages.ts'
import { answerJson, answerPage } from './answer.ts'
import { wanted } from './challenge.ts'
import { corsHeaders } from './cross-origin.ts'
import type { SitePage } from './site-page.ts'

export interface RefuseParts {
  readonly portal: string
  readonly pages: Pages
  readonly sitePage: SitePage
  /** What people call an idp. */
  readonly idpLabel: (idp: string) => Text | null
}

export type Refuse = (passage: Passage, decision: Deny) => void

export function createRefuse({ portal, pages, sitePage, idpLabel }: RefuseParts): Refuse {
  return function refuse(passage, { resource, session, policy, reason, needed, held }) {
    const reference = sitePage.note(passage, 'policy.denied', `${reason}, policy ${policy.name}`)
    if (passage.navigation !== 'document' && passage.navigation !== 'frame') {
      return answerJson(passage, 403, { error: 'policy.denied', reference }, corsHeaders(passage, resource))
    }
    const { identity } = session
    const name = displayName(identity.claims)
    const page = pages.refused(sitePage.context(passage, name), {
      resource: resource.title,
      needed,
      held,
      account: { idp: idpLabel(identity.idp) ?? textOf(identity.idp), name: name === '' ? null : name },
      policy: policy.name,
      reason,
      otherAccount: `${portal}/login?again=1&to=${encodeURIComponent(wanted(passage, resource))}`,
      frontPage: `${portal}/`,
    })
    answerPage(passage, 403, page)
  }
}
