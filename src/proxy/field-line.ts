/** One line of a head or of trailers, read strictly (RFC 9112 §5). */

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const forbidden = /[\0-\x08\n-\x1f\x7f]/

/**
 * @param line bytes as latin1, without the CRLF
 * @param into name and value are added to it
 * @returns false: no header line, or one that two readers could read in two ways
 */
export function readFieldLine(line: string, into: string[]): boolean {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(colon, 0))
  const value = trimmed(line, colon + 1)
  // A line that begins with a space continues another in an old way that everybody reads differently (§5.2).
  if (!token.test(name) || forbidden.test(value)) return false
  into.push(name, value)
  return true
}

/**
 * Not trim(): in latin1 a no-break space is the last byte of an à. And no expression: `[ \t]+$` walks through a run of spaces
 * once for each of them, which for a line of 60 KB takes five seconds.
 */
function trimmed(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}
