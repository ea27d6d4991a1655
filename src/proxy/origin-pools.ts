/**
 * The connections to one origin. Two pools, because a connection that the origin is closing kills what is sent on it: a
 * GET is sent once more, a POST cannot be, so bodies only go on a connection that was used within the last second.
 */
import { type buildConnector, Pool } from 'undici'
import type { Resource } from '../model/resource.ts'

export interface OriginPools {
  readonly repeatable: Pool
  readonly once: Pool
  readonly close: () => Promise<void>
}

/** Bytes of an answer's head. Legacy sites send long Set-Cookie and CSP lines. */
const longestHead = 64 * 1024

export function openPools(resource: Resource, connector: buildConnector.connector): OriginPools {
  const options = {
    connect: connector,
    // No cap: with one, slow readers of one site starve everybody else on it (facts of speed, §5).
    connections: null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: resource.timeouts.answerMs,
    bodyTimeout: resource.timeouts.idleMs,
    maxHeaderSize: longestHead,
    keepAliveMaxTimeout: 60_000,
  }
  const repeatable = new Pool(resource.origin.origin, { ...options, keepAliveTimeout: 15_000 })
  const once = new Pool(resource.origin.origin, { ...options, keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000 })
  return {
    repeatable,
    once,
    async close() {
      await Promise.all([repeatable.destroy(), once.destroy()])
    },
  }
}
