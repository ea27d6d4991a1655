/**
 * The ready-made paths of the recording origin:
 *
 *   /echo                          what arrived, as JSON; `?raw` gives the body back as it comes
 *   /slow?ms=200                   answers after that time; without `ms`, never
 *   /stream?pieces=5&ms=10         chunked, piece by piece, with a trailer at the end
 *   /sse?ms=50                     an event stream that does not end by itself
 *   /range?bytes=1000000           bytes that can be asked for in part: Range, If-Range, ETag, Last-Modified
 *   /large?mb=10                   so many megabytes; `&chunked` without a length
 *   /cookies?set=<Set-Cookie line> sets them (may be repeated), answers with the Cookie lines that came
 *   /redirect?to=…&status=302      Location exactly as given
 *   /status?code=418               that status, empty
 *   /early-hints                   103 first
 *   /gzip                          gzip whether it was asked for or not
 *   anything else                  a page that names method and URL
 *
 * Any path with an upgrade: an echoing WebSocket (`?refuse=403`: that status instead).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import type { UpgradeHandler } from './origin.ts'
import type { RecordedRequest } from './recording.ts'

type PathHandler = (response: ServerResponse, query: URLSearchParams, exchange: Exchange) => void

interface Exchange {
  readonly request: IncomingMessage
  readonly recorded: RecordedRequest
}

/** Answers by the table above; a handler of a test's own may pass on to it. */
export function answerPath(request: IncomingMessage, response: ServerResponse, recorded: RecordedRequest): void {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const answer = paths[path] ?? page
  answer(response, new URLSearchParams(query), { request, recorded })
}

/** Deterministic bytes: the same offset always holds the same byte, so parts can be checked. */
export function patternBytes(from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from)
  for (let i = 0; i < bytes.length; i++) bytes[i] = ((from + i) * 31 + ((from + i) >> 8)) & 0xff
  return bytes
}

export function echoWebSocket(): UpgradeHandler {
  const sockets = new WebSocketServer({ noServer: true })
  return (request, socket, head) => {
    const refuse = new URLSearchParams(request.url?.split('?', 2)[1]).get('refuse')
    if (refuse !== null) {
      const body = `refused with ${refuse}`
      socket.end(`HTTP/1.1 ${refuse} Refused\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, opened => {
      opened.on('error', () => {})
      opened.on('message', (message, binary) => opened.send(message, { binary }))
    })
  }
}

const paths: Readonly<Record<string, PathHandler>> = {
  '/echo': (response, query, { request, recorded }) => {
    if (query.has('raw')) {
      response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'application/octet-stream' })
      request.pipe(response)
      return
    }
    request.on('end', () => {
      const { method, url, rawHeaders, bodyBytes, bodySha256, text } = recorded
      json(response, { method, url, rawHeaders, bodyBytes, bodySha256, text })
    })
  },

  '/slow': (response, query) => {
    const ms = query.get('ms')
    if (ms === null) return
    const timer = setTimeout(() => text(response, 'at last'), Number(ms))
    response.on('close', () => clearTimeout(timer))
  },

  '/stream': (response, query) => {
    const pieces = Number(query.get('pieces') ?? 5)
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', Trailer: 'X-Pieces' })
    let sent = 0
    every(response, Number(query.get('ms') ?? 10), () => {
      if (sent < pieces) {
        response.write(`piece ${++sent}\n`)
        return
      }
      response.addTrailers({ 'X-Pieces': String(sent) })
      response.end()
    })
  },

  '/sse': (response, query) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write('retry: 100000\n\ndata: 0\n\n')
    let sent = 0
    every(response, Number(query.get('ms') ?? 50), () => {
      response.write(`data: ${++sent}\n\n`)
    })
  },

  '/range': (response, query, { request }) => range(request, response, Number(query.get('bytes') ?? 1_000_000)),

  '/large': (response, query) => {
    const total = Number(query.get('mb') ?? 10) * 1_048_576
    const length = query.has('chunked') ? {} : { 'Content-Length': total }
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', ...length })
    pour(response, total)
  },

  '/cookies': (response, query, { recorded }) => {
    const lines = query.has('set') ? query.getAll('set') : ['sid=from-the-site; Path=/; HttpOnly', 'lang=fr; Path=/']
    response.setHeader('Set-Cookie', lines)
    json(response, { cookies: recorded.headers('cookie') })
  },

  '/redirect': (response, query) => {
    response.writeHead(Number(query.get('status') ?? 302), { Location: query.get('to') ?? '/' })
    response.end()
  },

  '/status': (response, query) => {
    response.writeHead(Number(query.get('code') ?? 200)).end()
  },

  '/early-hints': response => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => text(response, 'after the hints'))
  },

  '/gzip': response => {
    const body = gzipSync('packed, whether you asked for it or not')
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Encoding': 'gzip',
      'Content-Length': body.length,
    })
    response.end(body)
  },
}

const page: PathHandler = (response, _query, { recorded }) => {
  const escaped = recorded.url.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><title>The site</title><h1>The site</h1><p>${recorded.method} ${escaped}</p>`)
}

function range(request: IncomingMessage, response: ServerResponse, total: number): void {
  const etag = `"pattern-${total}"`
  const headers = { 'Accept-Ranges': 'bytes', ETag: etag, 'Last-Modified': 'Mon, 02 Nov 2026 08:00:00 GMT' }
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end()
    return
  }
  const ifRange = request.headers['if-range']
  const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  if (asked === null || (ifRange !== undefined && ifRange !== etag)) {
    response.writeHead(200, { ...headers, 'Content-Type': 'application/octet-stream', 'Content-Length': total })
    response.end(patternBytes(0, total))
    return
  }
  const [, first = '', last = ''] = asked
  const from = first === '' ? Math.max(0, total - Number(last)) : Number(first)
  const to = first === '' || last === '' ? total : Math.min(total, Number(last) + 1)
  if (from >= to) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${total}` }).end()
    return
  }
  response.writeHead(206, {
    ...headers,
    'Content-Type': 'application/octet-stream',
    'Content-Range': `bytes ${from}-${to - 1}/${total}`,
    'Content-Length': to - from,
  })
  response.end(patternBytes(from, to))
}

/** Writes with back-pressure: a slow reader makes this stop, not swell. */
function pour(response: ServerResponse, total: number): void {
  const block = patternBytes(0, 65_536)
  let left = total
  const go = () => {
    while (left > 0 && !response.destroyed) {
      const piece = block.subarray(0, Math.min(block.length, left))
      left -= piece.length
      if (!response.write(piece)) {
        response.once('drain', go)
        return
      }
    }
    response.end()
  }
  go()
}

function every(response: ServerResponse, ms: number, tick: () => void): void {
  const timer = setInterval(tick, ms)
  response.on('close', () => clearInterval(timer))
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}

function text(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(body)
}
