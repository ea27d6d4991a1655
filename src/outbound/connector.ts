/**
 * From a name to a connection that was looked at: every connection of the gateway, to origins and to idps, is made here.
 */
import { X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { createSecureContext, getCACertificates } from 'node:tls'
import { buildConnector } from 'undici'
import { GatewayError } from '../errors.ts'
import type { ReadInto } from '../model/outbound.ts'
import { isOwnListener, isRefusedNetwork, type Listener } from './refused.ts'
import { lookup } from './resolver.ts'

/** What undici's Client and Pool take as `connect`. */
export type Connector = (
  options: buildConnector.Options & {
    /** Heeded without TLS only: what is decrypted comes on after a reader has said to wait. The socket then has no `data`. */
    readonly readInto?: ReadInto
  },
  callback: buildConnector.Callback,
) => void

export interface ConnectorSettings {
  /** PEM text of certificates that are trusted beside the system's; null: only those. */
  readonly ca: string | null
  /** The address that connections leave from; null: the system chooses. */
  readonly localAddress: string | null
  /** Our own listeners. Read at each connection: it may still grow while the gateway starts. */
  readonly refused: readonly Listener[]
}

/**
 * Of a name with several addresses each but the last has so long, ms. Node's own 250 give up an address whose first packet was lost,
 * which is sent again after a second (RFC 6298 §2), or while this process was busy; and often no other one leads anywhere.
 */
const attemptMs = 1_500

/**
 * @throws Error `ca` is not the PEM text of a certificate
 * @returns makes connectors; `connectMs` covers name, TCP and TLS together, in milliseconds
 */
export function createConnectors(settings: ConnectorSettings): (connectMs: number) => Connector {
  // Made once: parsing a hundred and fifty certificates for each connection would cost more than the handshake.
  const trust =
    settings.ca === null
      ? {}
      : { secureContext: createSecureContext({ ca: [...getCACertificates('default'), certificatesIn(settings.ca)] }) }

  return connectMs => {
    const common = {
      timeout: connectMs,
      allowH2: false,
      lookup,
      autoSelectFamilyAttemptTimeout: Math.min(attemptMs, connectMs / 2),
    }
    const streaming = buildConnector({ ...common, ...trust })

    return function connector({ readInto, ...options }, callback) {
      const literal = options.hostname.replace(/^\[(.*)\]$/, '$1')
      // A literal address never meets the lookup hook; refusing it here spares the wait for a connection.
      if (isIP(literal) !== 0 && isRefusedNetwork(literal)) {
        callback(refusal(options.hostname, literal), null)
        return
      }
      // undici ignores `localAddress` inside connect options, but honours it when the connector is called.
      const localAddress = options.localAddress ?? settings.localAddress
      const connect = readInto === undefined || options.protocol === 'https:' ? streaming : reading(readInto)
      connect({ ...options, localAddress }, (error, socket) => {
        if (error !== null || socket === null) {
          callback(error ?? new Error('no connection and no error'), null)
          return
        }
        const reached = reachedBy(socket)
        if (isRefusedNetwork(reached.address) || isOwnListener(reached.address, reached.port, settings.refused)) {
          const error = refusal(options.hostname, `${reached.address} port ${reached.port}`)
          socket.destroy()
          callback(error, null)
          return
        }
        callback(null, socket)
      })
    }

    function reading({ buffer, read }: ReadInto): buildConnector.connector {
      const callback = (length: number) => {
        read(length)
        return true
      }
      return buildConnector({ ...common, onread: { buffer, callback } })
    }
  }
}

/** TLS would take any text for a list of no certificates, and then trust fewer than the operator believes. */
function certificatesIn(pem: string): string {
  new X509Certificate(pem)
  return pem
}

/** A socket that is already gone says nothing, and is refused as no address. */
function reachedBy(socket: Socket): { readonly address: string; readonly port: number } {
  return { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
}

function refusal(hostname: string, reached: string): GatewayError {
  return new GatewayError(
    'origin.refused-address',
    `${hostname} leads to ${reached}, where the gateway never connects`,
    {
      hint: 'Link-local, multicast and metadata addresses and the gateway itself are refused whatever is configured.',
    },
  )
}
