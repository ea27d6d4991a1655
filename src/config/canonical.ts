/** Settings as one text: the same text exactly where they are the same, secrets and all. Never to be shown or kept. */
import { createHmac } from 'node:crypto'
import { Secret } from '../model/secret.ts'

/** @param settings any part of the configuration, as parsed: plain values, URLs and secrets */
function canonical(settings: unknown): string {
  return JSON.stringify(plain(settings))
}

export function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}

/**
 * 12 hexadecimal digits, for an operator who compares two processes. Under a key: the text holds secrets, of which short ones
 * could be found out from a plain digest.
 */
export function checksumOf(settings: unknown, key: Buffer): string {
  return createHmac('sha256', key).update(canonical(settings)).digest('hex').slice(0, 12)
}

function plain(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() }
  if (value instanceof URL) return { url: value.href }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { mapping: entries.map(([key, part]) => [key, plain(part)]) }
}
