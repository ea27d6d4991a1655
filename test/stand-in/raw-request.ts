/** Requests as text, line by line, for the raw client: what an attacker types. */

export interface RawRequest {
  readonly method?: string
  /** The request target, exactly as it shall stand in the request line. */
  readonly target?: string
  /** Of the Host line; null: none. */
  readonly host: string | null
  /** Of the Cookie line; null: none. */
  readonly cookie?: string | null
  /** Further header lines, without their ends. */
  readonly lines?: readonly string[]
  /** latin1. With it goes a Content-Length, unless a line speaks of the framing. */
  readonly body?: string
}

export function rawRequest({
  method = 'GET',
  target = '/',
  host,
  cookie = null,
  lines = [],
  body,
}: RawRequest): string {
  const framed = lines.some(line => /^(content-length|transfer-encoding)\s*:/i.test(line))
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(cookie === null ? [] : [`Cookie: ${cookie}`]),
    ...lines,
    ...(body === undefined || framed ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]),
  ]
  return `${head.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** The lines of a WebSocket handshake (RFC 6455 §1.3), without Host, Cookie and Origin. */
export const handshake: readonly string[] = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** The answer to that very handshake. */
export const handshakeAnswer =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

/** One chunk after the other and the end, with trailer lines if there are any (RFC 9112 §7.1). */
export function chunked(pieces: readonly string[], trailers: readonly string[] = []): string {
  const chunks = pieces.map(piece => `${Buffer.byteLength(piece, 'latin1').toString(16)}\r\n${piece}\r\n`)
  return `${chunks.join('')}0\r\n${trailers.map(line => `${line}\r\n`).join('')}\r\n`
}
