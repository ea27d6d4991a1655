/**
 * The guide of a school portal, step by step, in Chromium, in French, by keyboard only: "Se connecter", who one is, which
 * académie, its own page for name and password, the page of the school; and out again, safely.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { type Example, startExample } from '../stand-in/example.ts'
import { press, tabTo } from '../stand-in/keyboard.ts'

let cas: CasServer
let world: Example
let chromium: Chromium

/** What the académie says of whoever signs in next. */
const teacher = (name: string) => {
  cas.bends.attributes = `<cas:attributes><cas:ENTPersonPrenom>${name}</cas:ENTPersonPrenom><cas:ENTPersonProfils>National_ENS</cas:ENTPersonProfils></cas:attributes>`
}

beforeAll(async () => {
  cas = await startCasServer()
  cas.bends.unasked = false
  world = await startExample({
    name: 'academies.yaml',
    cas: cas.server,
    origin: {
      handler({ headers, url }, response) {
        const name = headers['x-given-name']
        const begin = `/.passerelle/begin?to=${encodeURIComponent(world.url('lycee', '/prive'))}`
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        if (!headers.host?.startsWith('lycee.')) response.end(`<!doctype html><h1>${headers.host} ${url}</h1>`)
        else
          response.end(
            name === undefined
              ? `<!doctype html><html lang="fr"><title>Lycée Exemple</title><h1>Bienvenue</h1><a href="${begin}">Se connecter</a>`
              : `<!doctype html><html lang="fr"><title>Page connectée</title><h1>Bonjour ${name}, ${headers['x-profile']}</h1><a href="${world.portal('/logout')}">Déconnexion</a>`,
          )
      },
    },
  })
  chromium = await launchChromium()
})
afterAll(async () => {
  await chromium?.close()
  await world?.stop()
  await cas?.stop()
})

const title = (page: Page) => page.locator('h1').innerText()
const checked = (page: Page, name: string) => page.locator(`input[name=${name}]:checked`).inputValue()

describe('a teacher with the keyboard alone, and config/examples/academies.yaml', () => {
  it('signs in as the guide says, at the académie’s own page, and out again', async () => {
    teacher('Alice')
    const page = await chromium.open('fr', world.url('lycee', '/'))
    await press(page, 'Se connecter', ({ pathname }) => pathname === '/enter')
    expect(await title(page)).toMatch(/^Vous vous connectez en tant que/)
    expect((await page.locator('.ways a').allInnerTexts()).map(text => text.split('\n')[0]?.trim())).toEqual([
      'Élève ou parent',
      'Enseignant',
      'Personnel non enseignant',
      'Autres comptes et invités',
    ])

    await press(page, 'Enseignant', ({ searchParams }) => searchParams.has('who'))
    await tabTo(page, 'de l’académie de Nancy-Metz')
    await page.keyboard.press('Space')
    expect(await checked(page, 'idp')).toBe('nancy-metz')
    await page.keyboard.press('ArrowDown')
    expect(await checked(page, 'idp')).toBe('reims')
    await page.keyboard.press('ArrowUp')
    expect(await checked(page, 'idp')).toBe('nancy-metz')
    // "Pas besoin de cliquer sur l’une ou l’autre": a shared computer, unless one says otherwise.
    expect(await checked(page, 'remember')).toBe('no')
    await press(page, 'Valider', ({ origin }) => origin === new URL(cas.server).origin)

    expect(await title(page)).toBe('Authentification')
    await tabTo(page, 'Identifiant')
    await page.keyboard.type('alice')
    await tabTo(page, 'Mot de passe')
    await page.keyboard.type('secret')
    await Promise.all([page.waitForURL(world.url('lycee', '/prive')), page.keyboard.press('Enter')])
    expect(await title(page)).toBe('Bonjour Alice, enseignant')
    await page.goto(world.url('professeurs', '/'))
    expect(await title(page)).toMatch(/^professeurs\./)
    await page.goto(world.url('lycee', '/prive'))

    await press(page, 'Déconnexion', ({ pathname }) => pathname === '/logout')
    await press(page, 'Me déconnecter', ({ pathname }) => pathname === '/signed-out')
    expect(await page.locator('main').innerText()).toContain('fermez')
    expect((await page.context().cookies()).some(({ name }) => name.endsWith('-idp'))).toBe(false)
  })

  it('who steps back from the académie’s page finds the question again, and can answer otherwise', async () => {
    teacher('Bob')
    const page = await chromium.open('fr', world.url('lycee', '/'))
    await press(page, 'Se connecter', ({ pathname }) => pathname === '/enter')
    await press(page, 'Élève', ({ searchParams }) => searchParams.has('who'))
    await tabTo(page, 'Téléservices des familles')
    await page.keyboard.press('Space')
    await press(page, 'Valider', ({ origin }) => origin === new URL(cas.server).origin)
    await page.goBack()
    await page.waitForURL(({ searchParams }) => searchParams.has('who'))
    await press(page, 'Modifier', ({ searchParams }) => !searchParams.has('who'))
    await press(page, 'Enseignant', ({ searchParams }) => searchParams.has('who'))
    await tabTo(page, 'de l’académie de Nancy-Metz')
    await page.keyboard.press('ArrowDown')
    await tabTo(page, 'Non')
    await page.keyboard.press('ArrowDown')
    expect([await checked(page, 'idp'), await checked(page, 'remember')]).toEqual(['reims', 'yes'])
    await press(page, 'Valider', ({ origin }) => origin === new URL(cas.server).origin)
    await tabTo(page, 'Identifiant')
    await page.keyboard.type('bob')
    await tabTo(page, 'Valider')
    await Promise.all([page.waitForURL(world.url('lycee', '/prive')), page.keyboard.press('Enter')])
    expect(await title(page)).toBe('Bonjour Bob, enseignant')
    const kept = (await page.context().cookies()).find(({ name }) => name.endsWith('-idp'))
    expect(kept).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' })
    expect(kept?.value).toMatch(/^reims\./)
    // Chromium keeps it as long as we say.
    expect((kept?.expires ?? 0) - Date.now() / 1000).toBeGreaterThan(179 * 24 * 60 * 60)
  })
})
