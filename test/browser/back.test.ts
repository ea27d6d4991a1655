/**
 * Back after a sign-out, in Chromium with the back/forward cache on (docs/sessions.md A8, C5 11; SE-04): what was read on one
 * site is not shown again once the person has signed out of another.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'

let chromium: Chromium
let origin: Origin
const people: BrowserContext[] = []

beforeAll(async () => {
  chromium = await launchChromium()
  origin = await startOrigin({
    handler(request, response) {
      const { searchParams } = new URL(request.url ?? '/', 'http://site')
      const cache = searchParams.get('cache')
      if (cache !== null) response.setHeader('Cache-Control', cache)
      response.setHeader('Content-Type', 'text/html')
      const framed = searchParams.get('frame')
      if (framed !== null) return void response.end(`<!doctype html><iframe src="${framed}"></iframe>`)
      // `persisted`: the page was not loaded anew, but comes back as it was left.
      response.end(`<!doctype html><title>secret</title><p id="secret">SECRET of ${request.headers['x-remote-user']}</p>
<p id="how">loaded</p><script>addEventListener('pageshow', event => { if (event.persisted) how.textContent = 'kept' })</script>`)
    },
  })
})
afterEach(async () => {
  await Promise.all(people.splice(0).map(person => person.close()))
})
afterAll(async () => {
  await chromium?.close()
  await origin?.stop()
})

const site = (id: string) => `
  - id: ${id}
    title: Site ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }`

async function start(domain: string, more = ''): Promise<TestGateway> {
  const resources = ['app', 'plain'].map(site).join('') + more
  return startTestGateway({ resources: resources.replaceAll('$ORIGIN', origin.url), domain, login: 'form' })
}

async function arrive(
  world: TestGateway,
  path: string,
  options: { readonly javaScriptEnabled?: boolean } = {},
): Promise<Page> {
  const context = await chromium.browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(60_000)
  people.push(context)
  const page = await context.newPage()
  await page.goto(world.url('app', path))
  await signIn(world, page, path)
  return page
}

async function signIn(world: TestGateway, page: Page, path: string): Promise<void> {
  await page.fill('[name=name]', 'alice')
  await page.fill('[name=password]', 'alice')
  await page.click('button')
  await page.waitForURL(world.url('app', path))
}

/** Until the page is there with all its frames. */
async function signOut(world: TestGateway, page: Page): Promise<void> {
  await page.goto(world.portal('/logout'))
  // The page goes on to the provider after two seconds; this holds it where it is.
  await page.route(`${world.provider.issuer}/**`, () => {})
  await page.click('text=Sign me out', { noWaitAfter: true })
  await page.waitForURL('**/signed-out?o=*', { waitUntil: 'load' })
}

/** Back, and what then stands there: playwright's own waits for an event that a page from the cache does not send. */
async function back(page: Page): Promise<void> {
  await page.evaluate('setTimeout(() => history.back())')
}

describe.each([
  ['on one site', 'univ.localhost'],
  ['on sites that are foreign to each other', 'localhost'],
])('portal and sites %s', (_, domain) => {
  let world: TestGateway
  beforeAll(async () => {
    world = await start(domain)
  })
  afterAll(() => world.stop())

  /** A tab that has read a secret of one site and is at another now; the page of the first is in the back/forward cache. */
  async function twoSites(cache: string): Promise<Page> {
    const page = await arrive(world, `/secret?cache=${encodeURIComponent(cache)}`)
    await page.goto(world.url('plain', '/other'))
    return page
  }

  it.each(['', 'private', 'no-store', 'private, no-cache', 'max-age=3600'])(
    'show nothing of what was read with Cache-Control %j (C5 11)',
    async cache => {
      const page = await twoSites(cache)
      const other = await page.context().newPage()
      await signOut(world, other)
      await back(page)
      await page.waitForURL(url => url.href.startsWith(world.provider.issuer))
      expect(await page.locator('[name=password]').count()).toBe(1)
      expect(await page.locator('#secret').count()).toBe(0)
    },
  )

  it('would show it from the back/forward cache without the frames: the reason for all this', async () => {
    const page = await twoSites('')
    const other = await page.context().newPage()
    await page.context().route('**/.passerelle/leave?*', route => route.abort())
    await signOut(world, other)
    await back(page)
    await page.waitForURL(world.url('app', '/secret?cache='), { waitUntil: 'commit' })
    await page.waitForFunction("document.getElementById('how').textContent === 'kept'")
    expect(await page.textContent('#secret')).toBe('SECRET of alice')
  })

  it('show nothing in the very tab of the sign-out either', async () => {
    const page = await twoSites('')
    await signOut(world, page)
    // From /signed-out over /logout and the other site to the secret.
    await page.evaluate('setTimeout(() => history.go(-3))')
    await page.unroute(`${world.provider.issuer}/**`)
    await page.waitForURL(url => url.href.startsWith(world.provider.issuer))
    expect(await page.locator('#secret').count()).toBe(0)
  })
})

describe('the page of the sign-out', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  let world: TestGateway
  beforeAll(async () => {
    world = await start(
      'univ.localhost',
      `${site('deaf')}
    logout: { notify: { path: /bye } }`,
    )
  })
  afterAll(() => world.stop())
  const isLeave = (url: string) => url.startsWith(world.url('app', '/.passerelle/leave?t='))

  it('works without JavaScript: the frames are left, and the header leads on', async () => {
    const page = await arrive(world, '/secret', { javaScriptEnabled: false })
    await page.goto(world.portal('/logout'))
    const left = page.waitForResponse(response => isLeave(response.url()))
    await page.click('text=Sign me out', { noWaitAfter: true })
    expect((await (await left).allHeaders())['clear-site-data']).toBe('"cache"')
    await page.waitForURL(url => url.href.startsWith(world.provider.issuer))
  })

  it('has frames that its own policy admits, and that nobody sees', async () => {
    const page = await arrive(world, '/secret')
    const complaints: string[] = []
    page.on('console', message => complaints.push(message.text()))
    await signOut(world, page)
    const cleared = /^Clear-Site-Data header on .*leave\?t=[\w-]+': Cleared data types: "cache"\.$/
    await expect.poll(() => complaints).toEqual([expect.stringMatching(cleared)])
    expect(await page.locator('iframe').count()).toBe(1)
    expect(await page.locator('iframe').isVisible()).toBe(false)
    const size: number = await page.evaluate('document.documentElement.scrollHeight - innerHeight')
    expect(size).toBeLessThanOrEqual(0)

    expect(page.frames()[1]?.url()).toSatisfy(isLeave)
  })

  it('is the only one that may have such a frame', async () => {
    const leaver = await arrive(world, '/secret')
    await leaver.goto(world.url('plain', '/other'))
    await signOut(world, leaver)
    const address =
      leaver
        .frames()
        .find(frame => frame.url().includes('plain.'))
        ?.url() ?? ''
    expect(address).toContain('/.passerelle/leave?t=')
    const page = await arrive(world, `/framing?frame=${encodeURIComponent(address)}`)
    await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/')
  })

  it('has nothing that axe finds, between and at the end, wide and on a phone', async () => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 360, height: 740 },
    ]) {
      const context = await chromium.browser.newContext({ locale: 'en-GB', bypassCSP: true, viewport })
      people.push(context)
      const page = await context.newPage()
      await page.goto(world.url('app', '/secret'))
      await signIn(world, page, '/secret')
      await page.goto(world.url('deaf', '/secret'))
      await signOut(world, page)
      const findings = async () => {
        await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true')
        await page.evaluate(axe)
        const results: AxeResults = await page.evaluate('axe.run({ resultTypes: ["violations"] })')
        return results.violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 120)}`))
      }
      expect(await findings()).toEqual([])
      await page.goto(page.url().replace('?o=', '?state='))
      expect(await page.textContent('h1')).toBe('Your session is closed')
      expect(await findings()).toEqual([])
    }
  })
})
