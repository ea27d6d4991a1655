/**
 * CORS preflights carry no cookie, so they can never be decided by session. The origin sees one only where the resource
 * says `preflight: forward`, and then without identity; else we answer for the origins that the operator listed.
 */
import type { Passage } from '../model/passage.ts'
import type { Access, Resource } from '../model/resource.ts'
import { answerEmpty } from './answer.ts'
import { corsHeaders } from './cross-origin.ts'

export function isPreflight(passage: Passage): boolean {
  return (
    passage.request.method === 'OPTIONS' &&
    passage.header('origin') !== undefined &&
    passage.header('access-control-request-method') !== undefined
  )
}

/** What a forwarded preflight is judged by: nothing, and nobody's identity goes with it. */
export const openToPreflight: Access = {
  policy: { kind: 'public', name: 'preflight', rules: [], judge: () => ({ effect: 'permit', rule: 0 }) },
  match: null,
}

/** @returns false: its origin is not admitted, and the request is challenged like any other */
export function answerPreflight(passage: Passage, resource: Resource): boolean {
  const cors = corsHeaders(passage, resource)
  if (cors.length === 0) return false
  const asked = passage.header('access-control-request-headers')
  answerEmpty(passage, 204, [
    ...cors,
    'Access-Control-Allow-Methods',
    passage.header('access-control-request-method') ?? '',
    ...(asked === undefined ? [] : ['Access-Control-Allow-Headers', asked]),
  ])
  return true
}
