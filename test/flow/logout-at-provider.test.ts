/** Signing out at the provider, a real one, which tells us by its back channel; and at a second gateway on the same Redis (BL-01, WS-07). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

describe('signing out at the provider (BL-01)', () => {
  let redis: RedisServer
  let near: TestGateway
  let far: TestGateway
  let alice: Browser
  beforeAll(async () => {
    redis = await startRedis()
    const store = `{ kind: redis, url: "${redis.url}" }`
    near = await startTestGateway({ store, backChannel: true })
    // The provider knows nothing of this one: it hears of the end by the log alone.
    far = await startTestGateway({ store, shared: near })
  })
  beforeEach(async () => {
    alice = await near.signIn('alice', 'app', { language: 'en' })
  })
  afterEach(() => {
    near.invariants()
    far.invariants()
  })
  afterAll(async () => {
    await far.stop()
    await near.stop()
    await redis.close()
  })

  const signOutThere = async (browser: Browser) =>
    browser.submit(await browser.navigate(`${near.provider.issuer}/session/end`), {}, null, { follow: false })
  const status = async (world: TestGateway, browser: Browser) => (await browser.fetch(world.url('app', '/echo'))).status
  const heard = () => near.events.findLast(({ name }) => name === 'logout.heard')

  it('ends the session in every process, and closes its WebSockets and streams within a second', async () => {
    const sockets = await Promise.all([near, far].map(world => alice.webSocket(world.url('app', '/ws'))))
    const stream = await alice.open(far.url('app', '/sse?ms=10'))
    await stream.until('data: 1')
    const from = performance.now()
    await signOutThere(alice)
    expect(await Promise.all(sockets.map(socket => socket.closed))).toEqual([
      { code: 1001, reason: '' },
      { code: 1001, reason: '' },
    ])
    expect(await stream.closed).toBe('cut')
    const took = performance.now() - from
    console.log(`sign-out at the provider to closed WebSockets of two gateways: ${Math.round(took)} ms`)
    expect(took).toBeLessThan(promised(1_000))
    expect(heard()).toEqual({ name: 'logout.heard', idp: 'campus', channel: 'back', ended: 1, stored: true })
    expect([await status(near, alice), await status(far, alice)]).toEqual([401, 401])
  })

  it('leaves the other sessions of the same person, which the provider still holds', async () => {
    const elsewhere = await near.signIn('alice')
    await signOutThere(alice)
    await expect.poll(() => status(near, alice)).toBe(401)
    expect([await status(near, elsewhere), await status(far, elsewhere)]).toEqual([200, 200])
  })

  it('asks for a password again afterwards, as the provider does, and the new session lives', async () => {
    await signOutThere(alice)
    await expect.poll(() => status(near, alice)).toBe(401)
    const again = await alice.navigate(near.url('app', '/echo'))
    expect(again.status).toBe(200)
    expect(await status(far, alice)).toBe(200)
  })

  it('is heard of, and finds nothing left to end, where the sign-out began here', async () => {
    const before = near.events.filter(({ name }) => name === 'logout.heard').length
    const closing = await alice.submit(await alice.navigate(near.portal('/logout')), {}, '/logout')
    await alice.submit(await alice.click(closing, 'Close “Campus account” too'))
    await expect.poll(() => near.events.filter(({ name }) => name === 'logout.heard').length).toBe(before + 1)
    expect(heard()).toMatchObject({ ended: 0, stored: true })
  })
})
