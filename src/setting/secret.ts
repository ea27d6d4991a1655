/** A text that prints as `****`. Written as `${env:NAME}` or `${file:/run/secrets/name}`; a literal one is warned of. */
import { z } from 'zod'
import { Secret } from '../model/secret.ts'
import { roles } from './role.ts'

export const secret = z
  .string({ error: 'must be text' })
  .min(1, { error: 'must not be empty' })
  .transform(text => new Secret(text))
  .meta({ title: 'secret' })

roles.add(secret, { role: 'secret' })

/** Below this many bytes a key can be guessed (SESSIONS A5). */
const leastKeyBytes = 32

const placeholder = /change[-_ ]?(me|this|it)|example|placeholder|your[-_ ]?secret|insert|default|password|0123456789/i

/** A secret from which keys are made: long, and not one that a manual printed. */
export const keySecret = secret.superRefine((value, context) => {
  const text = value.reveal()
  const bytes = Buffer.byteLength(text)
  if (bytes < leastKeyBytes) {
    const message = `is ${bytes} bytes long, must be at least ${leastKeyBytes}; \`openssl rand -base64 48\` makes a good one`
    context.addIssue({ code: 'custom', message })
    return
  }
  if (placeholder.test(text) || new Set(text).size < 10) {
    const message = 'can be guessed, must be random; `openssl rand -base64 48` makes a good one'
    context.addIssue({ code: 'custom', message })
  }
})
