/**
 * I5 of the attack cases: what a client made the gateway open is closed again once the client has left. Counted are connections, by
 * their two ends in this process: descriptors as such say nothing here, since a pool towards an origin keeps some on purpose.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { patience, until } from './measure.ts'
import type { Origin } from './origin.ts'

export interface Watched {
  /** Where the gateway listens. */
  readonly ports: readonly number[]
  readonly origin: Origin
}

const watched = new Set<Watched>()
/** By their own port; those of other processes, such as a browser's, are not known. */
const clients = new Map<number, Socket>()
/** With the port at the other end, which a socket that is closed no longer tells. */
const accepted = new Map<Socket, number>()

subscribe('net.client.socket', message => {
  const { socket } = message as { socket: Socket }
  socket.once('connect', () => clients.set(socket.localPort ?? 0, socket))
})
subscribe('net.server.socket', message => {
  const { socket } = message as { socket: Socket }
  accepted.set(socket, socket.remotePort ?? 0)
  socket.once('close', () => accepted.delete(socket))
})

/** @returns stops watching it */
export function watchForLeftovers(one: Watched): () => void {
  watched.add(one)
  return () => watched.delete(one)
}

/** @throws Error seconds later something is still open that nobody waits for */
export async function nothingLeft(): Promise<void> {
  await until('what left clients had opened is closed', () => leftovers().length === 0, patience(5_000)).catch(() => {
    throw new Error(`left open, although nobody is there any more: ${leftovers().join(', ')}`)
  })
}

function leftovers(): readonly string[] {
  const ports = new Set([...watched].flatMap(one => one.ports))
  const inbound = [...accepted.keys()].filter(socket => ports.has(socket.localPort ?? 0))
  const left = inbound.filter(isLeft)
  const origins = [...new Set([...watched].map(one => one.origin))].filter(({ raw }) => !raw)
  const asking = origins
    .flatMap(({ requests }) => requests)
    .filter(({ over, connection }) => !over && connection.open && !isLeft(connection.socket))
  const present = inbound.length - left.length
  return [
    ...left.map(socket => `a client’s connection to port ${socket.localPort}`),
    ...asking.slice(present).map(({ method, url }) => `${method} ${url} at the origin`),
  ]
}

/** Whoever opened it has closed it. */
function isLeft(socket: Socket): boolean {
  return clients.get(accepted.get(socket) ?? 0)?.destroyed === true
}
