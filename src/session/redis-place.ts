/** Where Redis is, from what the operator wrote. Whatever goes wrong here, no password is ever part of a message. */
import { GatewayError } from '../errors.ts'
import type { Secret } from '../model/secret.ts'
import type { RedisServer, RedisSettings } from './settings.ts'

export interface RedisPlace {
  readonly kind: 'server' | 'sentinels' | 'cluster'
  /** The server itself, the sentinels that know it, or some servers of the cluster. */
  readonly servers: readonly RedisServer[]
  /** By what name sentinels know the server; empty elsewhere. */
  readonly master: string
  readonly database: number
  readonly username: string | null
  readonly password: string | null
  /** Of the sentinels themselves. */
  readonly sentinelUsername: string | null
  readonly sentinelPassword: string | null
  /** Null: no TLS. `ca`: PEM text of authorities beside the system's. `serverName`: what certificates must bear instead of the host. */
  readonly tls: { readonly ca: string | null; readonly serverName: string | null } | null
  /** For the operator. */
  readonly shown: string
}

/**
 * @param ca PEM text of certificate authorities that are believed beside the system's
 * @throws GatewayError `session.store-down` the URL is none of Redis
 */
export function placeOf(settings: RedisSettings, ca: string | null): RedisPlace {
  const { url, sentinels, cluster, username, password, serverName } = settings
  if (url !== null) {
    const server = serverAt(url, username, password)
    return server.tls === null ? server : { ...server, tls: { ca, serverName } }
  }
  const common = {
    database: settings.database ?? 0,
    username,
    password: password?.reveal() ?? null,
    sentinelUsername: settings.sentinelUsername,
    sentinelPassword: settings.sentinelPassword?.reveal() ?? null,
    tls: settings.tls === true ? { ca, serverName } : null,
  }
  if (sentinels !== null) {
    const master = settings.master ?? ''
    const shown = `Redis "${master}" by sentinels ${list(sentinels)}`
    return { ...common, kind: 'sentinels', servers: sentinels, master, shown }
  }
  const servers = cluster ?? []
  return { ...common, kind: 'cluster', servers, master: '', shown: `Redis Cluster ${list(servers)}` }
}

/**
 * @param url redis://host:6379/0, or rediss:// for TLS; may hold user and password, percent-encoded
 * @throws GatewayError `session.store-down` it is nothing of the kind
 */
export function serverAt(url: Secret, username: string | null = null, password: Secret | null = null): RedisPlace {
  const parsed = URL.parse(url.reveal())
  const database = Number(parsed?.pathname.replace('/', '') || 0)
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '' || !Number.isInteger(database)) {
    throw new GatewayError('session.store-down', 'the address of the Redis store cannot be read', {
      hint: 'It has the form redis://host:6379/0 or rediss://user:password@host:6379/0.',
    })
  }
  const port = parsed.port === '' ? 6379 : Number(parsed.port)
  return {
    kind: 'server',
    servers: [{ host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port }],
    master: '',
    database,
    username: username ?? decoded(parsed.username),
    password: password?.reveal() ?? decoded(parsed.password),
    sentinelUsername: null,
    sentinelPassword: null,
    tls: parsed.protocol === 'rediss:' ? { ca: null, serverName: null } : null,
    shown: `${parsed.protocol}//${parsed.hostname}:${port}`,
  }
}

function list(servers: readonly RedisServer[]): string {
  return servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(', ')
}

/** Taken as it stands where it is not percent-encoded: a password with a bare `%` in it. */
function decoded(part: string): string | null {
  if (part === '') return null
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
