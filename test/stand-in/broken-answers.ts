/**
 * Answers that no server should give and some do. Each is a raw answer for `startOrigin({ answers })`; the gateway must
 * survive all of them, and must never let a cut answer look whole.
 */
import type { Socket } from 'node:net'
import type { RawAnswer } from './origin.ts'

const whole = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok'

/** Writes these bytes (latin1) and leaves the connection open. */
export function bytes(text: string): RawAnswer {
  return socket => {
    socket.write(text, 'latin1')
  }
}

/** Writes these bytes and then ends the connection in good order (FIN). */
export function bytesThenEnd(text: string): RawAnswer {
  return socket => {
    socket.end(text, 'latin1')
  }
}

export const brokenAnswers = {
  'a body shorter than its Content-Length': bytesThenEnd('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nseven b'),
  'a chunked body that ends in the middle': bytesThenEnd(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nonly this much',
  ),
  'status 000': bytes('HTTP/1.1 000 Nothing\r\nContent-Length: 2\r\n\r\nok'),
  'status 999': bytes('HTTP/1.1 999 Beyond\r\nContent-Length: 2\r\n\r\nok'),
  'a control character in the status text': bytes('HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok'),
  'a control character in a header value': bytes('HTTP/1.1 200 OK\r\nX-Odd: a\x01b\r\nContent-Length: 2\r\n\r\nok'),
  'Content-Length and Transfer-Encoding together': bytes(
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  ),
  'two different Content-Length lines': bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok   '),
  'a chunk size that is no number': bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n'),
  'a transfer coding that nobody knows': bytes(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  ),
  'extra bytes after the body': bytes(`${whole}HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted`),
  'a body on 204': bytes('HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\nplanted'),
  'a body on 304': bytes('HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nplanted'),
  'a thousand interim answers first': bytes(`${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000)}${whole}`),
  'an upgrade that nobody asked for': bytes(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
  ),
  'no HTTP at all': bytes('SSH-2.0-OpenSSH_9.2\r\n'),
  'HTTP/0.9': bytesThenEnd('<html>old</html>'),
  'a head of 300 KB': bytes(`HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(300_000)}\r\nContent-Length: 2\r\n\r\nok`),
  'a head that ends in the middle': bytesThenEnd('HTTP/1.1 200 OK\r\nContent-Le'),
  'nothing, then the end': bytesThenEnd(''),
  'nothing, then a reset': socket => {
    socket.resetAndDestroy()
  },
} satisfies { readonly [name: string]: RawAnswer }

/** Answers well, then resets the connection a moment too late to be seen in time: the keep-alive race. */
export const resetAfterEachAnswer: RawAnswer = socket => {
  socket.write(whole, () => socket.resetAndDestroy())
}

/** A good answer, on a connection that stays. */
export const goodAnswer: RawAnswer = bytes(whole)

/** Reads, says nothing, stays. */
export const neverAnswer: RawAnswer = () => {}

/** The head at once, then one byte of the body every `everyMs`, `count` times. */
export function slowBody(everyMs: number, count: number): RawAnswer {
  return socket => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${count}\r\n\r\n`)
    drip(socket, 'x'.repeat(count), everyMs)
  }
}

/** The whole answer, one byte every `everyMs`. */
export function slowHead(everyMs: number): RawAnswer {
  return socket => drip(socket, whole, everyMs)
}

/** The body's first half, then FIN, then nothing: what a killed worker process looks like behind keep-alive. */
export function endInBody(announced: number, sent: number): RawAnswer {
  return bytesThenEnd(`HTTP/1.1 200 OK\r\nContent-Length: ${announced}\r\n\r\n${'x'.repeat(sent)}`)
}

function drip(socket: Socket, text: string, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    socket.write(text.charAt(at))
    at += 1
    if (at >= text.length) clearInterval(timer)
  }, everyMs)
  socket.once('close', () => clearInterval(timer))
}
