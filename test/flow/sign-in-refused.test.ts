/** Sign-ins that do not come to a session: a page each, one way on, and nothing left behind (docs/sessions.md A2, C4, C5.13). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CookieContext, CookieJar } from '../stand-in/cookie-jar.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

/** Refuses some cookies, as an extension does. */
class PickyJar extends CookieJar {
  readonly #refuses: (host: string, name: string) => boolean

  constructor(refuses: (host: string, name: string) => boolean) {
    super()
    this.#refuses = refuses
  }

  override receive(url: URL, line: string, context?: CookieContext): void {
    if (!this.#refuses(url.hostname, line.split('=', 1)[0] ?? '')) super.receive(url, line, context)
  }
}

const clock = settableClock(Date.now())
let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({ surroundings: { now: clock.now } })
})
let sessionsBefore = 0
beforeEach(async () => {
  // What an earlier test left provisional is gone.
  clock.advance(61_000)
  sessionsBefore = (await world.gateway.sessions.count()) ?? 0
  world.op.asked.length = 0
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

const app = (path = '/echo') => world.url('app', path)
const english = (jar?: CookieJar) => new Browser({ language: 'en', ...(jar === undefined ? {} : { jar }) })
const newSessions = async () => ((await world.gateway.sessions.count()) ?? 0) - sessionsBefore

describe('a browser that refuses (C5 13)', () => {
  it('all cookies reads a page after three redirects; no code was redeemed and no session made', async () => {
    const page = await new Browser({ cookies: false, language: 'en' }).navigate(app())
    expect(page.hops).toHaveLength(3)
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('Your browser refused our cookie')
    expect(page.visibleText).toContain('acces.localhost')
    expect(world.op.count('token')).toBe(0)
    expect(await newSessions()).toBe(0)
  })

  it.each([
    ['the site’s cookies', (host: string) => host === 'app.localhost'],
    ['the cookie of the hand-off alone', (_: string, name: string) => name.includes('-n-')],
  ])('%s reads a page after seven redirects, and keeps no session but the portal’s', async (_, refuses) => {
    const browser = english(new PickyJar(refuses))
    const page = await browser.navigate(app())
    expect(page.hops, page.story).toHaveLength(7)
    expect(page.status).toBe(200)
    expect(page.visibleText).toContain('Your browser refused our cookie')
    expect(page.visibleText).toContain('app.localhost')
    expect(page.sandboxed).toBe(true)
    expect(await newSessions()).toBe(1)
    expect(world.op.count('authorize')).toBe(1)
    expect((await browser.navigate(world.portal('/'))).visibleText).toContain('Sign out')
  })

  it('the portal’s session cookie alone reads a page, and its session is gone within a minute', async () => {
    const page = await english(new PickyJar((_, name) => /passerelle(-s-.*)?$/.test(name))).navigate(app())
    expect(page.status).toBe(200)
    expect(page.url.pathname).toBe('/enter')
    expect(page.visibleText).toContain('Your browser refused our cookie')
    expect(await newSessions()).toBe(1)
    clock.advance(60_001)
    expect(await newSessions()).toBe(0)
    expect(world.events.filter(({ name }) => name === 'session.established')).toHaveLength(2)
  })

  it('it each time is not sent round for ever: the fourth attempt within a minute is a page without redirects', async () => {
    const browser = english(new PickyJar((_, name) => /passerelle(-s-.*)?$/.test(name)))
    let page = await browser.navigate(app())
    for (let attempt = 2; attempt <= 3; attempt++) {
      page = await browser.click(page, 'Continue to')
      expect(page.visibleText).toContain('Your browser refused our cookie')
    }
    page = await browser.click(page, 'Continue to')
    expect(page.hops).toHaveLength(0)
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('The sign-in goes round in circles')
    expect(world.op.count('authorize')).toBe(3)
    expect(JSON.parse(world.log.at(-1) ?? '')).toMatchObject({ code: 'login.loop' })

    clock.advance(60_000)
    page = await browser.click(page, 'Continue to')
    expect(page.visibleText).toContain('Your browser refused our cookie')
  })
})

describe('a sign-in that is not finished', () => {
  it('leaves a session for a minute, which nobody hears of', async () => {
    const heard = world.events.length
    const answer = await english().navigate(app(), { follow: reply => reply.redirect?.searchParams.has('r') !== true })
    expect(await newSessions()).toBe(1)
    clock.advance(60_001)
    expect(await newSessions()).toBe(0)
    expect(world.events.slice(heard).map(({ name }) => name)).toEqual(['sign-in.begun'])
    const late = await english().navigate(answer.redirect ?? '')
    expect(late.status).toBe(400)
    expect(late.visibleText).toContain('Let us take up the sign-in again')
  })

  it('can be finished for a quarter of an hour, and not a second longer', async () => {
    const browser = new Browser()
    const first = world.callback(await world.toProvider(browser, app('/echo?n=1')))
    const second = world.callback(await world.toProvider(browser, app('/echo?n=2')))
    clock.advance(15 * 60_000 - 1)
    const inTime = await browser.navigate(first, { from: world.op.issuer, follow: false })
    expect(inTime.redirect?.pathname).toBe('/enter')
    clock.advance(1)
    const late = await english().navigate(second, { from: world.op.issuer, follow: false })
    expect(late.status).toBe(400)
    expect(late.visibleText).toContain('Let us take up the sign-in again')
    expect(world.op.count('token')).toBe(1)
  })

  it('that the idp ends before it is stored comes to a page, and a new one goes through', async () => {
    const browser = english()
    const callback = world.callback(await world.toProvider(browser, app()), 'bob')
    const issuedAt = Math.ceil(clock.now() / 1000)
    await world.gateway.sessions.endAll({ idp: 'op', subject: 'bob', idpSession: null, issuedAt, message: null })
    const page = await browser.navigate(callback, { from: world.op.issuer })
    expect(page.status).toBe(400)
    expect(JSON.parse(world.log.at(-1) ?? '')).toMatchObject({ code: 'login.ended-meanwhile' })
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain('__Host-Http-passerelle')
    expect(await newSessions()).toBe(0)
    world.op.bends.subject = 'bob'
    clock.advance(2_000)
    const again = await browser.click(page, 'Continue to')
    expect(again.status).toBe(200)
    expect(again.url.href).toBe(app())
  })
})

describe('an idp that', () => {
  it('does not answer when the sign-in begins is a page with a button, which works once it is back', async () => {
    world.op.bends.wire.metadata = (_, response) => void response.writeHead(503).end()
    const browser = english()
    const page = await browser.navigate(app('/echo?kept=yes'))
    expect(page.status).toBe(503)
    expect(page.visibleText).toContain('Other provider')
    expect(browser.cookies('acces.localhost').filter(({ name }) => name.includes('-p-'))).toEqual([])
    world.op.reset()
    clock.advance(11_000)
    const again = await browser.click(page, 'Try again')
    expect(again.url.href).toBe(app('/echo?kept=yes'))
    expect(again.status).toBe(200)
  })

  it('does not answer when the code is redeemed is a page, and its button begins a new sign-in to the same place', async () => {
    world.op.bends.wire.token = (_, response) => void response.writeHead(500).end()
    const browser = english()
    const page = await browser.navigate(app('/echo?kept=yes'))
    expect(page.status).toBe(503)
    expect(page.url.pathname).toBe('/callback/op')
    expect(await newSessions()).toBe(0)
    world.op.reset()
    clock.advance(11_000)
    const again = await browser.click(page, 'Continue to')
    expect(again.url.href).toBe(app('/echo?kept=yes'))
    expect(again.status).toBe(200)
  })
})
