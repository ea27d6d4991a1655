/** How a request is passed on to the origin of a resource: who it is from, how long we wait, what becomes of cookies. */
import { z } from 'zod'
import { durationBetween } from '../setting/duration.ts'

const expectedTemplate = 'must be text with placeholders, such as "{subject}" or "{email}"'

const placeholder = /\{([A-Za-z][A-Za-z0-9_:.-]*)\}/g

/** What stands in braces: `subject`, `subjectId`, `idp`, or the name of a claim. */
export function placeholdersOf(template: string): readonly string[] {
  return Array.from(template.matchAll(placeholder), ([, name = '']) => name)
}

const template = z
  .string({ error: expectedTemplate })
  .min(1, { error: expectedTemplate })
  .superRefine((written, context) => {
    // A line break in a header would be a second header.
    if (/[\x00-\x1f\x7f]/.test(written))
      context.addIssue({ code: 'custom', message: 'must not have control characters or line breaks' })
    if (/[{}]/.test(written.replaceAll(placeholder, '')))
      context.addIssue({ code: 'custom', message: `${expectedTemplate}; a brace that stands alone means nothing` })
  })

/** What carries the message itself, or is written by the gateway for its own reasons: never an identity. */
const reserved = new Set(
  `accept accept-encoding authorization clear-site-data connection content-encoding content-length content-type cookie cookie2
  date expect forwarded host http2-settings keep-alive max-forwards origin proxy-authenticate proxy-authorization proxy-connection
  range referer set-cookie te trailer transfer-encoding upgrade via x-forwarded-for x-forwarded-host x-forwarded-port
  x-forwarded-proto x-http-method-override x-real-ip`.split(/\s+/),
)

const expectedHeader = 'must be a header name of letters, digits and hyphens, such as X-Remote-User'

const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, { error: expectedHeader })
  .superRefine((name, context) => {
    if (reserved.has(name.toLowerCase()) || /^(sec|proxy)-/i.test(name))
      context.addIssue({ code: 'custom', message: `must not be ${name}: it carries the message itself` })
  })

const identity = z.strictObject({
  headers: z
    .record(headerName, template)
    .prefault({})
    .describe(
      'Headers that tell the origin who asks: name, then a text with `{subject}`, `{idp}`, `{subjectId}` or the name of a claim in braces. Without a value the header is left out. What clients send under these names, in any spelling, never passes.',
    ),
  encoding: z
    .enum(['utf-8', 'latin1', 'percent', 'base64'])
    .prefault('utf-8')
    .describe('How values are written. `latin1` writes what it lacks as percent escapes of UTF-8.'),
  separator: z
    .string({ error: 'must be text' })
    .regex(/^[\x20-\x5b\x5d-\x7e]{1,4}$/, { error: 'must be one to four plain ASCII characters, no backslash' })
    .prefault(';')
    .describe('Between the values of a list; escaped inside them by a backslash.'),
})

const timeouts = z.strictObject({
  connect: durationBetween('100ms', '5m').prefault('5s').describe('Until the connection to the origin stands.'),
  answer: durationBetween('1s', '24h')
    .prefault('60s')
    .describe('From the last byte sent to the first byte of the origin’s answer.'),
  idle: durationBetween('1s', '24h')
    .prefault('5m')
    .describe('Between two bytes of a body, in either direction, and on an open WebSocket.'),
})

const cookies = z.strictObject({
  domain: z
    .enum(['remove', 'keep'])
    .prefault('remove')
    .describe(
      '`keep`: the origin may set cookies for a wider domain than its host, and other sites then receive them.',
    ),
})

export const resourceKeys = {
  identity: identity.prefault({}).describe('What the origin is told about the person.'),
  timeouts: timeouts.prefault({}).describe('How long the gateway waits for the origin.'),
  cookies: cookies.prefault({}).describe('What becomes of the cookies that the origin sets.'),
  host: z
    .enum(['public', 'origin'])
    .prefault('public')
    .describe('The Host header that the origin is told: the one browsers use, or its own.'),
}
