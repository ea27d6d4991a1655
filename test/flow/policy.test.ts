/** Who may pass, at the assembled gateway: every kind of policy, by path, by method, by idp; and what a refusal says. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TestGateway
beforeAll(async () => {
  const site = (id: string, policy: string) => `
  - id: ${id}
    title: { fr: Le site ${id}, en: The ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    identity: { headers: { X-Remote-User: "{subject}" } }
    policy: ${policy}`
  world = await startTestGateway({
    openPaths: /^\/(pub$|api\/|adm\/help\/)/,
    resources: [
      site('app', 'signed-in'),
      site('open', 'public'),
      site('maybe', 'optional'),
      site('staff', '[{ affiliation: [staff, faculty] }]'),
      site('both', '[{ affiliation: student, email: "*@campus.example" }, { email: "eve@*" }]'),
      site('never', '[{ address: "192.0.2.0/24" }]'),
      site(
        'parts',
        `signed-in
    paths:
      - { match: /pub/, policy: public }
      - { match: /pub/private/, policy: signed-in }
      - { match: /adm/, policy: admins }
      - { match: /adm/help/, policy: optional }
      - { match: /api/, methods: [GET], policy: public }
      - { match: /api/, methods: [DELETE], policy: admins }`,
      ),
    ].join(''),
  })
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(() => world.stop())

const lastUser = () => world.origin.requests.at(-1)?.header('x-remote-user') ?? null

describe('a site that is', () => {
  it('public is open to everybody, and never told who somebody is', async () => {
    const alice = await world.signIn('alice', 'app')
    for (const browser of [new Browser(), alice]) {
      for (const method of ['GET', 'POST', 'PUT']) {
        expect((await browser.fetch(world.url('open', '/echo'), { method })).status).toBe(200)
        expect(lastUser()).toBeNull()
      }
    }
  })

  it('public takes no identity from a visitor', async () => {
    await new Browser().fetch(world.url('open', '/echo'), { headers: { 'X-Remote-User': 'root' } })
    expect(lastUser()).toBeNull()
  })

  it('signed-in is open to whoever signed in', async () => {
    for (const person of ['alice', 'bob', 'eve'] as const) {
      await world.signIn(person, 'app')
      expect(lastUser()).toBe(person)
    }
  })

  it('optional is open to everybody, and told who somebody is if they signed in', async () => {
    const browser = new Browser()
    expect((await browser.navigate(world.url('maybe', '/echo'))).hops).toEqual([])
    expect(lastUser()).toBeNull()
    world.provider.person('bob')
    const page = await browser.navigate(
      world.url('maybe', `/.passerelle/begin?to=${encodeURIComponent(world.url('maybe', '/echo?in'))}`),
    )
    expect(page.url.href).toBe(world.url('maybe', '/echo?in'))
    expect(lastUser()).toBe('bob')
  })

  it('ruled is open where one rule holds, and a rule holds where all of it does', async () => {
    const opens = async (person: 'alice' | 'bob' | 'eve', host: string) => {
      world.provider.person(person)
      return (await new Browser().navigate(world.url(host, '/echo'))).status
    }
    expect([await opens('alice', 'staff'), await opens('bob', 'staff'), await opens('eve', 'staff')]).toEqual([
      200, 403, 403,
    ])
    expect([await opens('alice', 'both'), await opens('bob', 'both'), await opens('eve', 'both')]).toEqual([
      403, 200, 200,
    ])
    expect([await opens('alice', 'never')]).toEqual([403])
  })
})

describe('a path', () => {
  it.each([
    ['/pub/x', 200, 200, 200],
    ['/pub', 200, 200, 200],
    ['/pub/private/x', 401, 200, 200],
    ['/pub/privateer', 200, 200, 200],
    ['/public', 401, 200, 200],
    ['/adm/', 401, 403, 200],
    ['/adm', 401, 403, 200],
    ['/adm/help/me', 200, 200, 200],
    ['/admx', 401, 200, 200],
    ['/elsewhere', 401, 200, 200],
  ])(
    '%s has the policy of the longest prefix: %i for nobody, %i for bob, %i for alice',
    async (path, nobody, bobs, alices) => {
      const bob = await world.signIn('bob', 'parts')
      const alice = await world.signIn('alice', 'parts')
      world.origin.forget()
      const statuses = []
      for (const one of [new Browser(), bob, alice]) statuses.push((await one.fetch(world.url('parts', path))).status)
      expect(statuses).toEqual([nobody, bobs, alices])
    },
  )

  it('may be open to some methods only, and is then judged for the others by its next rule', async () => {
    const bob = await world.signIn('bob', 'parts')
    const alice = await world.signIn('alice', 'parts')
    const status = async (browser: Browser, method: string) =>
      (await browser.fetch(world.url('parts', '/api/x'), { method })).status
    expect([await status(new Browser(), 'GET'), await status(new Browser(), 'HEAD')]).toEqual([200, 200])
    expect([await status(new Browser(), 'POST'), await status(new Browser(), 'DELETE')]).toEqual([401, 401])
    expect([await status(bob, 'POST'), await status(bob, 'DELETE')]).toEqual([200, 403])
    expect(await status(alice, 'DELETE')).toBe(200)
    const spelled = await new Browser().fetch(world.url('parts', '/api/x'), {
      method: 'POST',
      headers: { 'X-HTTP-Method-Override': 'GET' },
    })
    expect(spelled.status).toBe(401)
  })
})

describe('a refusal', () => {
  it('is a page on the site that names what is missing, what the account has, and a reference that is in the log', async () => {
    world.provider.person('bob')
    const page = await new Browser({ language: 'en' }).navigate(world.url('staff', '/echo?secret=1'))
    expect(page.status).toBe(403)
    expect(page.url.href).toBe(world.url('staff', '/echo?secret=1'))
    expect(page.visibleText).toContain('This account does not open The staff site')
    expect(page.visibleText).toMatch(/What is needed .*staff.*faculty/)
    expect(page.visibleText).toMatch(/What you have .*student/)
    expect(page.visibleText).toContain('Campus account, Bob Noël')
    expect(page.sandboxed).toBe(true)
    expect(page.forms).toEqual([])
    const reference = /Reference to quote: (\w{6})/.exec(page.visibleText)?.[1]
    const entry = world.log
      .map(line => JSON.parse(line))
      .findLast(one => one.ref === reference || one.reference === reference)
    expect(entry).toMatchObject({ code: 'policy.denied', resource: 'staff' })
    expect(JSON.stringify(entry)).not.toContain('secret=1')
    expect(world.origin.requests).toEqual([])
  })

  it('offers another account, which then opens the site', async () => {
    world.provider.person('bob')
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(world.url('staff', '/echo'))
    world.provider.person('alice')
    // Else the provider asks about the two accounts, on a page that needs a script.
    browser.jar.clear('idp.localhost')
    const opened = await browser.click(page, 'Use another account')
    expect(opened.url.href).toBe(world.url('staff', '/echo'))
    expect(opened.status).toBe(200)
    expect(lastUser()).toBe('alice')
  })

  it('is JSON for a script and closes a WebSocket, each without a word of the policy', async () => {
    const bob = await world.signIn('bob', 'parts')
    const reply = await bob.fetch(world.url('parts', '/adm/data'))
    expect(reply.status).toBe(403)
    expect(reply.json()).toEqual({ error: 'policy.denied', reference: expect.stringMatching(/^\w{6}$/) })
    const refused: unknown = await bob.webSocket(world.url('parts', '/adm/ws')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
    expect((refused as RefusedUpgrade).reply.status).toBe(403)
    expect(world.origin.requests.filter(({ url }) => url.startsWith('/adm'))).toEqual([])
  })
})

describe('a site that admits the people of one idp', () => {
  let two: TwoIdps
  beforeAll(async () => {
    two = await startTwoIdps()
  })
  afterAll(() => two.stop())

  it('refuses those of another, and says which way they came', async () => {
    const browser = new Browser({ language: 'en' })
    expect((await browser.navigate(two.url('app', '/echo'))).status).toBe(200)
    two.origin.forget()
    const page = await browser.navigate(two.url('campus', '/echo'))
    expect(page.status).toBe(403)
    expect(page.visibleText).toContain('does not open through the service “Other provider”')
    expect(two.origin.requests).toEqual([])
    two.invariants()
  })
})
