/**
 * Text against text, exactly and case-sensitively; `*` is the only wildcard. Compiled to prefix, suffix and searches in
 * between, so that no value, however it was made, costs more than one look at each part: there is no regular expression
 * and nothing to backtrack.
 */

export type Matches = (value: string) => boolean

/**
 * @param reading  strict: where the pattern has an `@`, the value must have exactly as many, so that `*@cnrs.fr` does not
 *                 admit `attacker@evil.com@cnrs.fr`. wide: `*` stands for anything at all; for conditions that exclude,
 *                 where the narrow reading would be the generous one.
 */
export function compilePattern(pattern: string, reading: 'strict' | 'wide'): Matches {
  const parts = pattern.split('*')
  const prefix = parts[0] ?? ''
  if (parts.length === 1) return value => value === pattern

  const suffix = parts.at(-1) ?? ''
  const between = parts.slice(1, -1).filter(part => part !== '')
  const shortest = parts.reduce((length, part) => length + part.length, 0)
  const ats = reading === 'strict' ? count(pattern, '@') : 0

  return function matches(value) {
    if (value.length < shortest || !value.startsWith(prefix) || !value.endsWith(suffix)) return false
    if (ats > 0 && count(value, '@') !== ats) return false
    const end = value.length - suffix.length
    let from = prefix.length
    for (const part of between) {
      // The leftmost place leaves the most room for the parts that follow: no other needs to be tried.
      const found = value.indexOf(part, from)
      if (found < 0 || found + part.length > end) return false
      from = found + part.length
    }
    return true
  }
}

function count(text: string, character: string): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++
  return found
}
