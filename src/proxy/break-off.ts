/** How half an answer ends, so that nobody takes it for a whole one. */
import { TLSSocket } from 'node:tls'
import type { Passage } from '../model/passage.ts'

/**
 * Missing bytes or a missing last chunk tell a client of HTTP/1.1. One of HTTP/1.0, as some balancers are, may have been
 * told neither a length nor chunks: to it the end of the connection is the end of the answer (RFC 9112 §6.3), so it gets a
 * reset instead. Under TLS the missing close_notify says the same (RFC 8446 §6.1).
 */
export function breakOff({ request, response }: Passage): void {
  const { socket } = response
  if (request.httpVersionMinor === 0 && socket !== null && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
  else response.destroy()
}
