/**
 * A site's own logout link with two gateways on one Redis: what one of them closed is closed in the other, and a store that is
 * silent at the wrong moment leaves nobody signed in who was told otherwise, nor half of anything done.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type Balancer, startBalancer } from '../stand-in/balancer.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, until } from '../stand-in/measure.ts'
import { phpSite } from '../stand-in/php-site.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const site = phpSite()
const resources =
  aSite('all', ['logout: { intercept: [/logout.php], means: global }']) +
  aSite('one', ['logout: { intercept: [/logout.php], means: local }']) +
  aSite('other')

let redis: RedisServer
let balancer: Balancer
let a: TestGateway
let b: TestGateway
let browser: Browser
beforeAll(async () => {
  redis = await startRedis()
  balancer = await startBalancer()
  const options = {
    store: `{ kind: redis, url: "${redis.url}" }`,
    publicPort: balancer.port,
    resources,
    origin: { handler: site.handler },
  }
  a = await startTestGateway(options)
  b = await startTestGateway({ ...options, shared: a })
})
beforeEach(async () => {
  balancer.between([a.ownPort, b.ownPort])
  browser = await a.signIn('alice', 'other', { language: 'en' })
})
afterEach(() => {
  redis.thaw()
  a.invariants()
  b.invariants()
})
afterAll(async () => {
  balancer?.close()
  await b?.stop()
  await a?.stop()
  await redis?.close()
})

/** From now on the browser meets this one. */
const through = (gateway: TestGateway) => balancer.between([gateway.ownPort])
const front = async (host: string): Promise<Reply> => {
  await browser.navigate(a.url(host))
  a.origin.forget()
  return browser.navigate(a.url(host))
}
const statusAt = async (host: string) => (await browser.fetch(a.url(host, '/echo'))).status
const logouts = () => a.origin.requests.filter(({ url }) => url.startsWith('/logout.php'))
const press = (page: Reply) => browser.click(page, 'Log out', { follow: false })

describe('what one gateway closed', () => {
  it.each([
    ['one', 'local'],
    ['all', 'global'],
  ])('the other refuses within a second, its WebSockets closed: %s (%s)', async (host, means) => {
    const times: number[] = []
    for (let round = 0; round < 20; round++) {
      if (round > 0) browser = await a.signIn('alice', 'other')
      const page = await front(host)
      through(b)
      expect(await statusAt(host)).toBe(200)
      const kept = browser.twin()
      const socket = await browser.webSocket(a.url(host, '/ws'))
      through(a)
      expect((await press(page)).status).toBe(303)
      const closedAt = performance.now()
      through(b)
      await until('a refusal', async () => (await kept.fetch(a.url(host, '/echo'))).status === 401, 5_000, 5)
      times.push(performance.now() - closedAt)
      expect(await socket.closed).toEqual({ code: 1001, reason: '' })
    }
    const worst = Math.max(...times)
    tell(`a logout link (${means}) at one gateway, refused at the other, worst of ${times.length}`, worst)
    expect(worst).toBeLessThan(promised(1_000))
  })

  it('is opened again in both', async () => {
    const page = await front('one')
    through(a)
    const left = await browser.navigate((await press(page)).redirect ?? '')
    expect((await browser.submit(left, {}, '/open')).url.href).toBe(a.url('one', '/'))
    through(b)
    await until('an open site', async () => (await statusAt('one')) === 200, 5_000, 5)
  })

  it('is closed once by a double click that meets both', async () => {
    const page = await front('all')
    const ended = () => [...a.events, ...b.events].filter(({ name }) => name === 'session.ended').length
    const before = ended()
    const replies = await Promise.all([press(page), press(page)])
    for (const reply of replies) expect(reply.redirect?.pathname).toBe('/signed-out')
    expect(ended() - before).toBe(1)
    expect(logouts()).toHaveLength(1)
  })
})

describe('while the store is silent', () => {
  it('everything is not closed yet, says a page, within a second; it is, as soon as the store is back', async () => {
    const page = await front('all')
    through(a)
    expect(await statusAt('all')).toBe(200)
    const kept = browser.twin()
    redis.freeze()
    const startedAt = performance.now()
    const failed = await press(page)
    const took = performance.now() - startedAt
    expect([failed.status, failed.redirect]).toEqual([503, null])
    expect(failed.visibleText).toContain('Your session is not closed yet')
    expect(logouts()).toEqual([])
    expect((await kept.fetch(a.url('all', '/echo'))).status).toBe(401)
    redis.thaw()
    through(b)
    await until('the end', async () => (await kept.fetch(a.url('all', '/echo'))).status === 401, 5_000, 5)
    tell('a logout link with a silent store: its 503', took)
    expect(took).toBeLessThan(promised(1_500))
  })

  it('one site is not closed, says a page, and it is open afterwards', async () => {
    const page = await front('one')
    through(a)
    expect(await statusAt('one')).toBe(200)
    redis.freeze()
    const failed = await press(page)
    expect([failed.status, failed.redirect]).toEqual([503, null])
    expect(logouts()).toEqual([])
    redis.thaw()
    await until('an open site', async () => (await statusAt('one')) === 200, 5_000, 5)
  })
})
