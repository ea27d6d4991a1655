/** Sign-outs that an idp announces server to server, honest and forged (BL-02 to BL-12; tokens one by one: test/idp/logout-token.test.ts). */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { atOp } from '../stand-in/at-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import {
  type BackChannelReply,
  logoutClaims,
  logoutToken,
  postLogoutToken,
  postToBackChannel,
} from '../stand-in/logout-token.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

type Members = Record<string, unknown>

/** The gateways’ and the provider’s; each test has minutes of its own, for the marks of subjects. */
const clock = settableClock(Date.now())
const { signedIn, statusOf } = atOp(clock.now)
const seconds = () => Math.floor(clock.now() / 1000)

const token = (world: TwoIdps, bent: Members) => logoutToken(world.op, logoutClaims(world.op, clock.now(), bent))
const tell = async (world: TwoIdps, bent: Members, idp = 'op') =>
  postLogoutToken(world.portal(`/backchannel/${idp}`), await token(world, bent))

describe('the back channel', () => {
  let world: TwoIdps
  let sid: string
  let alice: Browser
  beforeAll(async () => {
    world = await startTwoIdps({ surroundings: { now: clock.now } })
  })
  beforeEach(async () => {
    clock.advance(300_000)
    sid = randomUUID()
    alice = await signedIn(world, sid)
  })
  afterEach(() => {
    world.invariants()
    world.op.reset()
  })
  afterAll(() => world.stop())

  const ofAlice = () => statusOf(world, alice)

  it('ends the session that a token names, with its WebSockets, and no other (BL-01, WS-07)', async () => {
    const socket = await alice.webSocket(world.url('app', '/ws'))
    const elsewhere = await signedIn(world, randomUUID())
    const reply = await tell(world, { sid })
    expect([reply.status, reply.text, reply.headers['cache-control']]).toEqual([200, '', 'no-store'])
    expect(reply.headers['set-cookie']).toBeUndefined()
    expect(await socket.closed).toEqual({ code: 1001, reason: '' })
    expect(await ofAlice()).toBe(401)
    expect(await statusOf(world, elsewhere)).toBe(200)
    expect(world.events.filter(({ name }) => name === 'logout.heard').at(-1)).toEqual({
      name: 'logout.heard',
      idp: 'op',
      channel: 'back',
      ended: 1,
      stored: true,
    })
  })

  it('ends every session of the subject that a token names', async () => {
    const elsewhere = await signedIn(world, null)
    const bob = await signedIn(world, randomUUID(), 'bob')
    expect((await tell(world, { sub: 'alice' })).status).toBe(200)
    expect(await Promise.all([alice, elsewhere, bob].map(one => statusOf(world, one)))).toEqual([401, 401, 200])
  })

  it('ends three hundred sessions of one subject', async () => {
    const { sessions } = world.gateway
    const identity = { idp: 'op', subject: 'crowd', claims: {}, authenticatedAt: 0, strength: { acr: null, amr: [] } }
    const issuedAt = seconds()
    const signIn = { identity: { ...identity, idpSession: null }, keep: {}, issuedAt, notAfter: null }
    const browser = { family: 'other', network: '' }
    const ids = await Promise.all(
      Array.from({ length: 300 }, async () => (await sessions.establish(signIn, { device: 'own', browser }))?.id ?? ''),
    )
    expect((await tell(world, { sub: 'crowd' })).status).toBe(200)
    expect((await Promise.all(ids.map(id => sessions.read(id, 0)))).filter(one => one !== null)).toEqual([])
  })

  it('ends what a token names by session and subject only where both fit', async () => {
    expect((await tell(world, { sid, sub: 'eve' })).status).toBe(200)
    expect(await ofAlice()).toBe(200)
    expect((await tell(world, { sid, sub: 'alice' })).status).toBe(200)
    expect(await ofAlice()).toBe(401)
  })

  it('says 200 to what is over already, and to what never was', async () => {
    for (let time = 0; time < 2; time++) expect((await tell(world, { sid })).status).toBe(200)
    expect((await tell(world, { sid: randomUUID(), sub: 'nobody' })).status).toBe(200)
  })

  it('ends of a subject only what was issued at or before the token: a sign-in since then is not meant', async () => {
    const earlier = { sub: 'alice', iat: seconds() - 60 }
    expect((await tell(world, earlier)).status).toBe(200)
    expect(await ofAlice()).toBe(200)
    // The person was asked long ago, and this sign-in was issued now.
    world.op.bends.claims = claims => ({ ...claims, auth_time: earlier.iat - 1_000 })
    const again = new Browser({ now: clock.now })
    expect((await again.navigate(world.url('app', '/echo'))).status).toBe(200)
  })

  it.each<[string, Members, string]>([
    ['of another idp’s issuer', { iss: 'https://campus.example' }, 'op'],
    ['for the other idp’s address', {}, 'campus'],
    ['of nobody', { sub: undefined, sid: undefined }, 'op'],
  ])('refuses a token %s, and everybody stays signed in', async (_, bent, idp) => {
    const reply = await tell(world, { sid, sub: 'alice', ...bent }, idp)
    refused(reply)
    expect(await ofAlice()).toBe(200)
  })

  it.each<[string, (sid: string) => Promise<string> | string]>([
    ['without a signature (BL-02)', sid => unsigned({ alg: 'none' }, { sid })],
    ['with an HMAC for a signature (BL-02)', sid => unsigned({ alg: 'HS256' }, { sid })],
    ['with a broken signature (BL-02)', async sid => (await token(world, { sid })).replace(/.{9}$/, 'A'.repeat(9))],
    ['of a key of nobody (BL-02)', sid => logoutToken(world.op, claimsOf({ sid }), { kid: 'nobody' })],
    ['of another issuer (BL-03)', sid => token(world, { sid, iss: 'https://evil.example' })],
    ['for another client (BL-03)', sid => token(world, { sid, aud: 'other' })],
    ['for nobody (BL-03)', sid => token(world, { sid, aud: undefined })],
    ['without the event (BL-04)', sid => token(world, { sid, events: {} })],
    ['with a nonce (BL-05)', sid => token(world, { sid, nonce: 'n' })],
    ['without iat (BL-07)', sid => token(world, { sid, iat: undefined })],
    ['that is too old (BL-07)', sid => token(world, { sid, iat: seconds() - 300, exp: seconds() + 300 })],
    ['that has expired (BL-07)', sid => token(world, { sid, exp: seconds() - 300 })],
    ['without an id (BL-07)', sid => token(world, { sid, jti: undefined })],
  ])('answers 400 to a token %s, and its session lives', async (_, made) => {
    refused(await postLogoutToken(world.portal('/backchannel/op'), await made(sid)))
    expect(await ofAlice()).toBe(200)
  })

  const claimsOf = (bent: Members) => logoutClaims(world.op, clock.now(), bent)
  const unsigned = (header: Members, bent: Members) =>
    `${[header, claimsOf(bent)].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.AAAA`

  const refused = (reply: BackChannelReply) => {
    expect(reply.status).toBe(400)
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(reply.headers['cache-control']).toBe('no-store')
    const { error, error_description: said } = JSON.parse(reply.text)
    expect(error).toBe('invalid_request')
    const [, reference = 'none'] = /reference (\w{6})$/.exec(said) ?? []
    const line = world.log.findLast(text => text.includes(`"ref":"${reference}"`))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ code: 'logout.token-rejected', status: 400 })
  }

  it('takes nothing but a form', async () => {
    const address = world.portal('/backchannel/op')
    const good = await token(world, { sid })
    refused(
      await postToBackChannel(address, JSON.stringify({ logout_token: good }), { 'Content-Type': 'application/json' }),
    )
    refused(await postToBackChannel(address, good, { 'Content-Type': 'application/jwt' }))
    refused(await postToBackChannel(`${address}?logout_token=${good}`, ''))
    expect((await postToBackChannel(address, `logout_token=${'a'.repeat(20_000)}`)).status).toBe(413)
    expect((await postToBackChannel(world.portal('/backchannel/nobody'), `logout_token=${good}`)).status).toBe(404)
    expect((await alice.fetch(`${address}?logout_token=${good}`)).status).toBe(404)
    expect(await ofAlice()).toBe(200)
  })

  it('says 503 where the idp’s keys are out of reach, and hears the same token later', async () => {
    await world.op.rotate()
    world.op.bends.wire.keys = (_request, response) => void response.writeHead(503).end()
    clock.advance(600_000)
    const waiting = await token(world, { sid })
    const address = world.portal('/backchannel/op')
    const reply = await postLogoutToken(address, waiting)
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '5'])
    expect(JSON.parse(reply.text)).toMatchObject({ error: 'temporarily_unavailable' })
    expect(await ofAlice()).toBe(200)
    world.op.reset()
    clock.advance(30_000)
    expect((await postLogoutToken(address, waiting)).status).toBe(200)
    expect(await ofAlice()).toBe(401)
  })

  it('reads no cookie, sets none, and asks for no form of ours (no page state)', async () => {
    const page = await alice.navigate(world.portal('/logout'))
    expect(page.status).toBe(200)
    const cookies = alice.cookies('acces.localhost').map(({ name, value }) => `${name}=${value}`)
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Cookie: cookies.join('; '),
      'Sec-Fetch-Site': 'cross-site',
    }
    const body = new URLSearchParams({ logout_token: await token(world, { sid }) }).toString()
    const reply = await postToBackChannel(world.portal('/backchannel/op?lang=en'), body, headers)
    expect([reply.status, reply.headers['set-cookie']]).toEqual([200, undefined])
  })
})

describe('a logout that overtakes the sign-in (BL-10, SESSIONS C5 8)', () => {
  let world: TwoIdps
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.close())

  it.each<[string, (sid: string) => Members, 'memory' | 'redis']>([
    ['by session, with the memory store', sid => ({ sid }), 'memory'],
    ['by subject, with the memory store', () => ({ sub: 'alice' }), 'memory'],
    ['by session, with Redis', sid => ({ sid }), 'redis'],
    ['by subject, with Redis', () => ({ sub: 'alice' }), 'redis'],
  ])('ends it dead, %s', async (_, named, store) => {
    const kind = store === 'redis' ? `{ kind: redis, url: "${redis.url}" }` : '{ kind: memory }'
    world = await startTwoIdps({ store: kind, surroundings: { now: clock.now } })
    const sid = randomUUID()
    world.op.bends.claims = claims => ({ ...claims, sid })
    // The code is redeemed, and while its answer is on the way the person signs out at the idp.
    let told: BackChannelReply | null = null
    world.op.bends.tokenAnswer = answer => answer
    const browser = new Browser({ language: 'en', now: clock.now })
    const callback = world.callback(await world.toProvider(browser, world.url('app', '/echo')))
    world.op.bends.wire.userinfo = async (_request, response) => {
      told = await tell(world, named(sid))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"sub":"alice"}')
    }
    const page = await browser.navigate(callback, { from: world.op.issuer })
    expect(told).toMatchObject({ status: 200 })
    expect([page.status, page.visibleText.includes('The sign-in was ended meanwhile')]).toEqual([400, true])
    expect(await statusOf(world, browser)).toBe(401)
    world.invariants()
    await world.stop()
  })
})

describe('a logout token while Redis is away (BL-11)', () => {
  let world: TwoIdps
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
    world = await startTwoIdps({ store: `{ kind: redis, url: "${redis.url}" }`, surroundings: { now: clock.now } })
  })
  afterEach(() => {
    redis.thaw()
    world.invariants()
    world.op.reset()
  })
  afterAll(async () => {
    await world.stop()
    await redis.close()
  })

  it('is answered 503, and good once more when it is back', async () => {
    const sid = randomUUID()
    const alice = await signedIn(world, sid)
    const waiting = await token(world, { sid })
    const address = world.portal('/backchannel/op')
    redis.freeze()
    const reply = await postLogoutToken(address, waiting)
    expect([reply.status, JSON.parse(reply.text).error]).toEqual([503, 'temporarily_unavailable'])
    redis.thaw()
    await expect.poll(async () => (await postLogoutToken(address, waiting)).status).toBe(200)
    expect(await statusOf(world, alice)).toBe(401)
  })

  it('whose end alone cannot be stored is answered 503 too, and its session is shut here meanwhile', async () => {
    const sid = randomUUID()
    const alice = await signedIn(world, sid)
    const waiting = await token(world, { sid })
    const address = world.portal('/backchannel/op')
    // The mark is taken, the log of ends is not.
    await redis.admin.del('pas:ended')
    await redis.admin.set('pas:ended', 'no stream')
    const reply = await postLogoutToken(address, waiting)
    expect(reply.status).toBe(503)
    expect(await statusOf(world, alice)).toBe(401)
    await redis.admin.del('pas:ended')
    expect((await postLogoutToken(address, waiting)).status).toBe(200)
    expect(await statusOf(world, alice)).toBe(401)
  })
})

describe('several replicas', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.close())

  it('hear of a session that another one signed in, under a secret that is being exchanged, and of the same token once', async () => {
    const [old, next] = [
      'an older secret that is at least 32 bytes long',
      'the next secret that is at least 32 bytes long',
    ]
    const options = { store: `{ kind: redis, url: "${redis.url}" }`, surroundings: { now: clock.now } }
    const before = await startTwoIdps({ ...options, secret: old, olderSecrets: [next] })
    const after = await startTwoIdps({ ...options, secret: next, olderSecrets: [old], shared: before }, before.op)
    const sids = [randomUUID(), randomUUID()]
    const [first, second] = [await signedIn(before, sids[0] ?? ''), await signedIn(before, sids[1] ?? '')]
    expect((await tell(after, { sid: sids[0] })).status).toBe(200)
    expect(await statusOf(after, first)).toBe(401)

    const told = await token(after, { sid: sids[1] })
    const both = [before, after].map(world => postLogoutToken(world.portal('/backchannel/op'), told))
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
    expect(await statusOf(before, second)).toBe(401)
    const ends = [...before.events, ...after.events].filter(({ name }) => name === 'session.ended')
    expect(ends).toHaveLength(2)

    // A sign-in at one and its end at the other, at the same moment: whatever order they take, it does not live.
    const strength = { acr: null, amr: [] }
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const issuedAt = seconds()
        const idpSession = { kind: 'sid' as const, value: randomUUID() }
        const identity = { idp: 'op', subject: 'alice', claims: {}, authenticatedAt: issuedAt, strength, idpSession }
        const notice = { idp: 'op', subject: null, issuedAt, message: null }
        const [made] = await Promise.all([
          before.gateway.sessions.establish(
            { identity, keep: {}, issuedAt, notAfter: null },
            { device: 'own', browser: { family: 'other', network: '' } },
          ),
          new Promise(resolve => setTimeout(resolve, index / 10)).then(() =>
            after.gateway.sessions.endAll({ ...notice, idpSession: { kinds: ['sid'], value: idpSession.value } }),
          ),
        ])
        return made === null ? null : after.gateway.sessions.read(made.id, 0)
      }),
    )
    expect(outcomes.filter(one => one !== null)).toEqual([])
    for (const world of [after, before]) {
      world.invariants()
      await world.stop()
    }
  })
})

describe('a thousand forged tokens a second (BL-12)', () => {
  it('cost one look at the idp’s keys, are answered 429 after sixty, and hinder no other address', async () => {
    const world = await startTwoIdps({
      listen: 'trustedProxies: ["127.0.0.1"]',
      surroundings: { now: clock.now },
    })
    const sid = randomUUID()
    const alice = await signedIn(world, sid)
    const asked = world.op.count('keys')
    const [head, , tail] = (await logoutToken(world.op, {}, { kid: 'nobody' })).split('.')
    const claims = Buffer.from(JSON.stringify(logoutClaims(world.op, clock.now(), { sid }))).toString('base64url')
    const body = new URLSearchParams({ logout_token: `${head}.${claims}.${tail}` }).toString()
    const send = (from: string, form = body) =>
      postToBackChannel(world.portal('/backchannel/op'), form, {
        'Content-Type': 'application/x-www-form-urlencoded',
        'X-Forwarded-For': from,
      })
    const began = performance.now()
    const replies: BackChannelReply[] = []
    for (let batch = 0; batch < 20; batch++) {
      replies.push(...(await Promise.all(Array.from({ length: 50 }, () => send('203.0.113.7')))))
    }
    const took = performance.now() - began
    console.log(`1,000 forged logout tokens: ${Math.round(took)} ms`)
    const count = (status: number) => replies.filter(reply => reply.status === status).length
    expect(count(400) + count(429)).toBe(1_000)
    // And those that were being looked at when the limit was reached, and one for each second since.
    expect(count(400)).toBeGreaterThanOrEqual(60)
    expect(count(400)).toBeLessThan(60 + 50 + 2 + took / 1_000)
    expect(Number(replies.at(-1)?.headers['retry-after'])).toBeGreaterThan(0)
    expect(world.op.count('keys') - asked).toBe(1)
    expect(world.events.filter(({ name }) => name === 'logout.limited')).toHaveLength(count(429))
    expect(await statusOf(world, alice)).toBe(200)

    const good = new URLSearchParams({ logout_token: await token(world, { sid }) }).toString()
    expect((await send('203.0.113.7', good)).status).toBe(429)
    expect((await send('198.51.100.1', good)).status).toBe(200)
    expect(await statusOf(world, alice)).toBe(401)
    world.invariants()
    await world.stop()
  })
})
