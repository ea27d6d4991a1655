/**
 * PA: one path that the gateway and the origin read in two ways. `/pub/` is open, `/adm/` is for administrators, and
 * everything else needs a session; nothing may reach `/adm/` by being judged as something else.
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { type RawRequest, rawRequest } from '../stand-in/raw-request.ts'

const { paths }: { paths: readonly string[] } = JSON.parse(
  readFileSync(new URL('strings/paths.json', import.meta.url), 'utf8'),
)

const site = (id: string, at: string, more: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${at}"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
    ${more}
`
const rules = `paths:
      - { match: /pub/, policy: public }
      - { match: /adm/, policy: admins }
      - { match: /pub/edit/, methods: [PUT, DELETE], policy: admins }`

let world: TestGateway
let alice: string
let bob: string
beforeAll(async () => {
  world = await startTestGateway({
    resources: [
      site('app', 'app.localhost:$PORT', rules),
      site('folds', 'folds.localhost:$PORT', `caseInsensitive: true\n    ${rules}`),
      site('mounted', 'apps.localhost:$PORT/app/', ''),
      site('deep', 'apps.localhost:$PORT/deep/', '').replace('"$ORIGIN"', '"$ORIGIN/base/"'),
      site('asks', 'asks.localhost:$PORT', 'preflight: forward'),
      site('listed', 'listed.localhost:$PORT', 'allowOrigins: ["https://friend.example"]'),
    ].join(''),
  })
  const cookies = async (person: 'alice' | 'bob') => {
    const browser = await world.signIn(person)
    for (const url of [world.url('folds'), world.url('apps', '/app/'), world.url('asks')]) await browser.navigate(url)
    return ['app', 'folds', 'apps', 'asks'].map(host => world.cookieOf(browser, host)).join('; ')
  }
  alice = await cookies('alice')
  bob = await cookies('bob')
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(() => world.stop())

const navigation = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']

async function ask(target: string, more: Partial<RawRequest> & { readonly on?: string } = {}) {
  const text = rawRequest({ target, host: `${more.on ?? 'app'}.localhost:${world.port}`, ...more })
  const { responses } = await rawExchange(world.port, text, { responses: 1, methods: [more.method ?? 'GET'] })
  return { status: responses[0]?.status ?? 0, response: responses[0] }
}

const forwarded = () => world.origin.requests.map(({ method, url }) => `${method} ${url}`)

/** What an origin could take for /adm, however it decodes, folds, trims and resolves. */
function couldBeAdm(url: string): boolean {
  let path = url
  for (let round = 0; round < 3; round++) {
    path = path.replace(/%u?([0-9a-f]{4}|[0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  const plain = path
    .normalize('NFKC')
    .replaceAll('\\', '/')
    .replace(/;[^/]*/g, '')
    .replace(/[#?].*/, '')
  return /^\/+adm(\/|$)/.test(new URL(plain.replace(/^\/+/, '/'), 'http://origin').pathname)
}

describe('PA-01 a spelling of a protected path', () => {
  describe.each(paths)('%j', path => {
    it('of nobody is 400 or 401', async () => {
      expect([400, 401]).toContain((await ask(path)).status)
      expect(forwarded()).toEqual([])
    })

    it('of somebody who opens it in a browser is 400 or the way to sign in', async () => {
      const { status, response } = await ask(path, { lines: navigation })
      expect([400, 303]).toContain(status)
      if (status === 303) expect(response?.header('location')).toMatch(`${world.portal('/enter')}?to=`)
      expect(forwarded()).toEqual([])
    })

    it('PA-02 of somebody who may not go there is 400, 403, or a page that is not there', async () => {
      const { status } = await ask(path, { cookie: bob })
      expect([200, 400, 403]).toContain(status)
      expect(forwarded().length).toBe(status === 200 ? 1 : 0)
      for (const { url } of world.origin.requests) {
        expect(url).toBe(path)
        expect(couldBeAdm(url)).toBe(false)
      }
    })

    it('PA-02 and on an origin that folds, it is none in capitals either', async () => {
      const { status } = await ask(path, { cookie: bob, on: 'folds' })
      expect([200, 400, 403]).toContain(status)
      for (const { url } of world.origin.requests) expect(couldBeAdm(url.toLowerCase())).toBe(false)
    })
  })

  it('is no way to keep out who may go there', async () => {
    for (const path of ['/adm/', '/adm', '/adm/x.css', '/adm?x=/pub/']) {
      expect((await ask(path, { cookie: alice })).status).toBe(200)
    }
    expect(forwarded()).toEqual(['GET /adm/', 'GET /adm', 'GET /adm/x.css', 'GET /adm?x=/pub/'])
  })
})

describe('PA-05 a query', () => {
  it.each(['/adm?x=/pub/', '/adm/?/pub/', '/adm/x?/pub/', '/adm?/pub/'])('is no path: %s', async path => {
    expect((await ask(path)).status).toBe(401)
    expect((await ask(path, { cookie: bob })).status).toBe(403)
    expect(forwarded()).toEqual([])
  })
})

describe('PA-07 OPTIONS', () => {
  const preflight = (origin: string) => [`Origin: ${origin}`, 'Access-Control-Request-Method: PUT']

  it('* is answered by us', async () => {
    expect((await ask('*', { method: 'OPTIONS', cookie: alice })).status).toBe(400)
    expect(forwarded()).toEqual([])
  })

  it('of a preflight is decided like any other request, where nobody said otherwise', async () => {
    const lines = preflight('https://evil.test')
    const { status, response } = await ask('/adm', { method: 'OPTIONS', lines })
    expect(status).toBe(401)
    expect(response?.header('access-control-allow-origin')).toBeNull()
    expect((await ask('/x', { method: 'OPTIONS', lines: preflight('https://evil.test'), on: 'listed' })).status).toBe(
      401,
    )
    expect(forwarded()).toEqual([])
  })

  it('of a preflight from a listed origin is answered by us, and the origin does not see it', async () => {
    const lines = preflight('https://friend.example')
    const { status, response } = await ask('/x', { method: 'OPTIONS', lines, on: 'listed' })
    expect(status).toBe(204)
    expect(response?.headers('access-control-allow-origin')).toEqual(['https://friend.example'])
    expect(forwarded()).toEqual([])
  })

  it('of a preflight is forwarded where the resource says so, with nobody’s identity', async () => {
    const lines = [...preflight('https://evil.test'), 'X-Remote-User: root']
    expect((await ask('/x', { method: 'OPTIONS', lines, cookie: alice, on: 'asks' })).status).toBe(200)
    const seen = world.origin.requests
    expect(seen.map(({ method }) => method)).toEqual(['OPTIONS'])
    expect(seen[0]?.header('x-remote-user')).toBeNull()
    expect(seen[0]?.header('cookie')).toBeNull()
    expect((await ask('/x', { method: 'OPTIONS', lines: lines.slice(0, 1), on: 'asks' })).status).toBe(401)
    // Nobody’s, so the invariant of the others does not hold for it.
    world.origin.forget()
  })
})

describe('PA-08 the method', () => {
  it.each(['HEAD', 'PUT', 'DELETE', 'PROPFIND', 'OPTIONS', 'PATCH', 'QUERY'])(
    '%s is decided like GET',
    async method => {
      expect((await ask('/pub/', { method })).status).toBe(200)
      expect((await ask('/adm/', { method })).status).toBe(401)
      expect((await ask('/adm/', { method, cookie: bob })).status).toBe(403)
      expect(forwarded()).toEqual([`${method} /pub/`])
    },
  )

  it.each(['get', 'G%45T', 'GET\t', 'FOO', 'GETS'])('%j is none', async method => {
    expect((await ask('/pub/', { method })).status).toBe(400)
    expect(forwarded()).toEqual([])
  })

  it.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X_HTTP_Method_Override'])(
    'is the real one, whatever %s says',
    async name => {
      expect((await ask('/pub/edit/x', { method: 'PUT', lines: [`${name}: GET`] })).status).toBe(401)
      expect((await ask('/pub/edit/x', { method: 'PUT', lines: [`${name}: GET`], cookie: bob })).status).toBe(403)
      for (const method of ['GET', 'HEAD', 'POST']) {
        expect((await ask('/pub/edit/x', { method, lines: [`${name}: DELETE`] })).status).toBe(200)
      }
      expect(forwarded()).toEqual(['GET /pub/edit/x', 'HEAD /pub/edit/x', 'POST /pub/edit/x'])
      for (const seen of world.origin.requests) expect(seen.headerNames().join()).not.toMatch(/method/i)
    },
  )
})

describe('PA-10 what machines ask', () => {
  const own = ['/livez', '/readyz', '/metrics', '/health', '/ready']

  it('is not on the public listener', async () => {
    for (const path of own) {
      expect((await ask(path)).status).toBe(401)
      expect((await ask(path, { on: 'acces' })).status).toBe(404)
      expect((await ask(path, { on: 'unknown' })).status).toBe(404)
    }
    expect(forwarded()).toEqual([])
  })

  it.each(['/..', '/../livez', ';', ';x', '%2f', '/', '?x', '%20', '#'])(
    'is matched exactly: %s behind it',
    async tail => {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        const text = rawRequest({ target: `${path}${tail}`, host: '127.0.0.1' })
        const { responses } = await rawExchange(world.operationsPort, text, { responses: 1 })
        expect([400, 404]).toContain(responses[0]?.status)
      }
    },
  )

  it('is answered where it belongs', async () => {
    for (const target of ['/livez', '/readyz', '/metrics']) {
      const text = rawRequest({ target, host: '127.0.0.1' })
      const { responses } = await rawExchange(world.operationsPort, text, { responses: 1 })
      expect(responses[0]?.status).toBe(200)
    }
  })
})

describe('PA-11 the host', () => {
  const port = () => world.port
  it.each([
    ['capitals', () => 'APP.LocalHost'],
    ['a dot at its end', () => 'app.localhost.'],
    ['the port of https', () => 'app.localhost:443'],
    ['the port of http', () => 'app.localhost:80'],
    ['an empty port', () => 'app.localhost:'],
    ['our port', () => `app.localhost:${port()}`],
    ['a dot and our port', () => `App.Localhost.:${port()}`],
  ])('with %s is the same host, under the same rules, and the origin hears one name', async (_, host) => {
    const statusOf = async (target: string, cookie: string | null) =>
      (await ask(target, { host: host(), cookie })).status
    expect(await statusOf('/pub/', null)).toBe(200)
    expect(await statusOf('/adm/', null)).toBe(401)
    expect(await statusOf('/adm/', bob)).toBe(403)
    expect(await statusOf('/adm/', alice)).toBe(200)
    for (const seen of world.origin.requests) {
      expect(seen.headers('host')).toEqual([`app.localhost:${port()}`])
      expect(seen.headers('x-forwarded-host')).toEqual([`app.localhost:${port()}`])
    }
  })

  it.each([
    ['in punycode', 'xn--app-0na.localhost'],
    ['an IPv6 address', '[::1]'],
    ['an IPv6 address with a scope', '[fe80::1%eth0]'],
    ['an IPv4 address', '127.0.0.1'],
    ['above ours', 'localhost'],
    ['below ours', 'x.app.localhost'],
    ['ours as a beginning', 'app.localhost.evil.test'],
    ['empty', ''],
  ])('that is %s is none of ours', async (_, host) => {
    expect([400, 404]).toContain((await ask('/pub/', { host })).status)
    expect(forwarded()).toEqual([])
  })
})

describe('PA-13 a rule that is written as a regular expression', () => {
  it.each(['^/adm/', '/adm(.*)*$', '/adm/*', '/.*', '/a?dm/', 'adm/'])(
    'does not start, and is named: %s',
    async match => {
      const resources = site('app', 'app.localhost:$PORT', `paths: [{ match: "${match}", policy: public }]`)
      const start = startTestGateway({ resources, shared: { provider: world.provider, origin: world.origin } })
      await expect(start).rejects.toThrow(/paths\[0\]\.match/)
    },
  )
})

describe('PA-14 a path that is very long', () => {
  it.each([
    ['8 KB', `/pub/${'a'.repeat(8_192)}`, [200]],
    ['8 KB of empty segments', `/pub${'/'.repeat(8_192)}`, [400]],
    ['15 KB of dots', `/pub${'/..'.repeat(5_000)}/adm`, [400]],
    ['15 KB of escapes', `/pub/${'%E2%80%A5'.repeat(1_700)}`, [200, 400]],
    ['15 KB of letters that fold', `/pub/${'%C4%B0'.repeat(2_500)}`, [200, 400]],
    ['15 KB of doubled escapes', `/${'%25'.repeat(5_000)}adm`, [400]],
    ['64 KB', `/pub/${'a'.repeat(65_536)}`, [414, 431]],
    ['ten thousand steps up', `/pub${'/../'.repeat(10_000)}`, [414, 431]],
  ])('costs little: %s', async (_, path, statuses) => {
    const rounds = 10
    const before = process.cpuUsage()
    for (let round = 0; round < rounds; round++) expect(statuses).toContain((await ask(path)).status)
    const { user, system } = process.cpuUsage(before)
    // Client and origin of this process included; on a quick machine it is a few.
    expect((user + system) / 1_000 / rounds).toBeLessThan(250)
    for (const { url } of world.origin.requests) expect(url).toBe(path)
  })
})

describe('PA-17 a site below a path', () => {
  const tails = [
    '..%2fadmin',
    '..;/admin',
    '../admin',
    '%2e%2e/admin',
    '.%2e/admin',
    './../admin',
    '..%5cadmin',
    '..\\admin',
  ]

  it.each([
    ...tails,
    '%2e%2e%2fadmin',
    '..%252fadmin',
    '..%c0%afadmin',
    '%u002e%u002e/admin',
    '..%00/admin',
    ';/../admin',
  ])('is not left by %s', async tail => {
    for (const base of ['/app/', '/deep/', '/deep/x/']) {
      expect([400, 404]).toContain((await ask(`${base}${tail}`, { on: 'apps', cookie: alice })).status)
    }
    expect(forwarded()).toEqual([])
  })

  it.each(['/App/', '//app/', '/%61pp/', '/app%2f', '/app;/x', '/apps/', '/./app/', '/deeper', '/', '/app..', '/app.'])(
    'is not entered by %s',
    async path => {
      expect([400, 404]).toContain((await ask(path, { on: 'apps', cookie: alice })).status)
      expect(forwarded()).toEqual([])
    },
  )

  it('is what its origin has below its own path', async () => {
    for (const path of ['/app/x?a=../b', '/deep/x', '/deep/']) {
      expect((await ask(path, { on: 'apps', cookie: alice })).status).toBe(200)
    }
    expect(forwarded()).toEqual(['GET /x?a=../b', 'GET /base/x', 'GET /base/'])
  })
})
