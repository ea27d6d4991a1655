/**
 * A line to Redis that is open and dead: something was asked, and nothing comes. It is given up, so that nobody waits on it any
 * more. Only the looks count after which a socket would have been read (model/deadlines.ts), so a standstill of this process
 * counts as one of them.
 */
import type { Socket } from 'node:net'

/** What is needed of a client; each connection that it makes is one line. */
export interface Line {
  readonly on: (event: 'connect', hear: () => void) => unknown
  readonly stream: Socket
  /** What waits for an answer, whether anybody still waits for it or not. */
  readonly commandQueue: { readonly length: number }
}

const looks = 8

/** @param silenceMs and an eighth more at most */
export function giveUpWhenSilent(line: Line, silenceMs: number): void {
  line.on('connect', () => {
    const { stream } = line
    let asked = false
    let read = stream.bytesRead
    let silent = 0
    lookLater()

    function lookLater(): void {
      setTimeout(() => setImmediate(look), silenceMs / looks).unref()
    }

    function look(): void {
      if (stream.destroyed) return
      silent = asked && stream.bytesRead === read ? silent + 1 : 0
      asked = line.commandQueue.length > 0
      read = stream.bytesRead
      if (silent === looks) stream.destroy(new Error(`nothing came for ${silenceMs} ms`))
      else lookLater()
    }
  })
}
