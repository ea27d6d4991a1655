/**
 * Which idp, by the domain of an e-mail address: typed at the page that asks, or named in a link. The address goes to the idp
 * whose it is, by its protocol, and nowhere else.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'

const minute = 60_000
const memory = '__Host-Http-passerelle-idp'
const clock = settableClock(Date.now())

let op: AdversarialOp
let cas: CasServer
let world: TestGateway
let browser: Browser

const site = (id: string, ...more: readonly string[]) =>
  aSite(id, more, { title: `{ fr: Site ${id}, en: ${id} site }`, headers: {} })

function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  return startTestGateway({
    surroundings: { now: clock.now },
    session: '  idleTimeout: 60m\n  sharedComputer: { idleTimeout: 10m }',
    idps: `
  - id: janus
    label: { fr: Compte Janus, en: Janus account }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
    emailDomains: [cnrs.fr, "*.cnrs.fr", Université.fr]
  - id: lab
    label: Lab
    cas: { server: "${cas.server}" }
    emailDomains: [lab.cnrs.fr]`,
    resources: [site('any'), site('campus', 'idps: [campus, lab]')].join(''),
    more: `chooser:
  groups:
    - { label: Researcher, idps: [janus, lab], description: { fr: Recherche, en: Staff of laboratories } }
    - { label: Student, idps: [campus] }`,
    ...options,
  })
}

beforeAll(async () => {
  op = await startAdversarialOp(clock.now)
  cas = await startCasServer()
  world = await start()
})
beforeEach(() => {
  op.bends.subject = 'alice'
  browser = newBrowser()
})
afterEach(() => {
  // Whatever was typed, no log line has it, and no address of ours.
  expect(world.log.join('')).not.toMatch(/alice(?:@|%40)|martin/i)
  op.reset()
  cas.reset()
})
afterAll(async () => {
  await world.stop()
  await op.stop()
  await cas.stop()
})

const newBrowser = () => new Browser({ language: 'en', now: clock.now })
const open = (host = 'any', one = browser) => one.navigate(world.url(host, '/echo?page=7'))
const kept = (one = browser) => one.cookies('acces.localhost').find(({ name }) => name === memory)?.value ?? null
const lives = async (one = browser) =>
  (await one.navigate(world.url('any', '/echo'), { as: 'prefetch', follow: false })).status === 200
/** Up to the idp's door. */
const untilIdp = { follow: (reply: Reply) => reply.redirect?.hostname.endsWith('acces.localhost') === true }
const form = (page: Reply) => page.forms.findIndex(({ fields }) => fields.some(([name]) => name === 'email'))

/** The page's own form, sent as a browser does. */
async function type(email: string, page: Reply, fields: Record<string, string> = {}, one = browser): Promise<Reply> {
  return one.submit(page, { email, ...fields }, 'Find my institution')
}

describe('an address at the page that asks', () => {
  it('leads straight to the idp that its domain is of, and on to the page that was wanted', async () => {
    const who = await open()
    expect(who.visibleText).toContain('Or by your e-mail address')
    expect(who.visibleText).toContain('Staff of laboratories')
    const page = await type('Alice.Martin@CNRS.fr', who)
    expect([page.status, page.url.href], page.story).toEqual([200, world.url('any', '/echo?page=7')])
    expect(op.count('authorize')).toBe(1)
  })

  it.each([
    ['alice@dr1.cnrs.fr', 'janus'],
    ['alice@lab.cnrs.fr', 'lab'],
    ['alice@universite\u0301.fr', 'janus'],
    [' alice@xn--universit-j4a.fr. ', 'janus'],
    ['cnrs.fr', 'janus'],
  ])('%s is of %s', async (email, idp) => {
    const led = (await type(email, await open())).hops.map(({ redirect }) => redirect?.origin)
    expect(led).toContain(idp === 'janus' ? op.issuer : new URL(cas.server).origin)
  })

  it('is told to an OpenID Connect provider, so that nobody types it twice; to no other, and to no address of ours', async () => {
    const story = await type('Alice.Martin@CNRS.fr', await open())
    const led = story.hops.find(({ redirect }) => redirect?.origin === op.issuer)?.redirect
    expect(led?.searchParams.get('login_hint')).toBe('Alice.Martin@cnrs.fr')
    expect(story.hops.filter(({ url }) => /alice/i.test(url.href)).map(({ url }) => url.origin)).toEqual([op.issuer])
    expect(story.url.href).not.toContain('lice')
    const other = await type('alice@lab.cnrs.fr', await open('any', newBrowser()))
    expect(other.story).not.toMatch(/alice(?:@|%40)/)
  })

  it('has only its domain told where an idp should not be told the rest', async () => {
    for (const email of ['cnrs.fr', '"alice b"@cnrs.fr', `${'alice'.repeat(13)}@cnrs.fr`]) {
      const one = newBrowser()
      const { hops } = await type(email, await open('any', one), {}, one)
      const led = hops.find(({ redirect }) => redirect?.origin === op.issuer)?.redirect
      expect(led?.searchParams.has('login_hint'), email).toBe(false)
    }
  })

  it.each([
    ['alice@nowhere.example', 'No account on this page is known for addresses at @nowhere.example'],
    ['alice@Zürich.example', 'addresses at @Zürich.example'],
    ['alice@cnrs.fr.evil.example', 'addresses at @cnrs.fr.evil.example'],
    ['alice', 'This is not an e-mail address'],
    ['alice@eve@cnrs.fr', 'This is not an e-mail address'],
    ['', 'This is not an e-mail address'],
    [`alice@${'a.'.repeat(130)}fr`, 'This is not an e-mail address'],
  ])('of nobody, %s, stands there again, with a word about it, and the list beside it', async (email, said) => {
    const page = await type(email, await open())
    expect([page.status, page.url.href]).toEqual([200, world.portal('/login')])
    expect(page.visibleText).toContain(said)
    expect(page.text).toMatch(/<title>Error: /)
    expect(page.forms[form(page)]?.fields).toContainEqual(['email', email.slice(0, 254)])
    expect(page.header('cache-control')).toContain('no-store')
    // In either language.
    expect(page.links.filter(({ href }) => href.includes('who='))).toHaveLength(4)
    expect(page.links.some(({ href }) => /alice/.test(href))).toBe(false)
    expect([op.count('authorize'), cas.asked]).toEqual([0, []])
    const second = await type('alice@cnrs.fr', page)
    expect(second.url.href, second.story).toBe(world.url('any', '/echo?page=7'))
  })

  it('with markup in it is text', async () => {
    const page = await type('<svg onload=x>@a.example', await open())
    expect(page.text).not.toContain('<svg onload')
    expect(page.forms[form(page)]?.fields).toContainEqual(['email', '<svg onload=x>@a.example'])
  })

  it('of an idp that this site does not admit is of nobody there, and no form stands where it could lead nowhere', async () => {
    const page = await open('campus')
    expect((await type('alice@cnrs.fr', page)).visibleText).toContain('No account on this page')
    expect(
      (await type('alice@lab.cnrs.fr', page)).hops.some(({ redirect }) => redirect?.port === new URL(cas.server).port),
    ).toBe(true)
    const second = await browser.click(await open('any', newBrowser()), 'Researcher')
    expect(form(second)).toBe(-1)
  })

  it('with another tab’s token begins nothing, and goes on when it is sent again', async () => {
    const asked = await type('alice@cnrs.fr', await open(), { token: 'wrong' })
    expect([asked.status, op.count('authorize')]).toEqual([200, 0])
    expect(asked.visibleText).not.toContain('No account')
    expect(asked.forms[form(asked)]?.fields).toContainEqual(['email', 'alice@cnrs.fr'])
    expect((await browser.submit(asked, {}, 'Find my institution')).url.href).toBe(world.url('any', '/echo?page=7'))
  })

  it('from another origin is refused', async () => {
    const page = await browser.navigate(world.portal('/login'), {
      form: { email: 'alice@cnrs.fr' },
      from: 'http://evil.example/',
    })
    expect([page.status, op.count('authorize')]).toEqual([403, 0])
  })

  it('where the idp is down says so, with the way to the other accounts', async () => {
    clock.advance(11_000)
    await op.goDown()
    const page = await type('alice@cnrs.fr', await open())
    expect(page.status).toBe(503)
    expect(page.links.some(({ href }) => /alice/.test(href))).toBe(false)
    expect((await browser.click(page, 'another account')).visibleText).toContain('Step 1 of 2')
    await op.comeUp()
    clock.advance(11_000)
  })
})

describe('whose computer it is', () => {
  it('is a shared one unless its box is marked: nothing is remembered, and ten minutes close it', async () => {
    const page = await open()
    expect(page.visibleText).toContain('Otherwise your session closes after 10 minutes')
    await type('alice@cnrs.fr', page)
    expect([kept(), await lives()]).toEqual([null, true])
    clock.advance(11 * minute)
    expect(await lives()).toBe(false)
  })

  it('with it is one’s own: the idp is remembered, and nothing of the address', async () => {
    await type('alice@cnrs.fr', await open(), { remember: 'yes' })
    expect(kept()).toMatch(/^janus\.[\w-]{43}$/)
    clock.advance(11 * minute)
    expect(await lives()).toBe(true)
  })
})

describe('a link that names a domain', () => {
  const link = (hint: string, more: Record<string, string> = {}) =>
    world.portal(`/enter?${new URLSearchParams({ to: world.url('any', '/echo?page=8'), login_hint: hint, ...more })}`)

  it.each(['cnrs.fr', 'x@CNRS.fr', 'UNIVERSITÉ.fr'])('%s leads to its idp without a question', async hint => {
    const page = await browser.navigate(link(hint))
    expect([page.status, page.url.href], page.story).toEqual([200, world.url('any', '/echo?page=8')])
    expect([op.count('authorize'), page.hops.some(({ status }) => status === 200)]).toEqual([1, false])
  })

  it('without a target ends on the front page', async () => {
    const page = await browser.navigate(world.portal('/login?login_hint=cnrs.fr'))
    expect([page.status, page.url.pathname, op.count('authorize')]).toEqual([200, '/', 1])
  })

  it.each(['nowhere.example', '<svg>', 'alice@@', ''])(
    '%j that is nobody’s gets the question, without a reproach',
    async hint => {
      const page = await browser.navigate(link(hint))
      expect([page.status, page.visibleText.includes('Step 1 of 2')]).toEqual([200, true])
      expect(page.visibleText).not.toMatch(/Error|No account on|This is not/)
      expect(page.text).not.toContain('<svg>')
      expect(op.count('authorize')).toBe(0)
    },
  )

  it('says an address to no idp but its own, even where the link names another', async () => {
    for (const [hint, told] of [
      ['bob@lab.cnrs.fr', null],
      ['bob@nowhere.example', null],
      ['bob@cnrs.fr', 'bob@cnrs.fr'],
    ] as const) {
      const led = await newBrowser().navigate(link(hint, { idp: 'janus' }), untilIdp)
      expect([led.redirect?.origin, led.redirect?.searchParams.get('login_hint')], hint).toEqual([op.issuer, told])
    }
  })

  it('comes after the idp that the link names, and before what the browser remembers', async () => {
    const named = await browser.navigate(link('cnrs.fr', { idp: 'lab' }), untilIdp)
    expect(named.redirect?.origin).toBe(new URL(cas.server).origin)
    await type('alice@lab.cnrs.fr', await open(), { remember: 'yes' })
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout')
    const led = await browser.navigate(link('cnrs.fr'), untilIdp)
    expect(led.redirect?.origin).toBe(op.issuer)
    // After a sign-out the idp asks the person again, whatever a link says.
    expect(led.redirect?.searchParams.get('prompt')).toBe('login')
  })
})

describe('the search box', () => {
  it('takes the domain of an address, and shows and passes on nothing else of it', async () => {
    const many = Array.from(
      { length: 16 },
      (_, index) => `
  - { id: u${index}, label: Université ${index}, cas: { server: "${cas.server}" }, emailDomains: [u${index}.example, "*.u${index}.example"] }`,
    )
    const long = await start({ idps: many.join(''), resources: site('any'), more: '', shared: world })
    try {
      const list = await browser.navigate(long.url('any', '/echo'))
      const search = (q: string) => browser.submit(list, { q }, 'Search')
      const radios = (page: Reply) => [...page.text.matchAll(/name="idp" value="([\w-]+)"/g)].map(([, id]) => id)
      expect(radios(await search('u7.example'))).toEqual(['u7'])
      const found = await search(' Alice.Martin@mail.U7.example ')
      expect(radios(found)).toEqual(['u7'])
      expect(found.text.replaceAll(/href="[^"]*lang=[^"]*"/g, '')).not.toMatch(/alice|martin/i)
      expect(radios(await search('alice@u77.example'))).toEqual([])
      expect(
        (await type('alice@u3.example', list)).hops.some(({ redirect }) =>
          redirect?.href.includes('%2Fcallback%2Fu3%2F'),
        ),
      ).toBe(true)
    } finally {
      await long.stop()
    }
  })
})
