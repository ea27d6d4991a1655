/**
 * Freshness of entitlement (SESSIONS B 5; OI-23, SE-03, SE-06, CP-05): what is taken away at the identity provider is taken away
 * here, within `session.recheck`, on every host and in what is open; what the provider does not say takes nothing away.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { createRecordChange } from '../../src/session/record-change.ts'
import { createKeys } from '../../src/session/seal.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { people, startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const second = 1_000
const minute = 60 * second

const outcomes = (world: TestGateway) =>
  world.events.flatMap(event => (event.name === 'session.rechecked' ? [event.outcome] : []))
/** Resolves once one more check has come to this. */
const next = async (world: TestGateway, outcome: string, act: () => Promise<unknown>) => {
  const before = outcomes(world).length
  await act()
  await expect.poll(() => outcomes(world).slice(before)).toEqual([outcome])
}
const status = async (browser: Browser, url: string) => (await browser.fetch(url)).status

describe('a real provider', () => {
  const clock = settableClock()
  let world: TestGateway
  beforeAll(async () => {
    world = await startTestGateway({
      // The provider lives in our time; only the limits of sessions have the test’s.
      surroundings: { now: clock.now, wall: Date.now },
      refreshTokens: true,
      session: '  recheck: 15m',
      resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}", X-Remote-Email: "{email}" } }
    logout: { notify: { path: /bye } }
  - id: staff
    title: Staff
    at: "http://staff.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ standing: staff }]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: desk
    title: Desk
    at: "http://desk.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ standing: staff }]
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
      more: 'claims:\n  standing: { from: [affiliation] }',
    })
  })
  beforeEach(() => world.provider.say('alice', people.alice))
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  const everywhere = async (browser: Browser) => ({
    app: await status(browser, world.url('app', '/echo')),
    staff: await status(browser, world.url('staff', '/echo')),
    desk: await status(browser, world.url('desk', '/echo')),
  })
  async function signIn(): Promise<Browser> {
    const browser = await world.signIn('alice', 'app')
    for (const host of ['staff', 'desk']) await browser.navigate(world.url(host, '/echo'))
    expect(await everywhere(browser)).toEqual({ app: 200, staff: 200, desk: 200 })
    return browser
  }

  it('that takes an entitlement away takes it away on every site that asks for it, and nothing else', async () => {
    const browser = await signIn()
    const [socket, kept] = await Promise.all(['staff', 'app'].map(host => browser.webSocket(world.url(host, '/ws'))))
    const events = await browser.open(world.url('desk', '/sse?ms=1000'))
    world.provider.say('alice', { ...people.alice, affiliation: ['student'], email: 'new@campus.example' })
    clock.advance(15 * minute - second)
    expect(await everywhere(browser)).toEqual({ app: 200, staff: 200, desk: 200 })
    expect(outcomes(world)).toEqual([])
    clock.advance(second)
    await next(world, 'changed', () => browser.fetch(world.url('app', '/echo')))
    expect(await everywhere(browser)).toEqual({ app: 200, staff: 403, desk: 403 })
    // The site hears of the person as they are now.
    expect(world.origin.requests.at(-1)?.header('x-remote-email')).toBe('new@campus.example')
    expect((await socket?.closed)?.code).toBe(1001)
    expect(await events.closed).toBe('cut')
    kept?.send('still here')
    await expect.poll(() => kept?.messages.length).toBeGreaterThan(0)
    kept?.close()
  })

  it('that gives it back opens the sites again, without a sign-in', async () => {
    world.provider.say('alice', { ...people.alice, affiliation: ['student'] })
    const browser = await world.signIn('alice', 'app')
    expect((await browser.navigate(world.url('staff', '/echo'))).status).toBe(403)
    world.provider.say('alice', people.alice)
    clock.advance(15 * minute)
    await next(world, 'changed', () => browser.fetch(world.url('app', '/echo')))
    expect(await status(browser, world.url('staff', '/echo'))).toBe(200)
  })

  it('is asked again and again, each time with the token that it gave last', async () => {
    const browser = await signIn()
    for (let round = 0; round < 4; round++) {
      clock.advance(15 * minute)
      await next(world, 'unchanged', () => browser.fetch(world.url('app', '/echo')))
    }
    expect(await everywhere(browser)).toEqual({ app: 200, staff: 200, desk: 200 })
  })

  it('that knows a person no more ends the session cleanly: the sites are told, the next page asks to sign in', async () => {
    world.provider.say('bob', people.bob)
    const browser = await world.signIn('bob', 'app')
    const socket = await browser.webSocket(world.url('app', '/ws'))
    world.provider.disable('bob')
    clock.advance(15 * minute)
    world.origin.forget()
    await next(world, 'ended', () => browser.fetch(world.url('app', '/echo')))
    expect(await socket.closed).toMatchObject({ code: 1001 })
    await expect.poll(() => world.origin.requests.map(({ method, url }) => `${method} ${url}`)).toContain('POST /bye')
    expect(await status(browser, world.url('app', '/echo'))).toBe(401)
    const page = await browser.navigate(world.url('app', '/echo'), { follow: false })
    expect([page.status, page.redirect?.host]).toEqual([303, `acces.localhost:${world.port}`])
    expect((await browser.navigate(world.portal('/'))).links.map(({ href }) => href)).toContain('/login')
    expect(world.events).toContainEqual({ name: 'session.ended', reason: 'recheck', idp: 'campus' })
    expect(world.log.join('')).toContain('invalid_grant')
  })

  it('counts what came of it, by idp and outcome', async () => {
    const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
    for (const [outcome, at] of [
      ['changed', 2],
      ['unchanged', 4],
      ['ended', 1],
    ] as const)
      expect(text).toContain(`passerelle_rechecks_total{idp="campus",outcome="${outcome}"} ${at}`)
  })
})

describe('a provider that lies, or is away', () => {
  const clock = settableClock(Date.now())
  let world: TwoIdps
  beforeAll(async () => {
    world = await startTwoIdps({ surroundings: { now: clock.now }, session: '  recheck: 15m' })
  })
  beforeEach(async () => {
    await world.op.comeUp()
    world.op.reset()
    world.op.bends.refreshTokens = true
  })
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  const signIn = () => world.signIn('alice', 'app')
  const ask = (browser: Browser) => () => browser.fetch(world.url('app', '/echo'))

  it('that does not answer keeps no request waiting', async () => {
    const browser = await signIn()
    let answer = () => {}
    const asked = new Promise<void>(resolve => {
      world.op.bends.wire.token = (_request, response) => {
        resolve()
        return new Promise(done => {
          answer = () => done(void response.writeHead(503).end())
        })
      }
    })
    clock.advance(15 * minute)
    expect(await status(browser, world.url('app', '/echo'))).toBe(200)
    await asked
    for (let each = 0; each < 5; each++) expect(await status(browser, world.url('app', '/echo'))).toBe(200)
    expect(world.op.count('token')).toBe(2)
    await next(world, 'unreachable', async () => answer())
  })

  it('that is down signs nobody out, is seen to be down, and is asked again when it is back', async () => {
    const browser = await signIn()
    await world.op.goDown()
    clock.advance(15 * minute)
    await next(world, 'unreachable', ask(browser))
    expect(world.events.at(-2)).toMatchObject({ name: 'idp.down', idp: 'op' })
    const before = outcomes(world).length
    for (let each = 0; each < 10; each++) {
      clock.advance(second)
      expect(await status(browser, world.url('app', '/echo'))).toBe(200)
    }
    expect(outcomes(world)).toHaveLength(before)
    await world.op.comeUp()
    clock.advance(30 * second)
    await next(world, 'unchanged', ask(browser))
    expect(world.events.at(-2)).toMatchObject({ name: 'idp.up', idp: 'op' })
  })

  it.each([
    ['another iss', { iss: 'http://op.localhost:1' }],
    ['another sub', { sub: 'eve' }],
    ['another aud', { aud: 'somebody-else' }],
  ])('and sends an ID token of %s is not believed: the person stays who they are', async (_what, other) => {
    const browser = await signIn()
    world.op.bends.claims = honest => ({ ...honest, ...other })
    clock.advance(15 * minute)
    await next(world, 'rejected', ask(browser))
    expect(await status(browser, world.url('app', '/echo'))).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
    expect(world.log.filter(line => line.includes('"session.rechecked"')).at(-1)).toContain('"outcome":"rejected"')
  })

  it('a session ends at its absolute end, however often it was checked (SE-03)', async () => {
    const browser = await signIn()
    for (let passed = 15; passed < 600; passed += 15) {
      clock.advance(15 * minute)
      await next(world, 'unchanged', ask(browser))
    }
    clock.advance(15 * minute)
    expect(await status(browser, world.url('app', '/echo'))).toBe(401)
  })
})

describe('without session.recheck', () => {
  it('the provider is not asked again, and nothing that could ask it is kept', async () => {
    const clock = settableClock(Date.now())
    const world = await startTwoIdps({ surroundings: { now: clock.now } })
    world.op.bends.refreshTokens = true
    const browser = await world.signIn('alice', 'app')
    for (let each = 0; each < 10; each++) {
      clock.advance(50 * minute)
      expect(await status(browser, world.url('app', '/echo'))).toBe(200)
    }
    expect(world.op.count('token')).toBe(1)
    const [session] = await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })
    const ended = await world.gateway.sessions.endKnown(session?.hash ?? '', 'user')
    expect(Object.keys(ended?.keep ?? {})).toEqual(['idToken'])
    world.invariants()
    await world.stop()
  })
})

describe('two gateways on one Redis', () => {
  const clock = settableClock(Date.now())
  const secret = 'the secret of both gateways, which the test knows'
  let redis: RedisServer
  let a: TwoIdps
  let b: TwoIdps
  beforeAll(async () => {
    redis = await startRedis()
    const options = {
      surroundings: { now: clock.now },
      store: `{ kind: redis, url: "${redis.url}" }`,
      session: '  recheck: 15m',
      secret,
      resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}", X-Remote-Email: "{email}" } }
`,
    }
    a = await startTwoIdps(options)
    b = await startTwoIdps({ ...options, shared: a }, a.op)
  })
  beforeEach(() => {
    a.op.reset()
    a.op.bends.refreshTokens = true
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

  /** As if every session’s last check had been a quarter of an hour ago (Redis has a clock of its own), and were known so. */
  async function aQuarterPasses(): Promise<void> {
    const keys = createKeys([new Secret(secret)])
    const change = createRecordChange({ records: a.gateway.store.records, keys, idleMs: () => 0 })
    for (const key of await redis.admin.keys('pas:{*}:s')) {
      const hash = key.slice('pas:{'.length, -'}:s'.length)
      await change(hash, record => ({ ...record, checkedAt: record.checkedAt - 15 * minute }), 'none')
    }
    clock.advance(31 * second)
  }
  const all = () => [...outcomes(a), ...outcomes(b)]
  /** What has come of checks since now, at the one and at the other. */
  function fromNow(): () => readonly string[] {
    const [atA, atB] = [outcomes(a).length, outcomes(b).length]
    return () => [...outcomes(a).slice(atA), ...outcomes(b).slice(atB)]
  }

  it('ask the provider once for twenty requests at each, and never with a token that was used (OI-23)', async () => {
    const browser = await a.signIn('alice', 'app')
    for (let round = 1; round <= 10; round++) {
      await aQuarterPasses()
      const requests = [a, b].flatMap(world =>
        Array.from({ length: 20 }, () => status(browser, world.url('app', '/echo'))),
      )
      expect(new Set(await Promise.all(requests))).toEqual(new Set([200]))
      await expect.poll(() => all().length).toBe(round)
      // The sign-in's, and one for each round: a second use would have ended them all.
      expect(a.op.count('token')).toBe(1 + round)
    }
    expect(new Set(all())).toEqual(new Set(['unchanged']))
  })

  it('each goes by what either has heard: new claims, and the end', async () => {
    const browser = await a.signIn('alice', 'app')
    await browser.fetch(b.url('app', '/echo'))
    a.op.bends.userinfo = honest => ({ ...honest, email: 'new@example.org' })
    await aQuarterPasses()
    const come = fromNow()
    await browser.fetch(a.url('app', '/echo'))
    await expect.poll(come).toEqual(['changed'])
    for (const world of [a, b]) {
      // Before the copy that was remembered is looked at anew in any case.
      clock.advance(31 * second)
      await browser.fetch(world.url('app', '/echo'))
      expect(world.origin.requests.at(-1)?.header('x-remote-email')).toBe('new@example.org')
    }
    a.op.bends.disabled.add('alice')
    await aQuarterPasses()
    await browser.fetch(b.url('app', '/echo'))
    await expect.poll(come).toEqual(['changed', 'ended'])
    expect(await status(browser, b.url('app', '/echo'))).toBe(401)
    clock.advance(31 * second)
    expect(await status(browser, a.url('app', '/echo'))).toBe(401)
  })

  it('nobody is signed out by a Redis that stands still just when the provider has answered', async () => {
    const browser = await a.signIn('alice', 'app')
    await browser.fetch(b.url('app', '/echo'))
    await aQuarterPasses()
    const come = fromNow()
    a.op.bends.tokenAnswer = answer => {
      redis.freeze()
      return answer
    }
    await browser.fetch(a.url('app', '/echo'))
    await expect.poll(() => a.events.some(({ name }) => name === 'store.down') || a.op.count('token') > 1).toBe(true)
    clock.advance(31 * second)
    expect(await status(browser, a.url('app', '/echo'))).toBe(503)
    redis.thaw()
    a.op.bends.tokenAnswer = answer => answer
    await expect.poll(come).toEqual(['unchanged'])
    await aQuarterPasses()
    await expect.poll(() => status(browser, b.url('app', '/echo'))).toBe(200)
    await expect.poll(come).toEqual(['unchanged', 'unchanged'])
    expect(await status(browser, a.url('app', '/echo'))).toBe(200)
    expect(a.op.count('token')).toBe(3)
  })
})
