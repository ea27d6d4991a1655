/** One value or a list of them; always a list in the code. */
import { z } from 'zod'
import { oneOf } from './one-of.ts'

/**
 * @param expected   begins with "must", for what is neither
 * @param whenEmpty  what is wrong with an empty list
 */
export function oneOrMore<Schema extends z.ZodType<string>>(
  value: Schema,
  expected: string,
  whenEmpty = 'must not be empty: an empty list is a rule that nobody can have meant',
) {
  const many = z.array(value).min(1, { error: whenEmpty })
  const single = value.transform((only): string[] => [only])
  return oneOf(
    [many, single],
    input => {
      if (Array.isArray(input)) return many
      return typeof input === 'object' || input === undefined ? undefined : single
    },
    expected,
  )
}
