/** Where Redis is, from what the operator wrote. Whatever goes wrong here, no password is ever part of a message. */
import { GatewayError } from '../errors.ts'
import type { Secret } from '../model/secret.ts'

export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly db: number
  readonly tls: boolean
  readonly username: string | null
  readonly password: string | null
  /** For the operator: scheme, host and port. */
  readonly shown: string
}

/**
 * @param url redis://host:6379/0, or rediss:// for TLS; may hold user and password, percent-encoded
 * @throws GatewayError `session.store-down` it is nothing of the kind
 */
export function readRedisAddress(url: Secret, username: string | null, password: Secret | null): RedisAddress {
  const parsed = URL.parse(url.reveal())
  const db = Number(parsed?.pathname.replace('/', '') || 0)
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '' || !Number.isInteger(db)) {
    throw new GatewayError('session.store-down', 'the address of the Redis store cannot be read', {
      hint: 'It has the form redis://host:6379/0 or rediss://user:password@host:6379/0.',
    })
  }
  const port = parsed.port === '' ? 6379 : Number(parsed.port)
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    db,
    tls: parsed.protocol === 'rediss:',
    username: username ?? decoded(parsed.username),
    password: password?.reveal() ?? decoded(parsed.password),
    shown: `${parsed.protocol}//${parsed.hostname}:${port}`,
  }
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
