/** The domain of an institution's e-mail addresses, or with `*.` before it every domain below it; in its one spelling. */
import { z } from 'zod'
import { asciiDomain } from '../model/email-domain.ts'

const expected = 'must be the domain of e-mail addresses, such as "cnrs.fr", or "*.cnrs.fr" for all below it'

export const emailDomain = z
  .string({ error: expected })
  .transform((text, context): string => {
    const [, wildcard = '', name = ''] = /^(\*\.)?(.*)$/s.exec(text) ?? []
    const ascii = asciiDomain(name)
    if (ascii !== null) return `${wildcard}${ascii}`
    context.addIssue({ code: 'custom', message: text.includes('@') ? `${expected}: without "@"` : expected })
    return z.NEVER
  })
  .meta({ title: 'e-mail domain' })
