/** "My sessions": a person sees where their account is open, and closes what should not be (docs/sessions.md C0, A6). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const minute = 60_000
const clock = settableClock(Date.now())

let redis: RedisServer
let world: TwoIdps
let browser: Browser
beforeAll(async () => {
  redis = await startRedis()
  world = await startTwoIdps({ surroundings: { now: clock.now } })
})
beforeEach(async () => {
  // Sessions of the test before are over.
  clock.advance(24 * 60 * minute)
  browser = await signedIn(world)
})
afterEach(() => world.invariants())
afterAll(async () => {
  await world.stop()
  await redis.close()
})

async function signedIn(at: TwoIdps, subject = 'alice'): Promise<Browser> {
  const one = new Browser({ language: 'en', now: clock.now })
  at.op.bends.subject = subject
  const page = await one.navigate(at.url('app', '/echo'))
  if (page.status !== 200) throw new Error(page.story)
  return one
}

const status = async (one: Browser, at = world) => (await one.fetch(at.url('app', '/echo'))).status
const mine = (one = browser, at = world) => one.navigate(at.portal('/sessions'))
const buttons = (page: Reply) => page.forms.flatMap(form => form.buttons.map(({ text, value }) => ({ text, value })))

describe('my sessions', () => {
  it('are one tab away from the front page', async () => {
    const page = await browser.click(await browser.navigate(world.portal('/')), 'My sessions')
    expect([page.status, page.url.pathname]).toEqual([200, '/sessions'])
    expect((await browser.click(page, 'My resources')).url.pathname).toBe('/')
  })

  it('show where the account is open, since when, and when it was last used at the latest', async () => {
    clock.advance(25 * minute)
    const other = await signedIn(world)
    await signedIn(world, 'bob')
    clock.advance(7 * minute)
    await status(other)
    clock.advance(5 * minute)
    const page = await mine()
    expect(page.visibleText).toContain('Chrome on Linux')
    expect(page.visibleText).toContain('Other provider, network 127.0.0.0/24')
    expect(page.visibleText).toContain('Used 5 minutes ago at most')
    // Mine, and one elsewhere: bob's is nobody's business.
    expect(buttons(page).map(({ text }) => text.replace(/ ?,.*/, ''))).toEqual([
      'Close the session Chrome on Linux',
      'Close everything',
    ])
  })

  it('of somebody who is not signed in are the way to a sign-in', async () => {
    const page = await new Browser().navigate(world.portal('/sessions'), { follow: false })
    expect([page.status, page.redirect?.pathname]).toEqual([303, '/login'])
  })

  it('are closed one by one, with their WebSockets, and mine stays', async () => {
    const other = await signedIn(world)
    const third = await signedIn(world)
    const socket = await other.webSocket(world.url('app', '/ws'))
    const page = await mine()
    const after = await browser.submit(page, { end: buttons(page)[0]?.value ?? '' }, 'Close the session')
    expect(after.url.pathname).toBe('/sessions')
    expect((await socket.closed).code).toBe(1001)
    expect(await Promise.all([browser, other, third].map(one => status(one)))).toEqual([200, 401, 200])
    expect(world.events.at(-1)).toEqual({ name: 'session.ended', reason: 'user', idp: 'op' })
    // The old page, sent once more, closes nobody else.
    await browser.submit(page, {}, 'Close the session')
    expect(await Promise.all([browser, third].map(one => status(one)))).toEqual([200, 200])
  })

  it('are closed all but mine', async () => {
    const others = [await signedIn(world), await signedIn(world)]
    const bob = await signedIn(world, 'bob')
    const page = await browser.submit(await mine(), {}, 'Close the 2 other sessions')
    expect(page.visibleText).toContain('No other session is open')
    expect(await Promise.all([browser, bob, ...others].map(one => status(one)))).toEqual([200, 200, 401, 401])
  })

  it('are closed everywhere, and mine with a sign-out', async () => {
    const other = await signedIn(world)
    const page = await browser.submit(await mine(), {}, 'Close everything', { follow: false })
    expect(page.redirect?.pathname).toBe('/signed-out')
    expect(page.cookiesSet.map(line => line.split('=')[0])).toContain('__Host-Http-passerelle-fresh')
    expect(await Promise.all([browser, other].map(one => status(one)))).toEqual([401, 401])
  })
})

describe('my sessions, with several idps,', () => {
  it('are those of one account: the same name at another idp is another person’s', async () => {
    const two = await startTwoIdps()
    const op = new Browser({ language: 'en' })
    await op.navigate(two.url('app', '/echo'))
    const campus = await two.signIn('alice', 'campus', { language: 'en' })
    const page = await mine(campus, two)
    expect(page.visibleText).toContain('Campus account, network 127.0.0.0/24')
    expect(page.visibleText).toContain('No other session is open')
    expect((await mine(op, two)).visibleText).toContain('Other provider, network 127.0.0.0/24')
    two.invariants()
    await two.stop()
  })
})

describe('a form that closes sessions', () => {
  it('has handles that say nothing, and are good for this viewer only', async () => {
    const other = await signedIn(world)
    const third = await signedIn(world)
    const handles = buttons(await mine()).map(({ value }) => value)
    const hashes = (await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).map(({ hash }) => hash)
    for (const handle of handles) expect(hashes).not.toContain(handle)
    // The handles of one viewer, sent by another of the same person.
    for (const handle of handles.slice(0, 2)) await third.submit(await mine(third), { end: handle }, 'everywhere')
    expect(await Promise.all([browser, other, third].map(one => status(one)))).toEqual([200, 200, 200])
  })

  it('closes nobody else’s session, whatever it names', async () => {
    const bob = await signedIn(world, 'bob')
    const bobs = await signedIn(world, 'bob')
    const [own] = await world.gateway.sessions.of({ idp: 'op', subject: 'bob' })
    const forged = buttons(await mine(bobs))[0]?.value ?? ''
    for (const end of [forged, own?.hash ?? '', '', 'x', 'A'.repeat(43), '__proto__']) {
      const page = await browser.submit(await mine(), { end }, 'everywhere')
      expect([page.status, page.url.pathname]).toEqual([200, '/sessions'])
    }
    expect(await Promise.all([browser, bob, bobs].map(one => status(one)))).toEqual([200, 200, 200])
  })

  it('needs the token of this browser’s page', async () => {
    const other = await signedIn(world)
    const page = await browser.submit(await mine(), { token: 'A'.repeat(43) }, 'Close the session')
    expect(page.status).toBe(403)
    expect(JSON.parse(world.log.at(-1) ?? '')).toMatchObject({ code: 'portal.form-expired' })
    expect(await status(other)).toBe(200)
  })
})

describe('my sessions at two gateways on one Redis', () => {
  it('are the same, and one that is closed at one is closed at the other', async () => {
    await redis.admin.flushall()
    const options = { store: `{ kind: redis, url: "${redis.url}" }`, surroundings: { now: clock.now } }
    const a = await startTwoIdps(options)
    const b = await startTwoIdps({ ...options, shared: a }, a.op)
    const one = await signedIn(a)
    const other = await signedIn(b)
    const page = await mine(one, b)
    expect(buttons(page)).toHaveLength(2)
    await one.submit(page, {}, 'Close the session')
    expect(await Promise.all([status(one, a), status(other, b)])).toEqual([200, 401])
    // What stood in the directory for it is gone as well.
    expect(await b.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toHaveLength(1)
    for (const gateway of [b, a]) {
      gateway.invariants()
      await gateway.stop()
    }
  })
})
