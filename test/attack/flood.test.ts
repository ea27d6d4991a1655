/** SESSIONS B 8 and DO-07: what people who are not signed in can make us store is bounded, for each address and for all. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'
import { visit } from '../stand-in/visits.ts'

const perMinute = 600

const clock = settableClock(Date.now())
let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({ listen: 'trustedProxies: ["127.0.0.1"]', surroundings: { now: clock.now } })
})
afterEach(() => {
  world.invariants()
  world.op.reset()
  // Every share is whole again.
  clock.advance(60 * 60_000)
})
afterAll(() => world.stop())

const begun = () => world.events.filter(({ name }) => name === 'sign-in.begun').length
const enter = (host = 'app') => world.portal(`/enter?to=${encodeURIComponent(world.url(host, '/echo?deep=1'))}`)
const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } })

/** Each time another browser, without following the way to the idp. */
async function open(url: string, address: string, count: number): Promise<readonly Reply[]> {
  const replies: Reply[] = []
  while (replies.length < count) {
    const more = Array.from({ length: Math.min(50, count - replies.length) }, () =>
      new Browser({ language: 'en', now: clock.now }).navigate(url, { ...from(address), follow: false }),
    )
    replies.push(...(await Promise.all(more)))
  }
  return replies
}

const statuses = (replies: readonly Reply[]) => [...new Set(replies.map(({ status }) => status))]

describe('sign-ins from one address', () => {
  it('begin 600 times in a moment, and the next is a page that says how long to wait and then leads on', async () => {
    const before = begun()
    expect(statuses(await open(enter(), '192.0.2.1', perMinute))).toEqual([303])
    const browser = new Browser({ language: 'en', now: clock.now })
    const page = await browser.navigate(enter(), { ...from('192.0.2.1'), follow: false })
    expect([page.status, page.header('retry-after'), page.cookiesSet]).toEqual([429, '5', []])
    expect(page.visibleText).toContain('Too many sign-ins at once from your network')
    expect(begun()).toBe(before + perMinute)
    const line = world.log.findLast(text => text.includes('"code":"login.too-many"'))
    expect(line).toContain('192.0.2.1 (sign-in)')
    expect(line).toContain('listen.trustedProxies')

    const french = await new Browser({ now: clock.now }).navigate(enter(), from('192.0.2.1'))
    expect(french.visibleText).toContain('Trop de connexions à la fois depuis votre réseau')
    clock.advance(5_000)
    const after = await browser.click(page, 'Continue to app site', from('192.0.2.1'))
    expect([after.status, after.url.href]).toEqual([200, world.url('app', '/echo?deep=1')])
  })

  it('leave every other address its own share', async () => {
    await open(enter(), '192.0.2.1', perMinute)
    expect(statuses(await open(enter(), '192.0.2.1', 20))).toEqual([429])
    expect(statuses(await open(enter(), '192.0.2.2', 20))).toEqual([303])
  })

  it('are counted by the /64 where it is an IPv6 one', async () => {
    await open(enter(), '2001:db8:1:2::1', perMinute / 2)
    await open(enter(), '2001:db8:1:2:ffff::1', perMinute / 2)
    expect(statuses(await open(enter(), '2001:db8:1:2:aaaa:bbbb:cccc:dddd', 5))).toEqual([429])
    expect(statuses(await open(enter(), '2001:db8:1:3::1', 5))).toEqual([303])
  })

  it('that are too many trouble nobody who is signed in: they read, and sign out', async () => {
    const browser = new Browser({ language: 'en', now: clock.now })
    await browser.navigate(world.url('app', '/echo'), from('192.0.2.1'))
    await open(enter(), '192.0.2.1', perMinute)
    expect((await browser.navigate(world.url('plain', '/echo'), from('192.0.2.1'))).status).toBe(200)
    const asked = await browser.navigate(world.portal('/logout'), from('192.0.2.1'))
    const done = await browser.submit(asked, {}, '/logout', { ...from('192.0.2.1'), follow: false })
    expect(done.redirect?.pathname).toBe('/signed-out')
  })

  it('and an answer of a chooser’s form are counted alike', async () => {
    const chooser = await new Browser({ language: 'en', now: clock.now }).navigate(enter('any'), from('192.0.2.1'))
    expect(chooser.forms).toHaveLength(1)
    const browser = new Browser({ language: 'en', now: clock.now })
    const page = await browser.navigate(enter('any'), from('192.0.2.1'))
    await open(enter(), '192.0.2.1', perMinute)
    const chosen = await browser.submit(page, {}, 'op', from('192.0.2.1'))
    expect([chosen.status, chosen.cookiesSet]).toEqual([429, []])
    expect(chosen.links.map(({ href }) => href)).toContain(
      `/enter?${new URLSearchParams({ to: world.url('any', '/echo?deep=1') })}`,
    )
  })
})

describe('a program without Sec-Fetch and cookies', () => {
  const crawl = (address: string, url = enter()) =>
    new Browser({ fetchMetadata: false, cookies: false, now: clock.now }).fetch(url, {
      headers: { 'X-Forwarded-For': address, Accept: '*/*' },
      follow: false,
    })

  it('gets the page whose form starts the sign-in, and begins none', async () => {
    const before = begun()
    const page = await crawl('192.0.2.1')
    expect([page.status, page.redirect]).toEqual([200, null])
    expect(page.forms[0]).toMatchObject({ action: '/login', method: 'POST' })
    expect(page.cookiesSet.filter(line => line.includes('-p-'))).toEqual([])
    expect(begun()).toBe(before)
  })

  it('makes us remember no more than 600 of its visits in a minute', async () => {
    for (let round = 0; round < perMinute / 50; round++) {
      const pages = await Promise.all(Array.from({ length: 50 }, () => crawl('192.0.2.1')))
      expect(statuses(pages)).toEqual([200])
    }
    const page = await crawl('192.0.2.1')
    expect([page.status, page.header('retry-after'), page.cookiesSet]).toEqual([429, '5', []])
    expect((await crawl('192.0.2.2')).status).toBe(200)
    // A language that is asked for is shown, and not remembered.
    const asked = await crawl('192.0.2.1', world.portal('/?lang=en'))
    expect([asked.status, asked.cookiesSet]).toEqual([200, []])
    expect(asked.visibleText).toContain('Sign in')
    expect((await crawl('192.0.2.2', world.portal('/?lang=en'))).cookiesSet).toHaveLength(1)
  })
})

describe('sign-ins from all addresses together', () => {
  it('begin 3,000 times in a moment; then 503 with the time to wait, and open sessions go on', async () => {
    const reader = new Browser({ language: 'en', now: clock.now })
    await reader.navigate(world.url('app', '/echo'), from('198.51.100.1'))
    clock.advance(60_000)
    const visitors = { port: world.port, host: new URL(world.portal()).host, path: '/enter' }
    const some = await visit(visitors, 3_000, 16)
    expect(some.filter(({ status }) => status === 200)).toHaveLength(3_000)
    const page = await new Browser({ language: 'en', now: clock.now }).navigate(enter(), from('198.51.100.2'))
    expect([page.status, page.header('retry-after'), page.cookiesSet]).toEqual([503, '5', []])
    expect(page.visibleText).toContain('Too many people are signing in at this moment')
    expect((await reader.fetch(world.url('app', '/echo'))).status).toBe(200)
    clock.advance(1_000)
    expect(statuses(await open(enter(), '198.51.100.3', 100))).toEqual([303])
    expect(statuses(await open(enter(), '198.51.100.4', 1))).toEqual([503])
  })
})
