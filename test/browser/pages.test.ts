/** Our pages as a browser sees them: under the policies that they are served with, at every width, for every reader. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { AxeResults } from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { icon } from '../../src/pages/icon.ts'
import { stylesheet } from '../../src/pages/stylesheet.ts'
import { evilAddresses, hostilePages } from '../pages/hostile.ts'
import { everyPage, plainSite, type Sample } from '../pages/samples.ts'

const portalPolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
const sitePolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const samples = everyPage()
const pathOf = ({ place, language, name }: Sample) => `/${place}/${language}/${name}`
const plain = everyPage(plainSite).map(sample => ({ ...sample, name: `plain-${sample.name}` }))
const hostile = evilAddresses.flatMap((address, index) =>
  hostilePages(address).map(sample => ({ ...sample, name: `hostile-${index}-${sample.name}` })),
)
const html = new Map([...samples, ...plain, ...hostile].map(sample => [pathOf(sample), sample.html]))

// Texts and structure differ between languages and places only in the frame: each page once at each place is enough.
const representative = samples.filter(({ place, language }) => (place === 'one-shot') === (language === 'en'))

let server: Server
let browser: Browser
let origin = ''
const posted: string[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://portal')
    if (request.method === 'POST') {
      let body = ''
      request.setEncoding('utf8').on('data', chunk => {
        body += chunk
      })
      request.on('end', () => response.end(String(posted.push(body))))
      return
    }
    if (pathname.endsWith('/passerelle.css')) return response.setHeader('Content-Type', 'text/css').end(stylesheet)
    if (pathname === '/passerelle.svg') return response.setHeader('Content-Type', 'image/svg+xml').end(icon)
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    if (pathname === '/outer') return response.end('<!doctype html><iframe src="/site/en/framed"></iframe>')
    const policy = pathname.startsWith('/site/') ? sitePolicy : portalPolicy
    const framed = pathname.endsWith('/framed') ? policy.replace("frame-ancestors 'none'", 'frame-ancestors *') : policy
    response.setHeader('Content-Security-Policy', framed)
    response.statusCode = html.has(pathname) ? 200 : 404
    response.end(html.get(pathname) ?? 'no such page')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
})

afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})

/** Opens a page, looks, and says what the browser complained of and asked for meanwhile. */
async function withPage<Result>(
  options: BrowserContextOptions,
  look: (page: Page) => Promise<Result>,
): Promise<Result> {
  const context = await browser.newContext(options)
  try {
    return await look(await context.newPage())
  } finally {
    await context.close()
  }
}

/** Both languages are looked at where a page has both. */
async function open(page: Page, sample: Sample): Promise<void> {
  await page.goto(origin + pathOf(sample))
  await page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true')
}

async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  const results: AxeResults = await page.evaluate('axe.run({ resultTypes: ["violations"] })')
  return results.violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 120)}`))
}

async function findingsOf(options: BrowserContextOptions, looked: readonly Sample[]): Promise<readonly string[]> {
  return withPage(options, async page => {
    const found: string[] = []
    for (const sample of looked) {
      await open(page, sample)
      found.push(...(await findings(page)).map(finding => `${pathOf(sample)} ${finding}`))
    }
    return found
  })
}

describe('axe finds nothing', () => {
  const other = representative.filter(({ name }) => !name.startsWith('failure-'))
  const drawn = representative.filter(({ name }) => /^failure-(origin.timeout|login.cookies|logout|policy)/.test(name))

  it('on a failure, in the light', async () => {
    const failures = representative.filter(({ name, place }) => name.startsWith('failure-') && place !== 'portal')
    expect(await findingsOf({ viewport: { width: 1280, height: 800 } }, failures)).toEqual([])
  })

  it('on any other page, in the light', async () => {
    expect(await findingsOf({ viewport: { width: 1280, height: 800 } }, [...other, ...drawn])).toEqual([])
  })

  it('on a phone, in the dark', async () => {
    const options = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const
    expect(await findingsOf(options, [...other, ...drawn])).toEqual([])
  })

  it('where nothing is configured', async () => {
    const looked = plain.filter(({ place, name }) => place !== 'one-shot' && /refused|front|cookies|framed/.test(name))
    expect(await findingsOf({ viewport: { width: 360, height: 740 } }, looked)).toEqual([])
  })
})

describe('under the strict policies', () => {
  it('every page is styled, fetches only its stylesheet and icon, and the browser complains of nothing', async () => {
    const seen = await withPage({}, async page => {
      const complaints: string[] = []
      const fetched = new Set<string>()
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('request', request => {
        if (!request.isNavigationRequest()) fetched.add(new URL(request.url()).pathname)
      })
      for (const sample of representative) {
        await open(page, sample)
        const font: string = await page.evaluate('getComputedStyle(document.querySelector("h1")).fontFamily')
        if (!font.includes('Palatino')) complaints.push(`${pathOf(sample)} is not styled`)
      }
      return { complaints, fetched: [...fetched].sort() }
    })
    expect(seen.complaints).toEqual([])
    expect(seen.fetched).toEqual(expect.arrayContaining(['/.passerelle/passerelle.css', '/passerelle.css']))
    expect(seen.fetched.filter(path => !/^\/(\.passerelle\/)?passerelle\.(css|svg)$/.test(path))).toEqual([])
  })

  it('whatever names hold, a page has only our own elements, attributes and kinds of address', async () => {
    const odd = await withPage({}, async page => {
      const found = new Set<string>()
      for (const sample of hostile.filter(({ name }) => /hostile-[0369]-/.test(name))) {
        await open(page, sample)
        for (const one of await page.evaluate<string[]>(oddities)) found.add(`${pathOf(sample)} ${one}`)
      }
      return [...found]
    })
    expect(odd).toEqual([])
  })
})

/** Runs in the page: elements and attributes that no page of ours has, and addresses of another kind or host. */
const oddities = `[...document.querySelectorAll('*')].flatMap(element => {
  const elements = 'html head meta title link body a header div svg g path circle text span b small main p h1 h2 h3 ul ol li dl dt dd br bdi figure form input button details summary footer'
  const attributes = 'lang charset name content rel href type class id tabindex hreflang target aria-hidden aria-label role viewBox preserveAspectRatio stroke-width d x y cx cy r method action autocomplete value open'
  const odd = elements.split(' ').includes(element.localName) ? [] : ['element ' + element.localName]
  for (const { name } of element.attributes) if (!attributes.split(' ').includes(name)) odd.push('attribute ' + name)
  for (const address of [element.href, element.action]) {
    if (typeof address !== 'string' || address === '') continue
    const url = new URL(address)
    if (!['http:', 'mailto:', 'https:'].includes(url.protocol) || url.host.includes('evil')) odd.push('address ' + address)
  }
  return odd
})`

describe('on a narrow screen', () => {
  it('no page has to be scrolled sideways at 320 px, nor at twice the text size', async () => {
    const wide = await withPage({ viewport: { width: 320, height: 640 } }, async page => {
      const found: string[] = []
      for (const sample of representative)
        for (const size of ['100%', '200%']) {
          await open(page, sample)
          await page.evaluate(`document.documentElement.style.fontSize = '${size}'`)
          const over: number = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
          if (over > 0) found.push(`${pathOf(sample)} at ${size} by ${over}px`)
        }
      return found
    })
    expect(wide).toEqual([])
  })
})

describe('a reader', () => {
  it('chooses an account with the keyboard alone', async () => {
    await withPage({}, async page => {
      await page.goto(`${origin}/portal/fr/chooser`)
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Aller au contenu')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Fédération Renater')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/login')
    })
    expect(Object.fromEntries(new URLSearchParams(posted.at(-1)))).toEqual({
      to: 'https://cours.example.org/',
      token: 't',
      idp: 'renater',
    })
  })

  it('finds the other language on a page that cannot be asked again, in a sandbox too', async () => {
    await withPage({}, async page => {
      await page.goto(`${origin}/site/fr/refused`)
      const english = page.getByRole('heading', { name: 'This account does not open Nature' })
      expect(await english.isVisible()).toBe(false)
      await page.getByRole('link', { name: 'English', exact: true }).click()
      expect(await english.isVisible()).toBe(true)
    })
  })

  it('gets out of a frame by one link, into a window that no sandbox holds', async () => {
    await withPage({}, async page => {
      await page.goto(`${origin}/outer`)
      await page
        .context()
        .route('https://cours.example.org/**', route =>
          route.fulfill({ contentType: 'text/html', body: '<script>document.title = "free"</script>' }),
        )
      const popup = page.context().waitForEvent('page')
      await page.frameLocator('iframe').getByRole('link', { name: 'Open Online courses in a new window' }).click()
      const window = await popup
      await window.waitForLoadState()
      expect(await window.title()).toBe('free')
      expect(await window.evaluate('window.opener')).toBeNull()
    })
  })
})
