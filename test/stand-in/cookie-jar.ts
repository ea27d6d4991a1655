/**
 * Cookies as Chromium keeps them (RFC 6265bis): host-only and Domain, Path, Secure also on *.localhost, Max-Age before
 * Expires, SameSite with Lax for cookies that say nothing, the prefixes `__Host-`, `__Secure-`, `__Http-` and
 * `__Host-Http-`. Left out: public suffixes beyond the last label, Partitioned, eviction, the blocking of third-party
 * cookies, and Chromium's two minutes in which an unmarked cookie also travels with a cross-site POST (nothing may rely
 * on it). The rest was compared with Chromium 156, header by header.
 */
import { isTrustworthy, registrableDomain } from './site.ts'

export interface Cookie {
  readonly name: string
  readonly value: string
  /** Without a leading dot. */
  readonly domain: string
  /** True: only that very host, no subdomain. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'strict' | 'lax' | 'none'
  /** Milliseconds since the epoch; null: until the browser closes. */
  readonly expiresAt: number | null
}

export interface RefusedCookie {
  readonly host: string
  readonly line: string
  readonly reason: string
}

/** same-site: everything goes along. lax: a cross-site navigation that is safe. cross-site: only SameSite=None. */
export type CookieContext = 'same-site' | 'lax' | 'cross-site'

type Attributes = ReadonlyMap<string, string>

export class CookieJar {
  /** Lines that were not stored, newest last; for tests that say what a browser would have done with them. */
  readonly refused: RefusedCookie[] = []
  /** In the order of creation. */
  #cookies: Cookie[] = []
  readonly #now: () => number

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /**
   * Takes one Set-Cookie line of an answer from `url`. An expired cookie deletes its namesake.
   *
   * @param context of the request: in a cross-site one only SameSite=None is stored, except by navigation of a whole tab
   */
  receive(url: URL, line: string, context: CookieContext = 'same-site'): void {
    const made = this.#make(url, line, context)
    if (typeof made === 'string') {
      this.refused.push({ host: url.hostname, line, reason: made })
      return
    }
    const same = (other: Cookie) =>
      other.name === made.name &&
      other.domain === made.domain &&
      other.hostOnly === made.hostOnly &&
      other.path === made.path
    if (made.expiresAt !== null && made.expiresAt <= this.#now()) {
      this.#cookies = this.#cookies.filter(cookie => !same(cookie))
      return
    }
    // A cookie that is overwritten keeps its place in the order (§5.7, creation time).
    const place = this.#cookies.findIndex(same)
    if (place < 0) this.#cookies.push(made)
    else this.#cookies[place] = made
  }

  /** The Cookie header for a request; null: none. Longest path first, then the oldest (§5.8.3). */
  headerFor(url: URL, context: CookieContext): string | null {
    const sent = this.#live()
      .filter(cookie => reaches(cookie, url) && travels(cookie, context))
      .sort((a, b) => b.path.length - a.path.length)
    return sent.length === 0 ? null : sent.map(pairOf).join('; ')
  }

  /** What is stored for exactly this host, host-only or by Domain. */
  of(host: string): Cookie[] {
    return this.#live().filter(cookie => cookie.domain === host)
  }

  all(): Cookie[] {
    return this.#live()
  }

  /** Puts a cookie in as it is, past every rule: what a script or a thief could have done. Goes to the end of the order. */
  plant(cookie: Partial<Cookie> & Pick<Cookie, 'name' | 'value' | 'domain'>): void {
    const plain = { hostOnly: true, path: '/', secure: true, httpOnly: true, sameSite: 'lax', expiresAt: null } as const
    this.#cookies.push({ ...plain, ...cookie })
  }

  /** All cookies, or those of one host; as the person's "clear site data" does. */
  clear(host: string | null = null): void {
    this.#cookies = host === null ? [] : this.#cookies.filter(cookie => cookie.domain !== host)
  }

  /** `Clear-Site-Data: "cookies"`: Chromium erases those of the whole registrable domain. */
  clearSite(url: URL): void {
    const site = registrableDomain(url.hostname)
    this.#cookies = this.#cookies.filter(cookie => registrableDomain(cookie.domain) !== site)
  }

  /** The browser is closed and opened again: cookies without an expiry are gone. */
  restart(): void {
    this.#cookies = this.#cookies.filter(cookie => cookie.expiresAt !== null)
  }

  /** A second jar with the same content, which goes its own way from here. */
  copy(): CookieJar {
    const jar = new CookieJar(this.#now)
    jar.#cookies = [...this.#cookies]
    return jar
  }

  #live(): Cookie[] {
    const now = this.#now()
    this.#cookies = this.#cookies.filter(cookie => cookie.expiresAt === null || cookie.expiresAt > now)
    return [...this.#cookies]
  }

  /** The cookie, or why there is none. */
  #make(url: URL, line: string, context: CookieContext): Cookie | string {
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(line)) return 'control character'
    const [pair = '', ...rest] = line.split(';')
    const equals = pair.indexOf('=')
    const name = (equals < 0 ? '' : pair.slice(0, equals)).trim()
    const value = (equals < 0 ? pair : pair.slice(equals + 1)).trim()
    if (name === '' && value === '') return 'empty'
    if (name.length + value.length > 4_096) return 'over 4,096 bytes'

    const attributes = attributesOf(rest)
    const asked = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase()
    // A Domain that is the host itself still reaches subdomains, except where it is a public suffix (§5.7, step 9).
    const hostOnly = asked === '' || (asked === url.hostname && !asked.includes('.'))
    if (asked !== '' && !domainMatches(url.hostname, asked)) return 'Domain is not this host or above it'
    if (asked !== '' && asked !== url.hostname && !asked.includes('.')) return 'Domain is a public suffix'

    const path = attributes.get('path')
    const sameSite = sameSiteOf(attributes.get('samesite'))
    const cookie: Cookie = {
      name,
      value,
      domain: asked === '' ? url.hostname : asked,
      hostOnly,
      path: path?.startsWith('/') ? path : defaultPath(url),
      secure: attributes.has('secure'),
      httpOnly: attributes.has('httponly'),
      sameSite,
      expiresAt: this.#expiry(attributes),
    }
    if (cookie.secure && !isTrustworthy(url)) return 'Secure over plain http'
    if (context === 'cross-site' && sameSite !== 'none') return 'SameSite in a cross-site answer'
    if (cookie.sameSite === 'none' && !cookie.secure) return 'SameSite=None without Secure'
    return brokenPrefix(cookie, attributes) ?? cookie
  }

  #expiry(attributes: Attributes): number | null {
    const maxAge = attributes.get('max-age')
    if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) {
      return Number(maxAge) <= 0 ? 0 : this.#now() + Number(maxAge) * 1_000
    }
    const expires = Date.parse(attributes.get('expires') ?? '')
    return Number.isNaN(expires) ? null : expires
  }
}

/** A cookie without a name travels as its bare value (§5.8.3). */
function pairOf({ name, value }: Cookie): string {
  return name === '' ? value : `${name}=${value}`
}

/** Attribute names in lower case; of two of a name the last one counts (§5.6). */
function attributesOf(parts: readonly string[]): Attributes {
  return new Map(
    parts.map(part => {
      const equals = part.indexOf('=')
      const name = equals < 0 ? part : part.slice(0, equals)
      return [name.trim().toLowerCase(), equals < 0 ? '' : part.slice(equals + 1).trim()]
    }),
  )
}

/** §4.1.3. Browsers compare the prefixes without regard to case, so that `__HOST-` is no way around. */
function brokenPrefix(cookie: Cookie, attributes: Attributes): string | null {
  const name = cookie.name.toLowerCase()
  const tiedToHost = cookie.secure && !attributes.get('domain') && attributes.get('path') === '/'
  if (name.startsWith('__host-http-')) return tiedToHost && cookie.httpOnly ? null : '__Host-Http- broken'
  if (name.startsWith('__host-')) return tiedToHost ? null : '__Host- broken'
  if (name.startsWith('__http-')) return cookie.secure && cookie.httpOnly ? null : '__Http- broken'
  if (name.startsWith('__secure-')) return cookie.secure ? null : '__Secure- broken'
  return null
}

function reaches(cookie: Cookie, url: URL): boolean {
  const host = cookie.hostOnly ? url.hostname === cookie.domain : domainMatches(url.hostname, cookie.domain)
  return host && pathMatches(url.pathname, cookie.path) && (!cookie.secure || isTrustworthy(url))
}

function travels(cookie: Cookie, context: CookieContext): boolean {
  switch (context) {
    case 'same-site':
      return true
    case 'lax':
      return cookie.sameSite !== 'strict'
    case 'cross-site':
      return cookie.sameSite === 'none'
  }
}

function domainMatches(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !/^[\d.]+$/.test(host))
}

function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true
  return path.startsWith(cookiePath) && (cookiePath.endsWith('/') || path[cookiePath.length] === '/')
}

/** §5.1.4: the directory of the page that set it. */
function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf('/')
  return end <= 0 ? '/' : url.pathname.slice(0, end)
}

function sameSiteOf(value: string | undefined): Cookie['sameSite'] {
  const word = value?.toLowerCase()
  return word === 'strict' || word === 'none' ? word : 'lax'
}
