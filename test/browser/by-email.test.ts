/**
 * In Chromium: an e-mail address in place of the two steps, by keyboard only; and a site that would like to know who is there,
 * without asking anybody.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let cas: CasServer
let world: TestGateway
let chromium: Chromium

beforeAll(async () => {
  cas = await startCasServer()
  world = await startTestGateway({
    idps: `
  - id: lorraine
    label: Université de Lorraine
    cas: { server: "${cas.server}" }
    emailDomains: [univ-lorraine.fr, "*.univ-lorraine.fr"]`,
    resources: `
  - id: library
    title: { fr: Bibliothèque, en: Library }
    at: "http://maybe.localhost:$PORT"
    origin: "$ORIGIN"
    policy: optional
    idps: [lorraine]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: courses
    title: { fr: Cours en ligne, en: Online courses }
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    sharedSubjects: yes
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
    more: `chooser:
  groups:
    - { label: Étudiant, idps: [lorraine] }
    - { label: Personnel, idps: [campus] }`,
    origin: {
      handler(request, response) {
        const user = request.headers['x-remote-user'] ?? 'visiteur'
        const to = encodeURIComponent(world.url('maybe', '/accueil'))
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        response.end(
          `<!doctype html><html lang="fr"><title>Page</title><h1>Bonjour ${user}</h1><a href="/.passerelle/begin?to=${to}&amp;prompt=none">Me reconnaître</a>`,
        )
      },
    },
  })
  chromium = await launchChromium()
})
beforeEach(() => cas.reset())
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
  await cas?.stop()
})

const title = (page: Page) => page.locator('h1').innerText()

async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 30; pressed++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(selector)})`)) return
  }
  throw new Error(`no way by keyboard to ${selector}`)
}

describe('an e-mail address, by keyboard only', () => {
  it('that is nobody’s leads by a link back to its field, and once it is right to the page that was wanted', async () => {
    const page = await chromium.open('fr', world.url('app', '/cours'))
    await tabTo(page, 'input[name=email]')
    await page.keyboard.type('marie@univ-loraine.fr')
    await Promise.all([page.waitForURL(({ pathname }) => pathname === '/login'), page.keyboard.press('Enter')])
    expect(await page.title()).toMatch(/^Erreur\s: /)
    expect(await page.locator('[role=alert]').innerText()).toContain('@univ-loraine.fr')
    await tabTo(page, '[role=alert] a')
    await page.keyboard.press('Enter')
    await tabTo(page, 'input[name=email]')
    expect(await page.locator('input[name=email]').first().inputValue()).toBe('marie@univ-loraine.fr')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('marie@etu.univ-lorraine.fr')
    await tabTo(page, 'input[type=checkbox]')
    await page.keyboard.press('Space')
    await tabTo(page, 'button')
    await Promise.all([page.waitForURL(world.url('app', '/cours')), page.keyboard.press('Enter')])
    expect(await title(page)).toBe('Bonjour alice')
    const kept = (await page.context().cookies()).find(({ name }) => name.endsWith('-idp'))
    expect(kept?.value).toMatch(/^lorraine\./)
    expect(world.log.join('')).not.toMatch(/marie/)
  })
})

describe('a site that asks nobody', () => {
  it('greets a visitor as one, and by name who is known to the idp meanwhile; Back leads back', async () => {
    cas.bends.nobody = true
    const page = await chromium.open('fr', world.url('maybe', '/'))
    await Promise.all([page.waitForURL(world.url('maybe', '/accueil')), page.click('text=Me reconnaître')])
    expect(await title(page)).toBe('Bonjour visiteur')
    await page.goBack({ waitUntil: 'commit' })
    expect([new URL(page.url()).pathname, await title(page)]).toEqual(['/', 'Bonjour visiteur'])
    expect(cas.asked.filter(url => url.includes('gateway=true'))).toHaveLength(1)

    cas.bends.nobody = false
    const known = await chromium.open('fr', world.url('maybe', '/'))
    await Promise.all([known.waitForURL(world.url('maybe', '/accueil')), known.click('text=Me reconnaître')])
    expect(await title(known)).toBe('Bonjour alice')
    await known.goBack({ waitUntil: 'commit' })
    await known.reload()
    expect(await title(known)).toBe('Bonjour alice')
  })
})
