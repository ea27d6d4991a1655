/**
 * docs/sessions.md A6: `<img src=/logout.php>` on a sibling host carries our cookie. Nobody is signed out of anything, and the
 * site hears nothing, unless the person pressed the link or the button on a page of that very site.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { phpSite } from '../stand-in/php-site.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

const site = phpSite()
let world: TestGateway
let browser: Browser
beforeAll(async () => {
  world = await startTestGateway({
    domain: 'univ.localhost',
    origin: { handler: site.handler },
    resources: `
  - id: courses
    title: Courses
    at: "http://courses.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
    logout: { intercept: [/logout.php] }
  - id: windows
    title: Windows
    at: "http://windows.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    caseInsensitive: yes
    identity: { headers: { X-Remote-User: "{subject}" } }
    logout: { intercept: [/Logout.aspx, /account/leave/] }`,
  })
})
beforeEach(async () => {
  browser = await world.signIn('alice', 'courses', { language: 'en' })
  await browser.navigate(world.url('courses', '/'))
  world.origin.forget()
})
afterEach(async () => {
  expect(world.origin.requests.filter(({ url }) => /log/i.test(url))).toEqual([])
  expect((await browser.fetch(world.url('courses', '/echo'))).status).toBe(200)
  world.invariants()
})
afterAll(() => world.stop())

const logout = (path = '/logout.php', host = 'courses') => world.url(host, path)
const own = () => world.url('courses', '/')
const sibling = () => world.url('evil', '/page')
const farAway = 'http://evil.localhost:1/page'

describe('without being pressed, a site’s logout link closes nothing and reaches nobody:', () => {
  it.each([
    ['an image of its own page', () => ({ from: own(), mode: 'no-cors', dest: 'image' }) as const],
    ['an image of a sibling host', () => ({ from: sibling(), mode: 'no-cors', dest: 'image' }) as const],
    ['a script of its own page', () => ({ from: own() }) as const],
    ['a script of its own page, by POST', () => ({ from: own(), method: 'POST', body: 'x' }) as const],
    ['a script that asks for a page', () => ({ from: own(), headers: { Accept: 'text/html' } }) as const],
    ['a sibling’s beacon', () => ({ from: sibling(), mode: 'no-cors', method: 'POST', body: 'x' }) as const],
    ['HEAD by a script', () => ({ from: own(), method: 'HEAD' }) as const],
    ['a service worker', () => ({ from: own(), headers: { 'Service-Worker': 'script' } }) as const],
  ])('%s', async (_, options) => {
    const reply = await browser.fetch(logout(), { ...options(), credentials: 'include', follow: false })
    expect(reply.sent.headers.Cookie).toContain('__Host-Http-passerelle-site=')
    expect(reply.status).toBe(403)
    expect(reply.cookiesSet).toEqual([])
    if (reply.text !== '') expect(reply.json()).toMatchObject({ error: 'logout.not-pressed' })
  })

  it.each([
    ['its own page', own],
    ['a sibling host', sibling],
  ])('a frame of %s', async (_, from) => {
    const page = await browser.navigate(logout(), { from: from(), as: 'iframe', follow: false })
    expect(page.status).toBe(403)
    expect(page.header('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(page.visibleText).toContain('This address signs out')
  })

  it('a prefetch, a prerender', async () => {
    expect((await browser.navigate(logout(), { from: own(), as: 'prefetch', follow: false })).status).toBe(403)
    const headers = { 'Sec-Purpose': 'prefetch;prerender' }
    expect((await browser.navigate(logout(), { from: own(), headers, follow: false })).status).toBe(403)
  })

  it('an image of another site, which brings no cookie', async () => {
    const reply = await browser.fetch(logout(), { from: farAway, mode: 'no-cors', dest: 'image', follow: false })
    expect([reply.sent.headers.Cookie, reply.status]).toEqual([undefined, 401])
  })

  it('a WebSocket, of whatever origin', async () => {
    for (const from of [own(), sibling()]) {
      const refused = await browser.webSocket(logout(), { from }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(RefusedUpgrade)
      expect((refused as RefusedUpgrade).reply.status).toBe(403)
    }
  })
})

describe('a navigation that no page of the site caused is asked on the portal:', () => {
  it.each([
    ['a link of a sibling host', () => ({ from: sibling() })],
    ['a link of another site', () => ({ from: farAway })],
    ['the address bar', () => ({})],
    ['a form of a sibling host', () => ({ from: sibling(), form: { sesskey: 'x' } })],
    ['HEAD', () => ({ from: own(), method: 'HEAD' })],
  ])('%s', async (_, options) => {
    const reply = await browser.navigate(logout(), { ...options(), follow: false })
    expect([reply.status, reply.redirect?.href]).toEqual([303, world.portal('/logout')])
    expect(reply.cookiesSet).toEqual([])
    if (reply.sent.method === 'GET') {
      expect((await browser.navigate(world.portal('/logout'))).visibleText).toContain('Close your session?')
    }
  })

  it('a page of ours on the site’s own host, which is sandboxed', async () => {
    const page = await browser.navigate(world.url('courses', '/.passerelle/framed'))
    const reply = await browser.navigate(logout(), { from: page, follow: false })
    expect(reply.redirect?.href).toBe(world.portal('/logout'))
  })

  it('a link in a browser without Fetch Metadata, and its form where it says nothing, or null', async () => {
    const old = new Browser({ fetchMetadata: false, jar: browser.jar })
    expect((await old.navigate(logout(), { from: own(), follow: false })).redirect?.href).toBe(world.portal('/logout'))
    for (const origin of [[], 'null', 'http://evil.univ.localhost']) {
      const reply = await old.navigate(logout(), {
        from: own(),
        form: { a: 'b' },
        headers: { Origin: origin },
        follow: false,
      })
      expect(reply.redirect?.href).toBe(world.portal('/logout'))
    }
  })
})

describe('another spelling of a site’s logout link', () => {
  const statusOf = async (host: string, target: string) => {
    const lines = [
      `Cookie: ${world.cookieOf(browser, host)}`,
      'Sec-Fetch-Site: same-origin',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ]
    const raw = rawRequest({ host: `${host}.univ.localhost:${world.port}`, target, lines })
    const { responses } = await rawExchange(world.port, raw, { responses: 1 })
    return responses[0]?.status
  }

  it.each([
    '/logout.php;x',
    '/logout.php;jsessionid=1',
    '//logout.php',
    '/%6cogout.php',
    '/logout%2ephp',
    '/x/../logout.php',
    '/./logout.php',
    '/logout.php.',
    '/logout.php%20',
    '/logout.php%3fx',
    '/logout.php%23',
    '/logout.php%2f',
    '/%ef%bd%8cogout.php',
  ])('is 400: %s', async target => {
    expect(await statusOf('courses', target)).toBe(400)
  })

  it.each([
    '/LOGOUT.aspx;x',
    '//logout.aspx',
    '/%4cogout.aspx',
    '/logout.aspx.',
    '/account/leave%20/',
    '/account/./leave',
  ])('is 400, where the origin knows no case: %s', async target => {
    await browser.navigate(world.url('windows', '/echo'))
    world.origin.forget()
    expect(await statusOf('windows', target)).toBe(400)
  })
})
