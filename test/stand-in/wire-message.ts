/**
 * Reads HTTP/1.1 messages out of bytes (RFC 9112 §2, §6, §7.1), for the raw client and for the scripted origin. It is
 * tolerant on purpose: what arrives may be broken, and a test wants to look at it.
 */
import { HeaderLines } from './header-lines.ts'

export class WireMessage extends HeaderLines {
  /** The first line, without its line end. */
  readonly startLine: string
  readonly body: Buffer
  readonly trailers: readonly string[]
  /** False: the connection closed, or chunked coding broke, before the body's end. */
  readonly complete: boolean
  /** Head and body exactly as received. */
  readonly bytes: Buffer

  constructor(head: WireHead, body: WireBody, bytes: Buffer) {
    super(head.rawHeaders)
    this.startLine = head.startLine
    this.body = body.body
    this.trailers = body.trailers
    this.complete = body.complete
    this.bytes = bytes
  }
}

export interface WireHead {
  readonly startLine: string
  readonly rawHeaders: readonly string[]
  /** Bytes of the head, its empty line included. */
  readonly length: number
}

export interface WireBody {
  readonly body: Buffer
  readonly trailers: readonly string[]
  readonly complete: boolean
  /** Bytes on the wire that belong to this body. */
  readonly length: number
}

/** How long a body is, as the head says it. close: until the connection closes, only possible for responses. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' }

const headEnd = Buffer.from('\r\n\r\n')

/** Null: the head has not arrived whole. */
export function readHead(bytes: Buffer): WireHead | null {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return null
  const [startLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  return { startLine, rawHeaders: lines.flatMap(headerLine), length: end + headEnd.length }
}

/**
 * @param closed nothing more will come
 * @returns      null: more bytes are needed
 */
export function readBody(bytes: Buffer, framing: Framing, closed: boolean): WireBody | null {
  switch (framing.kind) {
    case 'none':
      return { body: Buffer.alloc(0), trailers: [], complete: true, length: 0 }
    case 'length': {
      if (bytes.length < framing.bytes && !closed) return null
      const body = bytes.subarray(0, framing.bytes)
      return { body, trailers: [], complete: body.length === framing.bytes, length: body.length }
    }
    case 'chunked':
      return readChunks(bytes, closed)
    case 'close':
      return closed ? { body: bytes, trailers: [], complete: true, length: bytes.length } : null
  }
}

/** What the headers of a message say about its body, before the rules for HEAD, 1xx, 204 and 304. */
export function framingOf(head: WireHead): Framing | null {
  const headers = new HeaderLines(head.rawHeaders)
  if (headers.headers('transfer-encoding').some(value => /chunked/i.test(value))) return { kind: 'chunked' }
  const length = headers.header('content-length')
  return length !== null && /^\d+$/.test(length) ? { kind: 'length', bytes: Number(length) } : null
}

function headerLine(line: string): [string, string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function readChunks(bytes: Buffer, closed: boolean): WireBody | null {
  const pieces: Buffer[] = []
  const broken = { trailers: [], complete: false, length: bytes.length }
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return closed ? { body: Buffer.concat(pieces), ...broken } : null
    const size = /^([0-9a-f]+)/i.exec(bytes.subarray(at, lineEnd).toString('latin1'))?.[1]
    if (size === undefined) return { body: Buffer.concat(pieces), ...broken }
    at = lineEnd + 2
    const count = Number.parseInt(size, 16)
    if (count === 0) return readTrailers(bytes, at, Buffer.concat(pieces), closed)
    if (bytes.length < at + count + 2) {
      if (!closed) return null
      return { body: Buffer.concat([...pieces, bytes.subarray(at, at + count)]), ...broken }
    }
    pieces.push(bytes.subarray(at, at + count))
    at += count + 2
  }
}

function readTrailers(bytes: Buffer, from: number, body: Buffer, closed: boolean): WireBody | null {
  if (bytes.subarray(from, from + 2).toString('latin1') === '\r\n') {
    return { body, trailers: [], complete: true, length: from + 2 }
  }
  const end = bytes.indexOf(headEnd, from)
  if (end < 0) return closed ? { body, trailers: [], complete: false, length: bytes.length } : null
  const trailers = bytes.subarray(from, end).toString('latin1').split('\r\n').flatMap(headerLine)
  return { body, trailers, complete: true, length: end + headEnd.length }
}
