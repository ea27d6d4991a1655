/** Carries TCP to a port of the loopback. Once told to, it cuts the line instead of giving the next answer, or brings every answer late. */
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  readonly cutAtNextAnswer: () => void
  /** Milliseconds by which every answer is late from now on; 0: none. */
  readonly delay: (ms: number) => void
  readonly close: () => void
}

export async function startCuttingProxy(to: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cutting = false
  let lateMs = 0
  const proxy = createServer(near => {
    const far = connect(to, '127.0.0.1')
    // Either end may be reset when the other one goes.
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    near.on('data', data => far.write(data))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    far.on('data', data => {
      if (cutting) {
        cutting = false
        near.destroy()
      } else if (lateMs === 0) near.write(data)
      // Timers of one length fire in the order in which they were set.
      else setTimeout(() => near.destroyed || near.write(data), lateMs)
    })
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    cutAtNextAnswer: () => {
      cutting = true
    },
    delay: ms => {
      lateMs = ms
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}
