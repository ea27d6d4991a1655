/** The lines of a head or of trailers, read strictly (RFC 9112 §5), in one walk over their bytes. */

const token = 1
const visible = 2
const space = 4

/** What a byte may be: of a name, of a value, around a value. */
const kinds = new Uint8Array(256)
for (let byte = 0x21; byte <= 0xff; byte++) if (byte !== 0x7f) kinds[byte] = visible
for (const name of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  kinds[name.charCodeAt(0)] = token | visible
}
kinds[0x20] = space
kinds[0x09] = space

const colon = 0x3a
const cr = 0x0d
const lf = 0x0a

/**
 * @param bytes ends with CRLF at `to`, or goes on behind it
 * @param text  the same bytes as latin1: names and values are cut from it
 * @param from  where the first line begins
 * @param to    behind the CRLF of the last
 * @param into  names and values in turn are added to it; no-break spaces stay: in latin1 they are the last byte of an à
 * @returns -1: all are header lines that nobody could read in two ways. Else where the first begins that is none, or one that
 *          continues another in an old way that everybody reads differently (§5.2)
 */
export function readFieldLines(bytes: Buffer, text: string, from: number, to: number, into: string[]): number {
  let at = from
  while (at < to) {
    const begins = at
    while (((kinds[bytes[at] as number] as number) & token) !== 0) at++
    if (at === begins || at >= to || bytes[at] !== colon) return begins
    const name = text.slice(begins, at)
    at++
    while (kinds[bytes[at] as number] === space) at++
    const starts = at
    let ends = at
    for (;;) {
      const kind = kinds[bytes[at] as number] as number
      if (kind === 0) break
      at++
      if (kind !== space) ends = at
    }
    // Bare CR or LF, another control character, or the end: only a CRLF ends a line.
    if (bytes[at] !== cr || bytes[at + 1] !== lf || at + 2 > to) return begins
    into.push(name, text.slice(starts, ends))
    at += 2
  }
  return -1
}
