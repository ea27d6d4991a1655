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

export interface OriginHeaders {
  /** Whole header lines with their ends, bytes as latin1, as they go on the wire. */
  readonly lines: string
  /**
   * NTLM and Negotiate sign in a connection, not a request (RFC 4559 §6): to an origin that knows them, whoever comes next on it
   * is the same person. Nobody comes next.
   */
  readonly signInConnection: boolean
}

export interface RequestHeaders {
  /**
   * Nothing in the lines can end one: names and values were read by a strict reader, what is injected by identity-headers.
   *
   * @param raw       the request's rawHeaders
   * @param client    the client's address
   * @param injected  identity headers as whole lines; empty where there is no identity
   */
  readonly forOrigin: (raw: readonly string[], resource: Resource, client: string, injected: string) => OriginHeaders
}

type Fate = 'pass' | 'drop' | 'cookie' | 'connection' | 'authorization'

/** Names come from clients: the memory of what to do with them is bounded. */
const rememberedNames = 2_000

export function createRequestHeaders(resources: readonly Resource[]): RequestHeaders {
  const mayPass = createNameFilter(resources.flatMap(one => one.identityHeaders.headers.map(header => header.name)))
  const fates = new Map<string, Fate>()
  const own = new Map(resources.map(resource => [resource, ownLines(resource)]))

  return {
    forOrigin: (raw, resource, client, injected) => headersFor(raw, resource, client, injected, null),
  }

  /** @param nominated by Connection, in lower case; null: not looked for yet */
  function headersFor(
    raw: readonly string[],
    resource: Resource,
    client: string,
    injected: string,
    nominated: ReadonlySet<string> | null,
  ): OriginHeaders {
    let lines = ''
    let cookies: string | null = null
    let signInConnection = false
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i] as string
      const value = raw[i + 1] as string
      switch (fateOf(name)) {
        case 'drop':
          continue
        case 'connection':
          if (nominated !== null || namesNothing(value)) continue
          return headersFor(raw, resource, client, injected, nominations(raw))
        case 'cookie':
          cookies = cookies === null ? value : `${cookies}; ${value}`
          continue
        case 'authorization':
          if (connectionSchemes.test(value)) signInConnection = true
      }
      if (nominated === null || !nominated.has(name.toLowerCase())) lines += `${name}: ${value}\r\n`
    }
    const sent = cookies === null || nominated?.has('cookie') ? null : withoutOurs(cookies)
    if (sent !== null) lines += `cookie: ${sent}\r\n`
    const { before, between, after } = own.get(resource) as OwnLines
    const node = client.includes(':') ? `"[${client}]"` : client
    return { lines: lines + before + client + between + node + after + injected, signInConnection }
  }

  function fateOf(name: string): Fate {
    const known = fates.get(name)
    if (known !== undefined) return known
    const lower = name.toLowerCase()
    const fate = lower === 'cookie' || lower === 'connection' ? lower : passing(name, lower)
    if (fates.size >= rememberedNames) fates.clear()
    // Short ones only: the memory is bounded in bytes, not merely in names.
    if (name.length <= 64) fates.set(detached(name), fate)
    return fate
  }

  function passing(name: string, lower: string): Fate {
    if (!mayPass(name)) return 'drop'
    return lower === 'authorization' ? lower : 'pass'
  }
}

const connectionSchemes = /^(?:ntlm|nego|kerberos)/i

interface OwnHeaders {
  readonly host: string
  readonly proto: string
  readonly port: string
}

/** From the configuration, never from the request: what `at` says is true, whatever the socket looks like (SESSIONS A9). */
function ownHeaders({ at, origin, hostHeader }: Resource): OwnHeaders {
  return { host: hostHeader === 'origin' ? origin.host : at.host, proto: at.scheme, port: String(at.port) }
}

interface OwnLines {
  readonly before: string
  readonly between: string
  readonly after: string
}

/** Around the client's address, and around the same as `Forwarded` writes it. */
function ownLines(resource: Resource): OwnLines {
  const { host, proto, port } = ownHeaders(resource)
  const site = resource.at.host
  // RFC 7239 §4: a host with a port holds a colon and must be quoted.
  const quotedSite = site.includes(':') ? `"${site}"` : site
  return {
    before: `host: ${host}\r\nx-forwarded-for: `,
    between: `\r\nx-forwarded-proto: ${proto}\r\nx-forwarded-host: ${site}\r\nx-forwarded-port: ${port}\r\nforwarded: for=`,
    after: `;proto=${proto};host=${quotedSite}\r\n`,
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

/** `close` and `keep-alive` are the hop's own words. */
function namesNothing(connection: string): boolean {
  return connection === 'keep-alive' || connection === 'close' || /^(?:keep-alive|close)$/i.test(connection)
}

/** Any other token of any Connection line names a header that ends here. */
function nominations(raw: readonly string[]): ReadonlySet<string> {
  const values = raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === 'connection')
  return new Set(values.flatMap(value => value.toLowerCase().split(',')).map(name => name.trim()))
}

/** No cookie of ours ever reaches an origin. Null: nothing is left. */
function withoutOurs(header: string): string | null {
  if (!/passerelle/i.test(header)) return header
  const kept = header.split(';').filter(part => !isOurs(part.trimStart()))
  return kept.length === 0 ? null : kept.join(';').trimStart()
}
