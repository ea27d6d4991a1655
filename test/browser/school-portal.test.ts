/**
 * The guide of a school portal, step by step, in Chromium, in French, by keyboard only: "Se connecter", who one is, which
 * académie, its own page for name and password, the page of the school; and out again, safely.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { type Chromium, launchChromium } from '../stand-in/chromium.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { press, tabTo } from '../stand-in/keyboard.ts'

let cas: CasServer
let world: TestGateway
let chromium: Chromium

beforeAll(async () => {
  cas = await startCasServer()
  cas.bends.unasked = false
  const academy = (id: string, label: string) => `
  - { id: ${id}, label: ${label}, cas: { server: "${cas.server}" } }`
  const four = '[nancy, reims, strasbourg, agricoles]'
  world = await startTestGateway({
    idps: [
      academy('nancy', 'de l’académie de Nancy-Metz'),
      academy('reims', 'de l’académie de Reims'),
      academy('strasbourg', 'de l’académie de Strasbourg'),
      academy('agricoles', 'des établissements agricoles publics'),
    ].join(''),
    resources: `
  - id: lycee
    title: Lycée Exemple
    at: "http://maybe.localhost:$PORT"
    origin: "$ORIGIN"
    policy: optional
    sharedSubjects: yes
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
    more: `chooser:
  groups:
    - { label: Élève ou parent, idps: ${four} }
    - { label: Enseignant, idps: ${four} }
    - { label: Personnel non enseignant, idps: ${four} }
    - { label: Autres comptes et invités, idps: [campus] }`,
    origin: {
      handler(request, response) {
        const user = request.headers['x-remote-user']
        response.setHeader('Content-Type', 'text/html; charset=utf-8')
        response.end(
          user === undefined
            ? `<!doctype html><html lang="fr"><title>Lycée Exemple</title><h1>Bienvenue</h1><a href="/.passerelle/begin?to=${encodeURIComponent(world.url('maybe', '/prive'))}">Se connecter</a>`
            : `<!doctype html><html lang="fr"><title>Page connectée</title><h1>Bonjour ${user}</h1><a href="${world.portal('/logout')}">Déconnexion</a>`,
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

describe('a teacher with the keyboard alone', () => {
  it('signs in as the guide says, at the académie’s own page, and out again', async () => {
    const page = await chromium.open('fr', world.url('maybe', '/'))
    await press(page, 'Se connecter', ({ pathname }) => pathname === '/enter')
    expect(await title(page)).toMatch(/^Vous vous connectez en tant que/)
    expect((await page.locator('main li a').allInnerTexts()).map(text => text.trim())).toEqual([
      'Élève ou parent',
      'Enseignant',
      'Personnel non enseignant',
      'Autres comptes et invités',
    ])

    await press(page, 'Enseignant', ({ searchParams }) => searchParams.has('who'))
    await tabTo(page, 'de l’académie de Nancy-Metz')
    await page.keyboard.press('Space')
    expect(await checked(page, 'idp')).toBe('nancy')
    await page.keyboard.press('ArrowDown')
    expect(await checked(page, 'idp')).toBe('reims')
    await page.keyboard.press('ArrowUp')
    expect(await checked(page, 'idp')).toBe('nancy')
    // "Pas besoin de cliquer sur l’une ou l’autre": a shared computer, unless one says otherwise.
    expect(await checked(page, 'remember')).toBe('no')
    await press(page, 'Valider', ({ origin }) => origin === new URL(cas.server).origin)

    expect(await title(page)).toBe('Authentification')
    await tabTo(page, 'Identifiant')
    await page.keyboard.type('alice')
    await tabTo(page, 'Mot de passe')
    await page.keyboard.type('secret')
    await Promise.all([page.waitForURL(world.url('maybe', '/prive')), page.keyboard.press('Enter')])
    expect(await title(page)).toBe('Bonjour alice')

    await press(page, 'Déconnexion', ({ pathname }) => pathname === '/logout')
    await press(page, 'Me déconnecter', ({ pathname }) => pathname === '/signed-out')
    expect(await page.locator('main').innerText()).toContain('fermez')
    expect((await page.context().cookies()).some(({ name }) => name.endsWith('-idp'))).toBe(false)
  })

  it('who steps back from the académie’s page finds the question again, and can answer otherwise', async () => {
    const page = await chromium.open('fr', world.url('maybe', '/'))
    await press(page, 'Se connecter', ({ pathname }) => pathname === '/enter')
    await press(page, 'Élève', ({ searchParams }) => searchParams.has('who'))
    await tabTo(page, 'de l’académie de Nancy-Metz')
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
    await Promise.all([page.waitForURL(world.url('maybe', '/prive')), page.keyboard.press('Enter')])
    expect(await title(page)).toBe('Bonjour bob')
    const kept = (await page.context().cookies()).find(({ name }) => name.endsWith('-idp'))
    expect(kept).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' })
    expect(kept?.value).toMatch(/^reims\./)
    // Chromium keeps it as long as we say.
    expect((kept?.expires ?? 0) - Date.now() / 1000).toBeGreaterThan(179 * 24 * 60 * 60)
  })
})
