/** A site's own logout link that closes this site only, or asks: `means: local`, `means: ask` (docs/sessions.md A8 (5), S3). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { phpSite } from '../stand-in/php-site.ts'

const site = phpSite()

const resources = [
  aSite(
    'courses',
    ['paths: [{ match: /pub/, policy: public }]', 'logout: { intercept: [/logout.php], means: local }'],
    { title: '{ fr: Cours, en: Courses }' },
  ),
  aSite('library', ['logout: { intercept: [/logout.php], means: ask }'], {
    title: '{ fr: Bibliothèque, en: Library }',
  }),
  aSite('journal', [], { title: 'Journal' }),
  aSite('maybe', ['logout: { intercept: [/logout.php], means: local }'], { title: 'Forum', policy: 'optional' }),
  aSite('intranet', ['logout: { intercept: [/intranet/logout.php], means: local }'], {
    title: 'Intranet',
    at: 'apps.localhost:$PORT/intranet/',
  }),
  aSite('hr', [], { title: 'HR', at: 'apps.localhost:$PORT/hr/' }),
].join('')

let world: TestGateway
let browser: Browser
beforeAll(async () => {
  world = await startTestGateway({
    resources,
    domain: 'univ.localhost',
    origin: { handler: site.handler },
    openPaths: /^\/pub\//,
  })
})
beforeEach(async () => {
  site.logoutAnswer = null
  browser = await world.signIn('alice', 'courses', { language: 'en' })
})
afterEach(() => {
  vi.restoreAllMocks()
  world.invariants()
})
afterAll(() => world.stop())

const siteCookie = '__Host-Http-passerelle-site'
const statusAt = async (host: string, one = browser, path = '/echo') => (await one.fetch(world.url(host, path))).status
const open = (host: string, path = '/') => browser.navigate(world.url(host, path))
const press = async (host: string, options = {}) =>
  browser.click(await open(host), 'Log out', { follow: false, ...options })
const ownSession = (host: string) => /PHPSESSID=([\w-]+)/.exec(world.cookieOf(browser, host))?.[1] ?? ''
const frameOf = (page: Reply) => /<iframe hidden src="([^"]*)"><\/iframe>/.exec(page.text)?.[1] ?? ''
const portalPage = (id: string) => world.portal(`/logout/${id}`)

describe('a logout link that closes this site only', () => {
  it('shuts the site, reaches it with the visitor’s cookies, and says so; the session lives on', async () => {
    await open('courses')
    const own = ownSession('courses')
    expect(site.sessions()).toContain(own)
    const done = await press('courses')
    expect([done.status, done.redirect?.href]).toEqual([303, portalPage('courses')])
    expect(done.cookiesSet).toEqual([
      `${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`,
      'PHPSESSID=deleted; Max-Age=0; Path=/',
      'bye=1; Path=/',
    ])
    expect(done.header('clear-site-data')).toBe('"cache"')
    expect(site.sessions()).not.toContain(own)
    const page = await browser.navigate(done.redirect ?? '')
    expect(page.visibleText).toMatch(/^You have left Courses/)
    expect(page.visibleText).toContain('Alice Martin')
    expect((await open('journal', '/echo')).status).toBe(200)
    expect(world.events).toContainEqual({ name: 'session.site-left', resource: 'courses' })
    expect(world.events.some(({ name }) => name === 'session.ended')).toBe(false)
  })

  it('has the browser forget what it holds of the site, in a frame of the portal’s page', async () => {
    const page = await press('courses', { follow: true })
    const address = frameOf(page)
    expect(address.replace(/\?t=[\w-]+$/, '')).toBe(world.url('courses', '/.passerelle/leave'))
    const frame = await browser.navigate(address, { as: 'iframe', from: page })
    expect(frame.header('clear-site-data')).toBe('"cache"')
    expect(frame.cookiesSet).toEqual([`${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`])
    const origin = world.url('courses', '').replace(/\/$/, '')
    expect(page.header('content-security-policy')).toMatch(new RegExp(`; frame-src ${origin}$`))
    // Where the site is refused, all of it is forgotten.
    expect((await open('courses')).text).not.toContain('<iframe')
  })

  it('is not undone by a kept or stolen older cookie of the site', async () => {
    const thief = browser.twin()
    await press('courses')
    expect(await statusAt('courses', thief)).toBe(401)
    expect(await statusAt('courses', thief, '/pub/x')).toBe(200)
    const reply = await thief.navigate(world.url('courses', '/echo?deep'))
    expect(reply.url.pathname).toBe('/enter')
    expect(reply.visibleText).toMatch(/^You have left Courses/)
  })

  it('opens again only by the button of our page, which leads to where the person was going', async () => {
    await press('courses')
    const refused = await browser.navigate(world.url('courses', '/echo?deep=1'))
    expect([refused.status, refused.url.pathname]).toEqual([200, '/enter'])
    expect(refused.forms[0]).toMatchObject({ action: '/open', method: 'POST' })
    expect(await statusAt('courses')).toBe(401)
    const again = await browser.submit(refused, {}, '/open')
    expect([again.status, again.url.href]).toEqual([200, world.url('courses', '/echo?deep=1')])
    expect(await statusAt('courses')).toBe(200)
    expect(world.events).toContainEqual({ name: 'session.site-reopened', resource: 'courses' })
    // And can be left once more.
    expect((await press('courses')).redirect?.href).toBe(portalPage('courses'))
    expect(await statusAt('courses')).toBe(401)
  })

  it('opens again from the page that says that it is closed, at the site’s front page', async () => {
    const page = await press('courses', { follow: true })
    const again = await browser.submit(page, {}, '/open')
    expect([again.status, again.url.href]).toEqual([200, world.url('courses', '/')])
  })

  it('does not open by a form of another page, nor without the token', async () => {
    await press('courses')
    const form = { to: world.url('courses', '/'), token: 'x' }
    for (const from of [world.url('evil', '/'), world.url('journal', '/'), 'http://far.localhost:1/']) {
      expect((await browser.navigate(world.portal('/open'), { from, form, follow: false })).status).toBe(403)
    }
    const asked = await browser.navigate(world.portal('/open'), { from: world.portal('/'), form })
    expect(asked.visibleText).toMatch(/^You have left Courses/)
    expect(await statusAt('courses')).toBe(401)
    expect((await browser.submit(asked, {}, '/open')).url.href).toBe(world.url('courses', '/'))
  })

  it('pressed twice at once, or in an old tab, leads both times to the page that says it', async () => {
    const front = await open('courses')
    const old = browser.twin()
    const both = await Promise.all([1, 2].map(() => browser.click(front, 'Log out', { follow: false })))
    const third = await old.click(front, 'Log out', { follow: false })
    for (const reply of [...both, third]) expect(reply.redirect?.href).toBe(portalPage('courses'))
  })

  it('may be a form, whose body goes on once', async () => {
    const front = await open('courses')
    world.origin.forget()
    const done = await browser.submit(front, {}, 'Leave', { follow: false })
    expect(done.redirect?.href).toBe(portalPage('courses'))
    const posts = world.origin.requests.filter(({ method }) => method === 'POST')
    expect(posts.map(({ url, text }) => [url, text])).toEqual([['/logout.php', 'sesskey=abc']])
  })

  it('closes what is open on this site, and nothing else', async () => {
    await open('journal', '/echo')
    const [here, there] = [
      await browser.webSocket(world.url('courses', '/ws')),
      await browser.webSocket(world.url('journal', '/ws')),
    ]
    const stream = await browser.open(world.url('courses', '/sse?ms=10'))
    await stream.until('data: 1')
    await press('courses')
    expect(await here.closed).toEqual({ code: 1001, reason: '' })
    expect(await stream.closed).toBe('cut')
    there.send('still here')
    await there.until('still here')
    await there.close()
    const refused = await browser.webSocket(world.url('courses', '/ws')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
  })

  it('of a site with optional sign-in makes the person a visitor there', async () => {
    await open('maybe')
    await browser.navigate(world.url('maybe', '/.passerelle/begin?to='))
    await open('maybe', '/echo')
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
    const socket = await browser.webSocket(world.url('maybe', '/ws'))
    const thief = browser.twin()
    await press('maybe')
    expect(await socket.closed).toEqual({ code: 1001, reason: '' })
    expect(await statusAt('maybe', thief)).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBeNull()
  })

  it('below a path leaves its neighbours of the same host alone, a form under way too', async () => {
    await open('apps', '/intranet/')
    const neighbour = await open('apps', '/hr/')
    const home = await open('apps', '/intranet/')
    const done = await browser.click(home, 'Log out', { follow: false })
    expect(done.redirect?.href).toBe(portalPage('intranet'))
    expect(done.cookiesSet).toEqual(['PHPSESSID=deleted; Max-Age=0; Path=/intranet/', 'bye=1; Path=/intranet/'])
    expect(await statusAt('apps', browser, '/intranet/echo')).toBe(401)
    const page = await browser.navigate(done.redirect ?? '')
    const frame = await browser.navigate(frameOf(page), { as: 'iframe', from: page })
    expect([frame.status, frame.header('clear-site-data'), frame.cookiesSet]).toEqual([200, '"cache"', []])
    const sent = await browser.navigate(world.url('apps', '/hr/echo'), { from: neighbour, form: { leave: '5 days' } })
    expect(sent.status).toBe(200)
    expect((await open('apps', '/intranet/x')).visibleText).toMatch(/^You have left Intranet/)
  })

  it('from elsewhere is a question of the portal', async () => {
    for (const options of [{}, { from: world.url('evil', '/') }, { from: 'http://far.localhost:1/' }]) {
      const reply = await browser.navigate(world.url('courses', '/logout.php?x=1'), { ...options, follow: false })
      expect(reply.redirect?.href).toBe(`${portalPage('courses')}?at=%2Flogout.php%3Fx%3D1`)
      expect(await statusAt('courses')).toBe(200)
    }
  })

  it('lives on with the session: a new sign-in of the same person changes nothing, the whole sign-out does', async () => {
    await press('courses')
    const page = await browser.navigate(world.portal('/logout'))
    await browser.submit(page, {}, '/logout', { follow: false })
    world.provider.person('alice')
    const again = await browser.navigate(world.url('courses', '/echo'))
    expect([again.status, again.url.href]).toEqual([200, world.url('courses', '/echo')])
  })

  it('in a frame is neither opened nor explained in the frame, but in a window of its own', async () => {
    await press('courses')
    const framed = await browser.navigate(world.url('courses', '/echo'), {
      as: 'iframe',
      from: world.url('journal', '/'),
    })
    expect(framed.url.pathname).toBe('/.passerelle/framed')
    const link = framed.links.find(({ href }) => href.includes('/.passerelle/begin'))
    const page = await browser.navigate(new URL(link?.href ?? '', framed.url))
    expect(page.visibleText).toMatch(/^You have left Courses/)
  })

  it('stays in the list of the portal, as a site that one can open', async () => {
    await press('courses')
    const front = await browser.navigate(world.portal('/'))
    expect(front.visibleText).not.toContain('Closed to this account')
    expect((await browser.click(front, 'Courses')).visibleText).toMatch(/^You have left Courses/)
  })
})

describe('a logout link that asks', () => {
  const ask = async (): Promise<Reply> => {
    await open('library')
    return press('library', { follow: true })
  }

  it('leads to the question, and nothing is closed; to stay is to go back', async () => {
    const page = await ask()
    expect(page.url.href).toBe(`${portalPage('library')}?at=%2Flogout.php%3Fsesskey%3Dabc`)
    expect(page.visibleText).toContain('What do you want to close?')
    expect(page.forms.map(({ action }) => action)).toEqual(['/logout/library', '/logout'])
    expect(page.header('content-security-policy')).not.toContain('form-action')
    expect(site.sessions()).toContain(ownSession('library'))
    expect((await browser.click(page, 'Stay')).url.href).toBe(world.url('library', '/'))
  })

  it('closes this site only, its own session too, by the very address that was pressed', async () => {
    const page = await ask()
    const own = ownSession('library')
    world.origin.forget()
    const done = await browser.submit(page, {}, 'Close only')
    expect(done.hops.map(({ url }) => url.pathname)).toEqual(['/logout/library', '/logout.php'])
    expect(done.url.href).toBe(portalPage('library'))
    expect(done.visibleText).toMatch(/^You have left Library/)
    expect(world.origin.requests.map(({ method, url }) => [method, url])).toEqual([['GET', '/logout.php?sesskey=abc']])
    expect(site.sessions()).not.toContain(own)
    expect(await statusAt('library')).toBe(401)
    expect(await statusAt('courses')).toBe(200)
    expect((await browser.submit(done, {}, '/open')).url.href).toBe(world.url('library', '/'))
  })

  it('closes everything', async () => {
    const done = await browser.submit(await ask(), {}, 'everything')
    expect(done.url.pathname).toBe('/signed-out')
    expect(await Promise.all(['library', 'courses'].map(host => statusAt(host)))).toEqual([401, 401])
  })

  it('asks in French, too, and about nobody’s session says nothing', async () => {
    const french = await world.signIn('alice', 'library')
    const page = await french.click(await french.navigate(world.url('library', '/')), 'Log out')
    expect(page.visibleText).toContain('Que voulez-vous fermer')
    expect((await french.submit(page, {}, 'Fermer seulement')).visibleText).toMatch(/^Vous avez quitté Bibliothèque/)
    const stranger = await new Browser({ language: 'en' }).navigate(portalPage('library'))
    expect(stranger.visibleText).toContain('No session is known here')
  })

  it('does nothing by GET, for another origin, without the token, or for a site without such a link', async () => {
    const form = { token: 'x' }
    for (const from of [world.url('evil', '/'), world.url('library', '/'), world.portal('/')]) {
      expect((await browser.navigate(portalPage('library'), { from, form, follow: false })).status).toBe(403)
    }
    expect((await browser.navigate(portalPage('journal'))).status).toBe(404)
    expect((await browser.navigate(portalPage('nowhere'))).status).toBe(404)
    expect(await open('library')).toMatchObject({ status: 200 })
  })

  it.each([
    'http://evil.localhost/',
    '//evil.localhost/',
    '/echo',
    '/logout.php/../echo',
    '/logout.phpx',
    '/logout.php;x',
    '\\\\evil',
    '',
  ])('leads on to nothing but the site’s own logout: at=%j', async at => {
    const page = await browser.navigate(`${portalPage('library')}?at=${encodeURIComponent(at)}`)
    const done = await browser.submit(page, {}, 'Close only', { follow: false })
    expect(done.redirect?.href).toBe(portalPage('library'))
  })
})

describe('while the store does not answer', () => {
  const storeDown = () => new GatewayError('session.store-down', 'a store that does not answer')

  it('nothing is left, nothing reaches the site, and a page says so', async () => {
    const front = await open('courses')
    world.origin.forget()
    vi.spyOn(world.gateway.store.records, 'replace').mockRejectedValue(storeDown())
    const page = await browser.click(front, 'Log out', { follow: false })
    expect([page.status, page.header('retry-after'), page.cookiesSet]).toEqual([503, '5', []])
    expect(page.visibleText).toMatch(/^Nothing is closed yet/)
    expect(page.forms).toEqual([])
    expect(world.origin.requests).toEqual([])
    vi.restoreAllMocks()
    expect(await statusAt('courses')).toBe(200)
    const asked = await browser.click(page, 'Try again')
    expect(asked.visibleText).toContain('What do you want to close?')
    expect((await browser.submit(asked, {}, 'Close only')).visibleText).toMatch(/^You have left Courses/)
  })

  it('the answer on the portal says so, too', async () => {
    await open('library')
    const page = await press('library', { follow: true })
    vi.spyOn(world.gateway.store.records, 'replace').mockRejectedValue(storeDown())
    const failed = await browser.submit(page, {}, 'Close only')
    expect(failed.status).toBe(503)
    expect(failed.visibleText).toMatch(/^Nothing is closed yet/)
    vi.restoreAllMocks()
    expect(await statusAt('library')).toBe(200)
  })

  it('a site that was left is not opened again', async () => {
    const page = await press('courses', { follow: true })
    vi.spyOn(world.gateway.store.records, 'replace').mockRejectedValue(storeDown())
    expect((await browser.submit(page, {}, '/open')).status).toBe(503)
    vi.restoreAllMocks()
    expect(await statusAt('courses')).toBe(401)
  })

  it('and others write to the session meanwhile: what is lost is tried again', async () => {
    const front = await open('courses')
    const kept = browser.twin()
    vi.spyOn(world.gateway.store.records, 'replace')
      .mockResolvedValueOnce('stale')
      .mockResolvedValueOnce('stale')
      .mockResolvedValueOnce('stale')
    expect((await browser.click(front, 'Log out', { follow: false })).redirect?.href).toBe(portalPage('courses'))
    expect(await statusAt('courses', kept)).toBe(401)
  })
})
