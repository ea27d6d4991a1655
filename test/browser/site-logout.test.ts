/**
 * A site's own logout link in Chromium, with the back/forward cache on (docs/sessions.md A8 (5), A6): the last page, the other
 * site, Back, and what an image can do.
 */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { phpSite } from '../stand-in/php-site.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

const site = phpSite()

let chromium: Chromium
let world: TestGateway
let person: BrowserContext
let page: Page
beforeAll(async () => {
  chromium = await launchChromium()
  world = await startTestGateway({
    domain: 'univ.localhost',
    origin: { handler: site.handler },
    resources:
      aSite('all', ['logout: { intercept: [/logout.php], means: global }']) +
      aSite('one', ['logout: { intercept: [/logout.php], means: local }']) +
      aSite('choice', ['logout: { intercept: [/logout.php], means: ask }']) +
      aSite('other'),
  })
})
afterEach(async () => {
  await person.close()
  world.invariants()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
})

/** Signs alice in and opens the site's front page, where the link is. */
async function arrive(host: string): Promise<void> {
  world.provider.person('alice')
  person = await chromium.person('fr')
  page = await person.newPage()
  await page.goto(world.url('other'))
  await page.goto(world.url(host))
  expect(await page.textContent('p')).toMatch(/^visit /)
  // The last page goes on to the provider after two seconds; this holds it where it is.
  await page.route(`${world.provider.issuer}/**`, () => {})
}

const own = async (host: string) =>
  (await person.cookies(world.url(host))).find(({ name }) => name === 'PHPSESSID')?.value
/** Of a request with what the browser holds now: names under .localhost are Chromium's to find, and not node's. */
async function statusAt(host: string): Promise<number | undefined> {
  const held = await person.cookies(world.url(host))
  const lines = [`Cookie: ${held.map(({ name, value }) => `${name}=${value}`).join('; ')}`]
  const request = rawRequest({ host: new URL(world.url(host)).host, target: '/echo', lines })
  return (await rawExchange(world.port, request, { responses: 1 })).responses[0]?.status
}

/** Back, as a person does it; what then stands there is asked of the page itself. */
async function back(): Promise<void> {
  await page.evaluate('setTimeout(() => history.back())')
}

describe('a site’s own logout link, pressed in Chromium', () => {
  it('closes everything: the last page in French, the site’s own session, the other site', async () => {
    await arrive('all')
    const session = await own('all')
    expect(site.sessions()).toContain(session)
    await page.click('text=Log out', { noWaitAfter: true })
    await page.waitForURL('**/signed-out?o=*')
    expect(await page.textContent('h1')).toBe('Fermeture en cours')
    expect(site.sessions()).not.toContain(session)
    expect(await own('all')).toBeUndefined()
    expect(await Promise.all(['all', 'other'].map(statusAt))).toEqual([401, 401])
    const names = (await person.cookies(world.portal('/'))).map(({ name }) => name)
    expect(names).toContain('__Host-Http-passerelle-fresh')
    expect(names).not.toContain('__Host-Http-passerelle')
  })

  it('as a form does the same', async () => {
    await arrive('all')
    await page.click('text=Leave', { noWaitAfter: true })
    await page.waitForURL('**/signed-out?o=*')
    expect(await statusAt('other')).toBe(401)
  })

  it.each([
    ['all', '**/signed-out?o=*'],
    ['one', '**/logout/one'],
  ])('is not undone by Back: nothing of the site is shown again (%s)', async (host, last) => {
    await arrive(host)
    await page.click('text=Log out', { noWaitAfter: true })
    await page.waitForURL(last, { waitUntil: 'load' })
    const asked = page.waitForRequest(request => request.isNavigationRequest() && request.url() === world.url(host))
    await back()
    await asked
  })

  it('closes one site, opens it again by our button, and leaves the other alone', async () => {
    await arrive('one')
    const session = await own('one')
    await page.click('text=Log out')
    expect(page.url()).toBe(world.portal('/logout/one'))
    expect(await page.textContent('h1')).toBe('Vous avez quitté one')
    expect(site.sessions()).not.toContain(session)
    expect(await statusAt('other')).toBe(200)
    await page.goto(world.url('one', '/echo?deep'))
    expect(await page.textContent('h1')).toBe('Vous avez quitté one')
    await page.click('text=Ouvrir one de nouveau')
    expect(page.url()).toBe(world.url('one', '/echo?deep'))
  })

  it('asks, and closes this site with the site’s own session', async () => {
    await arrive('choice')
    const session = await own('choice')
    await page.click('text=Log out')
    expect(await page.textContent('h1')).toMatch(/^Que voulez-vous fermer/)
    expect(site.sessions()).toContain(session)
    await page.click('text=Fermer seulement choice')
    expect(await page.textContent('h1')).toBe('Vous avez quitté choice')
    expect(site.sessions()).not.toContain(session)
    expect(await statusAt('other')).toBe(200)
  })

  it('does nothing in an image, a frame, or a link of a sibling host', async () => {
    await arrive('all')
    await page.goto(world.url('other'))
    world.origin.forget()
    await page.evaluate(`for (const tag of ['img', 'iframe'])
      document.body.append(Object.assign(document.createElement(tag), { src: ${JSON.stringify(world.url('all', '/logout.php'))} }))`)
    await page.waitForResponse(response => response.url().includes('/logout.php') && response.status() === 403)
    await page.evaluate(`location = ${JSON.stringify(world.url('all', '/logout.php'))}`)
    await page.waitForURL(world.portal('/logout'))
    expect(await page.textContent('h1')).toMatch(/^Fermer votre session/)
    expect(await Promise.all(['all', 'other'].map(statusAt))).toEqual([200, 200])
    expect(world.origin.requests.filter(({ url }) => url.startsWith('/logout.php'))).toEqual([])
  })
})
