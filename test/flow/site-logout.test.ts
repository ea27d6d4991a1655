/** A site's own logout link that means everything: `logout: { means: global }` (docs/sessions.md A8 (5), A6). */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { aSite } from '../stand-in/a-site.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { phpSite } from '../stand-in/php-site.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

const site = phpSite()

const resources = [
  aSite('courses', ['logout: { intercept: [/logout.php], means: global, notify: { path: /told/courses } }'], {
    title: '{ fr: Cours, en: Courses }',
  }),
  aSite('journal', ['logout: { notify: { path: /told/journal } }'], { title: 'Journal' }),
  aSite('intranet', ['logout: { intercept: [/intranet/logout.php] }'], {
    title: 'Intranet',
    at: 'apps.localhost:$PORT/intranet/',
  }),
  aSite('forum', ['logout: { intercept: [/logout.php], means: global }'], { title: 'Forum', policy: 'optional' }),
].join('')

let world: TestGateway
let browser: Browser
/** The front page of the course site, where the link is. */
let front: Reply
beforeAll(async () => {
  world = await startTestGateway({
    resources,
    domain: 'univ.localhost',
    origin: { handler: site.handler },
    openPaths: /./,
  })
})
beforeEach(async () => {
  site.logoutAnswer = null
  browser = await world.signIn('alice', 'courses', { language: 'fr' })
  await browser.navigate(world.url('journal', '/echo'))
  front = await browser.navigate(world.url('courses', '/'))
  world.origin.forget()
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

const siteCookie = '__Host-Http-passerelle-site'
/** As a browser says it of a link on a page of the same host. */
const pressed = ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
const statusAt = async (one: Browser, host: string) => (await one.fetch(world.url(host, '/echo'))).status
const isSignedIn = async (one = browser) => expect(await statusAt(one, 'journal')).toBe(200)
const isSignedOut = async (one = browser) => {
  expect(await Promise.all(['courses', 'journal'].map(host => statusAt(one, host)))).toEqual([401, 401])
}
const press = (options = {}) => browser.click(front, 'Log out', { follow: false, ...options })
const logouts = () => world.origin.requests.filter(({ url }) => url.startsWith('/logout.php'))
const ownSession = () => /PHPSESSID=([\w-]+)/.exec(world.cookieOf(browser, 'courses'))?.[1] ?? ''

describe('a site’s own logout link that means everything', () => {
  it('ends the session, then reaches the site with the visitor’s cookies, and leads to the last page', async () => {
    const own = ownSession()
    expect(site.sessions()).toContain(own)
    const thief = browser.twin()
    const done = await press()
    expect(done.status).toBe(303)
    expect(done.redirect?.href).toMatch(new RegExp(`^${world.portal('/signed-out')}\\?o=[\\w-]{43}$`))
    expect(done.text).toBe('')
    expect(logouts()).toHaveLength(1)
    expect(logouts()[0]).toMatchObject({ method: 'GET', url: '/logout.php?sesskey=abc' })
    expect(logouts()[0]?.header('cookie')).toContain(`PHPSESSID=${own}`)
    expect(logouts()[0]?.header('x-remote-user')).toBe('alice')
    expect(site.sessions()).not.toContain(own)
    await isSignedOut()
    await isSignedOut(thief)
    expect(world.events).toContainEqual({ name: 'session.ended', reason: 'user', idp: 'campus' })
  })

  it('expires our cookie and lets the site’s own lines through; its page, status and redirect are dropped', async () => {
    const done = await press()
    expect(done.cookiesSet).toEqual([
      `${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`,
      'PHPSESSID=deleted; Max-Age=0; Path=/',
      'bye=1; Path=/',
    ])
    expect(done.header('clear-site-data')).toBe('"cache"')
    expect(done.header('cache-control')).toBe('no-store')
    expect(done.header('content-security-policy')).toContain('sandbox')
  })

  it('ends on our last page, in the reader’s language, which drops the portal’s cookie and makes the next sign-in ask', async () => {
    const page = await browser.click(front, 'Log out')
    expect(page.url.pathname).toBe('/signed-out')
    expect(page.visibleText).toMatch(/^Fermeture en cours/)
    expect(page.cookiesSet[0]).toBe('__Host-Http-passerelle=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax')
    expect(page.cookiesSet[1]).toMatch(/^__Host-Http-passerelle-fresh=\d{10};/)
    expect((await browser.navigate(page.url)).cookiesSet).toEqual([])
    const again = await browser.navigate(world.url('journal', '/echo'), {
      follow: hop => hop.redirect?.origin !== world.provider.issuer,
    })
    expect(again.redirect?.searchParams.get('prompt')).toBe('login')
  })

  it('has the other sites told, and not the one where it was pressed', async () => {
    const done = await press()
    const told = world.origin.requests.filter(({ url }) => url.startsWith('/told/'))
    expect(told.map(({ method, url }) => [method, url])).toEqual([['POST', '/told/journal']])
    expect(done.redirect?.search).toMatch(/^\?o=/)
  })

  it('of a session that is over already ends on the last page too, and not at a sign-in', async () => {
    const old = browser.twin()
    const asked = await browser.navigate(world.portal('/logout'))
    await browser.submit(asked, {}, '/logout', { follow: false })
    const page = await old.click(front, 'Log out')
    expect(page.hops.at(-1)?.cookiesSet[0]).toContain(`${siteCookie}=; Path=/; Max-Age=0`)
    expect([page.url.href, logouts()]).toEqual([world.portal('/signed-out'), []])
    expect(page.visibleText).toContain('Aucune session connue ici')
  })

  it('may be a form: what it holds goes on, once', async () => {
    const done = await browser.submit(front, {}, 'Leave', { follow: false })
    expect(done.redirect?.pathname).toBe('/signed-out')
    expect(logouts()).toHaveLength(1)
    await world.origin.until(() => logouts()[0]?.complete === true)
    expect(logouts()[0]).toMatchObject({ method: 'POST', text: 'sesskey=abc' })
    await isSignedOut()
  })

  it('is itself with any query and with what stands below it, and no other path', async () => {
    const other = await browser.navigate(world.url('courses', '/logout.phpx'), { from: front })
    expect(other.status).toBe(200)
    await isSignedIn()
    const below = await browser.navigate(world.url('courses', '/logout.php/now?x'), { from: front, follow: false })
    expect(below.redirect?.pathname).toBe('/signed-out')
    expect(logouts().map(({ url }) => url)).toEqual(['/logout.phpx', '/logout.php/now?x'])
    await isSignedOut()
  })

  it('works where the site is mounted below a path', async () => {
    await browser.navigate(world.url('apps', '/intranet/'))
    const home = await browser.navigate(world.url('apps', '/intranet/'))
    const own = /PHPSESSID=([\w-]+)/.exec(home.sent.headers.Cookie?.toString() ?? '')?.[1] ?? ''
    expect(site.sessions()).toContain(own)
    world.origin.forget()
    const done = await browser.click(home, 'Log out', { follow: false })
    expect(done.redirect?.pathname).toBe('/signed-out')
    expect(done.cookiesSet).toContain('PHPSESSID=deleted; Max-Age=0; Path=/intranet/')
    expect(site.sessions()).not.toContain(own)
    await isSignedOut()
  })

  it('pressed twice at once ends once, reaches the site once, and both answers say so', async () => {
    const [one, two] = await Promise.all([press(), press()])
    expect(one.redirect?.search).toMatch(/^\?o=[\w-]{43}$/)
    expect(two.redirect?.href).toBe(one.redirect?.href)
    expect(logouts()).toHaveLength(1)
    const old = browser.twin()
    expect((await browser.navigate(one.redirect ?? '')).visibleText).toMatch(/^Fermeture en cours/)
    expect(old.jar.all().length).toBeGreaterThan(0)
  })

  it('pressed again, from another tab or by Back, leads to the same last page', async () => {
    const old = browser.twin()
    const first = await press()
    const second = await old.click(front, 'Log out', { follow: false })
    expect(second.redirect?.href).toBe(first.redirect?.href)
    expect(logouts()).toHaveLength(1)
  })

  it('is for those who are not signed in a path like any other: nobody is led back to it', async () => {
    await press()
    const challenged = await browser.navigate(world.url('courses', '/logout.php?x'), { from: front, follow: false })
    expect(challenged.redirect?.pathname).toBe('/enter')
    expect(challenged.redirect?.searchParams.get('to')).toBe(world.url('courses', '/'))
    const posted = await browser.navigate(world.url('courses', '/logout.php'), { from: front, form: { x: 'y' } })
    expect(posted.status).toBe(401)
    expect(logouts()).toHaveLength(1)
    const open = await browser.navigate(world.url('forum', '/logout.php'), { follow: false })
    expect([open.status, open.redirect?.pathname]).toEqual([302, '/'])
  })

  it('is never where a sign-in leads (OR-15)', async () => {
    const to = encodeURIComponent(world.url('courses', '/logout.php?x'))
    const page = await browser.navigate(world.portal(`/enter?to=${to}`))
    expect(page.status).toBe(404)
    const begun = await browser.navigate(world.url('courses', `/.passerelle/begin?to=${to}`))
    expect(begun.url.href).toBe(world.url('courses', '/'))
    await isSignedIn()
  })
})

describe('what a site does with its logout', () => {
  it.each<[string, NonNullable<typeof site.logoutAnswer>]>([
    ['answers with a page', response => void response.writeHead(200).end('bye')],
    ['answers with a failure', response => void response.writeHead(500).end('oh')],
    [
      'answers with a redirect to elsewhere',
      response => void response.writeHead(302, { Location: 'http://elsewhere.example/' }).end(),
    ],
    ['answers with megabytes', response => void response.writeHead(200).end(Buffer.alloc(8 * 1_048_576, 'x'))],
    ['hangs up', response => void response.socket?.destroy()],
    [
      'hangs up in the middle',
      response => void response.writeHead(200, { 'Content-Length': 9 }).write('x', () => response.socket?.destroy()),
    ],
  ])('changes nothing: it %s', async (_, answer) => {
    site.logoutAnswer = answer
    const done = await press()
    expect([done.status, done.redirect?.pathname, done.text]).toEqual([303, '/signed-out', ''])
    await isSignedOut()
  })

  it('is waited for three seconds, and the session is over before', async () => {
    site.logoutAnswer = () => {}
    const startedAt = performance.now()
    const done = press()
    await world.origin.until(() => logouts().length === 1)
    await isSignedOut()
    expect((await done).redirect?.pathname).toBe('/signed-out')
    const took = performance.now() - startedAt
    expect(took).toBeGreaterThan(2_500)
    expect(took).toBeLessThan(4_500)
    expect(world.events).toContainEqual(expect.objectContaining({ name: 'site-logout.unheard', resource: 'courses' }))
  })

  it('goes on where the browser has left meanwhile', async () => {
    let answer = () => {}
    site.logoutAnswer = response => {
      answer = () => void response.writeHead(200).end('bye')
    }
    const lines = [`Cookie: ${world.cookieOf(browser, 'courses')}`, ...pressed]
    const socket = connect(world.port, '127.0.0.1')
    socket.write(rawRequest({ host: `courses.univ.localhost:${world.port}`, target: '/logout.php', lines }))
    await world.origin.until(() => logouts().length === 1)
    socket.destroy()
    await expect
      .poll(() => world.log.some(line => line.includes('/logout.php') && line.includes('"cut":true')))
      .toBe(true)
    answer()
    expect((await world.origin.exchange(1)).aborted).toBe(false)
    await isSignedOut()
  })

  it('cannot set our cookies', async () => {
    site.logoutAnswer = response => {
      response.setHeader('Set-Cookie', [
        `${siteCookie}=x; Path=/`,
        '__Host-Http-passerelle=x; Path=/',
        'own=1; Domain=univ.localhost',
      ])
      response.writeHead(200).end()
    }
    const done = await press()
    expect(done.cookiesSet).toEqual([`${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`, 'own=1'])
  })
})

describe('a store that does not answer', () => {
  afterEach(() => vi.restoreAllMocks())
  const storeDown = () => new GatewayError('session.store-down', 'a store that does not answer')

  it('at the end: a page says that it is not closed yet, nothing is forwarded, this process lets nobody in', async () => {
    const { store } = world.gateway
    vi.spyOn(store.records, 'take').mockRejectedValue(storeDown())
    const page = await press()
    expect(page.status).toBe(503)
    expect(page.header('retry-after')).toBe('5')
    expect(page.visibleText).toContain('Votre session n’est pas encore fermée')
    expect(page.forms).toEqual([])
    expect(page.header('content-security-policy')).toContain('sandbox')
    expect(page.cookiesSet).toEqual([`${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`])
    expect(page.links.map(({ href }) => href)).toContain(world.portal('/logout'))
    expect(logouts()).toEqual([])
    await isSignedOut()
    vi.restoreAllMocks()
    await expect.poll(() => world.events.some(({ name }) => name === 'session.ended')).toBe(true)
  })

  it('while the session is looked up: the same, though nobody knows who it is', async () => {
    const { store } = world.gateway
    // Nothing of it is remembered here.
    await store.ended.append({ kind: 'all', key: '', reason: 'a test' })
    vi.spyOn(store.records, 'read').mockRejectedValue(storeDown())
    vi.spyOn(store.records, 'take').mockRejectedValue(storeDown())
    const page = await press()
    expect(page.status).toBe(503)
    expect(page.visibleText).toContain('Votre session n’est pas encore fermée')
    expect(logouts()).toEqual([])
  })

  it('after the end: the session is over, the site hears of it, and the last page can only say less', async () => {
    vi.spyOn(world.gateway.store.once, 'put').mockRejectedValue(storeDown())
    const done = await press()
    expect(done.redirect?.href).toBe(world.portal('/signed-out'))
    expect(logouts()).toHaveLength(1)
    await isSignedOut()
  })
})
