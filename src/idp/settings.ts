/** Who signs people in. The protocol is chosen by the key that is present: `oidc`, `cas` or `codes`. */
import { z } from 'zod'
import { belief } from '../setting/belief.ts'
import { emailDomain } from '../setting/email-domain.ts'
import { byKey, isMapping, oneOf } from '../setting/one-of.ts'
import { orNull } from '../setting/or-null.ts'
import { text } from '../setting/text.ts'
import { webAddress } from '../setting/web-address.ts'
import { casSettings } from './cas/settings.ts'
import { codesSettings } from './code/settings.ts'
import { oidcSettings } from './oidc/settings.ts'

const expectedId = 'must be lower-case letters, digits and hyphens, such as "campus"'

const help = z.strictObject({
  label: text.describe('What the link says.'),
  url: webAddress({ example: 'https://help.example.org/', http: 'any', path: 'any' }).describe('Where it leads.'),
})

const always = z.literal('always').transform(() => ({ kind: 'always' }) as const)

const whileAnotherIsAway = z
  .strictObject({
    when: z.literal('unavailable', { error: 'must be "unavailable"' }).describe('While the other does not answer.'),
    of: z.string({ error: 'must be the id of another identity provider' }).describe('The other: its id.'),
  })
  .transform(({ of }) => ({ kind: 'unavailable', of }) as const)

const offered = oneOf(
  [always, whileAnotherIsAway],
  input => (input === 'always' ? always : isMapping(input) ? whileAnotherIsAway : undefined),
  'must be always, or { when: unavailable, of: ID }',
)

const ownKeys = {
  id: z
    .string({ error: expectedId })
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, { error: expectedId })
    .describe('Its name in this file, in the log, and in the callback URL: `<portal>/callback/<id>`.'),
  label: text.describe('What people call it: on the sign-in page, and in sentences about it, such as "Janus".'),
  choice: orNull(text).describe(
    'What its row on the sign-in page says instead, such as "With your Janus account". Absent: the label.',
  ),
  asserts: orNull(z.record(z.string().min(1, { error: 'must be the name of a claim' }), belief)).describe(
    'What it is believed about: names of claims as policies use them, each with `any`, `none`, or patterns that its values must be like, such as "*@example.org". `*` stands for every other claim; `acr` and `amr` are how strongly people signed in, and not among them. Absent: it is believed about everything. Present: about nothing else. What it says besides is dropped, and counted.',
  ),
  offered: offered
    .prefault('always')
    .describe(
      'When people may sign in by it: `always`, or `{ when: unavailable, of: ID }`, only while the gateway sees that the identity provider with this id does not answer.',
    ),
  help: orNull(help).describe('A link under the label, for people who have no account.'),
  emailDomains: z
    .array(emailDomain)
    .prefault([])
    .describe(
      'The domains of its people’s e-mail addresses, such as `cnrs.fr`; `"*.cnrs.fr"` is every domain below. With any, the sign-in page also asks for the e-mail address and leads straight to the provider that its domain is of; `login_hint=` in a link does the same. An OpenID Connect provider is told the address, as `login_hint`, so that it need not be typed twice; nobody else is, and it is not kept.',
    ),
}

const frontChannel = z.strictObject({
  sid: z
    .enum(['session', 'subject', 'off'])
    .prefault('session')
    .describe(
      'What the `sid` of such a request may end. `session`: the one session whose ID token had it, if it is long and random enough to be a secret (64 bits). `subject`: everything of the user whom it names; anybody who knows the name can then sign that user out. `off`: the address does not exist.',
    ),
})

const oidcIdp = z.strictObject({
  ...ownKeys,
  oidc: oidcSettings.describe('Signs people in by OpenID Connect, with the authorization code flow and PKCE.'),
  frontChannel: frontChannel
    .prefault({})
    .describe('Sign-outs that the provider announces in frames of its own page, at `<portal>/frontchannel/<id>`.'),
})

const casIdp = z.strictObject({
  ...ownKeys,
  cas: casSettings.describe('Signs people in by CAS, with service tickets.'),
})

const codesIdp = z.strictObject({
  ...ownKeys,
  codes: codesSettings.describe('Signs people in by access codes from a file, such as those of guests.'),
})

const idpSettings = byKey({ oidc: oidcIdp, cas: casIdp, codes: codesIdp })

export const topKeys = {
  idps: z
    .array(idpSettings)
    .min(1)
    .describe('Who signs people in. With more than one, people choose on the sign-in page, in this order.'),
}
