/**
 * Where a person may be led after sign-in: an address of a resource of ours, in a form that we built ourselves (SESSIONS B 9).
 * Nothing of what was asked for goes into a Location but a path and a query, behind a scheme and a host of the configuration.
 */
import { GatewayError } from '../errors.ts'
import {
  type Locate,
  type LocatedUrl,
  type LocateLogout,
  type LocateUrl,
  longestTarget,
  type Target,
} from '../model/place.ts'
import { targetOf } from './target.ts'

export function createLocateUrl(locate: Locate): LocateUrl {
  return function locateUrl(text) {
    if (Buffer.byteLength(text) > longestTarget) return null
    // URL parsers drop tabs and line ends and turn `\` into `/`: whoever sends them counts on two parsers that differ.
    if (/[\p{Cc}\\]/u.test(text)) return null
    const url = URL.parse(text)
    if (url === null || url.username !== '' || url.password !== '') return null
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
    const target = targetIn(url)
    return target === null ? null : located(locate, target, url)
  }
}

/**
 * The site's own logout link as it was asked for: where somebody is led once more who chose on the portal to leave this site.
 *
 * @param raw path and query
 * @returns null: it is no logout link of this resource
 */
export function createLocateLogout(locate: Locate): LocateLogout {
  return function locateLogout(resource, raw) {
    const target = refusedIsNull(() => targetOf(resource.at.host, raw))
    const place = target === null ? null : placeOf(locate, target)
    if (target === null || place?.kind !== 'site-logout' || place.place.resource !== resource) return null
    const href = `${resource.at.origin}${target.raw}`
    return href.length > longestTarget ? null : href
  }
}

function located(locate: Locate, target: Target, url: URL): LocatedUrl | null {
  const place = placeOf(locate, target)
  if (place === null || (place.kind !== 'resource' && place.kind !== 'redirect')) return null
  const { at } = place.resource
  const port = url.port === '' ? defaultPort(url.protocol) : Number(url.port)
  if (url.protocol !== `${at.scheme}:` || port !== at.port) return null
  const href = place.kind === 'redirect' ? place.to : `${at.origin}${target.raw}`
  return Buffer.byteLength(href) > longestTarget ? null : { resource: place.resource, href }
}

function targetIn(url: URL): Target | null {
  return refusedIsNull(() => targetOf(url.host, `${url.pathname}${url.search}`))
}

function placeOf(locate: Locate, target: Target) {
  return refusedIsNull(() => locate(target, 'GET'))
}

/** A target that no request could have is no target; anything else that is thrown is our own mistake. */
function refusedIsNull<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) return null
    throw error
  }
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80
}
