/**
 * The headers of an origin's answer, as a browser gets them: hop-by-hop ones dropped, our cookies never set by an origin,
 * nothing that reaches beyond its own host (SESSIONS A6), redirects and cookie paths right where a prefix is mounted.
 */
import { isOurs } from '../model/cookie.ts'
import { detached } from '../model/detached.ts'
import type { Resource } from '../model/resource.ts'

/** What caches in front of us would follow instead of Cache-Control (RFC 9213 §3, and those before it). */
const sharedCaches = /^(?:surrogate-control|x-accel-expires|(?:[a-z0-9-]+-)?cdn-cache-control)$/

/** `Trailer`: trailers are dropped. The last four would steer the browser on every host of the site, or outlive us. */
const dropped = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
])

type Pass = (value: string) => string | null
type Fate = Pass | 'keep' | 'drop' | 'connection' | 'cache-control' | 'shared-cache'

export type ResponseHeaders = (raw: readonly string[], identified: boolean) => string[]

export function createResponseHeaders(resource: Resource): ResponseHeaders {
  const passes = new Map<string, Pass>([
    ['set-cookie', value => setCookie(value, resource)],
    ['clear-site-data', clearSiteData],
    ['location', value => mapped(value, resource)],
    ['content-location', value => mapped(value, resource)],
  ])
  const fates = new Map<string, Fate>()

  return function forBrowser(raw, identified) {
    const headers: string[] = []
    let cacheControl = false
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] as string
      const value = raw[i + 1] as string
      const fate = fateOf(name)
      if (fate === 'keep') headers.push(name, value)
      else if (fate === 'cache-control') {
        cacheControl = true
        headers.push(name, identified ? privately(value) : value)
      } else if (fate === 'shared-cache') {
        if (!identified) headers.push(name, value)
      } else if (fate === 'connection') {
        // What nearly every origin says, and it names nothing.
        if (value === 'keep-alive' || value === 'close') continue
        const nominated = nominations(raw)
        if (nominated !== null) return forBrowser(without(raw, nominated), identified)
      } else if (fate !== 'drop') {
        const passed = fate(value)
        if (passed !== null) headers.push(name, passed)
      }
    }
    // What was made for one person is nobody else's, whatever stands in front of us (SESSIONS B 25).
    if (identified && !cacheControl) headers.push('cache-control', 'private')
    return headers
  }

  function fateOf(name: string): Fate {
    const known = fates.get(name)
    if (known !== undefined) return known
    const fate = fateOfName(name.toLowerCase())
    if (fates.size >= 2_000) fates.clear()
    // Short ones only: the memory is bounded in bytes, not merely in names.
    if (name.length <= 64) fates.set(detached(name), fate)
    return fate
  }

  function fateOfName(lower: string): Fate {
    if (dropped.has(lower)) return 'drop'
    if (lower === 'connection') return 'connection'
    if (lower === 'cache-control') return 'cache-control'
    if (sharedCaches.test(lower)) return 'shared-cache'
    return passes.get(lower) ?? 'keep'
  }
}

/** Words of the hop itself, and what ends here in any case. */
const ownWords = new Set(['', 'close', 'keep-alive', ...dropped])

/** What the origin says is for its own hop only (RFC 9110 §7.6.1), the Connection lines with it; null: nothing more. */
function nominations(raw: readonly string[]): ReadonlySet<string> | null {
  const named = raw
    .filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === 'connection')
    .flatMap(value => value.toLowerCase().split(','))
    .map(word => word.trim())
    .filter(word => !ownWords.has(word))
  return named.length === 0 ? null : new Set(['connection', ...named])
}

function without(raw: readonly string[], names: ReadonlySet<string>): readonly string[] {
  return raw.filter((_, at) => !names.has((raw[at - (at % 2)] as string).toLowerCase()))
}

function privately(value: string): string {
  const directives = value.split(',').map(part => part.trim())
  // Not `private="X-Some-Header"`: that keeps one header out of shared caches, and lets the page in.
  if (directives.some(directive => /^(no-store|private)$/i.test(directive))) return value
  const rest = directives.filter(part => part !== '' && !/^(public|s-maxage=.*)$/i.test(part))
  return [...rest, 'private'].join(', ')
}

/** "cookies" from one host erases those of every host of the registrable domain, the portal's included; "*" holds it. */
function clearSiteData(value: string): string | null {
  const kept = value
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '' && !/^"(cookies|\*)"$/i.test(part))
  return kept.length === 0 ? null : kept.join(', ')
}

function setCookie(line: string, resource: Resource): string | null {
  const [pair = '', ...attributes] = line.split(';')
  const name = pair.slice(0, pair.includes('=') ? pair.indexOf('=') : 0).trim()
  // A cookie without a name is sent by its bare value: `=__Host-…=x` would come back as ours.
  if (isOurs(name) || (name === '' && isOurs(pair.replace(/^\s*=/, '').trim()))) return null
  const kept = attributes.map(attribute => attributeFor(attribute, resource)).filter(attribute => attribute !== null)
  return [pair, ...kept].join(';')
}

function attributeFor(attribute: string, resource: Resource): string | null {
  const [name = '', value = ''] = split(attribute)
  if (name === 'domain' && resource.cookieDomain === 'remove') {
    return value.replace(/^\./, '').toLowerCase() === resource.at.hostname ? attribute : null
  }
  if (name !== 'path' || (resource.at.prefix === '/' && resource.origin.prefix === '/')) return attribute
  if (!value.startsWith('/')) return null
  const path = mountedPath(value, resource)
  return path === null ? null : ` Path=${path}`
}

function split(attribute: string): readonly [string, string] {
  const equals = attribute.indexOf('=')
  if (equals < 0) return [attribute.trim().toLowerCase(), '']
  return [attribute.slice(0, equals).trim().toLowerCase(), attribute.slice(equals + 1).trim()]
}

/** A path of the origin as browsers see it; null: outside what is mounted. A path above the mount means the mount itself. */
function mountedPath(path: string, { at, origin }: Resource): string | null {
  if (path.startsWith(origin.prefix)) return at.prefix + path.slice(origin.prefix.length)
  return origin.prefix.startsWith(path.endsWith('/') ? path : `${path}/`) ? at.prefix : null
}

/**
 * A redirect to the origin under its own name, or to the site under the wrong scheme, is a redirect to the site. Anything
 * else is the origin's business and stays as it is: relative ones resolve the same on both sides.
 */
function mapped(value: string, resource: Resource): string {
  const { at, origin } = resource
  if (/^\/(?![/\\])/.test(value)) {
    // A path of the origin, joined as text: parsing would re-encode what the origin wrote.
    if (at.prefix === origin.prefix) return value
    const end = value.search(/[?#]|$/)
    const path = mountedPath(value.slice(0, end), resource)
    return path === null ? value : path + value.slice(end)
  }
  if (!/^[a-z][a-z0-9+.-]*:|^[/\\]/i.test(value)) return value
  const url = URL.parse(value, origin.origin)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return value
  const toOrigin = url.origin === origin.origin
  const toSite = url.hostname === at.hostname
  if (!toOrigin && !toSite) return value
  const rest = url.search + url.hash
  // Written with the site's public name, the path is public already, or the origin's own: the mount decides.
  if (toSite && !toOrigin && url.pathname.startsWith(at.prefix)) return at.origin + url.pathname + rest
  const path = mountedPath(url.pathname, resource)
  return path === null ? value : at.origin + path + rest
}
