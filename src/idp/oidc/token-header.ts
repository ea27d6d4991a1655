/** The header of a signed or encrypted token, read and not verified. Without members where it cannot be read. RFC 7515 §4. */
export function headerOf(token: string): Readonly<Record<string, unknown>> {
  return membersIn(token.split('.', 1)[0] ?? '')
}

/** One part of a token: base64url of a JSON object. Without members where it is none. */
export function membersIn(part: string): Readonly<Record<string, unknown>> {
  try {
    const members: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof members === 'object' && members !== null ? (members as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
