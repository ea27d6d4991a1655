/** From what identity providers assert to the names that policies and headers use. */
import { z } from 'zod'
import { tableFile } from '../setting/file.ts'
import { oneOrMore } from '../setting/one-or-more.ts'
import { orNull } from '../setting/or-null.ts'
import { text } from '../setting/text.ts'

const rawName = z
  .string({ error: 'must be the name of a claim' })
  .min(1, { error: 'must not be empty' })
  .superRefine((name, context) => {
    if (name.startsWith('/') && /~(?![01])/.test(name))
      context.addIssue({
        code: 'custom',
        message: 'must be a path as in RFC 6901: ~ is written ~0, / inside a name ~1',
      })
  })

const value = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be text' })
  .transform(String)
  .refine(text => text !== '', { error: 'must not be empty' })

const separator = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })

const empty = 'must not be empty'

const claim = z
  .strictObject({
    from: z
      .array(rawName)
      .min(1)
      .describe(
        'Names that identity providers use for it. The values of all of them count, in this order. A name that begins with `/` is a path into nested values (RFC 6901): `/realm_access/roles`; a list on the way stands for each of its members.',
      ),
    split: orNull(oneOrMore(separator, 'must be text such as ";", or a list of texts', empty)).describe(
      'Texts that separate several values within one, such as ";". Spaces around the parts are dropped.',
    ),
    case: z
      .enum(['keep', 'lower'])
      .prefault('keep')
      .describe(
        '`lower`: values are put in lower case before they are looked up or compared, and so are the keys of `values` and `table`; what these give stays as it is written.',
      ),
    values: orNull(
      z
        .record(z.string(), oneOrMore(value, 'must be text, or a list of texts', empty))
        .refine(values => Object.keys(values).length > 0, { error: empty }),
    ).describe('What a value becomes: one text or a list of them.'),
    table: orNull(tableFile()).describe(
      'The same as a CSV file in UTF-8, its path relative to this file: on each line a value, then one or several that it becomes, between semicolons, commas or tabs. `#` begins a remark. A value that several lines have becomes what all of them say.',
    ),
    unlisted: z
      .enum(['drop', 'keep'])
      .prefault('drop')
      .describe('What becomes of a value that neither `values` nor `table` has.'),
    take: z
      .enum(['all', 'first', 'chosen'])
      .prefault('all')
      .describe(
        '`first`: only the first value, in the order of `from`, of the identity provider, and of the table. `chosen`: one value as well, which the person chooses among all of them on the front page of the portal; the first until then.',
      ),
    labels: z
      .record(z.string(), text)
      .prefault({})
      .describe(
        'What values are called on our pages: `{ INSB: { fr: sciences biologiques, en: biological sciences } }`. Rules and headers keep the value; a value without a label is shown as it is.',
      ),
    default: orNull(oneOrMore(value, 'must be text, or a list of texts', empty)).describe(
      'The value of people who have none.',
    ),
  })
  .superRefine(({ values, table, unlisted }, context) => {
    if (unlisted === 'keep' && values === null && table === null)
      context.addIssue({ code: 'custom', path: ['unlisted'], message: 'needs "values" or "table"' })
  })

const expectedName =
  'must be a name of letters, digits, hyphens and underscores that rules and headers do not use themselves (idp, subject, subjectId, entity, not, method, address)'

const ownName = z
  .string()
  .regex(/^(?!(?:idp|subject|subjectId|entity|not|method|address)$)[A-Za-z][A-Za-z0-9_-]*$/, { error: expectedName })

const claimsSettings = z.record(ownName, claim)

export const topKeys = {
  claims: claimsSettings
    .prefault({})
    .describe(
      'Names for policies and headers, each with what identity providers call it and what becomes of its values. Claims that are not named here keep the names and values that identity providers gave them. docs/guide/claims.md shows how.',
    ),
}
