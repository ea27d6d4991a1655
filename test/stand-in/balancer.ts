/** A load balancer: carries each new connection to the next of its ports, in turn. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  readonly port: number
  /** Where connections go from now on. */
  readonly between: (ports: readonly number[]) => void
  readonly close: () => void
}

export async function startBalancer(): Promise<Balancer> {
  const sockets = new Set<Socket>()
  let ports: readonly number[] = []
  let turn = 0
  const server = createServer({ noDelay: true }, near => {
    const port = ports[turn++ % ports.length]
    if (port === undefined) throw new Error('nowhere to carry a connection to')
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    between: to => {
      ports = to
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
