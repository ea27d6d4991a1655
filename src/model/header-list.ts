/** Headers as they come: names and values in turn. */

/**
 * Looks at lengths first: most names have another one, and nothing is made lower case for them.
 *
 * @param name in lower case
 * @returns the value of its first line; null: there is none
 */
export function firstValue(headers: readonly string[], name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    const one = headers[i] as string
    if (one.length === name.length && one.toLowerCase() === name) return headers[i + 1] as string
  }
  return null
}
