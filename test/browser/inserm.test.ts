/**
 * The guide of Inserm in Chromium, in French, with config/examples/inserm.yaml: the link of the library, address and password,
 * the second factor on the identity provider's own pages, and the page that was wanted; the next time straight there; and what
 * happens when that provider is away, or comes back with other keys.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { type Chromium, holdBack, launchChromium } from '../stand-in/chromium.ts'
import { type Example, startExample } from '../stand-in/example.ts'
import { expectOurPage } from '../stand-in/our-page.ts'
import { createSecondFactor } from '../stand-in/second-factor.ts'

const minute = 60_000
const anne = 'anne.lefevre@inserm.example'
const bruno = 'bruno.noel@ext.inserm.example'
const password = (name: string) => `mot de passe de ${name}`

/** How far the limits of sessions are ahead of the provider, and the gateway’s own clock. */
let offsetMs = 0
let wallMs = 0
let chromium: Chromium
let world: Example
const factor = createSecondFactor('Inserm SSO')
const events: GatewayEvent[] = []

beforeAll(async () => {
  chromium = await launchChromium()
  const account = (name: string, given_name: string, family_name: string) => ({
    name,
    password: password(name),
    claims: { given_name, family_name, email: `${name};autre@inserm.example`, o: 'INSERM' },
  })
  world = await startExample({
    name: 'inserm.yaml',
    idp: 'inserm',
    accounts: [account(anne, 'Anne', 'Lefèvre'), account(bruno, 'Bruno', 'Noël')],
    words: { name: 'Adresse Inserm', button: 'Connexion' },
    further: factor.ask,
    refreshTokens: true,
    surroundings: {
      now: () => performance.timeOrigin + performance.now() + offsetMs,
      wall: () => Date.now() + wallMs,
      heard: event => events.push(event),
    },
    origin: {
      handler({ headers, url }, response) {
        const who = ['x-given-name', 'x-family-name', 'x-remote-email']
          .map(name => Buffer.from(String(headers[name] ?? ''), 'latin1').toString())
          .join(' ')
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        response.end(
          `<!doctype html><html lang="fr"><title>InsermBiblio</title><h1>${url}</h1><p id="who">${who.trim()}</p>`,
        )
      },
    },
  })
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
})

const title = (page: Page) => page.locator('h1').innerText()
const atInserm = (url: URL) => url.origin === world.provider.issuer
const article = '/revue/12?article=3&page=7'

/** Our page: whose account, and whose computer. */
async function choose(page: Page, account: string, own: boolean): Promise<void> {
  await page.getByLabel(account).check()
  await page.getByLabel(own ? 'Oui' : 'Non').check()
  await page.getByRole('button', { name: 'Valider' }).click()
}

async function nameAndPassword(page: Page, name: string): Promise<void> {
  await page.getByLabel('Adresse Inserm').fill(name)
  await page.getByLabel('Mot de passe').fill(password(name))
  await page.getByRole('button', { name: 'Connexion' }).click()
  await page.getByText('Double authentification').waitFor()
}

async function byApplication(page: Page, name: string): Promise<void> {
  await page.getByLabel('Utiliser l’application').check()
  await page.getByRole('button', { name: 'Continuer' }).click()
  await page.getByLabel('Code affiché par l’application').fill(factor.shownBy(name))
  await page.getByRole('button', { name: 'Valider' }).click()
}

async function signIn(page: Page, name: string, own: boolean): Promise<void> {
  await choose(page, 'Avec votre compte Inserm', own)
  await nameAndPassword(page, name)
  await byApplication(page, name)
}

/** What a browser still has on the next day. */
async function nextDay(page: Page): Promise<Page> {
  const kept = (await page.context().cookies()).filter(({ expires }) => expires > 0)
  const person = await chromium.person('fr')
  await person.addCookies(kept.filter(({ domain }) => !domain.startsWith('idp.')))
  return person.newPage()
}

const checks = () => events.flatMap(event => (event.name === 'session.rechecked' ? [event.outcome] : []))

describe('a link of the library', () => {
  it('leads over name, password and a code by e-mail to the very page, and a wrong code leads nowhere', async () => {
    const page = await chromium.open('fr', world.url('biblio', article))
    const asked = await expectOurPage(chromium, page)
    expect(asked).toContain('Vous allez vers InsermBiblio')
    expect(asked).toMatch(/Inserm SSO\s: enrôler votre téléphone/)
    await choose(page, 'Avec votre compte Inserm', true)
    await nameAndPassword(page, anne)
    expect(await title(page)).toBe('Inserm SSO')

    await page.getByRole('button', { name: 'Continuer' }).click()
    await page.getByLabel('Code d’authentification reçu par e-mail').waitFor()
    const sent = factor.mails.at(-1)
    expect(sent?.to).toBe(anne)
    await page.getByLabel('Code d’authentification').fill(sent?.code === '000000' ? '000001' : '000000')
    await page.getByRole('button', { name: 'Valider' }).click()
    await page.getByRole('alert').waitFor()
    // Whoever steps past that page is nobody to us.
    const past = await page.context().newPage()
    await past.goto(world.url('biblio', article))
    expect(atInserm(new URL(past.url())) || past.url().startsWith(world.portal())).toBe(true)
    await past.close()
    expect(world.origin.requests).toEqual([])

    await page.getByLabel('Code d’authentification').fill(sent?.code ?? '')
    await page.getByRole('button', { name: 'Valider' }).click()
    await page.waitForURL(world.url('biblio', article))
    expect([await title(page), await page.locator('#who').innerText()]).toEqual([article, 'Anne Lefèvre'])
    expect(factor.heard).toEqual({ right: 1, wrong: 1 })

    // The other site knows her at once, by her first address.
    await page.goto(world.url('cloud', '/dossiers'))
    expect(await page.locator('#who').innerText()).toBe(anne)
  })
})

describe('a computer of one’s own', () => {
  it('leads straight to Inserm SSO the next day, where the application shows the code; the front page says so', async () => {
    const first = await chromium.open('fr', world.url('biblio', article))
    await signIn(first, anne, true)
    await first.waitForURL(world.url('biblio', article))

    const page = await nextDay(first)
    await page.goto(world.portal('/'))
    expect(await expectOurPage(chromium, page)).toMatch(/Comme la dernière fois\s: Inserm SSO/)
    await page.goto(world.url('biblio', '/revue/13'))
    expect(atInserm(new URL(page.url()))).toBe(true)
    await nameAndPassword(page, anne)
    await byApplication(page, anne)
    await page.waitForURL(world.url('biblio', '/revue/13'))

    // After a sign-out somebody else may sit there: the page asks first.
    await page.goto(world.portal('/logout'))
    await expectOurPage(chromium, page)
    const letGo = await holdBack(page, world.provider.issuer)
    await page.getByRole('button', { name: 'Me déconnecter' }).click({ noWaitAfter: true })
    await page.waitForURL(({ pathname }) => pathname === '/signed-out')
    await expectOurPage(chromium, page)
    await letGo()
    await page.waitForURL(atInserm)
    await page.getByRole('button', { name: 'Oui, me déconnecter' }).click()
    await page.waitForURL(({ pathname }) => pathname === '/signed-out')
    await page.goto(world.url('biblio', '/revue/13'))
    expect(await expectOurPage(chromium, page)).toContain('Cet ordinateur n’est pas le vôtre')
    expect(await title(page)).toMatch(/^Comme la dernière fois/)
  })

  it('that is a shared one remembers nothing', async () => {
    const first = await chromium.open('fr', world.url('biblio', article))
    await signIn(first, bruno, false)
    await first.waitForURL(world.url('biblio', article))
    const page = await nextDay(first)
    await page.goto(world.url('biblio', article))
    await page.getByLabel('Avec votre compte Inserm').waitFor()
  })
})

describe('Inserm SSO', () => {
  it('that goes away leaves open sessions alone; who comes then reads so, and may come by a team’s code', async () => {
    const code = await world.codes.add({ claims: { team: ['U1234'] } })
    const open = await chromium.open('fr', world.url('biblio', article))
    await signIn(open, anne, true)
    await open.waitForURL(world.url('biblio', article))

    await world.provider.goDown()
    // What the gateway last saw of it counts for ten seconds.
    wallMs += 11_000
    await open.goto(world.url('biblio', '/revue/14'))
    expect(await title(open)).toBe('/revue/14')

    const page = await chromium.open('fr', world.url('biblio', article))
    await choose(page, 'Avec votre compte Inserm', false)
    await page
      .locator('h1')
      .filter({ hasText: /Inserm SSO.*ne répond pas/ })
      .waitFor()
    expect(await expectOurPage(chromium, page)).toContain('Vous allez vers InsermBiblio')
    await page.getByRole('link', { name: 'Choisir un autre compte' }).click()
    expect(await expectOurPage(chromium, page)).toMatch(/code de votre équipe[\s\S]*compte Inserm[\s\S]*Ne répond pas/)
    await choose(page, 'Avec le code de votre équipe', false)
    await expectOurPage(chromium, page)
    await page.getByLabel('Code d’accès').fill(code)
    await page.getByRole('button', { name: 'Se connecter' }).click()
    await page.waitForURL(world.url('biblio', article))
    await page.goto(world.url('cloud', '/dossiers'))
    expect(await expectOurPage(chromium, page)).toContain('Ce compte n’ouvre pas Cloud')

    await world.provider.comeUp()
    wallMs += 11_000
  })

  it('that changes its keys is believed at the next sign-in and the next check; open sessions go on', async () => {
    const open = await chromium.open('fr', world.url('biblio', article))
    await signIn(open, anne, true)
    await open.waitForURL(world.url('biblio', article))

    await world.provider.rotate()
    await open.goto(world.url('biblio', '/revue/15'))
    expect(await title(open)).toBe('/revue/15')
    const page = await chromium.open('fr', world.url('biblio', article))
    await signIn(page, bruno, false)
    await page.waitForURL(world.url('biblio', article))
    expect(await page.locator('#who').innerText()).toBe('Bruno Noël')

    // The half hour of `session.recheck` is over: the provider is asked, and answers with its new key.
    offsetMs += 30 * minute
    const before = checks().length
    await open.goto(world.url('biblio', '/revue/16'))
    await expect.poll(() => checks().slice(before)).toEqual(['unchanged'])
    await open.goto(world.url('biblio', '/revue/17'))
    expect(await title(open)).toBe('/revue/17')
  })
})
