/**
 * What a browser thinks of two addresses: same origin, same site, or neither; and the headers that follow from it
 * (Fetch Metadata, Origin, Referer). https://www.w3.org/TR/fetch-metadata/ · https://fetch.spec.whatwg.org/#origin-header
 */

/** Browsers take these for secure although they are http (Secure Contexts §3.1). */
export function isTrustworthy(url: URL): boolean {
  const secure = url.protocol === 'https:' || url.protocol === 'wss:'
  return secure || isLoopback(url.hostname)
}

export function isLoopback(hostname: string): boolean {
  return /^(.+\.)?localhost$/.test(hostname) || /^127\.\d+\.\d+\.\d+$/.test(hostname) || hostname === '[::1]'
}

/**
 * Scheme and registrable domain. There is no public suffix list here: the last two labels stand for it, which is what
 * Chromium makes of names under .localhost. So acces.localhost and journal.localhost are different sites, and
 * a.univ.localhost and b.univ.localhost are the same.
 */
export function siteOf(url: URL): string {
  return `${schemeOf(url)}//${registrableDomain(url.hostname)}`
}

export function registrableDomain(hostname: string): string {
  if (/^[\d.]+$|^\[/.test(hostname)) return hostname
  return hostname.split('.').slice(-2).join('.')
}

export type FetchSite = 'none' | 'same-origin' | 'same-site' | 'cross-site'

/**
 * The value of Sec-Fetch-Site.
 *
 * @param initiator the page that causes the request; null: the person, by the address bar or a bookmark; opaque: a
 *                  sandboxed page, which is nobody's friend
 * @param chain     every address of the request so far, redirects included: the farthest one counts
 */
export function fetchSite(initiator: URL | 'opaque' | null, chain: readonly URL[]): FetchSite {
  if (initiator === null) return 'none'
  if (initiator === 'opaque') return 'cross-site'
  if (chain.some(url => siteOf(url) !== siteOf(initiator))) return 'cross-site'
  return chain.every(url => originOf(url) === originOf(initiator)) ? 'same-origin' : 'same-site'
}

/** `scheme://host[:port]`, where ws counts as http. */
export function originOf(url: URL): string {
  return `${schemeOf(url)}//${url.host}`
}

export type ReferrerPolicy = 'no-referrer' | 'same-origin' | 'origin' | 'strict-origin-when-cross-origin'

/** The policy that an answer sets for what its page sends; the last known word of the last line counts. */
export function referrerPolicyOf(header: string | null): ReferrerPolicy {
  const known = ['no-referrer', 'same-origin', 'origin', 'strict-origin-when-cross-origin'] as const
  const words = (header ?? '').split(',').map(word => word.trim().toLowerCase())
  return known.findLast(policy => words.includes(policy)) ?? 'strict-origin-when-cross-origin'
}

/**
 * Null: no Referer is sent. Once a redirect has led to another origin, the path does not come back.
 *
 * @param chain every address of the request so far
 */
export function refererFor(initiator: URL, chain: readonly URL[], policy: ReferrerPolicy): string | null {
  const same = chain.every(url => originOf(url) === originOf(initiator))
  switch (policy) {
    case 'no-referrer':
      return null
    case 'same-origin':
      return same ? whole(initiator) : null
    case 'origin':
      return `${originOf(initiator)}/`
    case 'strict-origin-when-cross-origin':
      return same ? whole(initiator) : `${originOf(initiator)}/`
  }
}

/**
 * The Origin of an unsafe request, where the referrer policy has its word too (Fetch, "append a request Origin header").
 * A body that was passed on from one origin to another comes from nobody: Chromium says null.
 */
export function unsafeOrigin(initiator: URL, chain: readonly URL[], policy: ReferrerPolicy): string {
  const passedOn = chain.some(url => originOf(url) !== originOf(chain[0] ?? url))
  if (policy === 'no-referrer' || passedOn) return 'null'
  if (policy === 'same-origin' && chain.some(url => originOf(url) !== originOf(initiator))) return 'null'
  return originOf(initiator)
}

function schemeOf(url: URL): string {
  return url.protocol === 'ws:' ? 'http:' : url.protocol === 'wss:' ? 'https:' : url.protocol
}

function whole(url: URL): string {
  return `${originOf(url)}${url.pathname}${url.search}`
}
