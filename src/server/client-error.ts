/** Answers to what never became a request: bytes that are no HTTP, heads that are too long or too slow, CONNECT. */

import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ownHeaders } from '../access/answer.ts'
import { GatewayError } from '../errors.ts'
import type { Observer } from '../observe/observer.ts'
import { type FailurePage, oversized } from './failure-page.ts'
import { letGo } from './let-go.ts'
import { isAnswering } from './unanswered.ts'

/** @param failurePage that of the configuration of the moment */
export function createRefusal(failurePage: () => FailurePage, observer: Observer, monotonic: () => number) {
  return {
    clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
      // The client left, or node has begun an answer already: nothing of ours can be read any more.
      if (error.code === 'ECONNRESET' || !socket.writable || begun(socket)) {
        socket.destroy(error)
        return
      }
      refuse(socket, failureOf(error))
    },

    connect(request: IncomingMessage, socket: Duplex): void {
      socket.on('error', () => socket.destroy())
      // Behind a request whose answer is under way: ours would be written into it, or read as it.
      if (isAnswering(socket)) {
        socket.destroy()
        return
      }
      refuse(socket, new GatewayError('request.method', `CONNECT ${String(request.url).slice(0, 200)}`))
    },
  }

  function refuse(socket: Duplex, error: GatewayError): void {
    const { text, reference } = failurePage().raw(error)
    const headers = [
      ...ownHeaders,
      'Content-Type',
      'text/html; charset=utf-8',
      'Content-Length',
      String(Buffer.byteLength(text)),
      'Connection',
      'close',
      ...(error.code === 'request.headers-too-large' ? oversized(null) : []),
    ]
    let head = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n`
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
    socket.write(`${head}\r\n${text}`)
    letGo(socket)
    const now = monotonic()
    observer.finished(
      {
        startedAt: now,
        client: 'remoteAddress' in socket ? String(socket.remoteAddress) : '',
        target: null,
        portal: false,
        resource: null,
        session: null,
        effect: null,
        originMs: null,
        reference: null,
        failure: { code: error.code, reference, detail: error.message, hint: error.hint },
      },
      { method: '', status: error.status, endedAt: now, complete: true },
    )
  }
}

function begun(socket: Duplex): boolean {
  const message = (socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage
  return message?.headersSent === true
}

function failureOf(error: NodeJS.ErrnoException): GatewayError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new GatewayError('request.headers-too-large', 'the head of a request is over 32 KiB')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new GatewayError('request.timeout', 'the head of a request did not come within 20 s')
    default:
      return new GatewayError('request.malformed', `${error.code ?? ''} ${error.message}`.trim())
  }
}
