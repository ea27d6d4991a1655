/**
 * Pages of failure as the gateway really serves them, with its headers. They are sandboxed, so to a browser they are of no
 * origin, on our own host too: what they fetch is from somebody else's.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let world: TestGateway
let chromium: Chromium
beforeAll(async () => {
  world = await startTestGateway()
  chromium = await launchChromium()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
})

const failures: readonly (readonly [where: string, status: number, url: () => string])[] = [
  ['the portal', 404, () => world.portal('/nothing')],
  ['the portal, of a sign-in that is none', 400, () => world.portal('/callback/campus?state=x&code=y')],
  ['a site', 400, () => world.url('open', '/a%00b')],
  ['a site, below what is ours', 404, () => world.url('open', '/.passerelle/nothing')],
  ['a host that is none of ours', 404, () => world.url('nowhere')],
]

/** Of the first heading; and what the browser could not have. */
async function opened(page: Page, url: string) {
  const missed: string[] = []
  page.on('requestfailed', request => missed.push(`${request.url()} ${request.failure()?.errorText}`))
  const status = (await page.goto(url))?.status()
  const font: string = await page.evaluate('getComputedStyle(document.querySelector("h1")).fontFamily')
  return { status, font, missed }
}

describe.each(failures)('a page of failure on %s', (_, status, url) => {
  it('is styled', async () => {
    const page = await (await chromium.person('en')).newPage()
    const seen = await opened(page, url())
    expect(seen.missed).toEqual([])
    expect(seen).toMatchObject({ status, font: expect.stringContaining('Palatino') })
    await page.context().close()
  })

  it('can be read where its style sheet does not come: no drawing is in the way', async () => {
    const page = await (await chromium.person('en')).newPage()
    await page.route('**/*.css', route => route.abort())
    const { font } = await opened(page, url())
    expect(font).not.toContain('Palatino')
    const heights: number[] = await page.evaluate(
      '[...document.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect().height)',
    )
    expect(Math.max(...heights)).toBeLessThan(100)
    await page.context().close()
  })
})
