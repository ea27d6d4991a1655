/** A text for people: one string for every language, or `{ fr: …, en: … }`. A language that is left out borrows the other. */
import { z } from 'zod'
import { languages, type Text, textOf } from '../model/text.ts'
import { isMapping, oneOf } from './one-of.ts'

const line = z
  .string({ error: 'must be text' })
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(500, { error: 'must have at most 500 characters' })

const plain = line.transform(textOf)

const translated = z
  .strictObject({ fr: line.optional().describe('In French.'), en: line.optional().describe('In English.') })
  .transform(({ fr, en }, context): Text => {
    const either = fr ?? en
    if (either !== undefined) return { fr: fr ?? either, en: en ?? either }
    context.addIssue({ code: 'custom', message: `must have a text for ${languages.join(' or ')}` })
    return z.NEVER
  })

export const text = oneOf(
  [plain, translated],
  input => {
    if (isMapping(input)) return translated
    return Array.isArray(input) || input === undefined || input === null ? undefined : plain
  },
  'must be text, or { fr: …, en: … }',
).meta({ title: 'text for people' })
