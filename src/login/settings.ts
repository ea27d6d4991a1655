/** The page that asks which account: its groups, and whether a browser remembers the answer. */
import { z } from 'zod'
import { orNull } from '../setting/or-null.ts'
import { text } from '../setting/text.ts'

const group = z.strictObject({
  label: text.describe('Who people are, such as "Teacher": what they read on the first page.'),
  description: orNull(text).describe(
    'Who is meant, in a line under the label: "Management, school life, administration".',
  ),
  idps: z
    .array(z.string({ error: 'must be the id of an identity provider' }))
    .min(1, { error: 'must name one identity provider at least' })
    .describe('What they choose from on the second page, in this order. One may stand in several groups.'),
})

const chooser = z.strictObject({
  remember: z
    .enum(['ask', 'always', 'never'])
    .prefault('ask')
    .describe(
      '`ask`: the page asks whether the computer is the person’s own; only then the browser remembers the identity provider for 180 days and goes straight there, and on any other computer the session is that of a shared one. `always`: remembers without asking; for places without shared computers. `never`: neither asks nor remembers.',
    ),
  groups: z
    .array(group)
    .prefault([])
    .describe(
      'A first page asks who one is, a second one which identity provider of that group. None: one page with all.',
    ),
})

export const topKeys = {
  chooser: chooser
    .prefault({ remember: 'never' })
    .describe(
      'The page that asks which account, where more than one identity provider could serve. Absent: one page with all of them, which neither asks about the computer nor remembers anything.',
    ),
}

export type ChooserSettings = z.output<typeof chooser>
