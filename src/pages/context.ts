/** What a page of the portal is told, read off the request that it answers. */
import type { PortalRequest } from '../model/exchange.ts'
import type { PageContext } from './site.ts'

export function contextOf(
  request: PortalRequest,
  place: 'portal' | 'one-shot',
  person: string | null = null,
): PageContext {
  return {
    language: request.language,
    place,
    here: place === 'portal' ? addressOf(request) : null,
    reference: request.reference,
    at: request.at,
    person,
  }
}

/** Without `lang`, which the page's language link adds. */
function addressOf({ path, query }: PortalRequest): string {
  const kept = new URLSearchParams(query)
  kept.delete('lang')
  return kept.size === 0 ? path : `${path}?${kept}`
}
