/** CP-01 to CP-05 and docs/sessions.md B 25: nobody reads what was answered to somebody else, from any cache, ours included. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { people, startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { startSharedCache } from '../stand-in/shared-cache.ts'

let world: TestGateway
let alice: Browser
/** What the origin says of caching. */
let caching: Readonly<Record<string, string>> = {}
beforeAll(async () => {
  world = await startTestGateway({
    origin: {
      handler(_, response, recorded) {
        const who = recorded.header('x-remote-user') ?? 'nobody'
        const host = recorded.header('x-forwarded-host') ?? ''
        const more = ['x-original-url', 'x-rewrite-url', 'x-host', 'x-forwarded-server', 'x-forwarded-prefix']
        const heard = more.map(name => recorded.header(name)).filter(value => value !== null)
        response.writeHead(200, { 'Content-Type': 'text/html', ...caching })
        response.end(`<p>page of ${who} at ${host} ${heard.join(' ')}</p>`)
      },
    },
  })
})
beforeEach(async () => {
  caching = {}
  alice = await world.signIn('alice', 'app', { language: 'en' })
  world.origin.forget()
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

const app = (path = '/echo') => world.url('app', path)

describe('what we answer ourselves (CP-01)', () => {
  const nobody = () => new Browser({ language: 'en' })
  const answers: readonly (readonly [string, number, () => Promise<Reply>])[] = [
    ['the way to the sign-in', 303, () => nobody().navigate(app(), { follow: false })],
    ['a script’s 401', 401, () => nobody().fetch(app())],
    ['a form’s 401', 401, () => nobody().navigate(app(), { form: { a: 'b' }, follow: false })],
    ['a refusal', 403, () => alice.navigate(world.url('app', '/adm/')).then(() => nobodys())],
    ['a host that is not ours', 404, () => nobody().navigate(world.url('unknown'))],
    ['a begun hand-off', 303, () => nobody().navigate(app('/.passerelle/begin?to=/'), { follow: false })],
    ['a ticket that is unknown', 400, () => nobody().navigate(app('/.passerelle/enter?t=x'))],
    ['the page for frames', 200, () => nobody().navigate(app('/.passerelle/framed'))],
    ['the mount’s redirect', 308, () => nobody().navigate(world.url('apps', '/intranet'), { follow: false })],
    ['the portal’s front page', 200, () => alice.navigate(world.portal('/'))],
    ['the portal’s way to the idp', 303, () => nobody().navigate(world.portal('/login'), { follow: false })],
    ['the portal’s way to a site', 303, () => alice.navigate(world.portal(`/enter?to=${app()}`), { follow: false })],
    ['a stale callback', 400, () => nobody().navigate(world.portal('/callback/campus?state=x'))],
    ['the question at sign-out', 200, () => alice.navigate(world.portal('/logout'))],
    ['a portal page that is not there', 404, () => alice.navigate(world.portal('/nowhere'))],
  ]
  const nobodys = async () => {
    const bob = await world.signIn('bob', 'plain', { language: 'en' })
    return bob.navigate(world.url('staff', '/'))
  }

  it.each(answers)('is kept by no cache, and depends on the cookie: %s', async (_, status, answer) => {
    const reply = await answer()
    expect(reply.status).toBe(status)
    expect(reply.header('cache-control')).toBe('no-store')
    expect(reply.header('vary')).toMatch(/^Cookie, (Accept-Language, )?Sec-Fetch-Mode, Sec-Fetch-Dest/)
  })
})

describe('a public page that a cache may keep (CP-02)', () => {
  it.each([
    'X-Forwarded-Host: evil.test',
    'X-Original-URL: /evil',
    'X-Rewrite-URL: /evil',
    'X-Host: evil.test',
    'X-Forwarded-Server: evil.test',
    'X-Forwarded-Prefix: //evil.test',
    'X_Forwarded_Host: evil.test',
  ])('is not poisoned by %s', async line => {
    caching = { 'Cache-Control': 'public, max-age=600' }
    const [name = '', value = ''] = line.split(': ')
    const cache = startSharedCache()
    const page = world.url('open', '/page')
    const poisoned = await new Browser().navigate(page, { headers: { [name]: value } })
    expect(poisoned.text).not.toContain('evil')
    const plain = await cache.ask(new Browser(), page)
    expect(plain.text).toBe(poisoned.text)
    expect(cache.kept()).toEqual([page])
  })
})

describe('a person’s page under a name that looks like a file (CP-03)', () => {
  const names = [
    '/adm/x.css',
    '/adm/account/x.css',
    '/adm/account;x.css',
    '/adm/account%0ax.css',
    '/adm/account%00x.css',
    '/adm/account%2fx.css',
    '/adm/account?x.css',
    '/adm//x.css',
    '/echo/x.js',
  ]
  const says: readonly Readonly<Record<string, string>>[] = [
    {},
    { 'Cache-Control': 'public, max-age=31536000, immutable' },
    { 'Cache-Control': 's-maxage=600' },
    { 'Cache-Control': 'private="Set-Cookie", max-age=600' },
    { 'Cache-Control': 'no-cache' },
    { Expires: 'Thu, 01 Jan 2099 00:00:00 GMT' },
    { 'CDN-Cache-Control': 'max-age=600' },
    { 'Surrogate-Control': 'max-age=600' },
    { 'X-Accel-Expires': '600' },
  ]

  it.each(says)('is not read by anybody else, whatever the origin says: %j', async said => {
    caching = said
    const cache = startSharedCache()
    for (const name of names) {
      const own = await cache.ask(alice, app(name))
      expect([200, 400], name).toContain(own.status)
      const others = await cache.ask(new Browser(), app(name))
      expect([303, 400], name).toContain(others.status)
      expect(others.text, name).not.toContain('page of alice')
    }
    expect(cache.kept()).toEqual([])
  })

  it('keeps no-store where the origin said so', async () => {
    caching = { 'Cache-Control': 'no-store' }
    expect((await alice.fetch(app())).header('cache-control')).toBe('no-store')
  })
})

describe('what is remembered of an idp (CP-04)', () => {
  const site = (id: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [${id}]
    identity: { headers: { X-Remote-User: "{subject}" } }`
  const idp = (id: string, op: AdversarialOp) => `
  - { id: ${id}, label: ${id}, oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" } }`

  it('is remembered of that one alone: two with one kid and one client id, and neither signs for the other', async () => {
    const [one, two] = [await startAdversarialOp(), await startAdversarialOp()]
    await two.rotate()
    const sameKid = () => {
      for (const op of [one, two]) {
        op.reset()
        op.bends.subject = op === one ? 'alice' : 'bob'
        op.bends.header = header => ({ ...header, kid: 'the-same' })
        op.bends.keys = keys => keys.map(key => ({ ...key, kid: 'the-same' }))
      }
    }
    sameKid()
    const both = await startTestGateway({
      idps: idp('one', one) + idp('two', two),
      resources: site('one') + site('two'),
    })
    try {
      for (const host of ['one', 'two', 'one', 'two']) {
        const page = await new Browser().navigate(both.url(host, '/echo'))
        expect([page.status, both.origin.requests.at(-1)?.header('x-remote-user')]).toEqual([
          200,
          host === 'one' ? 'alice' : 'bob',
        ])
      }
      // Each has the other sign: the key is known, but as another's.
      two.bends.idToken = one.sign
      const forged = await new Browser({ language: 'en' }).navigate(both.url('two', '/echo'))
      expect([forged.status, forged.visibleText.includes('The sign-in did not succeed')]).toEqual([400, true])
      sameKid()
      one.bends.idToken = two.sign
      expect((await new Browser().navigate(both.url('one', '/echo'))).status).toBe(400)
      sameKid()
      // And says that it is the other.
      two.bends.claims = claims => ({ ...claims, iss: one.issuer })
      expect((await new Browser().navigate(both.url('two', '/echo'))).status).toBe(400)
      both.invariants()
    } finally {
      await both.stop()
      await one.stop()
      await two.stop()
    }
  })
})

describe('what is remembered of a decision (CP-05)', () => {
  const visitors = ['alice', 'bob', 'eve'] as const
  type Visitor = (typeof visitors)[number]
  const is = (affiliation: string) => (who: Visitor) =>
    (people[who].affiliation as readonly string[]).includes(affiliation)
  const pages: readonly (readonly [path: string, permits: (who: Visitor) => boolean])[] = [
    ['/echo', () => true],
    ['/adm/', who => 'admin' in people[who]],
    ['/staff/', is('staff')],
    ['/students/', is('student')],
    ['/guests/', is('guest')],
  ]
  const site = (id: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
    paths:
      - { match: /adm/, policy: admins }
      - { match: /staff/, policy: [{ affiliation: staff }] }
      - { match: /students/, policy: [{ affiliation: student }] }
      - { match: /guests/, policy: [{ affiliation: guest }] }`

  it('is that person’s at that place: six hundred requests of three people, mixed, each decided by its own', async () => {
    const ruled = await startTestGateway({ resources: site('one') + site('two'), shared: world })
    try {
      const browsers = new Map<Visitor, Browser>()
      for (const who of visitors) {
        const browser = await ruled.signIn(who, 'one')
        await browser.navigate(ruled.url('two', '/echo'))
        browsers.set(who, browser)
      }
      const turns = Array.from({ length: 600 }, (_, turn) => ({
        who: visitors[turn % 3] as Visitor,
        host: turn % 2 === 0 ? 'one' : 'two',
        page: pages[Math.floor(turn / 6) % pages.length] as (typeof pages)[number],
      }))
      const decided: (string | null)[] = []
      for (let from = 0; from < turns.length; from += 60) {
        decided.push(
          ...(await Promise.all(
            turns.slice(from, from + 60).map(async ({ who, host, page: [path, permits] }) => {
              const reply = await (browsers.get(who) as Browser).fetch(ruled.url(host, path))
              const got = reply.status === 200 ? (/page of \w+/.exec(reply.text)?.[0] ?? '') : String(reply.status)
              const expected = permits(who) ? `page of ${who}` : '403'
              return got === expected ? null : `${who} at ${path}: ${got}, not ${expected}`
            }),
          )),
        )
      }
      expect(decided.filter(wrong => wrong !== null)).toEqual([])
      ruled.invariants()
    } finally {
      await ruled.stop()
    }
  })
})
