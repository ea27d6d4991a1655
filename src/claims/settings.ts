/** From what identity providers assert to the names that policies and headers use. */
import { z } from 'zod'

const rawName = z.string({ error: 'must be the name of a claim' }).min(1, { error: 'must not be empty' })

const claim = z.strictObject({
  from: z.array(rawName).min(1).describe('Names that identity providers use for it. The values of all of them count.'),
})

const expectedName =
  'must be a name of letters, digits, hyphens and underscores that rules and headers do not use themselves (idp, subject, subjectId, not, method, address)'

const ownName = z.string().regex(/^(?!(?:idp|subject|subjectId|not|method|address)$)[A-Za-z][A-Za-z0-9_-]*$/, {
  error: expectedName,
})

export const claimsSettings = z.record(ownName, claim)

export const topKeys = {
  claims: claimsSettings
    .prefault({})
    .describe(
      'Names for policies and headers, each with what identity providers call it. Claims that are not named here keep the names that identity providers gave them.',
    ),
}
