/** How long a sign-in lasts, where it is kept, and the secrets that protect it. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { Secret } from '../model/secret.ts'
import { countBetween } from '../setting/count.ts'
import { durationBetween } from '../setting/duration.ts'
import { flag } from '../setting/flag.ts'
import { orNull } from '../setting/or-null.ts'
import { roles } from '../setting/role.ts'
import { keySecret, secret } from '../setting/secret.ts'

/** `port` is never 0. */
export interface RedisServer {
  readonly host: string
  readonly port: number
}

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

const expectedServer = 'must be a host and a port, such as 10.0.0.1:26379 or [2001:db8::1]:6379'

/** A host name may be one: names of a cluster are looked up at each connection. */
const redisServer = z
  .string({ error: expectedServer })
  .transform((text, context): RedisServer => {
    const [, v6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
    const port = Number(digits)
    const host = v6 ?? name ?? ''
    if (host !== '' && port > 0 && port < 65_536 && (v6 === undefined || isIP(v6) === 6)) return { host, port }
    context.addIssue({ code: 'custom', message: expectedServer })
    return z.NEVER
  })
  .meta({ title: 'host:port' })

const redisServers = orNull(
  z.array(redisServer, { error: 'must be a list of servers' }).min(1, { error: 'must name one server at least' }),
)
const someText = orNull(z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' }))

const redisKeys = z.strictObject({
  kind: z.literal('redis').describe('Shared by several replicas; survives a restart.'),
  url: orNull(redisUrl).describe('One server: `redis://host:port/database`, or `rediss://…` for TLS.'),
  sentinels: redisServers.describe('Instead of `url`: where the sentinels are; they know the server of the moment.'),
  master: someText.describe('By what name the sentinels know it.'),
  cluster: redisServers.describe('Instead of `url`: some servers of a Redis Cluster; they know the others.'),
  username: someText.describe('An ACL user, where it is not part of the URL.'),
  password: orNull(secret).describe('Where it is not part of the URL.'),
  database: orNull(
    z.int({ error: 'must be a whole number from 0' }).min(0, { error: 'must be a whole number from 0' }),
  ).describe('With `sentinels`: the number of the database. Absent: 0.'),
  tls: orNull(flag).describe(
    'With `sentinels` or `cluster`: whether all of them speak TLS. A URL says it by `rediss://`. Certificates of `outbound.ca` are believed beside those of the system.',
  ),
  serverName: someText.describe(
    'The name that every certificate must bear. Absent: the host by which a server is reached, and sentinels and clusters mostly name theirs by address.',
  ),
  sentinelUsername: someText.describe('An ACL user of the sentinels themselves.'),
  sentinelPassword: orNull(secret).describe('A password of the sentinels themselves.'),
})

const redisStore = redisKeys.superRefine((store, context) => {
  const say = (key: keyof typeof store, message: string) => context.addIssue({ code: 'custom', path: [key], message })
  const given = (['url', 'sentinels', 'cluster'] as const).filter(key => store[key] !== null)
  const [where, ...others] = given
  if (where === undefined) {
    context.addIssue({ code: 'custom', message: 'lacks the key "url", "sentinels" or "cluster": where Redis is' })
    return
  }
  for (const other of others) say(other, `stands beside "${where}": only one of them can say where Redis is`)
  if (where === 'sentinels' && store.master === null)
    context.addIssue({ code: 'custom', message: 'lacks the key "master": by what name the sentinels know the server' })
  for (const key of ['master', 'sentinelUsername', 'sentinelPassword'] as const)
    if (where !== 'sentinels' && store[key] !== null) say(key, `goes with "sentinels", not with "${where}"`)
  if (where === 'cluster' && store.database !== null) say('database', 'cannot be chosen: a cluster has one database')
  if (where === 'url' && store.database !== null) say('database', 'is part of the URL, such as redis://host:6379/1')
  if (where === 'url' && store.tls !== null) say('tls', 'is said by the URL: rediss:// is TLS, redis:// is not')
  const encrypted = where === 'url' ? /^rediss:/i.test(store.url?.reveal() ?? '') : store.tls === true
  if (store.serverName !== null && !encrypted)
    say('serverName', `needs TLS: ${where === 'url' ? 'a URL with rediss://' : '"tls: yes"'}`)
})

export type RedisSettings = z.output<typeof redisKeys>

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
  recheck: orNull(durationBetween('1m', '24h')).describe(
    'How often the identity provider is asked, while somebody works, whether it still stands by them and what it says of them now. Absent: never, so that an entitlement that was taken away holds until `absoluteTimeout` at the latest.',
  ),
  sharedComputer: sharedComputer.prefault({}).describe('What differs on a shared computer.'),
  perPerson: orNull(perPerson).describe('How many sessions a person may have at a time. Absent: as many as they like.'),
  assume: orNull(z.enum(['own', 'shared'])).describe(
    'What a computer is taken for when nobody was asked. Absent: `shared` where the sign-in page asks (`chooser.remember: ask`, several identity providers; one that is offered only while another is unavailable counts only then) and a link led past it; `own` where it never asks.',
  ),
})

export const topKeys = {
  session: sessionSettings.describe('How long a sign-in lasts, where it is kept, and the secrets that protect it.'),
}
