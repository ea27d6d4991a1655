/**
 * How a process stops: /readyz says so first, so that load balancers look elsewhere; then no new connections, what runs may
 * finish, WebSockets are told to go (1001), and what is left after the limit is cut.
 */
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { PlainConnections } from './plain-connections.ts'

export interface DrainParts {
  readonly server: Server
  readonly plain: PlainConnections
  /** Between "not ready" and refusing connections, milliseconds. */
  readonly waitMs: number
  /** For what still runs then, milliseconds. */
  readonly timeoutMs: number
  readonly closeStreams: () => void
  /** Connections that asked for an upgrade: node leaves them out of its own lists. */
  readonly upgraded: ReadonlySet<Duplex>
}

/** For connections that are cut to be gone, milliseconds. */
const lastMs = 1_000

/** @param hurry settles when somebody asks a second time */
export async function drain(
  { server, plain, waitMs, timeoutMs, closeStreams, upgraded }: DrainParts,
  hurry: Promise<void>,
): Promise<void> {
  // Every answer from now on is its connection's last, so that none is cut between two requests.
  server.prependListener('request', (_, response) => {
    response.shouldKeepAlive = false
  })
  plain.makeLast()
  await Promise.race([elapsed(waitMs), hurry])
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  closeStreams()
  server.closeIdleConnections()
  plain.closeIdle()
  // Connections that were busy become idle one by one: each is let go as its answer ends. An origin may agree to a WebSocket
  // only now: it is told to go as the others were.
  const idle = setInterval(() => {
    server.closeIdleConnections()
    plain.closeIdle()
    closeStreams()
  }, 100)
  await Promise.race([closed, elapsed(timeoutMs), hurry])
  clearInterval(idle)
  server.closeAllConnections()
  plain.closeAll()
  for (const socket of upgraded) socket.destroy()
  // Whatever is left has had its time: a process that was told to stop stops.
  await Promise.race([closed, elapsed(lastMs)])
  // Sockets tell of their end a turn later than their server: requests that were cut are logged before anything else is closed.
  await turn()
  await turn()
}

function elapsed(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms).unref())
}
