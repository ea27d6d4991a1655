/**
 * What a path means, on a host where that decides something (SESSIONS A9). The gateway judges one string and the origin
 * acts on one string; where servers are known to read a path in more than one way, there is no safe answer but 400.
 */
import { GatewayError } from '../errors.ts'
import type { Target } from '../model/place.ts'

/**
 * The one reading of a path: its escapes decoded.
 * @throws GatewayError `request.ambiguous` a dot segment in any spelling, an encoded `/ \ % ; .`, `//`, `;`, an escape of
 *                      an unreserved character, or bytes that are not UTF-8
 */
export function onlyReading(target: Target): string {
  // Front controllers route by a query that is a path (`/?/news/2026`); only there do dots climb.
  if (target.query.startsWith('?/')) refuseDotSegments(target.query.slice(1))
  if (target.plain) return target.path

  const { path } = target
  if (path.includes(';')) throw ambiguous('a path parameter (";")')
  if (path.includes('//')) throw ambiguous('an empty path segment ("//")')
  if (aliasedEscape.test(path))
    throw ambiguous('an escape of a character that means the same, or something else, unescaped')
  refuseDotSegments(path)
  const decoded = path.includes('%') ? decode(path) : path
  if (decoded !== path) refuseCompatibleStructure(decoded)
  return decoded
}

/**
 * How an indulgent server may read it: Unicode compatibility forms made plain, everything from an escaped `?` or `#` on
 * dropped, dots and spaces at the end of a segment dropped, as Windows does; and folded where the origin folds. Never what
 * we judge by: it must only not lead to another rule.
 */
export function indulgentReading(path: string, folds: boolean): string {
  const whole = path.normalize('NFKC')
  const end = whole.search(/[?#]/)
  const segments = (end < 0 ? whole : whole.slice(0, end)).split('/')
  const trimmed = segments.map(segment => segment.slice(0, lengthTrimmed(segment))).join('/')
  return folds ? trimmed.toUpperCase().toLowerCase() : trimmed
}

/** `%2F %5C %25 %3B`, and the unreserved characters of RFC 3986 §2.3: letters, digits, `- . _ ~`. */
const aliasedEscape = /%(?:2f|5c|25|3b|2d|2e|3[0-9]|4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a]|7e)/i

function refuseDotSegments(path: string): void {
  if (/\/\.{1,2}(?:\/|$)/.test(path)) throw ambiguous('a dot segment')
}

function decode(path: string): string {
  try {
    // Refuses overlong forms, surrogates and every other sequence that is not UTF-8.
    return decodeURIComponent(path)
  } catch {
    throw ambiguous('escaped bytes that are not UTF-8')
  }
}

/** U+2025 is "..", U+FF0F is "/", for a server that normalises: not a letter of a word, but the structure of a path. */
function refuseCompatibleStructure(decoded: string): void {
  const plain = decoded.normalize('NFKC')
  if (plain === decoded) return
  if (slashes(plain) !== slashes(decoded) || /[\\;%]/.test(plain)) {
    throw ambiguous('a character that some servers read as a separator')
  }
  refuseDotSegments(plain)
}

function slashes(text: string): number {
  return text.split('/').length
}

function lengthTrimmed(segment: string): number {
  let length = segment.length
  while (length > 0 && (segment[length - 1] === '.' || segment[length - 1]?.trim() === '')) length--
  return length
}

function ambiguous(detail: string): GatewayError {
  return new GatewayError('request.ambiguous', `the path has ${detail}, and this host more than one verdict`, {
    hint: 'Where rules by path, or resources mounted below a path, decide, a path must have one reading (docs/sessions.md A9).',
  })
}
