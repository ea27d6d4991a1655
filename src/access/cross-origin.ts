/**
 * Who may act with somebody's session on a site. Hosts under one registrable domain are same-site to a browser, so
 * SameSite protects nothing between them: a request that changes something, or opens a WebSocket, must come from the
 * site itself or from an origin that the operator listed (SESSIONS A6).
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { Passage } from '../model/passage.ts'
import type { Resource } from '../model/resource.ts'

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function isUnsafe(method: string | undefined): boolean {
  return method === undefined || !safe.has(method)
}

/** @throws GatewayError `request.cross-origin` nothing was forwarded */
export function mustComeFromTheSite(passage: Passage, resource: Resource, report: Report): void {
  const { request, upgrade } = passage
  if (upgrade === null && !isUnsafe(request.method)) return
  const origin = passage.header('origin')
  if (upgrade !== null) {
    // Browsers send no Sec-Fetch-* with a WebSocket handshake: only Origin counts. Without one it is no browser.
    if (origin === undefined || isAdmitted(origin, resource)) return
    throw refusal('WebSocket', origin, resource, report)
  }
  const site = passage.header('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return
  if (origin === undefined ? site === undefined : isAdmitted(origin, resource)) return
  throw refusal(request.method ?? '', origin ?? `a ${String(site)} page`, resource, report)
}

function isAdmitted(origin: string, resource: Resource): boolean {
  return origin === resource.at.origin || resource.allowOrigins.includes(origin)
}

/** What lets a script on an admitted origin read our refusals; nothing for anybody else. */
export function corsHeaders(passage: Passage, resource: Resource): readonly string[] {
  const origin = passage.header('origin')
  if (origin === undefined || !isAdmitted(origin, resource)) return []
  return ['Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Credentials', 'true']
}

function refusal(what: string, from: string, resource: Resource, report: Report): GatewayError {
  report({ name: 'request.cross-origin', resource: resource.id })
  return new GatewayError(
    'request.cross-origin',
    `${what} from ${from.slice(0, 200)} to ${resource.at.origin} (${resource.id})`,
    {
      hint: 'If pages of that origin shall act here, list it in allowOrigins of the resource.',
    },
  )
}
