/** How long a sign-in lasts, where it is kept, and the secrets that protect it. */
import { z } from 'zod'
import { Secret } from '../model/secret.ts'
import { countBetween } from '../setting/count.ts'
import { durationBetween } from '../setting/duration.ts'
import { orNull } from '../setting/or-null.ts'
import { roles } from '../setting/role.ts'
import { keySecret, secret } from '../setting/secret.ts'

const memoryStore = z.strictObject({
  kind: z.literal('memory').describe('In this process; lost at restart.'),
  limit: countBetween(1, 10_000_000)
    .prefault(50_000)
    .describe(
      'Sessions at most; beyond, a sign-in is answered with 503, and nobody is signed out. Each takes about 10 KB with what the process remembers of it.',
    ),
})

const expectedRedis = 'must be a Redis URL, such as redis://10.0.0.1:6379 or rediss://redis.example.org:6380/1'

const redisUrl = z
  .string({ error: expectedRedis })
  .superRefine((text, context) => {
    const url = URL.parse(text)
    const fits =
      url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d*)?$/.test(url.pathname)
    if (!fits || url.search !== '' || url.hash !== '') context.addIssue({ code: 'custom', message: expectedRedis })
  })
  .transform(text => new Secret(text))
  .meta({ title: 'URL, secret' })

roles.add(redisUrl, { role: 'secret-url' })

const redisStore = z.strictObject({
  kind: z.literal('redis').describe('Shared by several replicas; survives a restart.'),
  url: redisUrl.describe('`redis://host:port/database`, or `rediss://…` for TLS.'),
  username: orNull(z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' })).describe(
    'Where it is not part of the URL.',
  ),
  password: orNull(secret).describe('Where it is not part of the URL.'),
})

const sharedComputer = z.strictObject({
  idleTimeout: durationBetween('1m', '24h')
    .prefault('10m')
    .describe('Signed out after this long without a request, on a computer that the person called shared.'),
})

const perPerson = z.strictObject({
  limit: z
    .int({ error: 'must be a whole number from 1 to 1000' })
    .min(1, { error: 'must be at least 1' })
    .max(1000, { error: 'must be at most 1000' })
    .describe('Sessions of one person at most, each in a browser of its own.'),
  beyond: z
    .enum(['ask', 'oldest', 'refuse'])
    .prefault('ask')
    .describe(
      'What one more sign-in does. `ask`: the person chooses which other session to close. `oldest`: the oldest is closed, unasked. `refuse`: it is refused, and the person told to close one elsewhere.',
    ),
})

export const sessionSettings = z.strictObject({
  store: z
    .discriminatedUnion('kind', [memoryStore, redisStore])
    .prefault({ kind: 'memory' })
    .describe('`memory`: one process, lost at restart. `redis`: shared, needed for more than one replica.'),
  secrets: z
    .array(keySecret)
    .min(1)
    .describe(
      'At least 32 bytes each. The first signs and encrypts, the others only verify and decrypt. To change it: add the new one as second everywhere, then move it to the first place.',
    ),
  idleTimeout: durationBetween('1m', '30d').prefault('60m').describe('Signed out after this long without a request.'),
  absoluteTimeout: durationBetween('1m', '90d')
    .prefault('10h')
    .describe('Signed out after this long in any case. Never later than the identity provider says.'),
  sharedComputer: sharedComputer.prefault({}).describe('What differs on a shared computer.'),
  perPerson: orNull(perPerson).describe('How many sessions a person may have at a time. Absent: as many as they like.'),
  assume: orNull(z.enum(['own', 'shared'])).describe(
    'What a computer is taken for when nobody was asked. Absent: `own`, as the sign-in page does not ask yet.',
  ),
})

export const topKeys = {
  session: sessionSettings.describe('How long a sign-in lasts, where it is kept, and the secrets that protect it.'),
}

export type SessionSettings = z.output<typeof sessionSettings>
