/**
 * Nobody is ever sent "back to cas": whatever people do with Back buttons, bookmarks, tabs and other people's links, by
 * whichever protocol they sign in, each ends on the wanted page, or on one page that says what to do, with one button.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { expectOnePage, onePageTitles, pressButton } from '../stand-in/one-page.ts'

type Person = 'alice' | 'bob' | 'eve'

/** A protocol, and how the test plays its idp. */
interface Way {
  readonly site: string
  readonly server: () => string
  /** Whom it remembers from now on, and signs in without a word. */
  readonly remembers: (person: Person) => void
  /** From where people are led, back to our callback. */
  readonly reply: (led: URL, person: Person) => URL
  /** How often it was asked about a reply. */
  readonly asked: () => number
  /** How often somebody was led there by a real browser. */
  readonly visits: () => number
  /** Replies that nobody here asked for, after the portal's address. */
  readonly unsolicited: readonly string[]
}

const clock = settableClock(Date.now())
let op: AdversarialOp
let cas: CasServer
let world: TestGateway

const ways: readonly (readonly [string, Way])[] = [
  [
    'OpenID Connect',
    {
      site: 'app',
      server: () => op.issuer,
      remembers(person) {
        op.bends.subject = person
      },
      reply: (led, person) => op.authorize(led, person),
      asked: () => op.count('token'),
      visits: () => op.count('authorize'),
      unsolicited: [
        '/callback/op?code=eves-code&iss=ISSUER',
        `/callback/op?code=eves-code&iss=ISSUER&state=${'A'.repeat(43)}`,
        '/callback/op?code=eves-code&state=',
        '/callback/op?error=access_denied',
        '/callback/op',
      ],
    },
  ],
  [
    'CAS',
    {
      site: 'ent',
      server: () => new URL(cas.server).origin,
      remembers(person) {
        cas.bends.user = person
      },
      reply(led, person) {
        cas.bends.user = person
        return cas.signIn(led)
      },
      asked: () => cas.asked.filter(url => url.includes('ticket=')).length,
      visits: () => cas.asked.filter(url => url.startsWith('/cas/login')).length,
      unsolicited: [
        '/callback/cas?ticket=ST-1-eve',
        `/callback/cas/${'A'.repeat(43)}?ticket=ST-1-eve`,
        `/callback/cas/${'A'.repeat(43)}`,
        '/callback/cas',
      ],
    },
  ],
]

const site = (id: string, idp: string) => `
  - id: ${id}
    title: { fr: Site ${id}, en: ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [${idp}]
    identity: { headers: { X-Remote-User: "{subject}" } }`

beforeAll(async () => {
  ;[op, cas] = await Promise.all([startAdversarialOp(clock.now), startCasServer()])
  world = await startTestGateway({
    surroundings: { now: clock.now },
    idps: `
  - id: op
    label: { fr: Fournisseur, en: Provider }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
  - id: cas
    label: { fr: Académie, en: Academy }
    cas: { server: "${cas.server}" }`,
    resources: [site('app', 'op'), site('plain', 'op'), site('ent', 'cas'), site('other', 'cas')].join(''),
  })
})
beforeEach(() => {
  op.bends.subject = 'alice'
})
afterEach(() => {
  world.invariants()
  op.reset()
  cas.reset()
  // What was left provisional is gone.
  clock.advance(61_000)
})
afterAll(async () => {
  await world.stop()
  await Promise.all([op.stop(), cas.stop()])
})

const languages = ['fr', 'en'] as const

describe.each(ways)('by %s', (_, way) => {
  const wanted = (path = '/echo?article=12') => world.url(way.site, path)
  const isThere = (page: Reply, person: Person, address = wanted()) => {
    expect([page.status, page.url.href], page.story).toEqual([200, address])
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe(person)
  }
  const isFront = (page: Reply, language: 'fr' | 'en' = 'fr') => {
    expect([page.status, page.url.href], page.story).toEqual([200, world.portal('/')])
    expect(page.visibleText).toContain(language === 'fr' ? 'Se déconnecter' : 'Sign out')
  }

  const isOnePage = (page: Reply, title: Parameters<typeof expectOnePage>[1], language: 'fr' | 'en') =>
    expectOnePage(page, title, language, world.portal())

  /** To the idp and no further: its address with our state. */
  async function led(browser: Browser, address = wanted()): Promise<URL> {
    const step = await browser.navigate(address, {
      follow: hop => hop.redirect !== null && hop.redirect.origin !== way.server(),
    })
    if (step.redirect === null) throw new Error(step.story)
    return step.redirect
  }

  const signIn = async (person: Person = 'alice', language: 'fr' | 'en' = 'fr') => {
    way.remembers(person)
    const browser = new Browser({ language })
    const page = await browser.navigate(wanted())
    isThere(page, person)
    return { browser, steps: page.hops.map(({ url }) => url) }
  }

  describe('somebody whom the idp remembers', () => {
    it('comes to the wanted page without a page of ours in between', async () => {
      way.remembers('alice')
      const page = await new Browser().navigate(wanted())
      isThere(page, 'alice')
      expect(page.hops.every(({ redirect }) => redirect !== null)).toBe(true)
      expect([way.visits(), way.asked()]).toEqual([1, 1])
    })

    it('and who is signed in here already, is not sent there again', async () => {
      const { browser } = await signIn()
      isFront(await browser.navigate(world.portal('/login')))
      isThere(
        await browser.navigate(world.portal(`/enter?to=${encodeURIComponent(wanted('/echo?b'))}`)),
        'alice',
        wanted('/echo?b'),
      )
      expect(way.visits()).toBe(1)
    })
  })

  describe('the Back button after a sign-in', () => {
    it('leads from each step on to the wanted page or to the front page, never to the idp again', async () => {
      const { browser, steps } = await signIn()
      for (const step of steps.toReversed()) {
        if (step.origin === way.server()) continue
        const page = await browser.navigate(step)
        expect([page.status, [wanted(), world.url(way.site), world.portal('/')]], `${step}\n${page.story}`).toEqual([
          200,
          expect.arrayContaining([page.url.href]),
        ])
      }
      expect([way.visits(), way.asked()]).toEqual([1, 1])
    })

    it('to the idp’s own form, sent once more, ends on the front page, and the idp’s new reply is not asked about', async () => {
      way.remembers('alice')
      const browser = new Browser()
      const form = await led(browser)
      isThere(await browser.navigate(way.reply(form, 'alice'), { from: way.server() }), 'alice')
      isFront(await browser.navigate(way.reply(form, 'alice'), { from: way.server() }))
      isFront(await browser.navigate(way.reply(form, 'eve'), { from: way.server() }))
      expect(way.asked()).toBe(1)
      isThere(await browser.navigate(wanted()), 'alice')
    })

    it.each(languages)('after a sign-out: each step is one page, or a new sign-in (%s)', async language => {
      const { browser, steps } = await signIn('alice', language)
      await browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout')
      for (const step of steps.filter(({ searchParams }) =>
        ['r', 't', 'code', 'ticket'].some(name => searchParams.has(name)),
      )) {
        const page = await browser.navigate(step, { follow: false })
        if (step.origin === new URL(world.portal()).origin) isOnePage(page, 'stale', language)
        else expect([page.status, page.visibleText.includes(onePageTitles.stale[language])]).toEqual([400, true])
      }
      expect(way.asked()).toBe(1)
    })
  })

  describe('a bookmark', () => {
    it('on the way to the sign-in leads to the wanted page, tomorrow and in another browser', async () => {
      const { steps } = await signIn()
      const enter = steps.find(({ pathname, searchParams }) => pathname === '/enter' && searchParams.has('to'))
      expect(enter).toBeDefined()
      clock.advance(26 * 60 * 60_000)
      isThere(await new Browser().navigate(enter ?? ''), 'alice')
    })

    it('on the sign-in page leads to the front page, whatever else stands in its address', async () => {
      const idp = way.site === 'ent' ? 'cas' : 'op'
      way.remembers('alice')
      isFront(await new Browser().navigate(world.portal(`/login?idp=${idp}`)))
      isFront(await new Browser().navigate(world.portal(`/login?idp=${idp}&ticket=ST-1&code=c&state=s&r=x`)))
      expect(way.asked()).toBe(2)
    })

    it.each(languages)('on the idp’s page, months later, is one page, whose button signs in (%s)', async language => {
      const browser = new Browser({ language })
      const bookmark = await led(browser)
      clock.advance(90 * 24 * 60 * 60_000)
      const page = await browser.navigate(way.reply(bookmark, 'alice'), { from: way.server(), follow: false })
      isOnePage(page, 'stale', language)
      expect(way.asked()).toBe(0)
    })

    it.each(languages)(
      'on the callback, used, is the front page, and one page for who is signed in no more (%s)',
      async language => {
        const { browser, steps } = await signIn('alice', language)
        const bookmark = steps.find(({ pathname }) => pathname.startsWith('/callback/')) as URL
        isFront(await browser.navigate(bookmark), language)
        browser.jar.clear()
        const page = await browser.navigate(bookmark, { follow: false })
        isOnePage(page, 'stale', language)
        expect((await pressButton(browser, page)).status).toBe(200)
        expect(way.asked()).toBe(1)
      },
    )

    it.each(languages)(
      'on the callback of somebody else signs nobody in, and keeps the page that was wanted (%s)',
      async language => {
        const theirs = way.reply(await led(new Browser()), 'eve')
        const browser = new Browser({ language })
        await led(browser, wanted('/echo?mine'))
        const page = await browser.navigate(theirs, { follow: false })
        isOnePage(page, 'foreign', language)
        expect(way.asked()).toBe(0)
        way.remembers('alice')
        isThere(await pressButton(browser, page), 'alice')
      },
    )

    it.each(languages)(
      'on the callback of somebody else, opened by who is signed in, does not say that cookies are refused (%s)',
      async language => {
        const { browser } = await signIn('alice', language)
        const theirs = way.reply(await led(new Browser()), 'eve')
        const page = await browser.navigate(theirs, { follow: false })
        isOnePage(page, 'foreign', language)
        isThere(await pressButton(browser, page), 'alice')
        expect(way.asked()).toBe(1)
      },
    )
  })

  describe('two tabs with two people', () => {
    it('end as the one who came last, on the page that each tab wanted; nothing is mixed', async () => {
      const before = (await world.gateway.sessions.count()) ?? 0
      const browser = new Browser()
      const [first, second] = [await led(browser, wanted('/echo?1')), await led(browser, wanted('/echo?2'))]
      isThere(await browser.navigate(way.reply(first, 'alice'), { from: way.server() }), 'alice', wanted('/echo?1'))
      isThere(await browser.navigate(way.reply(second, 'bob'), { from: way.server() }), 'bob', wanted('/echo?2'))
      isThere(await browser.navigate(wanted('/echo?1')), 'bob', wanted('/echo?1'))
      expect(await world.gateway.sessions.count()).toBe(before + 1)
    })

    it('of whom one has come half-way: the tab that goes on does so as the other', async () => {
      const browser = new Browser()
      const [first, second] = [await led(browser, wanted('/echo?1')), await led(browser, wanted('/echo?2'))]
      const half = await browser.navigate(way.reply(first, 'alice'), { from: way.server(), follow: false })
      isThere(await browser.navigate(way.reply(second, 'bob'), { from: way.server() }), 'bob', wanted('/echo?2'))
      isThere(await browser.navigate(half.redirect ?? ''), 'bob', wanted('/echo?1'))
    })
  })

  describe('a reply that nobody asked for', () => {
    it.each(languages)('is one page whose button signs in, and the idp is asked nothing (%s)', async language => {
      for (const path of way.unsolicited) {
        const browser = new Browser({ language })
        const address = world.portal(path.replace('ISSUER', encodeURIComponent(way.server())))
        const page = await browser.navigate(address, { from: way.server(), follow: false })
        isOnePage(page, 'stale', language)
        const next = await pressButton(browser, page)
        expect([next.status, next.url.pathname], next.story).toEqual([200, '/login'])
      }
      expect(way.asked()).toBe(0)
    })

    it('leaves a person who is signed in who they are', async () => {
      const { browser } = await signIn()
      for (const path of way.unsolicited) {
        const address = world.portal(path.replace('ISSUER', encodeURIComponent(way.server())))
        isFront(await browser.navigate(address, { from: way.server() }))
      }
      isThere(await browser.navigate(wanted()), 'alice')
      expect(way.asked()).toBe(1)
    })
  })

  it.each(languages)(
    'a browser that refuses cookies reads one page, after one visit to the idp (%s)',
    async language => {
      way.remembers('alice')
      const browser = new Browser({ language, cookies: false })
      const page = await browser.navigate(wanted())
      isOnePage(page, 'cookies', language)
      expect(page.visibleText).toContain('acces.localhost')
      expect([way.visits(), way.asked()]).toEqual([1, 0])
      const again = await pressButton(browser, page)
      isOnePage(again, 'cookies', language)
      expect(way.visits()).toBe(2)
    },
  )
})
