/**
 * Writes of one turn of the event loop, done together at its end. Each of them wakes somebody, and a system that wakes the same
 * peer for every message pays more for that than for the message: under load, half of what a request costs (decision 13). A
 * turn is as long as the work that is at hand; where there is none, it ends at once, and nothing waits.
 */
import type { Socket } from 'node:net'
import type { WriteSoon } from '../model/write-soon.ts'

interface Write {
  readonly socket: Socket
  readonly text: string
  readonly written: (() => void) | null
}

export function createGatheredWrites(): WriteSoon {
  let gathered: Write[] = []

  return function writeSoon(socket, text, written) {
    if (gathered.length === 0) setImmediate(flush)
    gathered.push({ socket, text, written })
  }

  function flush(): void {
    const writes = gathered
    gathered = []
    for (const { socket, text, written } of writes) {
      if (!socket.destroyed) socket.write(text, 'latin1')
      written?.()
    }
  }
}
