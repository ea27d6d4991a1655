/** What an identity provider may assert of one claim: anything, nothing, or values like these. */
import { z } from 'zod'
import type { Belief } from '../model/belief.ts'
import { glob } from './glob.ts'
import { oneOf } from './one-of.ts'
import { oneOrMore } from './one-or-more.ts'

const expected = 'must be any, none, or patterns such as "*@example.org"'

const word = z.enum(['any', 'none']).transform((kind): Belief => ({ kind }))

const pattern = glob.superRefine((text, context) => {
  const message =
    text === 'scoped'
      ? `${expected}; "scoped" is for federations, which are not part of this version`
      : text === 'any' || text === 'none'
        ? 'must stand alone, not in a list'
        : null
  if (message !== null) context.addIssue({ code: 'custom', message })
})

const patterns = oneOrMore(pattern, expected, 'must not be empty; write none if that is meant').transform(
  (anyOf): Belief => ({ kind: 'like', anyOf }),
)

export const belief = oneOf(
  [word, patterns],
  input => (input === 'any' || input === 'none' ? word : patterns),
  expected,
)
