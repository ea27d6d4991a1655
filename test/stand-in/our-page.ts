/**
 * What must be true of every page of ours that a person meets on their way, in French: its language, its typography, nothing
 * that axe finds, nothing to scroll sideways on a phone. The page is looked at as a copy: the real one keeps its policies,
 * under which no script of a test could run for long.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { stylesheet } from '../../src/pages/stylesheet.ts'
import type { Chromium } from './chromium.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Signs that French sets apart by spaces that do not break; straight apostrophes and quotes. */
const wrongSigns = [/[^\u202f\u00a0][;!?](?=\s|$)/, /[^\u00a0][:»](?=\s|$)/, /«[^\u00a0]/, /\p{L}'\p{L}/u, /"/]

/** @returns the text of the page as people see it */
export async function expectOurPage(chromium: Chromium, page: Page): Promise<string> {
  const where = page.url()
  const html = await page.content()
  expect(await page.evaluate('document.documentElement.lang'), where).toBe('fr')
  const context = await chromium.browser.newContext({ bypassCSP: true, viewport: { width: 360, height: 740 } })
  try {
    const copy = await context.newPage()
    await context.route('**/*', route => {
      if (route.request().isNavigationRequest())
        return route.fulfill({ contentType: 'text/html; charset=utf-8', body: html })
      if (new URL(route.request().url()).pathname.endsWith('/passerelle.css'))
        return route.fulfill({ contentType: 'text/css', body: stylesheet })
      return route.abort()
    })
    await copy.goto('http://copy.localhost/')
    expect(await copy.evaluate('document.scrollingElement.scrollWidth'), `${where} on a phone`).toBeLessThanOrEqual(360)
    // Without what is folded in the other language.
    await copy.evaluate('document.querySelectorAll("details[lang]").forEach(one => one.remove())')
    const text = await copy.locator('main').innerText()
    for (const wrong of wrongSigns) expect(wrong.exec(text)?.[0] ?? null, `${where}: ${text}`).toBeNull()
    await copy.setViewportSize({ width: 1280, height: 800 })
    await copy.evaluate(axe)
    const { violations } = await copy.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })')
    expect(
      violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 160)}`)),
      where,
    ).toEqual([])
    return text
  } finally {
    await context.close()
  }
}
