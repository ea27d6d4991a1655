/** Signing out, with a real OpenID provider and with one that cannot (docs/sessions.md A8; CS-02, SE-01, RL-02 to RL-04). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

/** What the page's own Refresh says, as a browser reads it. */
const refreshOf = (page: Reply) => page.header('refresh')

const portalCookie = '__Host-Http-passerelle'

describe('signing out', () => {
  let world: TestGateway
  let browser: Browser
  beforeAll(async () => {
    world = await startTestGateway()
  })
  beforeEach(async () => {
    browser = await world.signIn('alice', 'app', { language: 'en' })
    await browser.navigate(world.url('plain', '/echo'))
  })
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  const ask = () => browser.navigate(world.portal('/logout'))
  const act = (page: Reply) => browser.submit(page, {}, '/logout', { follow: false })
  const status = async (one: Browser, host: string) => (await one.fetch(world.url(host, '/echo'))).status

  it('by GET is a question, and nothing more', async () => {
    const page = await ask()
    expect(page.status).toBe(200)
    expect(page.visibleText).toContain('Close your session?')
    expect(page.forms).toHaveLength(1)
    expect(page.forms[0]).toMatchObject({ action: '/logout', method: 'POST' })
    expect(page.header('content-security-policy')).not.toContain('form-action')
    expect((await browser.click(page, 'Stay')).url.href).toBe(world.portal('/'))
    expect(await status(browser, 'app')).toBe(200)
  })

  it('by POST shuts every site before anybody is led anywhere (RL-04)', async () => {
    const thief = browser.twin()
    const asked = world.provider.requests.length
    const done = await act(await ask())
    expect(done.status).toBe(303)
    expect(done.redirect?.href).toMatch(new RegExp(`^${world.portal('/signed-out')}\\?o=[\\w-]{43}$`))
    expect(await Promise.all([browser, thief].flatMap(one => [status(one, 'app'), status(one, 'plain')]))).toEqual([
      401, 401, 401, 401,
    ])
    expect(world.provider.requests.length).toBe(asked)
    expect(world.events.at(-1)).toEqual({ name: 'session.ended', reason: 'user', idp: 'campus' })
  })

  it('drops the portal’s cookie and leaves the mark that makes the next sign-in ask', async () => {
    const done = await act(await ask())
    const seconds = Math.floor(Date.now() / 1000)
    expect(done.cookiesSet[0]).toBe(`${portalCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`)
    const mark = /^__Host-Http-passerelle-fresh=(\d{10}); Path=\/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$/
    expect(Number(mark.exec(done.cookiesSet[1] ?? '')?.[1])).toBeGreaterThan(seconds - 10)
    expect(done.cookiesSet).toHaveLength(2)
  })

  it('leaves nothing that an old cookie could open: no site, no portal page, no hand-off (SE-01)', async () => {
    const thief = browser.twin()
    await act(await ask())
    expect(await status(thief, 'app')).toBe(401)
    expect((await thief.navigate(world.portal('/'))).links.map(({ href }) => href)).toContain('/login')
    const enter = await thief.navigate(world.portal(`/enter?to=${encodeURIComponent(world.url('app', '/'))}`), {
      follow: false,
    })
    expect(enter.redirect?.origin).toBe(world.provider.issuer)
  })

  it('leads on to the provider by a button that a Refresh presses, and comes back to say that it is closed (RL-01)', async () => {
    const closing = await browser.submit(await ask(), {}, '/logout')
    expect(closing.url.pathname).toBe('/signed-out')
    expect(closing.visibleText).toContain('Closing')
    const button = closing.links.find(({ text }) => text.includes('Close “Campus account” too'))
    const next = new URL(button?.href ?? '')
    expect(refreshOf(closing)).toBe(`2; url=${next.href}`)
    expect(next.origin).toBe(world.provider.issuer)
    expect(next.searchParams.get('post_logout_redirect_uri')).toBe(world.portal('/signed-out'))
    expect(next.searchParams.get('state')).toBe(closing.url.searchParams.get('o'))
    expect(next.searchParams.get('id_token_hint')).toMatch(/^eyJ/)

    const confirm = await browser.click(closing, 'Close “Campus account” too')
    const closed = await browser.submit(confirm)
    expect(closed.url.href).toBe(world.portal(`/signed-out?state=${next.searchParams.get('state')}`))
    expect(closed.visibleText).toContain('Your session is closed')
    expect(closed.visibleText).toContain('Campus account : sign-in closed in this browser')
    expect(closed.visibleText).toContain('Application and Plain')
  })

  it.each([
    ['another state', `?state=${'A'.repeat(43)}`],
    ['no state', ''],
    ['an empty one', '?state='],
  ])('comes back with %s to a page that knows nothing of the provider, and that is all (RL-02)', async (_, query) => {
    await act(await ask())
    const page = await browser.navigate(world.portal(`/signed-out${query}`))
    expect(page.status).toBe(200)
    expect(page.visibleText).toContain('No session is known here')
    expect(page.visibleText).not.toContain('Your session is closed')
    expect(page.visibleText).not.toContain('Campus account')
    expect(await status(browser, 'app')).toBe(401)
  })

  it('can be looked at again: the page of a reload is the same', async () => {
    const closing = await browser.submit(await ask(), {}, '/logout')
    const again = await browser.navigate(closing.url)
    expect(refreshOf(again)).toMatch(/^2; url=http/)
    expect(refreshOf(again)).toBe(refreshOf(closing))
  })

  it('a second time, by Back and the old button, ends at a page that claims nothing', async () => {
    const asked = await ask()
    await act(asked)
    const page = await browser.submit(asked, {}, '/logout')
    expect(page.status).toBe(200)
    expect(page.visibleText).toContain('No session is known here')
    expect((await ask()).visibleText).toContain('No session is known here')
  })

  it('is not said to have happened to a person who is signed in', async () => {
    const page = await browser.navigate(world.portal('/signed-out'), { follow: false })
    expect([page.status, page.redirect?.href]).toEqual([303, world.portal('/')])
    const old = await browser.submit(await ask(), {}, '/logout', { follow: false })
    // With the real provider: it asks again, and says when.
    expect((await browser.navigate(world.url('app', '/echo'))).status).toBe(200)
    const again = await browser.navigate(old.redirect ?? '', { follow: false })
    expect(again.redirect?.href).toBe(world.portal('/'))
  })

  it('is not said to have happened where the portal’s cookie alone is lost', async () => {
    browser.jar.clear('acces.localhost')
    const page = await ask()
    expect(page.visibleText).toContain('No session is known here')
    expect(page.visibleText).not.toContain('Your session is closed')
    expect(await status(browser, 'app')).toBe(200)
  })

  it('closes open WebSockets and event streams at once', async () => {
    const socket = await browser.webSocket(world.url('app', '/ws'))
    const idle = await browser.webSocket(world.url('plain', '/ws'))
    const stream = await browser.open(world.url('app', '/sse?ms=10'))
    const bob = await world.signIn('bob', 'app')
    const bystander = await bob.webSocket(world.url('app', '/ws'))
    await stream.until('data: 1')
    socket.send('before')
    await socket.until('before')

    await act(await ask())
    expect(await socket.closed).toEqual({ code: 1001, reason: '' })
    expect(await idle.closed).toEqual({ code: 1001, reason: '' })
    expect(await stream.closed).toBe('cut')
    bystander.send('still here')
    await bystander.until('still here')
    await bystander.close()
    const closed = world.events.filter(({ name }) => name === 'stream.closed-at-end')
    expect(closed.map(event => 'kind' in event && event.kind).toSorted()).toEqual(['answer', 'websocket', 'websocket'])
  })

  it('is asked for, and said, in the language of the reader, and stays in the one that was chosen', async () => {
    const french = await world.signIn('alice')
    const page = await french.navigate(world.portal('/logout'))
    expect(page.visibleText).toContain('Fermer votre session')
    const switched = await french.click(page, 'English')
    expect(switched.url.search).toBe('?lang=en')
    expect(switched.visibleText).toContain('Close your session?')
    const closing = await french.submit(switched, {}, '/logout')
    expect(closing.visibleText).toMatch(/^Closing/)
    const back = await french.click(await french.navigate(world.portal('/')), 'Français')
    expect(back.visibleText).toContain('Bienvenue')
    expect((await french.navigate(world.portal('/nowhere'))).status).toBe(404)
  })
})

describe('signing out of an idp that', () => {
  const clock = settableClock(Date.now())
  let world: TwoIdps
  let browser: Browser
  beforeAll(async () => {
    world = await startTwoIdps({ surroundings: { now: clock.now } })
  })
  beforeEach(() => {
    // Its metadata are looked at again.
    clock.advance(60_000)
    browser = new Browser({ language: 'en', now: clock.now })
  })
  afterEach(() => {
    world.invariants()
    world.op.reset()
  })
  afterAll(() => world.stop())

  const signOut = async () => browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout')

  const saysSo = (page: Reply) => {
    expect(page.status).toBe(200)
    expect(refreshOf(page)).toBeNull()
    expect(page.visibleText).toContain('Your session is closed')
    expect(page.visibleText).toContain('Other provider : the sign-in there stays open in this browser')
  }

  it('cannot end its own sessions: ours is over, and the page says what is not (RL-03)', async () => {
    world.op.bends.metadata = ({ end_session_endpoint: _, ...metadata }) => metadata
    await browser.navigate(world.url('app', '/echo'))
    saysSo(await signOut())
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(401)
  })

  it('is down: the same (RL-03)', async () => {
    await browser.navigate(world.url('app', '/echo'))
    world.op.bends.wire.metadata = (_, response) => void response.writeHead(503).end()
    clock.advance(60_000)
    expect((await new Browser({ now: clock.now }).navigate(world.url('app', '/echo'))).status).toBe(503)
    saysSo(await signOut())
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(401)
  })

  const prompt = async () => {
    const answer = await world.toProvider(browser, world.url('app', '/echo'))
    return { asks: answer.redirect?.searchParams.get('prompt') ?? null, answer }
  }
  const marked = () => browser.cookies('acces.localhost').some(({ name }) => name === `${portalCookie}-fresh`)

  it('has asked the person again is not made to ask once more', async () => {
    await browser.navigate(world.url('app', '/echo'))
    await signOut()
    clock.advance(5_000)
    const { asks, answer } = await prompt()
    expect(asks).toBe('login')
    world.op.bends.claims = claims => ({ ...claims, auth_time: Math.floor(clock.now() / 1000) })
    expect((await browser.navigate(world.callback(answer), { from: world.op.issuer })).status).toBe(200)
    expect(marked()).toBe(false)
    browser.jar.clear('app.localhost')
    expect((await browser.navigate(world.url('app', '/echo'))).hops).toHaveLength(3)
  })

  it.each([
    ['signs people in without asking them', (signedIn: number) => ({ auth_time: signedIn })],
    ['does not say when it asked', () => ({ auth_time: undefined })],
  ])('%s signs nobody in, and is asked to ask until it does', async (_, bent) => {
    await browser.navigate(world.url('app', '/echo'))
    const signedIn = Math.floor(clock.now() / 1000)
    clock.advance(200_000)
    await signOut()
    clock.advance(5_000)
    world.op.bends.claims = claims => ({ ...claims, ...bent(signedIn) })
    const { answer } = await prompt()
    const page = await browser.navigate(world.callback(answer), { from: world.op.issuer })
    expect(page.status).toBe(400)
    expect(marked()).toBe(true)
    expect(browser.cookies('acces.localhost').some(({ name }) => name === portalCookie)).toBe(false)
    const line = world.log.findLast(text => text.includes('"code":"idp.rejected"') && text.includes('auth_time'))
    expect(line).toContain('max_age=0')
    world.op.reset()
    expect((await browser.click(page, 'Continue to app site')).url.href).toBe(world.url('app', '/echo'))
  })

  it('is asked to ask for twelve hours, and not longer', async () => {
    await browser.navigate(world.url('app', '/echo'))
    await signOut()
    clock.advance(12 * 60 * 60_000 - 60_000)
    expect((await prompt()).asks).toBe('login')
    clock.advance(60_000)
    expect((await prompt()).asks).toBeNull()
  })
})
