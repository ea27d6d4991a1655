/**
 * The head of a plain request, as nearly all are: GET or HEAD, HTTP/1.1, nothing behind it, nothing in it that
 * two readers could read in two ways (RFC 9112 §3, §5). This is no parser of HTTP: whatever else a client may send is node's to
 * read, and to refuse. So it may be strict, and wherever it is in doubt it says so.
 * Pure: bytes in, strings out.
 */

import { detached } from '../model/detached.ts'
import { readFieldLines } from '../proxy/field-line.ts'

export interface PlainHead {
  readonly method: 'GET' | 'HEAD'
  /** As on the request line; visible characters only. */
  readonly url: string
  /** Names and values in turn, latin1, in the order and spelling in which they came. */
  readonly rawHeaders: readonly string[]
  /** Null: none. */
  readonly cookies: string | null
}

/** Bytes; beyond, node's reading has limits and answers of its own. */
const longest = 16 * 1024
/** Header lines. */
const mostLines = 100
/** "GET / HTTP/1.1" and one header line. */
const shortest = 24

type Kind = 'any' | 'host' | 'cookie' | 'connection' | 'not-plain'

/**
 * What frames a message, asks for another protocol, or is for this hop alone: node's.
 */
const notPlain = new Set([
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'http2-settings',
])

/** Names come from clients: the memory of them is bounded. */
const kinds = new Map<string, Kind>()
const rememberedNames = 2_000

function kindOf(name: string): Kind {
  const known = kinds.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  const own = lower === 'host' || lower === 'cookie' || lower === 'connection' ? lower : 'any'
  const kind = notPlain.has(lower) || lower.startsWith('sec-websocket-') ? 'not-plain' : own
  if (kinds.size >= rememberedNames) kinds.clear()
  if (name.length <= 64) kinds.set(detached(name), kind)
  return kind
}

/** Whole lines of a head, none of them empty, and perhaps a part of the next: no two readers see its end here. */
const beginning = /^(?:GET|HEAD) \/[^\r\n]*(?:\r\n[^\r\n]+)*(?:\r(?:\n\r?)?)?$/

/** Of a head that may be plain once the rest of it is there. */
export function mayBecomePlain(bytes: Buffer): boolean {
  return bytes.length < longest && beginning.test(bytes.toString('latin1'))
}

/** Null: not plain, or not whole. */
export function readPlainHead(bytes: Buffer): PlainHead | null {
  const { length } = bytes
  if (length < shortest || length > longest) return null
  // The empty line is where the bytes end, and nowhere before: one request, without a body.
  if (bytes[length - 1] !== 0x0a || bytes[length - 3] !== 0x0a) return null
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end !== length - 4) return null

  const method = text.startsWith('GET /') ? 'GET' : text.startsWith('HEAD /') ? 'HEAD' : null
  if (method === null) return null
  const lineEnd = text.indexOf('\r\n')
  const urlEnd = lineEnd - ' HTTP/1.1'.length
  if (!text.startsWith(' HTTP/1.1', urlEnd)) return null
  const url = text.slice(method.length + 1, urlEnd)
  if (!isVisible(url)) return null

  const rawHeaders: string[] = []
  if (readFieldLines(bytes, text, lineEnd + 2, length - 2, rawHeaders) >= 0) return null
  if (rawHeaders.length > 2 * mostLines) return null
  let hosts = 0
  let cookies: string | null = null
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const value = rawHeaders[i + 1] as string
    switch (kindOf(rawHeaders[i] as string)) {
      case 'not-plain':
        return null
      case 'host':
        hosts++
        break
      case 'cookie':
        // Several lines mean one list to some and the last line to others.
        if (cookies !== null) return null
        cookies = value
        break
      case 'connection':
        if (value !== 'keep-alive' && value.toLowerCase() !== 'keep-alive') return null
    }
  }
  return hosts === 1 ? { method, url, rawHeaders, cookies } : null
}

const invisible = /[^\x21-\x7e]/

function isVisible(url: string): boolean {
  return !invisible.test(url)
}
