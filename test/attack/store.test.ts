/**
 * What stands in Redis, and whoever reads or writes there: names that come from outside are never keys, a reader learns counts and
 * times, a writer can end and delay but never make, swap or prolong a session (RD-01 to RD-04, SE-09; docs/sessions.md A5).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { keysOf } from '../../src/session/record.ts'
import { createKeys } from '../../src/session/seal.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type MadeSession, makeSession } from '../stand-in/made-session.ts'
import { until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'
import { visit } from '../stand-in/visits.ts'

const secret = 'the secret of the gateways whose store is attacked'

let redis: RedisServer
let a: TwoIdps
let b: TwoIdps
beforeAll(async () => {
  redis = await startRedis()
  const options = { store: `{ kind: redis, url: "${redis.url}" }`, secret }
  a = await startTwoIdps(options)
  b = await startTwoIdps({ ...options, shared: a }, a.op)
})
beforeEach(async () => {
  await redis.admin.flushall()
  a.op.reset()
})
afterEach(() => {
  a.invariants()
  b.invariants()
})
afterAll(async () => {
  await b.stop()
  await a.stop()
  await redis.close()
})

async function statusAt(world: TwoIdps, session: MadeSession): Promise<number> {
  const visitors = { port: world.port, host: `app.localhost:${world.port}`, path: '/echo' }
  const [one] = await visit({ ...visitors, cookie: session.cookieOf('app.localhost') }, 1, 1)
  return one?.status ?? 0
}

const make = (subject: string) => makeSession(a.gateway.sessions, subject, 'op')

/** Every key that we write: hashes of 43 characters, and fixed names. */
const ours = /^pas:(\{[\w-]{43}\}:[sv]|[a-z]:[\w-]{43}|ended|w:\{[\w:-]+\})$/

describe('a name that comes from outside', () => {
  const hostile = ['*', 'a\r\nSET pas:x y', '{x}:s', 'pas:ended', '\0', '../..', '𝒫', 'x'.repeat(20_000)]

  it('is in no key, whether it is a subject, a state, a ticket or a cookie (RD-01)', async () => {
    for (const name of hostile) {
      const made = await make(name)
      await a.gateway.sessions.endAll({
        idp: 'op',
        subject: name,
        idpSession: { kinds: ['sid'], value: name },
        issuedAt: 1,
        message: null,
      })
      expect(await redis.admin.exists(keysOf(made.hash).record)).toBe(1)
    }
    // What goes into an address must be short enough to be read at all.
    for (const name of hostile.filter(each => each.length < 1_000).map(encodeURIComponent)) {
      const browser = new Browser()
      for (const address of [
        a.portal(`/callback/op?state=${name}&code=${name}`),
        a.portal(`/enter?r=${name}`),
        a.portal(`/signed-out?o=${name}`),
        a.url('app', `/.passerelle/enter?t=${name}`),
      ]) {
        const page = await browser.navigate(address, { follow: false })
        expect(page.status, `${address}\n${page.text}`).toBeLessThan(500)
      }
      const planted = { Cookie: `__Host-Http-passerelle-site=v1.00000000.${name}.0.x` }
      expect((await new Browser().fetch(a.url('app', '/echo'), { headers: planted })).status).toBe(401)
    }
    const keys = await redis.admin.keys('*')
    expect(keys.length).toBeGreaterThan(hostile.length)
    expect(keys.filter(key => !ours.test(key))).toEqual([])
  })
})

describe('a reader of Redis', () => {
  it('learns no id, no name, no claim and no token, in no key, no value and no line of the log (RD-02)', async () => {
    a.op.bends.subject = 'alice'
    const browser = new Browser({ language: 'en' })
    await browser.navigate(a.url('app', '/echo'))
    const ids = browser.jar.all().flatMap(({ value }) => /^v1\.\w+\.([\w-]{43})/.exec(value)?.[1] ?? [])
    expect(ids.length).toBeGreaterThan(1)
    await a.gateway.sessions.endAll({ idp: 'op', subject: 'alice', idpSession: null, issuedAt: 1, message: null })
    for await (const _ of a.gateway.sessions.endMany({ kind: 'person', person: { idp: 'op', subject: 'alice' } }));
    const made = await make('alice')
    const keys = await redis.admin.keys('*')
    const values = await Promise.all(keys.map(key => redis.admin.dumpBuffer(key)))
    const lines = JSON.stringify(await redis.admin.xrange('pas:ended', '-', '+'))
    for (const text of [...keys, lines, ...values.map(value => value.toString('latin1'))]) {
      for (const word of [...ids, made.id, 'alice', '"op"', 'eyJ', secret]) expect(text).not.toContain(word)
    }
  })
})

describe('a writer of Redis', () => {
  it('cannot make another’s session his own: a copied record opens nothing, in any process (RD-03, C5.9)', async () => {
    const [admin, thief] = [await make('alice'), await make('bob')]
    await redis.admin.copy(keysOf(admin.hash).record, keysOf(thief.hash).record, 'REPLACE')
    expect([await statusAt(a, thief), await statusAt(b, thief)]).toEqual([401, 401])
    expect(await statusAt(b, admin)).toBe(200)
    expect(b.events.some(({ name }) => name === 'session.undecryptable')).toBe(true)
  })

  it('cannot bring a session back in a process that knows its end (RD-03)', async () => {
    const made = await make('alice')
    const { record } = keysOf(made.hash)
    const bytes = await redis.admin.dumpBuffer(record)
    const heard = Promise.withResolvers<void>()
    const listener = b.gateway.store.ended.follow(({ key }) => key === made.hash && heard.resolve())
    await a.gateway.sessions.end(made.id, 'user')
    await heard.promise
    await listener.stop()
    await redis.admin.restore(record, 60_000, bytes)
    expect([await statusAt(a, made), await statusAt(b, made)]).toEqual([401, 401])
  })

  it('cannot prolong one beyond the end that stands in the record (RD-03)', async () => {
    const made = await make('alice')
    await redis.admin.persist(keysOf(made.hash).record)
    // Without an expiry it is none of ours.
    expect(await statusAt(b, made)).toBe(401)
  })

  it('cannot make one of plain bytes, nor of another kind of value (RD-03, RD-04)', async () => {
    const identity = { idp: 'op', subject: 'root', claims: {}, authenticatedAt: 1, strength: { acr: null, amr: [] } }
    const plain = JSON.stringify({ identity, strengths: [{ acr: null, amr: [] }], absoluteEnd: 9e15 })
    const made = await make('bob')
    const { record } = keysOf(made.hash)
    for (const value of [plain, Buffer.concat([Buffer.from([1]), Buffer.from(plain)]), '', '\0'.repeat(64)]) {
      await redis.admin.set(record, value, 'PX', 60_000)
      expect([await statusAt(a, made), await statusAt(b, made)]).toEqual([401, 401])
    }
    await redis.admin.del(record)
    await redis.admin.rpush(record, plain)
    // Not a value that Redis can give: a fault of the store, and nobody is let in.
    expect(await statusAt(b, made)).toBe(503)
  })

  it('ends nobody’s session by lines that he makes up, and stops no process (RD-03)', async () => {
    const made = await make('alice')
    expect([await statusAt(a, made), await statusAt(b, made)]).toEqual([200, 200])
    const lines = [
      ['kind', 'all', 'key', '9999999999999.pas:x:none', 'reason', 'x'],
      ['kind', 'idp', 'key', '__proto__', 'reason', 'x'],
      ['kind', '__proto__', 'key', 'x'],
      ['kind', 'person', 'key', 'x'.repeat(100_000)],
      ['x', 'y'],
    ]
    for (const line of lines) await redis.admin.xadd('pas:ended', '*', ...line)
    const other = await make('bob')
    await a.gateway.sessions.end(other.id, 'user')
    await until('b goes on hearing', async () => (await statusAt(b, other)) === 401, 2_000)
    expect([await statusAt(a, made), await statusAt(b, made)]).toEqual([200, 200])
    // By a line with its hash he can have it read anew; in that process it is over.
    await redis.admin.xadd('pas:ended', '9999999999999-0', 'kind', 'session', 'key', 'nobody', 'reason', 'x')
    expect(await statusAt(b, made)).toBe(200)
  })
})

describe('a record of ours that is not as this version writes it', () => {
  const keys = createKeys([new Secret(secret)])

  it.each([
    ['of nothing', 'null'],
    ['of a text', '"root"'],
    ['of a list', '[]'],
    ['without an identity', '{"strengths":[{"acr":null,"amr":[]}],"absoluteEnd":9e15}'],
    [
      'with a text for its strengths',
      '{"identity":{"idp":"op","subject":"root","claims":{}},"strengths":"x","absoluteEnd":9e15}',
    ],
    [
      'with a prototype',
      '{"__proto__":{"identity":{"idp":"op","subject":"root","claims":{}},"strengths":[{}],"absoluteEnd":9e15}}',
    ],
    ['that is no JSON', '{'],
  ])('is no session, and no failure: %s (RD-04)', async (_, plain) => {
    const made = await make('bob')
    const { record } = keysOf(made.hash)
    await redis.admin.set(record, keys.seal(record, 7, Buffer.from(plain)), 'PX', 60_000)
    expect([await statusAt(a, made), await statusAt(b, made)]).toEqual([401, 401])
    // Nor does it stop the one who ends it.
    await a.gateway.sessions.end(made.id, 'user')
    expect(await redis.admin.exists(record)).toBe(0)
  })
})

describe('two instances on one Redis', () => {
  it('agree: signed in at one, used at the other, signed out there, over at both (SE-09)', async () => {
    const made = await makeSession(a.gateway.sessions, 'alice', 'op')
    expect([await statusAt(b, made), await statusAt(a, made)]).toEqual([200, 200])
    await b.gateway.sessions.end(made.id, 'user')
    expect(await statusAt(b, made)).toBe(401)
    await until('the other one refuses it', async () => (await statusAt(a, made)) === 401, 1_000)
  })
})
