/**
 * Real Chromium for the browser tests, through playwright-core: the browser of this machine, nothing downloaded. It
 * resolves *.localhost to the loopback by itself and takes Secure cookies there.
 */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page, type Route } from 'playwright-core'

export interface Chromium {
  /** Playwright's own, for what is not here. */
  readonly browser: Browser
  /** A person's browser: cookies and history of its own. Close it by `context.close()`, or leave it to `close`. */
  readonly person: (language: 'fr' | 'en') => Promise<BrowserContext>
  /** A page of a new person at this address. `page.context()` gives the person, for more tabs. */
  readonly open: (language: 'fr' | 'en', url: string) => Promise<Page>
  readonly close: () => Promise<void>
}

/** For every wait of playwright: it ends what hangs. */
const withinMs = 60_000

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/**
 * @throws Error no Chromium on this machine, with what to do about it
 */
export async function launchChromium(): Promise<Chromium> {
  const browser = await chromium.launch(howToLaunch())
  const person = async (language: 'fr' | 'en') => {
    const context = await browser.newContext({ locale: language === 'fr' ? 'fr-FR' : 'en-GB' })
    context.setDefaultTimeout(withinMs)
    return context
  }
  return {
    browser,
    person,
    open: async (language, url) => {
      const page = await (await person(language)).newPage()
      await page.goto(url)
      return page
    },
    close: () => browser.close(),
  }
}

/**
 * A browser that keeps what it has in a folder, as people's do: closed and launched again on the same folder with
 * `restores`, it opens the tabs that it had, all at once.
 */
export async function launchOnDisk(folder: string, restores = false): Promise<BrowserContext> {
  const how = howToLaunch()
  const context = await chromium.launchPersistentContext(folder, {
    ...how,
    args: [...how.args, ...(restores ? ['--restore-last-session'] : [])],
    locale: 'en-GB',
  })
  context.setDefaultTimeout(withinMs)
  return context
}

function howToLaunch() {
  return {
    executablePath: chromiumPath(),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
    ],
    timeout: 120_000,
    // Playwright switches the back/forward cache off; people have it on, and the back button after a sign-out is a test.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  }
}

/**
 * Requests to this origin wait, so that a page that leads on by itself is still there however long a test looks at it.
 *
 * @returns lets them go, and all that come later
 */
export async function holdBack(page: Page, origin: string): Promise<() => Promise<void>> {
  const waiting: Route[] = []
  const there = (url: URL) => url.origin === origin
  const keep = (route: Route) => {
    waiting.push(route)
  }
  await page.route(there, keep)
  return async () => {
    await page.unroute(there, keep)
    // Of what was given up meanwhile nothing can be let go.
    await Promise.all(waiting.map(route => route.continue().catch(() => {})))
  }
}

/** From the environment variable CHROMIUM, else from the usual places. */
function chromiumPath(): string {
  const named = process.env.CHROMIUM
  if (named !== undefined && named !== '') return named
  const found = usualPlaces.find(path => existsSync(path))
  if (found !== undefined) return found
  throw new Error(
    'no Chromium found: install it (Debian: apt-get install chromium), or name it in CHROMIUM=/path/to/it',
  )
}
