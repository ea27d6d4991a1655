/**
 * Carries TCP to a port of the loopback. Once told to, it cuts a line instead of giving the next answer, brings every answer
 * late, or becomes a black hole. A line is known by what was last asked on it.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  /** @param to instead of the answer to what holds this text; in any case */
  readonly cutAtNextAnswer: (to?: string) => void
  /**
   * Lines on which this was asked bring nothing any more, in either direction, and stay open; the others go on. New ones are
   * good until it is asked on them.
   */
  readonly swallow: (asked: string | null) => void
  /** Milliseconds by which every answer is late from now on; 0: none. */
  readonly delay: (ms: number) => void
  /** How often something with this text was asked, in any case, since this was first called with it. */
  readonly count: (asked: string) => number
  readonly close: () => void
}

export async function startCuttingProxy(to: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cutting: string | null = null
  let swallowed: string | null = null
  let lateMs = 0
  const counts = new Map<string, number>()
  const proxy = createServer(near => {
    const far = connect(to, '127.0.0.1')
    // Either end may be reset when the other one goes.
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    let asked = ''
    let hole = false
    near.on('data', data => {
      asked = data.toString('latin1').toLowerCase()
      for (const [text, count] of counts) if (asked.includes(text)) counts.set(text, count + 1)
      hole ||= swallowed !== null && asked.includes(swallowed)
      if (!hole) far.write(data)
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    far.on('data', data => {
      // What was asked before the hole opened is answered into it too. No line loses an answer and brings the next one.
      hole ||= swallowed !== null && asked.includes(swallowed)
      if (hole) return
      if (cutting !== null && asked.includes(cutting)) {
        cutting = null
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
    cutAtNextAnswer: (to = '') => {
      cutting = to.toLowerCase()
    },
    swallow: text => {
      swallowed = text?.toLowerCase() ?? null
    },
    count(text) {
      const count = counts.get(text.toLowerCase()) ?? 0
      counts.set(text.toLowerCase(), count)
      return count
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
