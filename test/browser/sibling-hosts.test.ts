/**
 * docs/sessions.md A6 and C5 3, 4, 12, in Chromium: what a script of another host can do to people who are signed in, where
 * that host and ours have one registrable domain. To a browser they are one site: it sends our SameSite cookies along.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { until } from '../stand-in/measure.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let chromium: Chromium
/** A host beside ours that is no site of ours: an abandoned blog, a student's page. */
let sibling: Server
let person: BrowserContext
let page: Page
/** Of each request of the page: its address, and its Cookie line as it went out on the wire. */
const sentTo = new Map<string, string>()
const cookieLines = new Map<string, string>()
beforeAll(async () => {
  sibling = createServer((_, response) => void response.setHeader('Content-Type', 'text/html').end('<h1>A blog</h1>'))
  await new Promise<void>(resolve => sibling.listen(0, '127.0.0.1', resolve))
  world = await startTwoIdps({
    domain: 'univ.localhost',
    resources: aSite('app', ['idps: [op]']) + aSite('weak', ['idps: [op]'], { policy: 'public' }),
    more: 'log: { level: info }',
    openPaths: /^\/(weak|favicon)/,
    origin: {
      handler(request, response, recorded) {
        const cleared = request.url?.startsWith('/weak/clears') === true
        if (cleared) response.setHeader('Clear-Site-Data', '"cookies", "storage"')
        if (request.url?.startsWith('/weak/sets'))
          response.setHeader('Set-Cookie', [
            'PHPSESSID=from-the-weak-site; Domain=univ.localhost; Path=/',
            '__Host-Http-passerelle-site=forged; Domain=univ.localhost; Path=/',
            '__host-http-passerelle=forged; Path=/',
          ])
        answerPath(request, response, recorded)
      },
    },
  })
  chromium = await launchChromium()
})
beforeEach(async () => {
  person = await chromium.person('en')
  page = await person.newPage()
  await watchCookies()
  await page.goto(app())
  expect(page.url()).toBe(app())
  world.origin.forget()
})
afterEach(async () => {
  await person.close()
  world.invariants()
  world.op.reset()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
  sibling.close()
  sibling.closeAllConnections()
})

const app = (path = '/echo') => world.url('app', path)
const blog = (host = 'blog.univ.localhost') => `http://${host}:${(sibling.address() as AddressInfo).port}/`
const farAway = () => blog('blog.elsewhere.localhost')
const crossOrigin = () => world.events.filter(({ name }) => name === 'request.cross-origin')

/** What the sites were asked for, but for the icons that a browser looks for by itself. */
const heard = () =>
  world.origin.requests.map(({ method, url }) => `${method} ${url}`).filter(one => !one.includes('favicon'))

/** Without having been to the idp again. */
async function stillSignedIn(): Promise<boolean> {
  const asked = world.op.count('authorize')
  const answer = await page.goto(app('/echo?still'))
  const text = await answer?.text()
  return world.op.count('authorize') === asked && text?.includes('"X-Remote-User","alice"') === true
}

/** Playwright's own view has the headers of what a page may read, and no others. */
async function watchCookies(): Promise<void> {
  const network = await person.newCDPSession(page)
  sentTo.clear()
  network.on('Network.requestWillBeSent', ({ requestId, request }) => sentTo.set(requestId, request.url))
  network.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) =>
    cookieLines.set(requestId, headers.Cookie ?? ''),
  )
  await network.send('Network.enable')
}

/** With the last request to this address. */
async function cookieSentTo(url: string): Promise<string> {
  const last = () => [...sentTo].findLast(([, address]) => address === url)?.[0] ?? ''
  await until(`the headers of ${url}`, () => cookieLines.has(last()), 5_000)
  return cookieLines.get(last()) ?? ''
}

/** In the page: asks without being able to read, as an attacker's script does. */
async function ask(method: string, url: string): Promise<string> {
  const lines = world.log.length
  await page.evaluate(
    `fetch(${JSON.stringify(url)}, { method: '${method}', mode: 'no-cors', credentials: 'include' }).catch(() => {})`,
  )
  const { pathname } = new URL(url)
  const line = () => world.log.slice(lines).find(one => JSON.parse(one).path === pathname)
  await until(`the line of ${method} ${pathname}`, () => line() !== undefined, 5_000)
  const sent = await cookieSentTo(url)
  return `${JSON.parse(line() ?? '{}').status}${sent.includes('__Host-Http-passerelle') ? ' with our cookie' : ''}`
}

/** In the page: a form that sends itself. */
async function send(url: string, fields: Readonly<Record<string, string>> = {}): Promise<number> {
  const from = page.url()
  const [answer] = await Promise.all([
    page.waitForResponse(response => response.url() === url && response.request().method() === 'POST'),
    page.waitForURL(address => address.href !== from),
    page.evaluate(
      `{ const form = document.createElement('form'); form.method = 'post'; form.action = ${JSON.stringify(url)}
         for (const [name, value] of Object.entries(${JSON.stringify(fields)})) {
           const input = document.createElement('input'); input.name = name; input.value = value; form.append(input) }
         document.body.append(form); form.submit() }`,
    ),
  ])
  return answer.status()
}

describe('a script of a sibling host (A6, C5 12)', () => {
  beforeEach(async () => {
    await page.goto(blog())
  })

  it('brings the portal’s cookie along, and yet signs nobody out, in or over', async () => {
    const before = crossOrigin().length
    expect(await ask('POST', world.portal('/logout'))).toBe('403 with our cookie')
    expect(await ask('POST', world.portal('/login'))).toBe('403 with our cookie')
    expect(crossOrigin().slice(before)).toEqual(Array(2).fill({ name: 'request.cross-origin', resource: null }))
    // The idp's reply may come from any site: it is worth what its state is worth.
    expect(await ask('POST', world.portal('/callback/op'))).toBe('400 with our cookie')
    expect(await ask('GET', world.portal('/logout'))).toBe('200 with our cookie')
    expect(await stillSignedIn()).toBe(true)
  })

  it('does so by a form no more than by fetch, with a page that says why', async () => {
    for (const [path, status] of [
      ['/logout', 403],
      ['/login', 403],
      ['/callback/op', 400],
    ] as const) {
      await page.goto(blog())
      expect(await send(world.portal(path), { token: 'guessed', idp: 'op' }), path).toBe(status)
    }
    expect(await stillSignedIn()).toBe(true)
  })

  it('sends a site nothing that could change anything there', async () => {
    const before = crossOrigin().length
    expect(await ask('POST', app())).toBe('403 with our cookie')
    const beacon = page.waitForEvent('requestfinished', request => request.url() === app('/echo?beacon'))
    await page.evaluate(`navigator.sendBeacon(${JSON.stringify(app('/echo?beacon'))}, 'x')`)
    expect((await (await beacon).response())?.status()).toBe(403)
    await page.evaluate(
      `fetch(${JSON.stringify(app('/echo?put'))}, { method: 'PUT', credentials: 'include' }).catch(() => {})`,
    )
    expect(await send(app(), { transfer: 'all' })).toBe(403)
    expect(await page.textContent('h1')).toBe('This was sent from another site')
    expect(heard()).toEqual([])
    expect(crossOrigin().slice(before)).toEqual(Array(3).fill({ name: 'request.cross-origin', resource: 'app' }))
  })

  it('opens no WebSocket, to a site or to the portal', async () => {
    const outcome = (url: string) =>
      page.evaluate<string>(
        `new Promise(resolve => { const socket = new WebSocket(${JSON.stringify(url.replace('http', 'ws'))})
           socket.onopen = () => resolve('open'); socket.onclose = () => resolve('refused') })`,
      )
    expect(await outcome(app('/ws'))).toBe('refused')
    expect(crossOrigin().at(-1)).toEqual({ name: 'request.cross-origin', resource: 'app' })
    expect(await outcome(world.portal('/ws'))).toBe('refused')
    expect(heard()).toEqual([])
    await page.goto(app('/page'))
    expect(await outcome(app('/ws'))).toBe('open')
  })

  it('plants none of our cookies, with whatever Domain and Path', async () => {
    const names = ['', '-site', '-p-AAAAAAAA', '-s-AAAAAAAA', '-n-AAAAAAAA', '-fresh', '-form']
    const planted = await page.evaluate<string>(
      `{ for (const name of ${JSON.stringify(names)})
           for (const more of ['; Domain=univ.localhost; Path=/', '; Domain=univ.localhost; Path=/echo', '; Path=/', ''])
             for (const secure of ['; Secure', '']) document.cookie = '__Host-Http-passerelle' + name + '=planted' + more + secure
         document.cookie }`,
    )
    expect(planted).toBe('')
    expect((await person.cookies()).filter(({ value }) => value === 'planted')).toEqual([])
    expect(await stillSignedIn()).toBe(true)
  })

  it('does plant a site’s own cookie, PHPSESSID: whose the request is, the site hears from us', async () => {
    // Read back: the browser stores it in its own time.
    const planted = await page.evaluate(
      "document.cookie = 'PHPSESSID=planted; Domain=univ.localhost; Path=/'; document.cookie",
    )
    expect(planted).toBe('PHPSESSID=planted')
    await page.goto(app('/echo?planted'))
    const request = world.origin.requests.find(({ url }) => url === '/echo?planted')
    expect([request?.header('cookie'), request?.header('x-remote-user')]).toEqual(['PHPSESSID=planted', 'alice'])
  })

  it('can fill the browser with cookies: then every host of ours says so, drops its own and says what helps', async () => {
    await page.evaluate(
      "for (let i = 0; i < 60; i++) document.cookie = 'flood' + i + '=' + 'x'.repeat(4000) + '; Domain=univ.localhost; Path=/'",
    )
    for (const url of [app(), world.portal('/')]) {
      const answer = await page.goto(url)
      expect(answer?.status(), url).toBe(431)
      expect(answer?.headers()['content-security-policy']).toMatch(/^sandbox /)
      expect(await page.textContent('h1')).toMatch(/^(Too many|Trop de) cookies/)
    }
    expect(heard()).toEqual([])
    await person.clearCookies({ name: /^flood/ })
    await page.goto(app('/echo?still'))
    expect(page.url()).toBe(app('/echo?still'))
  })
})

describe('a site of ours that an attacker holds', () => {
  it('cannot make the browser forget anybody’s cookies (Clear-Site-Data), nor give a cookie to other sites', async () => {
    await page.goto(world.url('weak', '/weak/clears'))
    await page.goto(world.url('weak', '/weak/sets'))
    const cookies = await person.cookies()
    expect(cookies.filter(({ value }) => value === 'forged')).toEqual([])
    expect(cookies.filter(({ name }) => name === 'PHPSESSID').map(({ domain }) => domain)).toEqual([
      'weak.univ.localhost',
    ])
    world.origin.forget()
    expect(await stillSignedIn()).toBe(true)
    expect(world.origin.requests.find(({ url }) => url === '/echo?still')?.header('cookie')).toBeNull()
  })
})

describe('a cookie bomb on /.passerelle/ (C5 3)', () => {
  beforeEach(async () => {
    await page.goto(app('/page'))
    await page.evaluate(
      "for (let i = 0; i < 6; i++) document.cookie = 'bomb' + i + '=' + 'x'.repeat(4000) + '; Path=/.passerelle/'",
    )
  })

  /** What the opener's script can read of the window that it opened, once the window has arrived there. */
  async function readable(url: string, arrived: RegExp): Promise<{ readonly status: number; readonly read: string }> {
    const [popup, answer] = await Promise.all([
      person.waitForEvent('page'),
      person.waitForEvent('response', response => arrived.test(response.url())),
      page.evaluate(`window.opened = window.open(${JSON.stringify(url)}); undefined`),
    ])
    await popup.waitForLoadState()
    const read = await page.evaluate<string>(
      'try { String(opened.location.href) + String(opened.document.body.innerText) } catch (error) { error.name }',
    )
    return { status: answer.status(), read }
  }

  it('leaves a ticket’s address unread by the script that opened the window', async () => {
    const n = 'A'.repeat(43)
    const enter = world.portal(`/enter?to=${encodeURIComponent(app())}&n=${n}&a=1`)
    const { status, read } = await readable(enter, /\/\.passerelle\/enter\?t=/)
    expect(status).toBe(431)
    expect(read).not.toContain('.passerelle')
  })

  it('and every page of ours there, however it was reached', async () => {
    const at431 = await readable(app('/.passerelle/enter?t=secret'), /\/\.passerelle\/enter\?t=/)
    expect(at431).toEqual({ status: 431, read: 'SecurityError' })
    await page.evaluate("for (let i = 0; i < 6; i++) document.cookie = 'bomb' + i + '=; Max-Age=0; Path=/.passerelle/'")
    const unknown = await readable(app('/.passerelle/framed?secret'), /\/\.passerelle\/framed/)
    expect(unknown).toEqual({ status: 200, read: 'SecurityError' })
  })
})

describe('an idp’s reply by POST from another site (C5 4)', () => {
  it('comes without our cookies, and ends signed in where the person was going', async () => {
    await person.clearCookies()
    // The person never gets to the provider: the address of its page is all that is wanted.
    const network = await person.newCDPSession(page)
    await network.send('Fetch.enable', { patterns: [{ urlPattern: `${world.op.issuer}/*` }] })
    const led = new Promise<string>(resolve => {
      network.on('Fetch.requestPaused', ({ requestId, request }) => {
        resolve(request.url)
        network.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }).catch(() => {})
      })
    })
    await page.goto(app('/echo?posted')).catch(() => {})
    const reply = world.op.authorize(new URL(await led), 'alice')
    page = await person.newPage()
    await page.goto(farAway())
    const posted = page.waitForRequest(request => request.method() === 'POST')
    expect(await send(world.portal('/callback/op'), Object.fromEntries(reply.searchParams))).toBe(303)
    expect((await (await posted).allHeaders()).cookie).toBeUndefined()
    await page.waitForURL(app('/echo?posted'))
    expect(await stillSignedIn()).toBe(true)
  })
})
