/** A value from outside as a log line can hold it: on one line, without control or reordering characters, and short. */
export function quoted(value: unknown): string {
  const text = (JSON.stringify(value) ?? 'absent').replace(
    // JSON escapes only what is below U+0020; U+009B begins a terminal command, the others turn a line around.
    /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** Before it is quoted: a quotation is cut, and half a secret is not found in it any more. */
export function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value !== 'string') return value
  return secrets.filter(secret => secret !== '').reduce((text, secret) => text.replaceAll(secret, '****'), value)
}
