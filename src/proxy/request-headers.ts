/**
 * The headers that an origin gets: strip first, then inject. Everything a client sent that an origin might believe is
 * removed, on every path; what Connection nominates goes with it, before ours are added, so that nobody can have ours
 * removed by nominating them (Traefik CVE-2024-45410, Oathkeeper GHSA-w9mr-28mw-j8hg).
 */
import { isOurs } from '../model/cookie.ts'
import { detached } from '../model/detached.ts'
import type { Resource } from '../model/resource.ts'
import { createNameFilter } from './trusted-names.ts'

/** Flat: name, value, name, value … Values are bytes in latin1 strings, as on the wire. */
export type FlatHeaders = string[]

export interface RequestHeaders {
  /**
   * @param raw       the request's rawHeaders
   * @param client    the client's address
   * @param injected  identity headers, flat; empty where there is no identity
   */
  readonly forOrigin: (
    raw: readonly string[],
    resource: Resource,
    client: string,
    injected: readonly string[],
  ) => FlatHeaders
}

type Fate = 'pass' | 'drop' | 'cookie' | 'connection'

/** Names come from clients: the memory of what to do with them is bounded. */
const rememberedNames = 2_000

export function createRequestHeaders(resources: readonly Resource[]): RequestHeaders {
  const mayPass = createNameFilter(resources.flatMap(one => one.identityHeaders.headers.map(header => header.name)))
  const fates = new Map<string, Fate>()
  const own = new Map(resources.map(resource => [resource, ownHeaders(resource)]))

  return {
    forOrigin(raw, resource, client, injected) {
      const headers: FlatHeaders = []
      let nominated: ReadonlySet<string> | null = null
      let cookies: string | null = null
      for (let i = 0; i < raw.length; i += 2) {
        const name = raw[i] as string
        const fate = fateOf(name)
        if (fate === 'pass') headers.push(name, raw[i + 1] as string)
        else if (fate === 'cookie') cookies = cookies === null ? (raw[i + 1] as string) : `${cookies}; ${raw[i + 1]}`
        else if (fate === 'connection') nominated = nominations(raw[i + 1] as string, nominated)
      }
      const kept = nominated === null ? headers : withoutNominated(headers, nominated)
      const sent = cookies === null || nominated?.has('cookie') ? null : withoutOurs(cookies)
      if (sent !== null) kept.push('cookie', sent)
      const { host, proto, forwarded, port } = own.get(resource) as OwnHeaders
      kept.push(
        'host',
        host,
        'x-forwarded-for',
        client,
        'x-forwarded-proto',
        proto,
        'x-forwarded-host',
        resource.at.host,
        'x-forwarded-port',
        port,
        'forwarded',
        `for=${client.includes(':') ? `"[${client}]"` : client}${forwarded}`,
      )
      for (let i = 0; i < injected.length; i++) kept.push(injected[i] as string)
      return kept
    },
  }

  function fateOf(name: string): Fate {
    const known = fates.get(name)
    if (known !== undefined) return known
    const lower = name.toLowerCase()
    const fate = lower === 'cookie' ? 'cookie' : lower === 'connection' ? 'connection' : mayPass(name) ? 'pass' : 'drop'
    if (fates.size >= rememberedNames) fates.clear()
    // Short ones only: the memory is bounded in bytes, not merely in names.
    if (name.length <= 64) fates.set(detached(name), fate)
    return fate
  }
}

interface OwnHeaders {
  readonly host: string
  readonly proto: string
  readonly port: string
  readonly forwarded: string
}

/** From the configuration, never from the request: what `at` says is true, whatever the socket looks like (SESSIONS A9). */
function ownHeaders(resource: Resource): OwnHeaders {
  const { at, origin } = resource
  return {
    host: resource.hostHeader === 'origin' ? origin.host : at.host,
    proto: at.scheme,
    port: String(at.port),
    // RFC 7239 §4: a host with a port holds a colon and must be quoted.
    forwarded: `;proto=${at.scheme};host=${at.host.includes(':') ? `"${at.host}"` : at.host}`,
  }
}

/**
 * What a request of the gateway's own to an origin carries, flat: no client stands behind it, so no address is told, and what
 * the site believes of its own name and scheme is the same as for a visitor's request.
 */
export function ownRequestHeaders(resource: Resource, injected: readonly string[]): FlatHeaders {
  const { host, proto, port } = ownHeaders(resource)
  const names = ['x-forwarded-proto', proto, 'x-forwarded-host', resource.at.host, 'x-forwarded-port', port]
  return ['host', host, ...names, ...injected]
}

/** `close` and `keep-alive` are the hop's own words; any other token names a header that ends here. */
function nominations(value: string, before: ReadonlySet<string> | null): ReadonlySet<string> | null {
  const lower = value.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close') return before
  return new Set([...(before ?? []), ...lower.split(',').map(token => token.trim())])
}

function withoutNominated(headers: FlatHeaders, nominated: ReadonlySet<string>): FlatHeaders {
  const kept: FlatHeaders = []
  for (let i = 0; i < headers.length; i += 2) {
    if (!nominated.has((headers[i] as string).toLowerCase())) kept.push(headers[i] as string, headers[i + 1] as string)
  }
  return kept
}

/** No cookie of ours ever reaches an origin. Null: nothing is left. */
function withoutOurs(header: string): string | null {
  if (!/passerelle/i.test(header)) return header
  const kept = header.split(';').filter(part => !isOurs(part.trimStart()))
  return kept.length === 0 ? null : kept.join(';').trimStart()
}
