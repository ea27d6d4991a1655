/** What a protected site is: its name, where browsers reach it, where we reach it. */
import { z } from 'zod'
import { flag } from '../setting/flag.ts'
import { orNull } from '../setting/or-null.ts'
import { text } from '../setting/text.ts'
import { ambiguityOf, webAddress } from '../setting/web-address.ts'

const expectedId = 'must be letters, digits, hyphens and underscores, such as "courses"'

const sitePath = z
  .string({ error: 'must be a path of the site, such as /logout.php' })
  .regex(/^\/[\x21\x24-\x3e\x40-\x5b\x5d-\x7e]*$/, {
    error: 'must be a path of the site, such as /logout.php, without query or escapes',
  })

const logoutPath = z
  .string({ error: 'must be a path of the site, such as /logout.php' })
  .superRefine((path, context) => {
    const message = path === '/' ? 'must not be the whole site' : ambiguityOf(path)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })

const logout = z.strictObject({
  intercept: z
    .array(logoutPath)
    .prefault([])
    .describe(
      'The addresses of the site’s own logout link: paths as browsers see them, without query. `/logout.php` means that very path and what stands below it (`/logout.php/x`), with any query; not `/logout.phpx`. On a host with such a link a path must have one reading: ambiguous spellings are refused (400).',
    ),
  means: z
    .enum(['global', 'local', 'ask'])
    .prefault('global')
    .describe(
      'What that link does when it is pressed on a page of the site. `global`: signs out of everything; `local`: closes this site only; `ask`: asks the person. The request then goes on to the origin, so that the site closes its own session too.',
    ),
  notify: orNull(
    z.strictObject({
      path: sitePath.describe('A path on the origin.'),
      method: z.enum(['GET', 'POST']).prefault('POST').describe('How it is called.'),
    }),
  ).describe(
    'Called on the origin for each visitor whose session ends elsewhere, signed, so that the site closes its own session too.',
  ),
})

export const resourceKeys = {
  id: z
    .string({ error: expectedId })
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/, { error: expectedId })
    .describe('Its name in the log and in the metrics.'),
  title: text.describe('What people read.'),
  at: webAddress({ example: 'https://courses.example.org', http: 'local', path: 'folder' }).describe(
    'Where browsers reach it: a host of its own, or a path on a shared host that ends with /. Plain http only on this machine.',
  ),
  origin: webAddress({ example: 'http://10.0.3.4:8080', http: 'any', path: 'folder' }).describe(
    'Where the gateway reaches it. A path here takes the place of the path in `at`.',
  ),
  idps: orNull(
    z
      .array(z.string({ error: 'must be the id of an identity provider' }))
      .min(1, { error: 'must not be empty: nobody could enter; leave it out for every identity provider' }),
  ).describe('Whose people may come here at all. Absent: everyone’s. Needed where a header carries `{subject}`.'),
  defaultIdp: orNull(z.string({ error: 'must be the id of an identity provider' })).describe(
    'Where several identity providers are admitted: the one that people are led to without being asked. Who wants another account finds the sign-in page from there. Absent: they choose.',
  ),
  sharedSubjects: flag
    .prefault(false)
    .describe(
      'All admitted identity providers use the same subjects and e-mail addresses for the same people, and none would use another’s. Only then may a header carry them for more than one provider.',
    ),
  caseInsensitive: flag
    .prefault(false)
    .describe('The origin takes /Admin and /admin for the same path; rules are then matched so too.'),
  serviceWorkers: z
    .enum(['refuse', 'allow'])
    .prefault('refuse')
    .describe(
      '`allow`: the site’s scripts may register service workers. A script of the site can then take its own visitors’ sessions for this site away.',
    ),
  preflight: z
    .enum(['answer', 'forward'])
    .prefault('answer')
    .describe('CORS preflights: answered by the gateway, or forwarded to the origin without an identity.'),
  logout: logout.prefault({}).describe('The site’s own logout link, and how the site hears of a sign-out elsewhere.'),
  allowOrigins: z
    .array(webAddress({ example: 'https://app.example.org', http: 'local', path: 'none' }))
    .prefault([])
    .describe('Further web origins whose pages may send unsafe requests here: scheme, host and port.'),
}

export type ResourceSettings = z.output<z.ZodObject<typeof resourceKeys>>
