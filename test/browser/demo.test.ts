/** What `npm run demo` promises on the terminal, done by people in Chromium. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '../../demo/world.ts'
import { type Chromium, holdBack, launchChromium } from '../stand-in/chromium.ts'
import { freePorts } from '../stand-in/ports.ts'

let world: World
let chromium: Chromium
const people: BrowserContext[] = []

beforeAll(async () => {
  const [port = 0, operationsPort = 0] = await freePorts(2)
  world = await startWorld({ ports: [port, operationsPort], noticeMs: 100 })
  chromium = await launchChromium()
})

afterEach(async () => {
  await Promise.all(people.splice(0).map(person => person.close()))
})

afterAll(async () => {
  await chromium?.close()
  await world?.stop()
})

/** Opens an address as somebody who is not signed in yet, and signs in where the provider asks. */
async function arrive(name: string, url: string, language: 'fr' | 'en' = 'en'): Promise<Page> {
  const page = await chromium.open(language, url)
  people.push(page.context())
  const account = world.accounts.find(candidate => candidate.name === name)
  await page.fill('[name=name]', name)
  await page.fill('[name=password]', account?.password ?? '')
  await page.click('button')
  await page.waitForURL(address => !address.href.startsWith(world.addresses.provider))
  return page
}

describe('the demonstration', () => {
  it('leads a deep link through the sign-in to its very page, and the journal knows the name', async () => {
    const url = `${world.addresses.journal}article/12?view=full`
    const page = await arrive('alice', url)
    expect(page.url()).toBe(url)
    expect(await page.textContent('#reader')).toBe('Reader: Alice Martin')
    await page.waitForFunction("document.querySelector('figure img').naturalWidth === 420")
    await page.goto(world.addresses.intranet)
    expect(await page.textContent('#reader')).toBe('Bonjour, Alice Martin')
  })

  it('refuses a person whose claims do not suffice, with what is missing, in the language of the browser', async () => {
    const english = await arrive('chloe', world.addresses.courses, 'en')
    expect(await english.locator('h1').first().textContent()).toContain('does not open')
    expect(await english.locator('main').first().textContent()).toContain('teacher')
    const french = await arrive('chloe', world.addresses.journal, 'fr')
    expect(await french.locator('html').getAttribute('lang')).toBe('fr')
  })

  it('serves the intranet under its path: redirects, cookie, form and relative links stay inside', async () => {
    const { intranet } = world.addresses
    const page = await arrive('chloe', intranet)
    await page.reload()
    expect(await page.textContent('#visits')).toContain('Visit 2')
    await page.click('text=old address')
    expect(page.url()).toBe(`${intranet}people`)
    await page.goto(`${intranet}rooms/`)
    await page.selectOption('[name=room]', 'Salle Loire')
    await page.click('text=Book')
    expect(page.url()).toBe(`${intranet}rooms/?booked=Salle%20Loire`)
    expect(await page.textContent('tbody')).toContain('Chloé Dubois')
  })

  it('keeps the course site’s own session, form and notice board', async () => {
    const page = await arrive('bruno', world.addresses.courses)
    await page.waitForFunction("document.getElementById('notice').textContent.length > 3")
    await page.goto(`${world.addresses.courses}homework`)
    await page.fill('[name=title]', 'La rive gauche')
    await page.click('text=Hand in')
    expect(await page.textContent('#handed-in')).toBe('La rive gauche (Bruno Lefèvre, 0 signes)')
  })

  it('signs out of everything by the course site’s own logout link, and the site forgets its own session', async () => {
    const { courses, intranet } = world.addresses
    const page = await arrive('bruno', `${courses}homework`, 'fr')
    await page.fill('[name=title]', 'La rive gauche')
    await page.click('text=Hand in')
    const other = await page.context().newPage()
    await other.goto(intranet)
    expect(await other.textContent('#reader')).toBe('Bonjour, Bruno Lefèvre')
    const own = async () => (await page.context().cookies(courses)).map(({ name }) => name)
    expect(await own()).toContain('COURSESSID')

    const letGo = await holdBack(page, world.addresses.provider)
    await page.click('text=Quitter', { noWaitAfter: true })
    await page.waitForURL('**/signed-out?o=*')
    expect(await page.locator('html').getAttribute('lang')).toBe('fr')
    expect(await page.textContent('h1')).toBe('Fermeture en cours')
    expect(await own()).toEqual([])
    await letGo()
    await page.waitForURL(
      address => address.searchParams.has('state') || address.href.startsWith(world.addresses.provider),
    )
    if (page.url().startsWith(world.addresses.provider)) await page.click('button')
    await page.waitForURL(address => address.searchParams.has('state'))
    expect(await page.textContent('h1')).toBe('Votre session est fermée')

    for (const url of [intranet, courses]) {
      await other.goto(url)
      expect(other.url(), url).toContain(world.addresses.provider)
    }
  })

  it('shows nothing of a site by Back, once its own logout link was pressed', async () => {
    const { courses, provider } = world.addresses
    const page = await arrive('bruno', courses)
    expect(await page.textContent('#reader')).toContain('Bruno Lefèvre')
    const letGo = await holdBack(page, provider)
    await page.click('text=Quitter', { noWaitAfter: true })
    await page.waitForURL('**/signed-out?o=*')
    expect(await page.textContent('h1')).toBe('Closing')
    // Playwright's own waits for a page that the provider keeps back.
    await page.evaluate('setTimeout(() => history.back())')
    await letGo()
    await page.waitForURL(address => address.href.startsWith(provider))
  })

  it('closes the chat when the person signs out in another tab, and asks for a sign-in from then on', async () => {
    const chat = await arrive('bruno', `${world.addresses.courses}chat`)
    await chat.fill('[name=text]', 'bonjour')
    await chat.click('#say button:enabled')
    await chat.waitForSelector('text=Bruno Lefèvre : bonjour')

    const other = await chat.context().newPage()
    await other.goto(world.addresses.portal)
    await other.click('text=Sign out')
    await other.click('text=Sign me out')
    await chat.waitForSelector('#state.closed')
    expect(await chat.textContent('#state')).toContain('fermée (1001)')

    await chat.reload()
    expect(chat.url()).toContain(world.addresses.provider)
    const { journal, courses, intranet } = world.addresses
    for (const site of [journal, courses, intranet]) {
      await other.goto(site)
      expect(other.url(), site).toContain(world.addresses.provider)
    }
  })
})
