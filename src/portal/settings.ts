/** A person's own page on the portal: what their sites are listed by. */
import { z } from 'zod'
import { orNull } from '../setting/or-null.ts'

const front = z.strictObject({
  groupBy: z
    .string({ error: 'must be the name of a claim' })
    .min(1, { error: 'must not be empty' })
    .describe(
      'The claim by whose values a person finds their sites, such as `domain`: under each value the sites that it opens, the first value before all others, as the favourite. Who has none of it reads so, and whom to ask.',
    ),
})

export const topKeys = {
  front: orNull(front).describe(
    'The front page of somebody who is signed in. Absent: one list of the sites that open, and one of those that do not.',
  ),
}
