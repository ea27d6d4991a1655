/** The end of a connection that node no longer looks after, because it was to become something else than HTTP. */
import type { Duplex } from 'node:stream'

/** For a client to read our last word and close its side, milliseconds. */
const patience = 2_000

/** What is written goes out; what still comes is thrown away; a client that never closes its side is cut. */
export function letGo(socket: Duplex): void {
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), patience)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
