/**
 * The guide of BibCNRS, step by step, in Chromium, in French, with config/examples/bibcnrs.yaml: "Connexion", "Via le
 * gestionnaire d’identité Janus", mail and password there, back signed in, with one's domains and what they open; without a
 * Janus account, and while Janus is away; and out of everything again.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chromium, holdBack, launchChromium } from '../stand-in/chromium.ts'
import { type Example, startExample } from '../stand-in/example.ts'
import { focused, press, tabTo, type } from '../stand-in/keyboard.ts'
import { expectOurPage } from '../stand-in/our-page.ts'

const anne = 'anne.lefevre@cnrs.example'
const bruno = 'bruno.noel@cnrs.example'
const chloe = 'chloe.petit@cnrs.example'

const researcher = (
  name: string,
  given_name: string,
  family_name: string,
  more: Readonly<Record<string, unknown>>,
) => ({
  name,
  password: `mot de passe de ${given_name}`,
  claims: { given_name, family_name, email: name, refScientificOffice: [], ...more },
})

const accounts = [
  researcher(anne, 'Anne', 'Lefèvre', {
    refScientificOffice: ['55->Institut écologie et environnement', '53->Institut des sciences biologiques'],
  }),
  researcher(bruno, 'Bruno', 'Noël', { refScientificOffice: '54->Institut des sciences humaines et sociales' }),
  researcher(chloe, 'Chloé', 'Petit', {}),
]

let offsetMs = 0
let chromium: Chromium
/** As the file stands: codes only while Janus is away. */
let spare: Example
/** With codes for everybody, and buttons to press, as the guide's pictures show it. */
let both: Example

beforeAll(async () => {
  chromium = await launchChromium()
  const start = (edit: (yaml: string) => string) => {
    let world: Example | null = null
    const started = startExample({
      name: 'bibcnrs.yaml',
      idp: 'janus',
      accounts,
      words: { name: 'Mél', button: 'Connexion' },
      edit,
      surroundings: { now: () => performance.timeOrigin + performance.now() + offsetMs },
      origin: {
        handler({ headers, url }, response) {
          response.setHeader('Content-Type', 'text/html; charset=utf-8')
          response.end(siteOf(String(headers.host), url ?? '/', headers, world as Example))
        },
      },
    })
    return started.then(found => {
      world = found
      return found
    })
  }
  spare = await start(yaml => yaml)
  both = await start(yaml =>
    yaml.replace('{ when: unavailable, of: janus }', 'always').replace('chooser: { remember: ask }', ''),
  )
})
afterAll(async () => {
  await chromium?.close()
  await spare?.stop()
  await both?.stop()
})

/** The portal's application shows who came; the licensed sites show what was paid for, with a line that stays open. */
function siteOf(host: string, path: string, headers: NodeJS.Dict<string | string[]>, world: Example): string {
  const text = (name: string) => Buffer.from(String(headers[name] ?? ''), 'latin1').toString()
  if (!host.startsWith('bib.')) {
    return `<!doctype html><html lang="fr"><title>Revue</title><h1>Texte intégral ${path}</h1><p id="line">…</p>
<script>const line = document.getElementById('line'), socket = new WebSocket(location.href.replace('http', 'ws'))
socket.onopen = () => { line.textContent = 'ouverte' }; socket.onclose = () => { line.textContent = 'fermée' }</script>`
  }
  const begin = `/.passerelle/begin?to=${encodeURIComponent(world.url('bib', '/recherche?q=cellule'))}`
  return headers['x-remote-user'] === undefined
    ? `<!doctype html><html lang="fr"><title>BibCNRS</title><h1>BibCNRS</h1><a href="${begin}">Connexion</a>`
    : `<!doctype html><html lang="fr"><title>BibCNRS</title><h1>${text('x-given-name')} ${text('x-family-name')}</h1>
<p>Domaine favori : ${text('x-favourite-domain')}</p><p>Domaines : ${text('x-domains')}</p><a href="${world.portal('/')}">Mon espace</a>`
}

const title = (page: Page) => page.locator('h1').innerText()
const atJanus = (world: Example) => (url: URL) => url.origin === world.provider.issuer
/** What the person's space lists, heading by heading. */
const listed = (page: Page) =>
  page.evaluate<string[]>(
    'Array.from(document.querySelectorAll("main :is(h2, h3, .ways a)"), one => one.localName + " " + one.innerText.trim().replace(/\\s+/g, " "))',
  )

/** Playwright's own waits for an event that a page from the back/forward cache does not send. */
const back = (page: Page) => page.evaluate('setTimeout(() => history.back())')

async function signInAtJanus(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Mél').fill(name)
  await page.getByLabel('Mot de passe').fill(password)
  await page.getByRole('button', { name: 'Connexion' }).click()
}

describe('a researcher with the keyboard alone', () => {
  it('signs in with Janus as the guide says, finds favourite domain and licences, and closes everything', async () => {
    const world = both
    const page = await chromium.open('fr', world.url('bib', '/'))
    await press(page, 'Connexion', ({ pathname }) => pathname === '/enter')
    const asked = await expectOurPage(chromium, page)
    expect((await page.locator('.ways button').allInnerTexts()).map(text => text.trim())).toEqual([
      'Via le gestionnaire d’identité Janus',
      'Via votre ancien code d’accès portail',
    ])
    expect(asked).toContain('Vous allez vers BibCNRS')
    expect(asked).toMatch(/Janus\s: demander un compte Janus/)

    await press(page, 'Via le gestionnaire d’identité Janus', atJanus(world))
    if ((await focused(page)) !== 'Mél') await tabTo(page, 'Mél')
    await page.keyboard.type(anne)
    await type(page, 'Mot de passe', 'mot de passe de Anne')
    await press(page, 'Connexion', ({ pathname }) => pathname === '/recherche')
    expect(page.url()).toBe(world.url('bib', '/recherche?q=cellule'))
    expect(await title(page)).toBe('Anne Lefèvre')
    expect(await page.locator('body').innerText()).toContain('Domaine favori : INEE')

    await press(page, 'Mon espace', ({ host, pathname }) => host.startsWith('acces.') && pathname === '/')
    const mine = await expectOurPage(chromium, page)
    expect(await title(page)).toBe('Bonjour Anne Lefèvre')
    expect(await listed(page)).toEqual([
      'h2 Ce que votre compte ouvre',
      'h3 INEE, écologie et environnement Favori',
      'a Cell',
      'a AGU',
      'a Web of Science',
      'h3 INSB, sciences biologiques',
      'a Cell',
      'a Web of Science',
      'h2 Autres sites ouverts à votre compte',
      'a BibCNRS',
      'h2 Fermés à ce compte',
      'a APS',
      'a ACS',
      'a Cairn',
      'a IEEE Xplore',
      'a MathSciNet',
      'h2 Mes domaines',
      'h2 Ce que nous savons de vous',
    ])
    expect(mine).toContain('Anne Lefèvre')

    await press(page, 'Cell', ({ host }) => host.startsWith('cell.'))
    expect(await title(page)).toBe('Texte intégral /')
    const line = page.locator('#line')
    await line.filter({ hasText: 'ouverte' }).waitFor()

    // In another tab, so that this one is seen to close.
    const other = await page.context().newPage()
    await other.goto(world.portal('/'))
    await press(other, 'Se déconnecter', ({ pathname }) => pathname === '/logout')
    const question = await expectOurPage(chromium, other)
    expect(question).toContain('Cell')
    const letGo = await holdBack(other, world.provider.issuer)
    await press(other, 'Me déconnecter', ({ pathname }) => pathname === '/signed-out')
    await line.filter({ hasText: 'fermée' }).waitFor()
    await expectOurPage(chromium, other)
    await letGo()
    // It goes on by itself, or by its button, whichever comes first.
    await other.waitForURL(atJanus(world))
    await press(other, 'Oui, me déconnecter', ({ pathname }) => pathname === '/signed-out')
    expect(await expectOurPage(chromium, other)).toContain('fermée')

    // Nothing is shown again: neither by loading it, nor by going back to it.
    for (const address of [world.url('cell', '/'), world.url('bib', '/recherche?q=cellule')]) {
      const again = await page.context().newPage()
      await again.goto(address)
      expect(await again.locator('body').innerText()).not.toMatch(/Texte intégral|Anne/)
      await again.close()
    }
    await back(page)
    await page.waitForURL(url => !url.host.startsWith('cell.'), { waitUntil: 'commit' })
    await page.waitForLoadState()
    expect(await page.locator('body').innerText()).not.toMatch(/Anne|INSB/)
  })
})

describe('a researcher', () => {
  it('of one domain finds its licences, and no favourite', async () => {
    const page = await chromium.open('fr', both.portal('/login?idp=janus'))
    await Promise.all([page.waitForURL(both.portal('/')), signInAtJanus(page, bruno, 'mot de passe de Bruno')])
    expect(await expectOurPage(chromium, page)).toMatch(/Domaine\s+INSHS \(sciences humaines et sociales\)/)
    expect((await listed(page)).slice(0, 4)).toEqual([
      'h2 Ce que votre compte ouvre',
      'h3 INSHS, sciences humaines et sociales',
      'a Cairn',
      'a Web of Science',
    ])
    expect(await page.locator('main').innerText()).not.toContain('Favori')
  })

  it('of two domains chooses the favourite, and finds it again where they say that the computer is theirs', async () => {
    const page = await chromium.open('fr', spare.url('bib', '/'))
    const connect = async () => {
      await page.goto(spare.url('bib', '/'))
      await Promise.all([page.waitForURL(atJanus(spare)), page.getByRole('link', { name: 'Connexion' }).click()])
      await signInAtJanus(page, anne, 'mot de passe de Anne')
      await page.waitForURL(({ pathname }) => pathname === '/recherche')
      return page.locator('body').innerText()
    }
    const leave = async () => {
      await page.goto(spare.portal('/logout'))
      await page.getByRole('button', { name: 'Me déconnecter' }).click()
      await page.waitForURL(atJanus(spare))
      await page.getByRole('button', { name: 'Oui, me déconnecter' }).click()
      await page.waitForURL(({ pathname }) => pathname === '/signed-out')
    }
    /** By the keyboard: to the radio buttons, to the other one, over the box, to the button. */
    const changeTo = async (favourite: string, remember: boolean) => {
      await page.goto(spare.portal('/'))
      await page.getByRole('radio', { checked: true }).focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Tab')
      if ((await page.getByRole('checkbox').isChecked()) !== remember) await page.keyboard.press('Space')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.locator('h3').first().filter({ hasText: favourite }).waitFor()
      await page.waitForLoadState()
      return expectOurPage(chromium, page)
    }

    expect(await connect()).toContain('Domaine favori : INEE')
    await page.goto(spare.portal('/'))
    const before = await expectOurPage(chromium, page)
    expect(before).toContain('Mes domaines')
    expect((await listed(page))[1]).toBe('h3 INEE, écologie et environnement Favori')

    expect(await changeTo('INSB', true)).toContain('Le favori s’affiche en premier.')
    expect((await listed(page)).filter(line => line.startsWith('h3'))).toEqual([
      'h3 INSB, sciences biologiques Favori',
      'h3 INEE, écologie et environnement',
    ])
    await page.goto(spare.url('bib', '/recherche'))
    expect(await page.locator('body').innerText()).toContain('Domaine favori : INSB')

    await leave()
    expect(await connect()).toContain('Domaine favori : INSB')

    // To INEE and back to INSB, without the box: this browser forgets it with the session.
    await changeTo('INEE', true)
    await changeTo('INSB', false)
    await page.goto(spare.url('bib', '/recherche'))
    expect(await page.locator('body').innerText()).toContain('Domaine favori : INSB')
    await leave()
    expect(await connect()).toContain('Domaine favori : INEE')
  })

  it('without any domain is told so, what stays closed, and what to do, there and at the site', async () => {
    const page = await chromium.open('fr', both.portal('/login?idp=janus'))
    await Promise.all([page.waitForURL(both.portal('/')), signInAtJanus(page, chloe, 'mot de passe de Chloé')])
    const mine = await expectOurPage(chromium, page)
    expect(mine).toContain('Votre connexion a réussi, mais votre compte ne nous a transmis aucun domaine.')
    const [, reference = 'none'] =
      /écrivez à bibcnrs@example\.org \(réponse sous deux jours ouvrés\) en citant la référence ([0-9A-Z]{6})/.exec(
        mine,
      ) ?? []
    expect(both.log.some(line => line.includes(`"ref":"${reference}"`))).toBe(true)
    expect((await listed(page))[1]).toBe('a BibCNRS')

    await page.goto(both.url('mathscinet', '/zbl/1'))
    const refused = await expectOurPage(chromium, page)
    expect(refused).toContain('Ce compte n’ouvre pas MathSciNet')
    expect(refused).toContain('votre compte ne nous a transmis aucun domaine')
    expect(refused).toContain('INSMI (mathématiques) ou INS2I (sciences informatiques)')
    expect(refused).toContain('Écrire à bibcnrs@example.org')
  })

  it('who has no Janus account yet is led to where one asks for it', async () => {
    const page = await chromium.open('fr', both.url('mathscinet', '/zbl/1'))
    await page
      .context()
      .route('https://sesame.example.org/**', route =>
        route.fulfill({ contentType: 'text/html', body: '<h1>Compte Janus : première connexion</h1>' }),
      )
    await page.getByRole('link', { name: 'demander un compte Janus' }).click()
    await page.waitForURL('https://sesame.example.org/')
    // Back from there the question still stands, and leads to the page that was wanted.
    await back(page)
    await page.waitForURL(({ pathname }) => pathname === '/enter', { waitUntil: 'commit' })
    await Promise.all([
      page.waitForURL(atJanus(both)),
      page.getByRole('button', { name: 'Via le gestionnaire d’identité Janus' }).click(),
    ])
    await signInAtJanus(page, chloe, 'mot de passe de Chloé')
    await page.waitForURL(both.url('mathscinet', '/zbl/1'))
  })

  it('who has an old code signs in with it at any time where the operator says always', async () => {
    const code = await both.codes.add({ claims: { domain: ['INC'] } })
    const page = await chromium.open('fr', both.url('acs', '/cas/50-00-0'))
    await page.getByRole('button', { name: 'Via votre ancien code d’accès portail' }).click()
    await expectOurPage(chromium, page)
    expect(await title(page)).toBe('Ancien code d’accès portail')
    await page.getByLabel('Code d’accès').fill(code)
    await page.getByRole('button', { name: 'Se connecter' }).click()
    await page.waitForURL(both.url('acs', '/cas/50-00-0'))
    expect(await title(page)).toBe('Texte intégral /cas/50-00-0')
  })
})

describe('Janus', () => {
  it('while it is there, is where "Connexion" leads at once: there is no code on any page', async () => {
    const page = await chromium.open('fr', spare.portal('/'))
    const front = await expectOurPage(chromium, page)
    expect(front).toMatch(/Janus\s: demander un compte Janus/)
    expect(front).not.toContain('code d’accès')
    await page.goto(spare.url('bib', '/'))
    await Promise.all([page.waitForURL(atJanus(spare)), page.getByRole('link', { name: 'Connexion' }).click()])
  })

  it('while it is away, leaves open sessions alone, says so at sign-in, and has the old code stand in', async () => {
    const code = await spare.codes.add({ claims: { domain: ['INSHS'], givenName: ['Invitée'], favourite: ['INSB'] } })
    const open = await chromium.open('fr', spare.url('cell', '/cell/1'))
    await signInAtJanus(open, anne, 'mot de passe de Anne')
    await open.waitForURL(spare.url('cell', '/cell/1'))

    await spare.provider.goDown()
    // What the gateway last saw of it counts for ten seconds.
    offsetMs += 11_000
    await open.goto(spare.url('cell', '/cell/2'))
    expect(await title(open)).toBe('Texte intégral /cell/2')

    const page = await chromium.open('fr', spare.url('cairn', '/revue/7?page=3'))
    const away = await expectOurPage(chromium, page)
    expect(await title(page)).toBe('Le service «\u00a0Janus\u00a0» ne répond pas')
    expect(away).toContain('Vous allez vers Cairn')
    expect(away).toContain('Les sessions déjà ouvertes continuent.')
    await page.getByRole('link', { name: 'Ancien code d’accès portail' }).click()
    await expectOurPage(chromium, page)

    await page.getByLabel('Code d’accès').fill('0000-0000-0000-0000-0000')
    await page.getByRole('button', { name: 'Se connecter' }).click()
    await page.locator('[role=alert]').waitFor()
    expect(await expectOurPage(chromium, page)).toContain('Ce code d’accès n’est pas reconnu')
    await page.getByLabel('Code d’accès').fill(code)
    await page.getByRole('button', { name: 'Se connecter' }).click()
    await page.waitForURL(spare.url('cairn', '/revue/7?page=3'))
    expect(await title(page)).toBe('Texte intégral /revue/7?page=3')

    // Exactly its claims: that domain, that name.
    await page.goto(spare.portal('/'))
    const mine = await expectOurPage(chromium, page)
    expect(mine).toContain('Bonjour Invitée')
    expect((await listed(page)).slice(0, 4)).toEqual([
      'h2 Ce que votre compte ouvre',
      'h3 INSHS, sciences humaines et sociales',
      'a Cairn',
      'a Web of Science',
    ])
    await page.goto(spare.url('cell', '/cell/1'))
    expect(await expectOurPage(chromium, page)).toContain('Ce compte n’ouvre pas Cell')
    await page.goto(spare.url('bib', '/'))
    await page.getByRole('link', { name: 'Connexion' }).click()
    await page.waitForURL(spare.url('bib', '/recherche?q=cellule'))
    expect(await title(page)).toBe('Invitée')
    // Codes are not believed about a favourite, whatever the file says.
    expect(await page.locator('body').innerText()).toMatch(/Domaine favori :\s+Domaines : INSHS/)

    await spare.provider.comeUp()
    offsetMs += 11_000
    await page.goto(spare.url('cairn', '/revue/8'))
    expect(await title(page)).toBe('Texte intégral /revue/8')
    // Whoever comes now finds Janus; the one who still looks at the page of the failure, its button.
    const next = await chromium.open('fr', spare.url('cairn', '/revue/9'))
    await expect
      .poll(async () => {
        await next.goto(spare.url('cairn', '/revue/9'))
        return next.url()
      })
      .toContain(spare.provider.issuer)
  })
})
