/** Several gateways on one Redis, secrets that change, limits that hold, and a Redis that is gone (docs/sessions.md A4, A5, C4). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import type { TestGateway, TestGatewayOptions } from '../stand-in/gateway.ts'
import { promised, until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const second = 1_000
const minute = 60 * second

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const clock = settableClock(Date.now())

/** With a provider that shares the test’s clock. */
function start(options: TestGatewayOptions = {}): Promise<TwoIdps> {
  return startTwoIdps({
    surroundings: { now: clock.now },
    store: `{ kind: redis, url: "${redis.url}" }`,
    ...options,
  })
}

async function signIn(world: TwoIdps, subject: string): Promise<Browser> {
  const browser = new Browser({ language: 'en' })
  world.op.bends.subject = subject
  await browser.navigate(world.url('app', '/echo'))
  return browser
}

/** Cookies know no ports, so a browser that signed in at one gateway is signed in at the other, as behind a balancer. */
const who = async (world: TestGateway, browser: Browser) => {
  const reply = await browser.fetch(world.url('app', '/echo'))
  return reply.status === 200 ? (world.origin.requests.at(-1)?.header('x-remote-user') ?? null) : reply.status
}

async function signOut(world: TestGateway, browser: Browser): Promise<Reply> {
  return browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout', { follow: false })
}

describe('two gateways on one Redis', () => {
  let a: TwoIdps
  let b: TwoIdps
  beforeAll(async () => {
    a = await start()
    b = await start({ shared: a })
  })
  afterEach(() => {
    a.invariants()
    b.invariants()
  })
  afterAll(async () => {
    await b.stop()
    await a.stop()
  })

  it('know the same sessions: signed in at one is signed in at the other, without a redirect', async () => {
    const browser = await signIn(a, 'bob')
    expect(await who(b, browser)).toBe('bob')
    const front = await browser.navigate(b.portal('/'))
    expect(front.visibleText).toContain('Sign out')
  })

  it('end what the other ends: at once where it ends, within a second elsewhere, and at once for new cookies', async () => {
    const browser = await signIn(a, 'alice')
    expect(await who(b, browser)).toBe('alice')
    const fresh = browser.twin()
    await signOut(a, browser.twin())
    const from = performance.now()
    expect(await who(a, browser)).toBe(401)
    await until('a refusal', async () => (await who(b, browser)) === 401, 1_000, 5)
    expect(performance.now() - from).toBeLessThan(promised(1_000))
    // A ticket is never redeemed from memory, and a portal page that was not seen yet is read from the store.
    const page = await fresh.navigate(b.portal('/'))
    expect(page.links.map(({ href }) => href)).toContain('/login')
  })

  it('agree on when a session was last used', async () => {
    const browser = await signIn(a, 'alice')
    expect(await who(b, browser)).toBe('alice')
    for (let turn = 0; turn < 4; turn++) {
      clock.advance(50 * minute)
      await redis.lapse(50 * minute)
      expect(await who(turn % 2 === 0 ? b : a, browser)).toBe('alice')
    }
  })
})

describe('a session in Redis', () => {
  it('is not noted to be used beyond its absolute end', async () => {
    const session = '  idleTimeout: 1m\n  absoluteTimeout: 1m'
    const world = await start({ session })
    await redis.admin.flushall()
    const browser = await signIn(world, 'alice')
    const [key = ''] = await redis.admin.keys('pas:{*}:s')
    const expiry = async () => Number(await redis.admin.call('PEXPIRETIME', key))
    const absoluteEnd = await expiry()
    // Long enough for a use to be noted: it would be another ten seconds of idle time.
    clock.advance(10 * second)
    expect(await who(world, browser)).toBe('alice')
    // Two clocks, each rounded to milliseconds: it may lie one before.
    expect(await expiry()).toBeLessThanOrEqual(absoluteEnd)
    expect(await expiry()).toBeGreaterThan(absoluteEnd - 5)
    world.invariants()
    await world.stop()
  })

  it('is not found by a reader: no id, no name, no token stands there in clear (RD-02)', async () => {
    const world = await start()
    await redis.admin.flushall()
    const browser = await signIn(world, 'alice')
    await browser.navigate(world.portal('/logout'))
    const ids = browser.jar.all().flatMap(({ value }) => /^v1\.\w+\.([\w-]{43})/.exec(value)?.[1] ?? [])
    expect(ids.length).toBeGreaterThan(1)
    const keys = await redis.admin.keys('*')
    expect(keys.length).toBeGreaterThan(2)
    const held = await Promise.all(keys.map(key => redis.admin.dump(key)))
    for (const text of [...keys, ...held.map(String)]) {
      for (const secret of [...ids, 'alice', '"op"', 'eyJ']) expect(text).not.toContain(secret)
    }
    world.invariants()
    await world.stop()
  })

  it('lives on for a month where the operator says so (C5 14)', async () => {
    const world = await start({ session: '  idleTimeout: 30d\n  absoluteTimeout: 30d' })
    const browser = await signIn(world, 'alice')
    clock.advance(29 * 24 * 60 * minute)
    await redis.lapse(29 * 24 * 60 * minute)
    expect(await who(world, browser)).toBe('alice')
    world.invariants()
    await world.stop()
  })
})

describe('a secret', () => {
  const old = 'the secret of last year, which was long enough too'
  const next = 'the secret of this year, just as long as the other'

  it('changes in two roll-outs, and nobody is signed out on the way', async () => {
    const before = await start({ secret: old })
    const introduced = await start({ secret: old, olderSecrets: [next], shared: before })
    const moved = await start({ secret: next, olderSecrets: [old], shared: before })
    const early = await signIn(before, 'alice')
    expect(await who(introduced, early)).toBe('alice')
    expect(await who(moved, early)).toBe('alice')
    expect((await early.navigate(moved.portal('/'))).visibleText).toContain('Sign out')

    const late = await signIn(moved, 'bob')
    expect(await who(introduced, late)).toBe('bob')
    // Not told of the new secret: it opens nothing, and says so by a sign-in instead of an error.
    expect(await who(before, late)).toBe(401)

    const after = await start({ secret: next, shared: before })
    expect(await who(after, late)).toBe('bob')
    expect(await who(after, early)).toBe(401)

    // An idp's notice still finds a session that was entered under the old secret.
    const issuedAt = Math.floor(clock.now() / 1000)
    const notice = { idp: 'op', subject: 'alice', idpSession: null, issuedAt, message: null }
    expect((await moved.gateway.sessions.endAll(notice)).ended).toHaveLength(1)
    for (const world of [after, moved, introduced, before]) {
      world.invariants()
      await world.stop()
    }
  })
})

const site = (id: string, policy: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }
    policy: ${policy}`

describe('without Redis', () => {
  let world: TwoIdps
  let browser: Browser
  beforeAll(async () => {
    const app = site('app', 'signed-in\n    paths: [{ match: /pub/, policy: public }]')
    world = await start({ resources: `${app}${site('open', 'public')}${site('maybe', 'optional')}` })
  })
  beforeEach(async () => {
    browser = await signIn(world, 'alice')
    world.origin.forget()
  })
  afterEach(async () => {
    await redis.start()
    await until('Redis is back', () => world.gateway.store.reachable())
    world.invariants()
  })
  afterAll(() => world.stop())

  /** What this process remembers of sessions is too old to be used. */
  const forgetting = () => clock.advance(30 * second)

  it('public sites and paths go on; what needs a session is 503, to be tried again, and keeps its cookie', async () => {
    await redis.stop()
    forgetting()
    expect((await browser.fetch(world.url('open', '/echo'))).status).toBe(200)
    expect((await browser.fetch(world.url('app', '/pub/x'))).status).toBe(200)
    const page = await browser.navigate(world.url('app', '/echo'))
    expect(page.status).toBe(503)
    expect(page.header('retry-after')).toBe('5')
    expect(page.redirect).toBeNull()
    expect(page.cookiesSet).toEqual([])
    expect(page.visibleText).toContain('we cannot check your session')
    const script = await browser.fetch(world.url('app', '/echo'))
    expect(script.status).toBe(503)
    expect(script.json()).toMatchObject({ error: 'session.store-down' })

    await redis.start()
    await until('Redis is back', () => world.gateway.store.reachable())
    // Redis came back empty: that is a sign-in, and no error.
    expect((await browser.click(page, 'Try again')).status).toBe(200)
  })

  it('a site with optional identity is open without a cookie, and 503 with one that cannot be checked', async () => {
    await browser.navigate(world.url('maybe', '/.passerelle/begin'))
    await redis.stop()
    forgetting()
    expect((await new Browser().fetch(world.url('maybe', '/echo'))).status).toBe(200)
    expect((await browser.fetch(world.url('maybe', '/echo'))).status).toBe(503)
    const forged = { Cookie: '__Host-Http-passerelle-site=v1.00000000.x.0.x' }
    expect((await new Browser().fetch(world.url('maybe', '/echo'), { headers: forged })).status).toBe(200)
  })

  it('what was read a moment ago serves on for less than a second', async () => {
    expect(await who(world, browser)).toBe('alice')
    await redis.stop()
    const from = performance.now()
    let servedMs = 0
    await until('the end of trust', async () => {
      const askedMs = performance.now() - from
      const answer = await who(world, browser)
      // A question takes a moment itself, on a busy machine a long one.
      if (answer === 'alice') servedMs = askedMs
      return answer === 503
    })
    expect(servedMs).toBeLessThan(1_000)
  })

  it('a sign-in that arrives is a page with one button, and the reply is still good when Redis is back', async () => {
    world.op.bends.subject = 'bob'
    const one = new Browser({ language: 'en' })
    const last = await one.navigate(world.url('app', '/echo'), {
      follow: hop => hop.redirect?.pathname !== '/callback/op',
    })
    redis.freeze()
    const page = await one.navigate(last.redirect ?? '')
    expect(page.status).toBe(503)
    redis.thaw()
    await until('Redis is back', () => world.gateway.store.reachable())
    const again = await one.click(page, 'Try again')
    expect(again.status).toBe(200)
    expect(again.url.href).toBe(world.url('app', '/echo'))
  })

  it('a sign-out shuts the session here, says that it is not done everywhere, and is done as soon as it can be', async () => {
    const asked = await browser.navigate(world.portal('/logout'))
    const thief = browser.twin()
    redis.freeze()
    const page = await browser.submit(asked, {}, '/logout')
    expect(page.status).toBe(503)
    expect(world.log.findLast(line => line.includes('"code"'))).toContain('"code":"logout.not-stored"')
    expect(page.header('retry-after')).toBe('5')
    expect(page.cookiesSet.map(line => line.split('=', 1)[0])).toContain('__Host-Http-passerelle')
    expect(await who(world, thief)).toBe(401)
    redis.thaw()
    await until('Redis is back', () => world.gateway.store.reachable())
    expect(await who(world, thief)).toBe(401)
    const stored = () => world.events.some(event => event.name === 'session.end-retried' && event.left === 0)
    await until('the end in the store', stored)
    const other = await start({ shared: world })
    expect(await who(other, thief)).toBe(401)
    await other.stop()
  })
})
