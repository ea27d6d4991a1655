/** How many sessions a person may have, and what one more does (docs/sessions.md B 21; CK-11 of the attack cases). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import type { TestGatewayOptions } from '../stand-in/gateway.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const minute = 60_000

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const status = async (world: TwoIdps, browser: Browser) => (await browser.fetch(world.url('app', '/echo'))).status

async function signedIn(world: TwoIdps, subject = 'alice'): Promise<Browser> {
  const browser = new Browser({ language: 'en' })
  world.op.bends.subject = subject
  const page = await browser.navigate(world.url('app', '/echo'))
  if (page.status !== 200 || page.url.hostname !== 'app.localhost') throw new Error(page.story)
  return browser
}

async function come(world: TwoIdps, subject = 'alice'): Promise<{ browser: Browser; page: Reply }> {
  const browser = new Browser({ language: 'en' })
  world.op.bends.subject = subject
  return { browser, page: await browser.navigate(world.url('app', '/echo?q=1')) }
}

const named = (events: readonly GatewayEvent[], name: GatewayEvent['name']) => events.filter(one => one.name === name)
const closers = (page: Reply) => page.forms.filter(({ action }) => action === '/sessions')

describe.each([
  ['in memory', () => '{ kind: memory }'],
  ['in Redis', () => `{ kind: redis, url: "${redis.url}" }`],
])('beyond the limit, %s,', (_, store) => {
  let world: TwoIdps
  const start = async (beyond: string, options: TestGatewayOptions = {}) => {
    await redis.admin.flushall()
    world = await startTwoIdps({
      store: store(),
      session: `  perPerson: { limit: 2, beyond: ${beyond} }`,
      ...options,
    })
  }
  afterEach(async () => {
    world.invariants()
    await world.stop()
  })

  it('the oldest session makes room, and no other; one more of the same browser is none', async () => {
    await start('oldest')
    const first = await signedIn(world)
    const second = await signedIn(world)
    const bob = await signedIn(world, 'bob')
    // The same browser signs in once more: it has a session already.
    world.op.bends.subject = 'alice'
    await second.navigate(world.portal('/login?again=1&idp=op'))
    expect(await Promise.all([first, second].map(one => status(world, one)))).toEqual([200, 200])
    const socket = await first.webSocket(world.url('app', '/ws'))
    const third = await signedIn(world)
    expect((await socket.closed).code).toBe(1001)
    expect(await Promise.all([first, second, third, bob].map(one => status(world, one)))).toEqual([401, 200, 200, 200])
    expect(named(world.events, 'session.ended')).toEqual([{ name: 'session.ended', reason: 'limit', idp: 'op' }])
  })

  it('ten browsers at the same moment end with two sessions', async () => {
    await start('oldest')
    const browsers = Array.from({ length: 10 }, () => new Browser())
    // As far as the portal: on the site, those that were closed meanwhile would sign in anew, and close others.
    const portal = (hop: Reply) => hop.redirect?.pathname !== '/.passerelle/enter'
    await Promise.all(browsers.map(browser => browser.navigate(world.url('app', '/echo'), { follow: portal })))
    expect(await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toHaveLength(2)
    const fronts = await Promise.all(browsers.map(browser => browser.navigate(world.portal('/'))))
    expect(fronts.filter(({ links }) => links.some(({ href }) => href === '/logout'))).toHaveLength(2)
    // One that had to make room before it counted was never said to have begun.
    const begun = named(world.events, 'session.established').length
    expect(named(world.events, 'session.ended')).toHaveLength(begun - 2)
  })

  it('ten browsers at the same moment find two places, and eight a page that refuses', async () => {
    await start('refuse')
    const browsers = Array.from({ length: 10 }, () => new Browser({ language: 'en' }))
    const pages = await Promise.all(browsers.map(browser => browser.navigate(world.url('app', '/echo'))))
    expect(pages.filter(page => page.status === 200)).toHaveLength(2)
    const refused = pages.filter(page => page.status === 403)
    expect(refused).toHaveLength(8)
    expect(refused[0]?.visibleText).toContain('Your account is already open elsewhere')
    const statuses = await Promise.all(browsers.map(browser => status(world, browser)))
    expect(statuses.filter(one => one === 200)).toHaveLength(2)
  })

  it('a refused sign-in leaves nothing behind, says how to go on, and succeeds once there is room', async () => {
    await start('refuse')
    const first = await signedIn(world)
    await signedIn(world)
    const { browser, page } = await come(world)
    expect(page.status).toBe(403)
    expect(page.visibleText).toContain('My sessions')
    expect(page.visibleText).toMatch(/reference [0-9A-Z]{6}/)
    expect(browser.jar.all().filter(({ value }) => value.startsWith('v1.'))).toEqual([])
    expect(named(world.events, 'session.limit-reached')).toHaveLength(1)
    // It may be tried as often as one likes: that is no loop.
    for (let attempt = 0; attempt < 4; attempt++) {
      expect((await browser.click(page, 'Continue to app site')).status).toBe(403)
    }
    await first.submit(await first.navigate(world.portal('/logout')), {}, '/logout', { follow: false })
    const arrived = await browser.click(page, 'Continue to app site')
    expect([arrived.status, arrived.url.href]).toEqual([200, world.url('app', '/echo?q=1')])
  })

  it('the question opens nothing until it is answered, and then leads where the person was going', async () => {
    await start('ask')
    const first = await signedIn(world)
    const second = await signedIn(world)
    const { browser, page } = await come(world)
    expect(page.status).toBe(200)
    expect(page.url.pathname).toBe('/enter')
    expect(page.visibleText).toContain('Which session shall we close?')
    expect(page.visibleText).toContain('Chrome on Linux')
    expect(closers(page)).toHaveLength(2)
    expect(page.header('content-security-policy')).not.toContain('form-action')
    // Not signed in: not here, not there.
    expect(await status(world, browser)).toBe(401)
    expect((await browser.navigate(world.portal('/'))).links.map(({ href }) => href)).toContain('/login')
    expect((await browser.navigate(world.portal('/sessions'))).visibleText).toContain('Which session shall we close?')
    expect((await browser.navigate(world.portal('/login'))).visibleText).toContain('Which session shall we close?')

    const arrived = await browser.submit(page, {}, '/sessions')
    expect([arrived.status, arrived.url.href]).toEqual([200, world.url('app', '/echo?q=1')])
    // The oldest stands first.
    expect(await Promise.all([first, second, browser].map(one => status(world, one)))).toEqual([401, 200, 200])
    // The old page, sent once more, closes nobody.
    expect((await browser.submit(page, {}, '/sessions')).status).toBe(200)
    expect(await Promise.all([second, browser].map(one => status(world, one)))).toEqual([200, 200])
  })

  it('the question is over when a session was closed elsewhere', async () => {
    await start('ask')
    const first = await signedIn(world)
    await signedIn(world)
    const { browser, page } = await come(world)
    await first.submit(await first.navigate(world.portal('/logout')), {}, '/logout', { follow: false })
    const arrived = await browser.click(page, 'I have closed one elsewhere')
    expect([arrived.status, arrived.url.href]).toEqual([200, world.url('app', '/echo?q=1')])
  })

  it('who would rather close none leaves nothing behind', async () => {
    await start('ask')
    const others = [await signedIn(world), await signedIn(world)]
    const { browser, page } = await come(world)
    const closed = await browser.submit(page, {}, '/logout', { follow: false })
    expect(closed.redirect?.pathname).toBe('/signed-out')
    expect(await Promise.all(others.map(one => status(world, one)))).toEqual([200, 200])
    expect(named(world.events, 'session.ended')).toEqual([])
    expect(await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toHaveLength(2)
  })

  it('twenty tabs of one cold browser ask one question, and all arrive when it is answered', async () => {
    await start('ask')
    const others = [await signedIn(world), await signedIn(world)]
    const browser = new Browser({ language: 'en' })
    const address = (tab: number) => world.url('app', `/echo?tab=${tab}`)
    const pages = await Promise.all(Array.from({ length: 20 }, (_, tab) => browser.navigate(address(tab))))
    expect(new Set(pages.map(page => page.visibleText.includes('Which session shall we close?')))).toEqual(
      new Set([true]),
    )
    expect(named(world.events, 'session.ended')).toEqual([])
    // Each tab made a page state, and the browser kept one: another's question is asked once more.
    let answered = await browser.submit(pages[0] as Reply, {}, '/sessions')
    if (closers(answered).length > 0) answered = await browser.submit(answered, {}, '/sessions')
    expect(answered.url.href).toBe(address(0))
    for (const [tab, page] of pages.entries()) expect((await browser.navigate(page.url)).url.href).toBe(address(tab))
    expect(named(world.events, 'session.ended')).toHaveLength(1)
    expect((await Promise.all(others.map(one => status(world, one)))).toSorted()).toEqual([200, 401])
    expect(await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toHaveLength(2)
  })

  it('a person of another idp with the same subject is another person', async () => {
    await start('refuse')
    await signedIn(world)
    await signedIn(world)
    const campus = await world.signIn('alice', 'campus')
    expect((await campus.fetch(world.url('campus', '/echo'))).status).toBe(200)
  })
})

describe('a sign-in that waits for an answer', () => {
  const clock = settableClock(Date.now())
  let world: TwoIdps
  beforeAll(async () => {
    world = await startTwoIdps({
      surroundings: { now: clock.now },
      session: '  perPerson: { limit: 1, beyond: ask }',
    })
  })
  beforeEach(() => clock.advance(24 * 60 * minute))
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  it('waits for ten minutes, however often the page is loaded, and is gone then', async () => {
    const first = await signedIn(world)
    const { browser, page } = await come(world)
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(3 * minute)
      const again = await browser.navigate(page.url)
      expect(again.visibleText).toContain('Which session shall we close?')
    }
    clock.advance(minute)
    const asked = world.op.count('authorize')
    const late = await browser.submit(page, {}, '/sessions', { follow: false })
    expect(late.redirect?.pathname).toBe('/login')
    expect(await status(world, first)).toBe(200)
    // A sign-in of its own begins, and asks its own question.
    await browser.navigate(page.url)
    expect(world.op.count('authorize')).toBe(asked + 1)
  })

  it('finds a place when another session has gone idle, and is not kept out by the dead', async () => {
    await signedIn(world)
    clock.advance(61 * minute)
    const { page } = await come(world)
    expect(page.url.href).toBe(world.url('app', '/echo?q=1'))
  })
})

describe('two gateways on one Redis', () => {
  let a: TwoIdps
  let b: TwoIdps
  beforeAll(async () => {
    await redis.admin.flushall()
    const options = {
      store: `{ kind: redis, url: "${redis.url}" }`,
      session: '  perPerson: { limit: 3, beyond: refuse }',
    }
    a = await startTwoIdps(options)
    b = await startTwoIdps({ ...options, shared: a }, a.op)
  })
  afterEach(() => {
    a.invariants()
    b.invariants()
  })
  afterAll(async () => {
    await b.stop()
    await a.stop()
  })

  it('let in no more than the limit between them, when everybody comes at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      await redis.admin.flushall()
      const browsers = Array.from({ length: 8 }, () => new Browser())
      const pages = await Promise.all(
        browsers.map((browser, index) => browser.navigate((index % 2 === 0 ? a : b).url('app', '/echo'))),
      )
      // A machine that keeps its Redis waiting may cost somebody a page, and perhaps the place that they had taken.
      const of = (status: number) => browsers.filter((_, index) => pages[index]?.status === status)
      expect([of(200), of(403), of(503)].flat()).toHaveLength(8)
      expect(of(200).length).toBeLessThanOrEqual(3)
      expect(of(200).length + of(503).length).toBeGreaterThanOrEqual(3)
      // Whoever was let in is in: nobody's place went to another.
      for (const [index, browser] of browsers.entries()) {
        if (pages[index]?.status !== 200) continue
        expect([200, 503]).toContain(await status(index % 2 === 0 ? a : b, browser))
      }
      expect([...named(a.events, 'session.ended'), ...named(b.events, 'session.ended')]).toEqual([])
    }
  })
})
