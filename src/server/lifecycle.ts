/** How a gateway starts and stops: both listeners bound, and everything that it opened closed, in an order that loses nothing. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Report } from '../model/event.ts'
import { drain } from './drain.ts'
import type { PlainConnections } from './plain-connections.ts'

interface Address {
  readonly host: string
  readonly port: number
}

export interface LifecycleParts {
  readonly server: Server
  readonly plain: PlainConnections
  readonly operations: Server
  readonly addresses: { readonly listen: Address; readonly operations: Address }
  /** Milliseconds, as the configuration says when it is asked. */
  readonly drain: () => { readonly wait: number; readonly timeout: number }
  /** Told of each listener as it is bound: port 0 is known only then. */
  readonly bound: (address: Address) => void
  /** WebSockets and event streams: nobody waits for their end. */
  readonly closeStreams: () => void
  /** Whatever else holds a connection or a timer. */
  readonly closeParts: () => Promise<void>
  readonly report: Report
  /** Last of all. */
  readonly closeLog: () => Promise<void>
}

export interface Lifecycle {
  /** @throws Error an address is taken */
  readonly listen: () => Promise<{ readonly port: number; readonly operationsPort: number }>
  /** Stops as an operator's SIGTERM does; a second call hurries. */
  readonly drain: () => Promise<void>
  /** Stops at once. */
  readonly close: () => Promise<void>
  readonly isDraining: () => boolean
}

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { server, plain, operations, addresses, report } = parts
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (_, socket: Duplex) => {
    if (socket.destroyed) return
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
  })
  let started = false
  let draining: { readonly done: Promise<void>; readonly hurry: () => void } | null = null

  return {
    isDraining: () => draining !== null,

    async listen() {
      const port = await bind(server, addresses.listen)
      const operationsPort = await bind(operations, addresses.operations)
      started = true
      report({ name: 'gateway.started', address: `${addresses.listen.host}:${port}` })
      return { port, operationsPort }
    },

    drain() {
      if (draining !== null) {
        draining.hurry()
        return draining.done
      }
      const hurried = Promise.withResolvers<void>()
      report({ name: 'gateway.draining' })
      const { wait, timeout } = parts.drain()
      const drained = drain(
        {
          server,
          plain,
          waitMs: wait,
          timeoutMs: timeout,
          closeStreams: parts.closeStreams,
          upgraded,
        },
        hurried.promise,
      )
      draining = { done: drained.then(closeRest), hurry: hurried.resolve }
      return draining.done
    },

    async close() {
      parts.closeStreams()
      server.close()
      server.closeAllConnections()
      plain.closeAll()
      for (const socket of upgraded) socket.destroy()
      await closeRest()
    },
  }

  async function closeRest(): Promise<void> {
    operations.close()
    operations.closeAllConnections()
    await parts.closeParts()
    if (started) report({ name: 'gateway.stopped' })
    await parts.closeLog()
  }

  function bind(listener: Server, { host, port }: Address): Promise<number> {
    return new Promise((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(port, host, () => {
        listener.off('error', reject)
        const bound = (listener.address() as AddressInfo).port
        parts.bound({ host, port: bound })
        resolve(bound)
      })
    })
  }
}
