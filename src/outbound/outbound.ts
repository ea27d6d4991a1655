/**
 * name → address → connection, and the gateway's own requests. Knows which addresses are never reached and whom TLS
 * trusts; knows nothing of what is asked.
 */
import type { OutboundFetch, OutboundTell } from '../model/outbound.ts'
import { type Connector, createConnectors } from './connector.ts'
import { createFetch } from './fetch.ts'
import type { Listener } from './refused.ts'
import { createTell } from './tell.ts'

export type { Connector } from './connector.ts'
export type { Listener } from './refused.ts'

export interface OutboundSettings {
  /** PEM text of certificates that are trusted beside the system's; null: only those. */
  readonly ca: string | null
  /** The address that connections leave from; null: the system chooses. */
  readonly localAddress: string | null
  /** Our own listeners, never to be reached. Read at each connection: it may still grow while the gateway starts. */
  readonly refused: readonly Listener[]
}

export interface Outbound {
  /**
   * For undici's Client, Pool or Agent, as `connect`. A connection that would end at a refused address fails with
   * GatewayError `origin.refused-address`.
   *
   * @param connectMs name, TCP and TLS together, in milliseconds
   */
  readonly connector: (connectMs: number) => Connector
  /** 10 s and 1 MiB for each request. */
  readonly fetch: OutboundFetch
  /** 3 s for each request. */
  readonly tell: OutboundTell
  /** Takes nothing new; what is under way comes to its end. */
  readonly retire: () => void
  readonly close: () => Promise<void>
}

/** @throws Error `ca` is not the PEM text of a certificate */
export function createOutbound(settings: OutboundSettings): Outbound {
  const connector = createConnectors(settings)
  const asking = createFetch(connector(5_000), { deadlineMs: 10_000, bytes: 1024 * 1024 })
  const telling = createTell(connector(3_000), 3_000)
  return {
    connector,
    fetch: asking.fetch,
    tell: telling.tell,
    retire() {
      asking.retire()
      telling.retire()
    },
    async close() {
      await Promise.all([asking.close(), telling.close()])
    },
  }
}
