/** One spelling for what is the same value to people: of letters for `case: lower`, of accents for looking up. */

/**
 * Lower case, letter by letter and the same in every locale. A letter beyond ASCII never becomes one of ASCII: to Unicode
 * the Kelvin sign is a capital k, and whoever may choose their own address would be somebody else with it.
 */
export function lowerCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  return Array.from(text, letter => {
    const lower = letter.toLowerCase()
    return isAscii(letter) || !/[\0-\x7f]/.test(lower) ? lower : letter
  }).join('')
}

/**
 * A file written on one system has é as one character, an identity provider on another as two (Unicode Normalization
 * Form C). For keys that an operator has chosen, never for values that are kept: those compare as they are.
 */
export function lookupKey(text: string): string {
  return isAscii(text) ? text : text.normalize('NFC')
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}
