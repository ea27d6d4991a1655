/**
 * How a browser asks: which headers and cookies a navigation, a frame, a form or a script's request carries, given the
 * page that it comes from and the addresses it has passed.
 */
import { Reply } from './browser-reply.ts'
import type { CookieContext } from './cookie-jar.ts'
import { fetchSite, originOf, type ReferrerPolicy, refererFor, referrerPolicyOf, siteOf, unsafeOrigin } from './site.ts'

/** false: no redirect is followed. A number: at most so many. A function: as long as it says so. */
export type Follow = boolean | number | ((answer: Reply) => boolean)

export type Headers = Readonly<Record<string, string | readonly string[]>>

export interface NavigateOptions {
  readonly method?: string
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  /** Have the last word over what a browser would send. */
  readonly headers?: Headers
  /** The page whose link, form or frame it is; absent: the person typed it. A URL counts as a page without policies. */
  readonly from?: Reply | string
  /** prefetch: as speculation rules do. Default: document. */
  readonly as?: 'document' | 'iframe' | 'prefetch'
  /** true by default, for at most 20 redirects, like Chromium. */
  readonly follow?: Follow
}

export interface FetchOptions {
  readonly method?: string
  readonly headers?: Headers
  readonly body?: string | Uint8Array
  /** The page whose script or element asks. Required for relative URLs; absent: a page of the very same origin. */
  readonly from?: Reply | string
  /** cors: script; no-cors: `<img>`, `<script>`, beacon. Default: cors. Preflights are not sent by themselves. */
  readonly mode?: 'cors' | 'no-cors' | 'same-origin'
  /** Default: same-origin for cors, include for no-cors. */
  readonly credentials?: 'same-origin' | 'include' | 'omit'
  /** Sec-Fetch-Dest; `empty` by default. */
  readonly dest?: string
  readonly follow?: Follow
}

/** What stays the same over all hops of one request. */
export interface Asking {
  /** Headers that depend on where the request has been. */
  readonly headersFor: (chain: readonly URL[], method: string) => Record<string, string>
  readonly cookiesFor: (url: URL, method: string) => CookieUse | null
  /** What the caller wants to say in any case. */
  readonly own: Headers
}

/** Null instead of it: without credentials, cookies are neither sent nor kept. */
export interface CookieUse {
  readonly send: CookieContext
  readonly keep: CookieContext
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** A page's own address. */
export function urlOf(page: Reply | string): URL {
  return typeof page === 'string' ? new URL(page) : page.url
}

export function navigationAsking(options: NavigateOptions, isForm: boolean): Asking {
  const as = options.as ?? 'document'
  const page = options.from === undefined ? null : urlOf(options.from)
  const initiator = options.from instanceof Reply && options.from.sandboxed ? 'opaque' : page
  const policy = referrerPolicyOf(options.from instanceof Reply ? options.from.header('referrer-policy') : null)
  return {
    own: options.headers ?? {},
    headersFor: (chain, method) => ({
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
      'Upgrade-Insecure-Requests': '1',
      'Sec-Fetch-Site': fetchSite(initiator, chain),
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': as === 'iframe' ? 'iframe' : 'document',
      ...(as === 'document' ? { 'Sec-Fetch-User': '?1' } : {}),
      ...(as === 'prefetch' ? { 'Sec-Purpose': 'prefetch' } : {}),
      ...(isForm && !safe.has(method) ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
      ...origins(initiator, chain, method, policy),
    }),
    cookiesFor: (url, method) => {
      const near = initiator === null || (initiator !== 'opaque' && siteOf(initiator) === siteOf(url))
      if (near) return { send: 'same-site', keep: 'same-site' }
      if (as === 'iframe') return { send: 'cross-site', keep: 'cross-site' }
      return { send: safe.has(method) ? 'lax' : 'cross-site', keep: 'same-site' }
    },
  }
}

export function subrequestAsking(target: URL, options: FetchOptions): Asking {
  const page = options.from === undefined ? target : urlOf(options.from)
  const initiator = options.from instanceof Reply && options.from.sandboxed ? 'opaque' : page
  const policy = referrerPolicyOf(options.from instanceof Reply ? options.from.header('referrer-policy') : null)
  const mode = options.mode ?? 'cors'
  const credentials = options.credentials ?? (mode === 'no-cors' ? 'include' : 'same-origin')
  return {
    own: options.headers ?? {},
    headersFor: (chain, method) => ({
      Accept: '*/*',
      'Sec-Fetch-Site': fetchSite(initiator, chain),
      'Sec-Fetch-Mode': mode,
      'Sec-Fetch-Dest': options.dest ?? 'empty',
      ...origins(initiator, chain, method, policy),
      ...(mode === 'cors' && fetchSite(initiator, chain) !== 'same-origin'
        ? { Origin: initiator === 'opaque' ? 'null' : originOf(page) }
        : {}),
    }),
    cookiesFor: url => {
      if (credentials === 'omit' || initiator === 'opaque') return null
      if (credentials === 'same-origin' && originOf(page) !== originOf(url)) return null
      const context = siteOf(page) === siteOf(url) ? 'same-site' : 'cross-site'
      return { send: context, keep: context }
    },
  }
}

/** Origin for unsafe methods, Referer as the page's policy allows. */
function origins(
  initiator: URL | 'opaque' | null,
  chain: readonly URL[],
  method: string,
  policy: ReferrerPolicy,
): Record<string, string> {
  if (initiator === null || initiator === 'opaque') return safe.has(method) ? {} : { Origin: 'null' }
  const referer = refererFor(initiator, chain, policy)
  return {
    ...(safe.has(method) ? {} : { Origin: unsafeOrigin(initiator, chain, policy) }),
    ...(referer === null ? {} : { Referer: referer }),
  }
}
