/**
 * Two sets of connections to one origin, because a connection that the origin is closing kills what is sent on it: a GET
 * is sent once more, a POST cannot be, so what cannot be repeated only goes on a connection used within the last second.
 */
import type { buildConnector } from 'undici'
import type { Resource } from '../model/resource.ts'
import { OriginClients } from './origin-clients.ts'

export interface OriginPools {
  readonly repeatable: OriginClients
  readonly once: OriginClients
  readonly close: () => Promise<void>
}

/** Bytes of an answer's head. Legacy sites send long Set-Cookie and CSP lines. */
const longestHead = 64 * 1024

export function openPools(resource: Resource, connector: buildConnector.connector): OriginPools {
  const options = {
    connect: connector,
    headersTimeout: resource.timeouts.answerMs,
    bodyTimeout: resource.timeouts.idleMs,
    maxHeaderSize: longestHead,
  }
  const { origin } = resource.origin
  const repeatable = new OriginClients(origin, { ...options, keepAliveTimeout: 15_000, keepAliveMaxTimeout: 60_000 })
  const once = new OriginClients(origin, { ...options, keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 })
  return {
    repeatable,
    once,
    async close() {
      await Promise.all([repeatable.close(), once.close()])
    },
  }
}
