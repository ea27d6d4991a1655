/**
 * How an access code is written: a selector of 4 characters, by which it is found and which anybody may know, and a secret of 16,
 * 80 random bits, in Crockford's base32 (https://www.crockford.com/base32.html).
 */
import { randomBytes } from 'node:crypto'

const selectorLength = 4
const codeLength = 20
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const spelled = /^[0-9A-HJKMNP-TV-Z]+$/
/** Whatever is longer than this was not meant for a code. */
const longestInput = 200

export interface SpelledCode {
  readonly selector: string
  /** All twenty characters, in the one spelling that is hashed. */
  readonly whole: string
}

/** As people type it: in small letters, with spaces or hyphens anywhere, O for 0, I and L for 1. Null: this is no code. */
export function codeIn(typed: string): SpelledCode | null {
  if (typed.length > longestInput) return null
  const whole = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}_.]/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  if (whole.length !== codeLength || !spelled.test(whole)) return null
  return { selector: whole.slice(0, selectorLength), whole }
}

export function isSelector(text: string): boolean {
  return text.length === selectorLength && spelled.test(text)
}

/** A new one. @param taken selectors that are in use */
export function newCode(taken: ReadonlySet<string>): SpelledCode {
  for (;;) {
    // 32 divides 256: no letter is likelier than another.
    const whole = Array.from(randomBytes(codeLength), byte => letters[byte & 31]).join('')
    const selector = whole.slice(0, selectorLength)
    // One that is all digits would have to stand in quotes in a file that people edit.
    if (!taken.has(selector) && !/^[0-9E]+$/.test(selector)) return { selector, whole }
  }
}

/** `7K3M-2VQX-…`: as it is handed out. */
export function inGroups({ whole }: SpelledCode): string {
  return whole.replace(/.{4}(?!$)/g, '$&-')
}
