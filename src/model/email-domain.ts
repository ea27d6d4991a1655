/**
 * What stands behind the @ of an e-mail address (RFC 5321 §4.1.2, RFC 1035 §2.3.4), in the one spelling in which it is compared: lower
 * case, without accents or other scripts (`université.fr` is `xn--universit-j4a.fr`, RFC 5891).
 */
import { domainToASCII } from 'node:url'

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** At least two labels, the last of them no number: an address would otherwise be one. */
const plain = new RegExp(`^(?:${label}\\.)+(?![0-9]+$)${label}$`)

/** @returns null: it is no domain */
export function asciiDomain(text: string): string | null {
  // The other full stops are those of keyboards in China and Japan, which IDNA takes for ours.
  if (text.length > 253 || !/^[\p{L}\p{N}\p{M}\-.。．｡]+$/u.test(text)) return null
  const ascii = domainToASCII(text)
  return ascii.length <= 253 && plain.test(ascii) ? ascii : null
}
