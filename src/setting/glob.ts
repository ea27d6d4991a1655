/**
 * A value to compare with: text, in which `*` stands for any run of characters and nothing else is special. There are no
 * regular expressions in the configuration: one that is not anchored lets strangers in, and a nested one can be made to
 * run for minutes. What looks like one is refused, because as text it would never match.
 */
import { z } from 'zod'

const looksRegular = /^\^|[^\\]\$$|^\.[*+]|\(\?|\\[.dwsbDWSB]|[)\]][*+{]/

export const glob = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be text' })
  .transform(String)
  .superRefine((pattern, context) => {
    if (pattern === '') context.addIssue({ code: 'custom', message: 'must not be empty: an empty text matches nobody' })
    if (looksRegular.test(pattern))
      context.addIssue({
        code: 'custom',
        message: `is ${JSON.stringify(pattern)}, which looks like a regular expression: values compare as text, and * is the only wildcard`,
      })
  })
