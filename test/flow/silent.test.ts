/**
 * A sign-in without a word, `prompt=none`: a site that is open to visitors would like to know who is there, if anybody is signed in
 * at the idp already. It asks nobody anything, and sends nobody in circles.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser, type BrowserOptions } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

const minute = 60_000
const clock = settableClock(Date.now())

let op: AdversarialOp
let cas: CasServer
let codes: CodeFile
let world: TestGateway
let browser: Browser

const site = (id: string, policy: string, more: string) => `
  - id: ${id}
    title: { fr: Site ${id}, en: ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: ${policy}
    identity: { headers: { X-Remote-User: "{subject}" } }
    ${more}`

beforeAll(async () => {
  op = await startAdversarialOp(clock.now)
  cas = await startCasServer()
  codes = await makeCodeFile()
  world = await startTestGateway({
    surroundings: { now: clock.now, wall: clock.now },
    session: '  perPerson: { limit: 1, beyond: ask }',
    idps: `
  - id: op
    label: { fr: Fournisseur, en: Provider }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
  - id: ent
    label: { fr: Espace numérique de travail, en: School portal }
    cas: { server: "${cas.server}" }${aCodeIdp(codes, 'codes')}`,
    files: { [codes.path]: '' },
    resources: [
      site(
        'maybe',
        'optional',
        'idps: [op]\n    paths: [{ match: /in/, policy: signed-in }]\n    logout: { intercept: [/logout.php], means: local }',
      ),
      site('school', 'optional', 'idps: [ent]\n    paths: [{ match: /in/, policy: signed-in }]'),
      site('several', 'optional', 'sharedSubjects: yes\n    paths: [{ match: /in/, policy: signed-in }]'),
      site('guests', 'optional', 'idps: [codes]'),
    ].join(''),
    openPaths: /^\/(?:echo|$)/,
  })
})
beforeEach(() => {
  browser = newBrowser()
  nobodyIsKnown(true)
})
afterEach(async () => {
  world.invariants()
  cas.reset()
  op.reset()
  // The sessions of one test are none of the next one's.
  clock.advance(24 * 60 * minute)
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
  await op.stop()
  await codes.remove()
})

function nobodyIsKnown(nobody: boolean): void {
  cas.bends.nobody = nobody
  op.bends.nobody = nobody
  op.bends.subject = 'alice'
}
const newBrowser = (options: BrowserOptions = {}) => new Browser({ language: 'en', now: clock.now, ...options })
/** As a site's own page links or redirects: on its own host. */
const begin = (host: string, path = '/echo?page=7', one = browser, options: Parameters<Browser['navigate']>[1] = {}) =>
  one.navigate(
    world.url(host, `/.passerelle/begin?${new URLSearchParams({ to: world.url(host, path), prompt: 'none' })}`),
    options,
  )
const enter = (host: string, more: Record<string, string>, path = '/echo?page=7') =>
  world.portal(`/enter?${new URLSearchParams({ to: world.url(host, path), prompt: 'none', ...more })}`)
/** Whom the origin was told of last; null: nobody. */
const told = () => world.origin.requests.at(-1)?.header('x-remote-user') ?? null
const named = (name: string) => world.events.filter(event => event.name === name).length

/** A protocol, and how often somebody was led to its idp without a word, and otherwise. */
const ways = [
  [
    'OpenID Connect',
    'maybe',
    'op',
    (page: Reply) => ledTo(page, op.issuer, '/authorize').map(url => url.searchParams.get('prompt') ?? 'as needed'),
  ],
  [
    'CAS',
    'school',
    'ent',
    (page: Reply) =>
      ledTo(page, new URL(cas.server).origin, '/cas/login').map(({ searchParams }) =>
        searchParams.get('gateway') === 'true' ? 'none' : searchParams.get('renew') === 'true' ? 'login' : 'as needed',
      ),
  ],
] as const
const ledTo = ({ hops }: Reply, origin: string, path: string) =>
  hops.flatMap(({ redirect }) => (redirect?.origin === origin && redirect.pathname === path ? redirect : []))

describe.each(ways)('by %s', (_, host, idp, led) => {
  /** Signed in at the idp, and nowhere here. */
  async function knownToIdp(one = browser): Promise<void> {
    nobodyIsKnown(false)
    const page = await one.navigate(world.url(host, '/in/'))
    if (page.status !== 200) throw new Error(page.story)
    one.jar.clearSite(new URL(world.portal()))
    clock.advance(11 * 60 * minute)
  }

  it('whoever is signed in at the idp comes to the page as themselves, without a question', async () => {
    await knownToIdp()
    const page = await begin(host)
    expect([page.status, page.url.href, told()], page.story).toEqual([200, world.url(host, '/echo?page=7'), 'alice'])
    expect(led(page)).toEqual(['none'])
    expect(page.hops.every(({ status }) => status === 303 || status === 302)).toBe(true)
  })

  it('whoever is not comes to the page as a visitor, and is asked nothing', async () => {
    const before = named('sign-in.nobody')
    const page = await begin(host)
    expect([page.status, page.url.href, told()], page.story).toEqual([200, world.url(host, '/echo?page=7'), null])
    expect([led(page), named('sign-in.nobody') - before]).toEqual([['none'], 1])
    // Nothing of the try stays but that there was one.
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).toEqual(['__Host-Http-passerelle-silent'])
  })

  it('the same by a link of the portal, to a page or to its own', async () => {
    const page = await browser.navigate(enter(host, { idp }))
    expect([page.url.href, told(), led(page)], page.story).toEqual([world.url(host, '/echo?page=7'), null, ['none']])
    const other = newBrowser()
    const front = await other.navigate(world.portal(`/login?idp=${idp}&prompt=none`))
    expect([front.status, front.url.pathname, led(front)], front.story).toEqual([200, '/', ['none']])
    const third = newBrowser()
    await knownToIdp(third)
    const mine = await third.navigate(world.portal(`/login?idp=${idp}&prompt=none`))
    expect([mine.url.pathname, mine.visibleText.includes('Sign out'), led(mine)]).toEqual(['/', true, ['none']])
  })

  it('is tried once in ten minutes, whatever comes of it', async () => {
    await begin(host)
    for (const later of [0, 5, 4]) {
      clock.advance(later * minute)
      const page = await begin(host)
      expect([page.status, page.url.href, led(page)], page.story).toEqual([200, world.url(host, '/echo?page=7'), []])
    }
    clock.advance(minute + 1_000)
    expect(led(await begin(host))).toEqual(['none'])
  })

  it('a page that visitors may not see begins the ordinary sign-in, once nobody is known (OI-28)', async () => {
    const page = await begin(host, '/in/')
    expect(led(page), page.story).toEqual(['none', 'as needed'])
    const other = newBrowser()
    const asked = await other.navigate(enter('several', { idp }, '/in/'))
    expect([asked.status, asked.url.pathname, led(asked)], asked.story).toEqual([200, '/enter', ['none']])
    expect(asked.visibleText).toContain('Choose your account')
    expect(asked.url.searchParams.has('prompt')).toBe(false)
  })

  it('whoever has signed out stays signed out, and “another account” is a question', async () => {
    await knownToIdp()
    await begin(host)
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout')
    clock.advance(11 * minute)
    const page = await begin(host)
    expect([page.status, page.url.href, told(), led(page)], page.story).toEqual([
      200,
      world.url(host, '/echo?page=7'),
      null,
      [],
    ])
    const again = await browser.navigate(world.portal(`/login?idp=${idp}&prompt=none&again=1`), {
      follow: reply => reply.redirect?.hostname === 'acces.localhost',
    })
    expect(again.redirect?.search).toMatch(/renew=true|prompt=login/)
    expect(again.redirect?.search).not.toMatch(/gateway|prompt=none/)
  })

  it('an idp that is down keeps nobody from a page that is open to visitors', async () => {
    const server = idp === 'op' ? op : cas
    clock.advance(11_000)
    await server.goDown()
    try {
      for (let once = 0; once < 2; once++) {
        const page = await begin(host, '/echo?page=7', newBrowser())
        expect([page.status, page.url.href, told()], page.story).toEqual([200, world.url(host, '/echo?page=7'), null])
      }
    } finally {
      await server.comeUp()
      clock.advance(11_000)
    }
    // Those who are not led there all the same have it looked at again.
    await expect.poll(async () => led(await begin(host, '/echo', newBrowser()))).toEqual(['none'])
  })

  it('without cookies ends on one page, whose button leads to the site', async () => {
    const page = await begin(host, '/echo?page=7', newBrowser({ cookies: false }))
    expect([page.status, led(page)], page.story).toEqual([400, ['none']])
    expect(page.visibleText).toMatch(/cookies/i)
    expect(page.links.some(({ href }) => href === world.url(host, '/echo?page=7'))).toBe(true)
  })

  it('in two tabs at once each comes to its page; and so does whoever goes back', async () => {
    const away = {
      follow: (reply: Reply) =>
        reply.redirect?.hostname.endsWith('localhost') === true &&
        !/^\/(?:cas|authorize)/.test(reply.redirect.pathname),
    }
    const first = await begin(host, '/echo?tab=1', browser, away)
    const second = await begin(host, '/echo?tab=2')
    expect([second.status, second.url.href], second.story).toEqual([200, world.url(host, '/echo?tab=2')])
    const late = await browser.navigate(first.redirect ?? '')
    expect([late.status, late.url.href], late.story).toEqual([200, world.url(host, '/echo?tab=1')])
    const callback = [...late.hops].find(({ url }) => url.pathname.startsWith('/callback/'))?.url
    const back = await browser.navigate(callback ?? '')
    expect([back.status, led(back)]).toEqual([400, []])
    expect(back.links.some(({ href }) => href.startsWith('/login'))).toBe(true)
  })

  it('an answer in another browser is foreign, and uses nothing up', async () => {
    const mine = await begin(host, '/echo?page=7', browser, {
      follow: reply => reply.redirect?.pathname.startsWith('/callback/') !== true,
    })
    const callback = mine.redirect ?? ''
    const eve = newBrowser()
    await eve.navigate(world.portal(`/login?idp=${idp}`), { follow: false })
    expect((await eve.navigate(callback)).status).toBe(400)
    const page = await browser.navigate(callback)
    expect([page.status, page.url.href], page.story).toEqual([200, world.url(host, '/echo?page=7')])
  })

  it('asks no person about their other sessions either', async () => {
    await knownToIdp()
    const other = newBrowser()
    nobodyIsKnown(false)
    expect((await other.navigate(world.url(host, '/in/'))).status).toBe(200)
    const page = await begin(host)
    expect([page.status, page.url.href, told()], page.story).toEqual([200, world.url(host, '/echo?page=7'), null])
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain('__Host-Http-passerelle')
    expect((await other.navigate(world.url(host, '/in/'), { follow: false })).status).toBe(200)
  })
})

describe('a site that asks on each of its pages', () => {
  it('leads nobody to the idp twice, and is stopped by a page with a way to sign in (CA-15)', async () => {
    for (let page = 0; page < 30; page++) {
      const seen = await begin('school', `/echo?page=${page}`)
      expect([seen.status, seen.url.hostname], seen.story).toEqual([200, 'school.localhost'])
    }
    expect(cas.asked.filter(url => url.startsWith('/cas/login'))).toHaveLength(1)
    const stopped = await begin('school')
    expect([stopped.status, stopped.url.hostname]).toEqual([400, 'acces.localhost'])
    expect(stopped.visibleText).toContain('A site keeps sending you here')
    expect(world.log.at(-1)).toContain('login.silent-loop')
    nobodyIsKnown(false)
    const page = await browser.click(stopped, 'Continue to')
    expect([page.status, page.url.href, told()], page.story).toEqual([
      200,
      world.url('school', '/echo?page=7'),
      'alice',
    ])
    const later = newBrowser()
    later.jar.receive(
      new URL(world.portal()),
      `__Host-Http-passerelle-silent=${Math.floor(clock.now() / 1000)}.9999; Path=/; Secure; HttpOnly`,
    )
    clock.advance(10 * minute + 1_000)
    expect((await begin('school', '/echo?page=7', later)).status).toBe(200)
  })

  it('with a cookie of anybody’s making is asked for once more at most', async () => {
    const seconds = Math.floor(clock.now() / 1000)
    for (const value of [
      'x',
      '',
      `${seconds + 3_600}.1`,
      `${seconds}.-1`,
      `${seconds}.1e3`,
      '9'.repeat(300),
      `${seconds}`,
    ]) {
      const one = newBrowser()
      one.jar.receive(new URL(world.portal()), `__Host-Http-passerelle-silent=${value}; Path=/; Secure; HttpOnly`)
      const page = await begin('school', '/echo', one)
      expect(
        [page.status, page.url.hostname, ledTo(page, new URL(cas.server).origin, '/cas/login').length],
        value,
      ).toEqual([200, 'school.localhost', 1])
    }
  })
})

describe('nobody can be asked in silence', () => {
  const visits = () => named('sign-in.begun')

  it('where several idps could serve and none is named or remembered', async () => {
    const before = visits()
    const page = await begin('several')
    expect([page.url.href, told(), visits() - before], page.story).toEqual([
      world.url('several', '/echo?page=7'),
      null,
      0,
    ])
  })

  it('by an access code, which is a question', async () => {
    const before = visits()
    for (const address of [
      enter('guests', {}),
      enter('guests', { idp: 'codes' }),
      enter('several', { idp: 'codes' }),
    ]) {
      const page = await newBrowser().navigate(address)
      expect([page.status, page.url.pathname, told()], page.story).toEqual([200, '/echo', null])
    }
    expect(visits()).toBe(before)
  })

  it('by what no person’s browser sends, or only in a frame', async () => {
    const before = visits()
    const link = enter('school', { idp: 'ent' })
    expect((await browser.navigate(link, { as: 'prefetch', follow: false })).status).toBe(204)
    expect((await browser.navigate(link, { method: 'HEAD', follow: false })).status).toBe(204)
    const crawler = await newBrowser({ fetchMetadata: false }).fetch(link, { follow: false })
    expect(crawler.redirect?.href ?? null).toBe(world.url('school', '/echo?page=7'))
    const framed = await browser.navigate(enter('school', { idp: 'ent', f: '1' }), { follow: false })
    expect(framed.redirect?.pathname).toBe('/.passerelle/framed')
    expect(visits()).toBe(before)
  })

  it('on the way to an address that is not ours', async () => {
    for (const to of [
      'https://evil.example/',
      'http://evil.example',
      '//evil.example',
      world.portal('/'),
      'javascript:alert(1)',
    ]) {
      const page = await browser.navigate(
        world.portal(`/enter?${new URLSearchParams({ to, idp: 'ent', prompt: 'none' })}`),
        { follow: false },
      )
      expect([page.status, page.redirect], to).toEqual([404, null])
    }
  })

  it('about a site that the person has left, which sees a visitor', async () => {
    await browser.navigate(world.url('maybe', '/in/'))
    const link = await browser.navigate(world.url('maybe', '/echo'))
    const left = await browser.navigate(world.url('maybe', '/logout.php'), { from: link })
    expect(left.status, left.story).toBe(200)
    const page = await begin('maybe')
    expect([page.status, page.url.href, told()], page.story).toEqual([200, world.url('maybe', '/echo?page=7'), null])
  })
})
