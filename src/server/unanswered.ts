/**
 * How many requests of a connection are not answered yet. HTTP/1.1 lets a client send the next before the answer to the
 * last (RFC 9112 §9.3.2); node starts them all at once, however many, and keeps their answers in order.
 */
import type { Duplex } from 'node:stream'

/** Beyond this a client multiplies work and wants no answers: no browser pipelines at all, and programs a few dozen. */
const most = 100

const count = Symbol('unanswered')

/** A number on the socket itself: neither a table to look up nor one more listener for each request. */
interface Counted extends Duplex {
  [count]?: number
}

/** @returns false: too many; the connection is destroyed, and this request is nobody's */
export function begin(socket: Counted): boolean {
  const already = socket[count] ?? 0
  // What else the same packet held is still parsed after the cut.
  if (socket.destroyed) return false
  if (already >= most) {
    socket.destroy()
    return false
  }
  socket[count] = already + 1
  return true
}

/** To be called once for each request that began. */
export function answered(socket: Counted): void {
  socket[count] = (socket[count] ?? 1) - 1
}

/** An answer is under way on this connection, or waits for its turn: whoever writes now writes into it. */
export function isAnswering(socket: Counted): boolean {
  return (socket[count] ?? 0) > 0
}
