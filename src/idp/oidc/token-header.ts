/** The header of a signed or encrypted token, read and not verified. Without members where it cannot be read. RFC 7515 §4. */
export function headerOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString())
    return typeof header === 'object' && header !== null ? (header as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
