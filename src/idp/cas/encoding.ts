/**
 * The text of a CAS answer, from its bytes. Old servers send ISO 8859-1; read as UTF-8, every letter with an accent would be the
 * same replacement character, and two people whose names differ in one letter the same person.
 */

/**
 * In the encoding that the header names, else the XML declaration, else UTF-8 (RFC 7303 §3).
 * @throws Error they are no text in that encoding, or it is not known
 */
export function textIn(bytes: Uint8Array, contentType: string | null): string {
  const label = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? declaredIn(bytes) ?? 'utf-8'
  return new TextDecoder(label, { fatal: true }).decode(bytes)
}

/** A declaration is ASCII whatever follows it, but for encodings that need a mark at the beginning. Null: it has none. */
function declaredIn(bytes: Uint8Array): string | null {
  const beginning = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  return /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)/.exec(beginning)?.[1] ?? null
}
