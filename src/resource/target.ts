/**
 * Reads what a request names, its Host header and its target, and refuses what is never accepted anywhere (SESSIONS A9).
 * node's parser lets through two Host headers, absolute-form, `#`, `\` and raw bytes above 0x7E: they end here.
 *
 * Two choices beyond the letter of A9: a malformed escape is refused in the path only, because old sites send `?q=100%`
 * and no decision is made on a query; and the port of a Host header is read but decides nothing, because ports are no part
 * of cookies and a host name belongs to one resource port (`check` refuses two).
 * Rests on model/ and errors.ts.
 */
import { GatewayError } from '../errors.ts'
import type { Target } from '../model/place.ts'
import { readHost } from './host.ts'

export interface NamedRequest {
  /** As on the request line: latin1, so that every byte is one character. */
  readonly url?: string | undefined
  /** Names and values in turn, as node received them. */
  readonly rawHeaders: readonly string[]
}

/** Bytes of the request target; node's own limit on the whole head (32 KiB) lies above it. */
const targetLimit = 16_384

/**
 * @throws GatewayError `request.malformed`       the Host header or the target is one that nobody may send
 * @throws GatewayError `request.target-too-long` over 16,384 bytes
 */
export function readTarget(request: NamedRequest): Target {
  return targetOf(hostHeader(request.rawHeaders), request.url ?? '')
}

/**
 * The same for a host and a request target that came some other way.
 * @throws GatewayError as readTarget
 */
export function targetOf(hostText: string, url: string): Target {
  if (url.length > targetLimit) {
    throw new GatewayError('request.target-too-long', `the request target has ${url.length} bytes, over ${targetLimit}`)
  }
  const { host, hostname } = readHost(hostText)
  const raw = url.charCodeAt(0) === slash ? url : originForm(url, host)

  let seen = 0
  let end = -1
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i)
    const kind = code < 128 ? (kinds[code] as number) : refused
    if (kind === 0) continue
    if (kind === refused) throw malformed(`byte 0x${code.toString(16)} in the request target`)
    if (end >= 0) continue
    if (kind === question) end = i
    else if (kind !== separator || besides(raw, i)) seen |= kind
  }
  const path = end < 0 ? raw : raw.slice(0, end)
  if ((seen & percent) !== 0) checkEscapes(path)
  return { host, hostname, path, query: end < 0 ? '' : raw.slice(end), raw, plain: seen === 0 }
}

const slash = 0x2f
const dot = 0x2e

const refused = 1
const question = 2
const percent = 4
const semicolon = 8
/** `/` and `.`, which matter where one follows the other, or a dot ends the path. */
const separator = 16

const kinds = new Uint8Array(128)
for (let code = 0; code < 128; code++) if (code < 0x21 || code > 0x7e) kinds[code] = refused
for (const character of '\\#"<>`') kinds[character.charCodeAt(0)] = refused
kinds[0x3f] = question
kinds[0x25] = percent
kinds[0x3b] = semicolon
kinds[slash] = separator
kinds[dot] = separator

/** Two separators in a row (`//`, `/.`, `./`, `..`) or a dot at the end: worth a closer look in locate. */
function besides(raw: string, at: number): boolean {
  const next = raw.charCodeAt(at + 1)
  if (next === slash || next === dot) return true
  return raw.charCodeAt(at) === dot && (Number.isNaN(next) || next === 0x3f)
}

/**
 * A server must understand absolute-form (RFC 9112 §3.2.2); it is taken only where it names the very host that the Host
 * header names, so that nobody behind us can prefer one of the two.
 */
function originForm(url: string, host: string): string {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? []
  if (authority === undefined || rest === undefined) throw malformed('a request target that does not begin with "/"')
  if (readHost(authority).host !== host) throw malformed('an absolute request target for another host')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Every `%` begins two hexadecimal digits, and none of them is a control character. */
function checkEscapes(path: string): void {
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
    const high = hexValue(path.charCodeAt(at + 1))
    const low = hexValue(path.charCodeAt(at + 2))
    if (high < 0 || low < 0) throw malformed('a malformed escape in the path')
    const byte = high * 16 + low
    if (byte < 0x20 || byte === 0x7f) throw malformed('an escaped control character in the path')
  }
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function hostHeader(rawHeaders: readonly string[]): string {
  let found: string | null = null
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || (name !== 'Host' && name.toLowerCase() !== 'host')) continue
    if (found !== null) throw malformed('more than one Host header')
    found = rawHeaders[i + 1] as string
  }
  if (found === null) throw malformed('no Host header')
  return found
}

function malformed(detail: string): GatewayError {
  return new GatewayError('request.malformed', detail)
}
