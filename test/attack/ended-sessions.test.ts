/** SE-01, SE-02, SE-05 and RD-01 from outside: two gateways on one Redis, an old cookie, and hostile names in the store. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { settableClock } from '../stand-in/clock.ts'
import type { TestGateway } from '../stand-in/gateway.ts'
import { tell, until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let redis: RedisServer
let a: TwoIdps
let b: TwoIdps
beforeAll(async () => {
  redis = await startRedis()
  const options = { store: `{ kind: redis, url: "${redis.url}" }` }
  a = await startTwoIdps(options)
  b = await startTwoIdps({ ...options, shared: a }, a.op)
})
beforeEach(() => redis.admin.flushall())
afterEach(() => {
  a.invariants()
  b.invariants()
  a.op.reset()
})
afterAll(async () => {
  await b.stop()
  await a.stop()
  await redis.close()
})

const status = async (at: TestGateway, browser: Browser, host = 'app') =>
  (await browser.fetch(at.url(host, '/echo'))).status

async function come(): Promise<Browser> {
  const browser = new Browser({ language: 'en' })
  for (const host of ['app', 'plain']) expect((await browser.navigate(a.url(host, '/echo'))).status).toBe(200)
  // Both remember it.
  for (const world of [a, b]) for (const host of ['app', 'plain']) expect(await status(world, browser, host)).toBe(200)
  return browser
}

const records = () => redis.admin.keys('pas:{*}:*')

describe('a cookie of a session that was signed out (SE-01)', () => {
  it('opens nothing, where it was signed out at once and elsewhere within a second: no site, no socket, no page', async () => {
    const browser = await come()
    const thief = browser.twin()
    const asked = await browser.navigate(a.portal('/logout'))
    await browser.submit(asked, {}, '/logout', { follow: false })
    expect([await status(a, thief), await status(a, thief, 'plain')]).toEqual([401, 401])
    const ms = await until('the end elsewhere', async () => (await status(b, thief)) === 401, 1_000, 5)
    tell('an old cookie is refused by the other process after', ms)
    expect(await status(b, thief, 'plain')).toBe(401)
    expect(await records()).toEqual([])
    for (const world of [a, b]) {
      const socket: unknown = await thief.webSocket(world.url('app', '/ws')).catch((error: unknown) => error)
      expect((socket as RefusedUpgrade).reply.status).toBe(401)
      expect(socket).toBeInstanceOf(RefusedUpgrade)
      expect((await thief.navigate(world.portal('/'))).links.map(({ href }) => href)).toContain('/login')
      const enter = world.portal(`/enter?to=${encodeURIComponent(world.url('app', '/'))}`)
      expect((await thief.navigate(enter, { follow: false })).redirect?.origin).toBe(a.op.issuer)
    }
  })
})

describe('a sign-out while many requests of its session run (SE-05)', () => {
  it('is final in forty rounds: whatever they write, the record stays gone', async () => {
    let late = 0
    for (let round = 0; round < 40; round++) {
      const browser = await come()
      const thief = browser.twin()
      const asked = await browser.navigate(a.portal('/logout'))
      const busy = [a, b].flatMap(world => [
        thief.navigate(world.url('app', '/echo')),
        thief.fetch(world.url('plain', '/echo'), { method: 'PUT', body: 'x' }),
        thief.fetch(world.url('app', '/echo')),
        thief.navigate(world.portal('/logout')),
        thief.navigate(world.portal('/?lang=fr')),
      ])
      const out = browser.submit(asked, {}, '/logout', { follow: false })
      await Promise.all([...busy, out])
      expect(await records(), `round ${round}`).toEqual([])
      expect([await status(a, browser.twin()), await status(a, thief)]).toEqual([401, 401])
      late = Math.max(late, await until('the end elsewhere', async () => (await status(b, thief)) === 401, 1_000, 5))
      expect(await records(), `round ${round}, afterwards`).toEqual([])
    }
    tell('the slowest of forty ends was heard by the other process after', late)
  })
})

describe('a page that never stops asking (SE-02)', () => {
  it('is signed out at the absolute limit all the same, to the millisecond', async () => {
    const clock = settableClock(Date.now())
    const world = await startTwoIdps({
      session: '  idleTimeout: 450s\n  absoluteTimeout: 30m',
      surroundings: { now: clock.now },
    })
    try {
      const browser = new Browser()
      await browser.navigate(world.url('app', '/echo'))
      for (let minute = 1; minute < 30; minute++) {
        clock.advance(60_000)
        expect(await status(world, browser), `minute ${minute}`).toBe(200)
      }
      clock.advance(59_999)
      expect(await status(world, browser)).toBe(200)
      clock.advance(1)
      expect(await status(world, browser)).toBe(401)
      world.invariants()
    } finally {
      await world.stop()
    }
  })
})

describe('a name that an idp sends (RD-01)', () => {
  it.each(['*', 'pas:ended', '{x}:s', '__proto__', 'a'.repeat(255), '💥'.repeat(60), '../../x'])(
    'shapes no key and stands in none: %j',
    async subject => {
      a.op.bends.subject = subject
      a.op.bends.claims = claims => ({ ...claims, sid: `${subject}-sid` })
      const browser = new Browser({ language: 'en' })
      await browser.navigate(a.url('app', '/echo'))
      // Whether or not the site can be told such a name: the portal knows the session.
      await browser.navigate(a.portal('/'))
      a.origin.forget()
      const keys = await redis.admin.keys('*')
      expect(keys.length).toBeGreaterThan(2)
      for (const key of keys) expect(key).toMatch(/^pas:(\{[\w-]{43}\}:[a-z]|[a-z]:[\w-]{43}|ended|w:\{[\w:-]+\})$/)
      for (const key of keys) {
        const held = (await redis.admin.dumpBuffer(key))?.toString('latin1') ?? ''
        if (subject.length > 3) expect(held).not.toContain(Buffer.from(subject).toString('latin1'))
      }
    },
  )

  it.each(['x\r\nFLUSHALL\r\n', '\u0000'])(
    'with control characters is refused, and nothing is stored of it: %j',
    async subject => {
      a.op.bends.subject = subject
      expect((await new Browser().navigate(a.url('app', '/echo'))).status).toBe(400)
      expect(await records()).toEqual([])
    },
  )

  it('of a megabyte is refused, and nothing is stored of it', async () => {
    a.op.bends.claims = claims => ({ ...claims, sub: 'x'.repeat(1_048_576) })
    const page = await new Browser({ language: 'en' }).navigate(a.url('app', '/echo'))
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(await records()).toEqual([])
    expect(a.log.every(line => line.length < 5_000)).toBe(true)
  })
})
