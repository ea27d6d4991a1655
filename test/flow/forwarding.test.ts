/** To the right origin, under the right names: addresses, headers and cookies on their way up and down. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AskedAnswer, answerAsAsked, asking } from '../stand-in/asked-answer.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { type RawRequest, rawRequest } from '../stand-in/raw-request.ts'

const site = (id: string, at: string, more = '') => `
  - id: ${id}
    title: ${id}
    at: "${at}"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
    ${more}
`

let world: TestGateway
let cookies: Readonly<Record<string, string>>
beforeAll(async () => {
  world = await startTestGateway({
    origin: { handler: answerAsAsked },
    listen: 'trustedProxies: ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]',
    resources: [
      site('app', 'http://app.localhost:$PORT'),
      site('wide', 'http://wide.site.localhost:$PORT', 'cookies: { domain: keep }'),
      site('own', 'http://own.localhost:$PORT', 'host: origin'),
      site('intranet', 'http://apps.localhost:$PORT/intranet/'),
      site('deep', 'http://apps.localhost:$PORT/deep/').replace('"$ORIGIN"', '"$ORIGIN/base/"'),
      site('open', 'http://open.localhost:$PORT').replace('signed-in', 'public'),
      site('secure', 'https://open.example.org').replace('signed-in', 'public'),
    ].join(''),
  })
  const browser = await world.signIn('alice')
  for (const url of [world.url('wide.site'), world.url('own'), world.url('apps', '/intranet/')])
    await browser.navigate(url)
  const hosts = ['app', 'wide.site', 'own', 'apps', 'open']
  cookies = Object.fromEntries(hosts.map(host => [host, world.cookieOf(browser, host)]))
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(() => world.stop())

async function ask(on: string, target: string, more: Partial<RawRequest> = {}) {
  const cookie = cookies[on] || null
  const text = rawRequest({ target, host: `${on}.localhost:${world.port}`, cookie, ...more })
  const { responses } = await rawExchange(world.port, text, { responses: 1, methods: [more.method ?? 'GET'] })
  const [response] = responses
  if (response === undefined) throw new Error(`no answer to ${target}`)
  return { response, seen: world.origin.requests.at(-1) }
}

/** What a browser gets of the headers that an origin sends. */
async function passed(on: string, target: string, headers: readonly string[], more: AskedAnswer = {}) {
  const { response } = await ask(on, target, { lines: [asking({ ...more, headers })] })
  return response
}

describe('a request', () => {
  it('goes to the origin of its host, path and query untouched', async () => {
    const target = '/a//b;c/%E9/%2F..%2f?q=100%&x=a|b&;=[]'
    const { response, seen } = await ask('app', target)
    expect(response.status).toBe(200)
    expect(seen?.url).toBe(target)
  })

  it('goes to the origin that is mounted below its path, with the origin’s path in place of the public one', async () => {
    expect((await ask('apps', '/intranet/a/b?c=/intranet/')).seen?.url).toBe('/a/b?c=/intranet/')
    expect((await ask('apps', '/deep/a')).seen?.url).toBe('/base/a')
    expect((await ask('apps', '/deep/')).seen?.url).toBe('/base/')
  })

  it('for the mount without its slash is sent to it, query and method kept', async () => {
    const { response } = await ask('apps', '/intranet?x=1', { method: 'POST', body: 'x' })
    expect([response.status, response.header('location')]).toEqual([308, world.url('apps', '/intranet/?x=1')])
    expect(world.origin.requests).toHaveLength(0)
  })

  it('for a path below which nothing is mounted is 404', async () => {
    expect((await ask('apps', '/other/')).response.status).toBe(404)
  })

  it('shares a connection to the origin with those before it', async () => {
    const connection = await RawConnection.open(world.port)
    for (let n = 1; n <= 20; n++) {
      const target = `/echo?n=${n}`
      await connection.write(rawRequest({ target, host: `app.localhost:${world.port}`, cookie: cookies.app ?? null }))
      await connection.until(() => connection.responses.length === n, 5_000)
    }
    expect(connection.responses.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(new Set(world.origin.requests.map(seen => seen.connection)).size).toBe(1)
    connection.destroy()
  })

  it('keeps the headers of the site: order, spelling and doubles', async () => {
    const lines = ['X-B: 1', 'x-a: 2', 'X-B: 3', 'Accept-Encoding: br', 'DNT: 1', 'X-Latin: caf\xe9', 'X-Empty: ']
    const raw = (await ask('app', '/', { lines })).seen?.rawHeaders ?? []
    const sent = raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1]}`] : []))
    expect(sent.filter(line => lines.includes(line))).toEqual(lines)
  })
})

describe('who and where, as the origin hears it', () => {
  const told = (seen: Awaited<ReturnType<typeof ask>>['seen']) =>
    ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'].map(name =>
      seen?.headers(name).join(' + '),
    )

  it('comes from the configuration and the socket', async () => {
    const host = `app.localhost:${world.port}`
    const { seen } = await ask('app', '/')
    expect(told(seen)).toEqual([
      host,
      '127.0.0.1',
      'http',
      host,
      `${world.port}`,
      `for=127.0.0.1;proto=http;host="${host}"`,
    ])
  })

  it('is the site’s own public address, whatever the last hop to us looked like', async () => {
    const lines = [
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Port: 1',
      'Forwarded: for=x;host=y',
    ]
    const { seen } = await ask('open', '/', { host: 'open.example.org', lines })
    const name = 'open.example.org'
    expect(told(seen)).toEqual([name, '127.0.0.1', 'https', name, '443', `for=127.0.0.1;proto=https;host=${name}`])
  })

  it('has the origin’s own name as Host where the resource says so', async () => {
    const { seen } = await ask('own', '/')
    expect(told(seen).slice(0, 4)).toEqual([
      `127.0.0.1:${world.origin.port}`,
      '127.0.0.1',
      'http',
      `own.localhost:${world.port}`,
    ])
  })

  it.each([
    ['one address', '203.0.113.9', '203.0.113.9', 'for=203.0.113.9'],
    ['what it appended, not what the client wrote', '198.51.100.1, 203.0.113.9', '203.0.113.9', 'for=203.0.113.9'],
    ['an address behind two of ours', '1.2.3.4, 203.0.113.9, 10.1.2.3', '203.0.113.9', 'for=203.0.113.9'],
    ['an IPv6 address', '2001:db8::7', '2001:db8::7', 'for="[2001:db8::7]"'],
    ['an IPv6 address behind one of ours', '2001:db8::7, fd00::1', '2001:db8::7', 'for="[2001:db8::7]"'],
    ['no address at all', 'unknown', '127.0.0.1', 'for=127.0.0.1'],
    ['an injection', '1.1.1.1";host=evil', '127.0.0.1', 'for=127.0.0.1'],
  ])('behind a trusted proxy is the client that this proxy saw: %s', async (_, said, client, node) => {
    const { seen } = await ask('app', '/', { lines: [`X-Forwarded-For: ${said}`] })
    expect(seen?.headers('x-forwarded-for')).toEqual([client])
    expect(seen?.header('forwarded')?.split(';')[0]).toBe(node)
  })
})

describe('cookies', () => {
  it('of ours stay here, those of the site go on', async () => {
    const ours = `${cookies.app}; __Host-Http-passerelle-n-12345678=x; __HOST-HTTP-PASSERELLE=y;__http-passerelle-z=1`
    const { seen } = await ask('app', '/', { cookie: `a=1; ${ours}; b="2 3"; =z; c; passerelle=theirs` })
    expect(seen?.headers('cookie')).toEqual(['a=1; b="2 3"; =z; c; passerelle=theirs'])
  })

  it('that are only ours leave no Cookie line', async () => {
    expect((await ask('app', '/')).seen?.header('cookie')).toBeNull()
  })

  it('on two lines are one line at the origin (RFC 9113 §8.2.3 has them so, and many read the first only)', async () => {
    const { seen } = await ask('app', '/', { lines: ['Cookie: a=1', 'cookie: b=2'] })
    expect(seen?.headers('cookie')).toEqual(['a=1; b=2'])
  })

  it.each([
    ['no Domain', 'app', 'a=1; Path=/; HttpOnly', 'a=1; Path=/; HttpOnly'],
    ['the host itself as Domain', 'app', 'a=1; Domain=.app.localhost', 'a=1; Domain=.app.localhost'],
    ['a wider Domain', 'app', 'a=1; domain=localhost; Secure', 'a=1; Secure'],
    ['a foreign Domain', 'app', 'a=1; Domain=evil.test; Path=/x', 'a=1; Path=/x'],
    ['an empty Domain', 'app', 'a=1; Domain=', 'a=1'],
    [
      'a wider Domain where the resource keeps it',
      'wide.site',
      'a=1; Domain=site.localhost',
      'a=1; Domain=site.localhost',
    ],
    [
      'a comma in its date',
      'app',
      'a=1; Expires=Wed, 01 Dec 2027 00:00:00 GMT',
      'a=1; Expires=Wed, 01 Dec 2027 00:00:00 GMT',
    ],
    ['a comma in its value', 'app', 'a=x,y; Path=/', 'a=x,y; Path=/'],
    ['latin-1 bytes', 'app', 'a=caf\xe9', 'a=caf\xe9'],
    ['the root as Path of a mounted site', 'apps', 'a=1; Path=/', 'a=1; Path=/intranet/'],
    ['a Path of a mounted site', 'apps', 'a=1; PATH=/x/y; Secure', 'a=1; Path=/intranet/x/y; Secure'],
    ['a Path that is none', 'apps', 'a=1; Path=x', 'a=1'],
  ])('of a site are set with %s as they should be', async (_, on, line, expected) => {
    const response = await passed(on, on === 'apps' ? '/intranet/' : '/', ['Set-Cookie', line])
    expect(response.headers('set-cookie')).toEqual([expected])
  })

  it.each([
    ['/base/x', 'a=1; Path=/deep/x'],
    ['/base/', 'a=1; Path=/deep/'],
    ['/base', 'a=1; Path=/deep/'],
    ['/', 'a=1; Path=/deep/'],
    ['/other/', 'a=1'],
    ['/basement', 'a=1'],
  ])('of an origin with a path of its own: Path=%s', async (path, expected) => {
    expect((await passed('apps', '/deep/', ['Set-Cookie', `a=1; Path=${path}`])).headers('set-cookie')).toEqual([
      expected,
    ])
  })

  it('that an origin sets stay separate lines', async () => {
    const response = await passed('app', '/', ['Set-Cookie', 'a=1', 'set-cookie', 'b=2, c=3', 'Set-Cookie', 'd=4'])
    expect(response.headers('set-cookie')).toEqual(['a=1', 'b=2, c=3', 'd=4'])
  })
})

describe('what would steer a browser beyond the site', () => {
  it.each([
    ['Clear-Site-Data', '"cookies"', []],
    ['Clear-Site-Data', '"*"', []],
    ['Clear-Site-Data', '"cache", "cookies", "storage"', ['"cache", "storage"']],
    ['Clear-Site-Data', '"cache","Cookies","*"', ['"cache"']],
    ['Alt-Svc', 'h3=":443"', []],
    ['NEL', '{"report_to":"x"}', []],
    ['Report-To', '{}', []],
    ['Reporting-Endpoints', 'x="https://evil.test"', []],
    ['Strict-Transport-Security', 'max-age=1', ['max-age=1']],
    ['Content-Security-Policy', "default-src 'self'", ["default-src 'self'"]],
  ])('is taken off, and nothing else: %s: %s', async (name, value, expected) => {
    expect((await passed('app', '/', [name, value])).headers(name)).toEqual(expected)
  })
})

describe('a redirect of the origin', () => {
  const own = () => `http://127.0.0.1:${world.origin.port}`
  const at = () => `http://app.localhost:${world.port}`

  it.each([
    ['relative', () => 'x?y#z', () => 'x?y#z'],
    ['up', () => '../x', () => '../x'],
    ['a query', () => '?page=2', () => '?page=2'],
    ['a path', () => '/x/%C3%A9?y=a b', () => '/x/%C3%A9?y=a b'],
    ['the origin by its own name', () => `${own()}/x?y#z`, () => `${at()}/x?y#z`],
    ['the origin in capitals', () => `${own().toUpperCase()}/X`, () => `${at()}/X`],
    ['the origin without its scheme', () => `${own().slice(5)}/x`, () => `${at()}/x`],
    ['the origin without a path', () => own(), () => `${at()}/`],
    ['the site under the wrong scheme', () => 'https://app.localhost/x', () => `${at()}/x`],
    ['the site without its port', () => 'http://app.localhost/x', () => `${at()}/x`],
    ['the site itself', () => `${at()}/x`, () => `${at()}/x`],
    ['another site', () => 'https://www.example.org/x', () => 'https://www.example.org/x'],
    ['another site without a scheme', () => '//www.example.org/x', () => '//www.example.org/x'],
    ['a host that begins like the origin', () => `${own()}0/x`, () => `${own()}0/x`],
    ['the origin’s address as a user', () => `${own()}@evil.test/x`, () => `${own()}@evil.test/x`],
    ['a scheme of its own', () => 'mailto:a@example.org', () => 'mailto:a@example.org'],
    ['a backslash', () => '/\\evil.test', () => '/\\evil.test'],
    ['latin-1 bytes', () => '/caf\xe9', () => '/caf\xe9'],
    ['nothing', () => '', () => ''],
  ])('leads where a browser can go: %s', async (_, location, expected) => {
    const response = await passed('app', '/', ['Location', location(), 'Content-Location', location()], { status: 302 })
    expect([response.status, response.header('location'), response.header('content-location')]).toEqual([
      302,
      expected(),
      expected(),
    ])
  })

  it.each([
    ['/intranet/', '/x', '/intranet/x'],
    ['/intranet/', '/', '/intranet/'],
    ['/intranet/', 'x', 'x'],
    ['/deep/', '/base/x?y=/base/#z', '/deep/x?y=/base/#z'],
    ['/deep/', '/base', '/deep/'],
    ['/deep/', '/other', '/other'],
  ])('of a site below %s to %s leads to %s', async (mount, location, expected) => {
    expect((await passed('apps', mount, ['Location', location], { status: 302 })).header('location')).toBe(expected)
  })

  it('of a mounted site by its own or its public name leads below the mount', async () => {
    const led = async (mount: string, location: string) =>
      (await passed('apps', mount, ['Location', location], { status: 302 })).header('location')
    expect(await led('/deep/', `${own()}/base/x`)).toBe(world.url('apps', '/deep/x'))
    expect(await led('/intranet/', `${own()}/x`)).toBe(world.url('apps', '/intranet/x'))
    expect(await led('/intranet/', world.url('apps', '/intranet/x'))).toBe(world.url('apps', '/intranet/x'))
  })
})

describe('Cache-Control', () => {
  it.each([
    [null, 'private'],
    ['no-store', 'no-store'],
    ['private, max-age=60', 'private, max-age=60'],
    ['public, max-age=60', 'max-age=60, private'],
    ['max-age=60, s-maxage=600', 'max-age=60, private'],
    ['no-cache', 'no-cache, private'],
  ])('of an answer that was made for somebody: %s becomes %s', async (sent, expected) => {
    const response = await passed('app', '/', sent === null ? [] : ['Cache-Control', sent])
    expect(response.headers('cache-control')).toEqual([expected])
  })

  it.each([null, 'public, max-age=60'])('of a public answer stays: %s', async sent => {
    const response = await passed('open', '/', sent === null ? [] : ['Cache-Control', sent])
    expect(response.headers('cache-control')).toEqual(sent === null ? [] : [sent])
  })
})
