/** Our pages as a browser sees them: under the policies that they are served with, at every width, for every reader. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { AxeResults } from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { icon } from '../../src/pages/icon.ts'
import { stylesheet } from '../../src/pages/stylesheet.ts'
import { evilAddresses, hostilePages } from '../pages/hostile.ts'
import { everyPage, plainSite, type Sample } from '../pages/samples.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'

const portalPolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
const sitePolicy =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const pathOf = ({ place, language, name }: Sample) => `/${place}/${language}/${name}`

// Each page once, with both languages in it: as it stands on a resource's host, or where it never does, on the portal.
const samples = everyPage()
const looked = [
  ...samples.filter(({ place, language }) => place === 'site' && language === 'fr'),
  ...samples.filter(
    ({ place, language, name }) =>
      place === 'one-shot' && language === 'en' && !/^(failure|refused)-|^(refused|not-sent|framed)$/.test(name),
  ),
]
const failures = looked.filter(({ name }) => name.startsWith('failure-'))
const others = looked.filter(sample => !failures.includes(sample))
const drawn = failures.filter(({ name }) => /^failure-(origin.timeout|login.cookies|logout|policy)/.test(name))
const withLink = samples.filter(
  ({ place, language, name }) => place === 'portal' && language === 'fr' && /^(front|choose|as-last)/.test(name),
)
const plain = everyPage(plainSite)
  .filter(
    ({ place, language, name }) =>
      place === 'one-shot' &&
      language === 'fr' &&
      /^(refused|front|closed-shared|framed|failure-(login.cookies|origin.timeout))$/.test(name),
  )
  .map(sample => ({ ...sample, name: `plain-${sample.name}` }))
const hostile = hostilePages(evilAddresses[0] ?? '')
  .filter(
    ({ place, language, name }) =>
      (place === 'site') === (language === 'fr') &&
      (!name.startsWith('failure-') || /cookies|unknown-host|origin.timeout/.test(name)),
  )
  .map(sample => ({ ...sample, name: `hostile-${sample.name}` }))
const html = new Map(
  [
    ...looked,
    ...withLink,
    ...samples.filter(({ name }) => ['framed', 'chooser'].includes(name)),
    ...plain,
    ...hostile,
  ].map(sample => [pathOf(sample), sample.html]),
)

let server: Server
let chromium: Chromium
let origin = ''
const posted: string[] = []

const files: Readonly<Record<string, readonly [string, string]>> = {
  '/passerelle.css': ['text/css', stylesheet],
  '/.passerelle/passerelle.css': ['text/css', stylesheet],
  '/passerelle.svg': ['image/svg+xml', icon],
  '/outer': ['text/html', '<!doctype html><iframe src="/site/en/framed"></iframe>'],
}

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
    const [type, text] = files[pathname] ?? ['text/html; charset=utf-8', html.get(pathname)]
    response.setHeader('Content-Type', type)
    const policy = pathname.startsWith('/site/') ? sitePolicy : portalPolicy
    const framed = pathname.endsWith('/framed') ? policy.replace("frame-ancestors 'none'", 'frame-ancestors *') : policy
    if (pathname !== '/outer') response.setHeader('Content-Security-Policy', framed)
    response.statusCode = text === undefined ? 404 : 200
    response.end(text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  chromium = await launchChromium()
})

afterAll(async () => {
  await chromium?.close()
  server?.closeAllConnections()
  server?.close()
})

async function withPage<Result>(
  options: BrowserContextOptions,
  look: (page: Page) => Promise<Result>,
): Promise<Result> {
  const context = await chromium.browser.newContext(options)
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

/** axe waits by timers, which a sandboxed page does not run: the policies are lifted here, and here only. */
async function findingsOf(options: BrowserContextOptions, pages: readonly Sample[]): Promise<readonly string[]> {
  return withPage({ ...options, bypassCSP: true }, async page => {
    const found: string[] = []
    for (const sample of pages) {
      await open(page, sample)
      found.push(...(await findings(page)).map(finding => `${pathOf(sample)} ${finding}`))
    }
    return found
  })
}

describe('axe finds nothing', () => {
  const wide = { viewport: { width: 1280, height: 800 } }
  const phone = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const

  it('on a failure', async () => {
    expect(await findingsOf(wide, failures)).toEqual([])
  })

  it('on any other page', async () => {
    expect(await findingsOf(wide, [...others, ...withLink])).toEqual([])
  })

  it('on a phone, in the dark', async () => {
    expect(await findingsOf(phone, [...others, ...drawn])).toEqual([])
  })

  it('where nothing is configured', async () => {
    expect(await findingsOf(phone, plain)).toEqual([])
  })
})

/** How each shape is drawn, in the order of the page. */
const looks = `[...document.querySelectorAll('svg :not(g)')].map(shape => {
  const { fill, stroke, strokeWidth } = getComputedStyle(shape), { width, height } = shape.getBoundingClientRect()
  return [shape.localName, fill, stroke, strokeWidth, width, height].join(' ')
})`
const bare = `for (const svg of document.querySelectorAll('svg'))
  for (const name of ['fill', 'stroke', 'width', 'height']) svg.removeAttribute(name)`

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
      for (const sample of [...looked, ...withLink]) {
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

  it('drawings look as the style sheet says, whatever they say of themselves for a page without one', async () => {
    await withPage({}, async page => {
      for (const sample of [...drawn, ...withLink, ...others]) {
        await open(page, sample)
        const before = await page.evaluate<readonly string[]>(looks)
        await page.evaluate(bare)
        expect(before, pathOf(sample)).toEqual(await page.evaluate<readonly string[]>(looks))
      }
    })
  })

  it('whatever names hold, a page has only our own elements, attributes and kinds of address', async () => {
    const odd = await withPage({}, async page => {
      const found = new Set<string>()
      for (const sample of hostile) {
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
  const elements = 'html head meta nav section title link body a header div svg g path circle text span b small main p h1 h2 h3 h4 ul ol li dl dt dd br bdi figure form fieldset legend label input button details summary footer iframe'
  const attributes = 'lang charset name content rel href type class id tabindex hreflang target aria-current aria-hidden aria-label role viewBox preserveAspectRatio width height fill stroke stroke-width d x y cx cy r method action autocomplete autocapitalize inputmode maxlength spellcheck required checked value open hidden src for aria-describedby aria-invalid'
  const odd = elements.split(' ').includes(element.localName) ? [] : ['element ' + element.localName]
  for (const { name } of element.attributes) if (!attributes.split(' ').includes(name)) odd.push('attribute ' + name)
  for (const address of [element.href, element.action, element.src]) {
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
      for (const sample of looked) {
        await open(page, sample)
        for (const size of ['100%', '200%']) {
          const over: number = await page.evaluate(
            `document.documentElement.style.fontSize = '${size}'; document.documentElement.scrollWidth - innerWidth`,
          )
          if (over > 0) found.push(`${pathOf(sample)} at ${size} by ${over}px`)
        }
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
