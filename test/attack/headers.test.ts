/**
 * HD: who the person is, said by the client instead of the gateway. Every name that some origin takes for an identity is
 * sent with the value root, on every way into the gateway; the origin must read the session's person, once, or nothing.
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import type { OriginHandler } from '../stand-in/origin.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { chunked, handshake, type RawRequest, rawRequest } from '../stand-in/raw-request.ts'

const { names }: { names: readonly string[] } = JSON.parse(
  readFileSync(new URL('strings/identity-header-names.json', import.meta.url), 'utf8'),
)

/** RFC 9110 §5.1: what a parser takes for a name. The others are no requests at all, and get 400. */
const isName = (name: string) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name)

/** Sets the cookies that `Please-Set` names, in base64 so that no name of ours stands in a request. */
const setsCookies: OriginHandler = (request, response, recorded) => {
  const asked = request.headers['please-set']
  if (asked !== undefined) response.setHeader('Set-Cookie', JSON.parse(Buffer.from(String(asked), 'base64').toString()))
  answerPath(request, response, recorded)
}

let world: TestGateway
let alice: string
beforeAll(async () => {
  world = await startTestGateway({ origin: { handler: setsCookies } })
  alice = world.cookieOf(await world.signIn('alice'))
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(() => world.stop())

const host = (name = 'app') => `${name}.localhost:${world.port}`

async function send(request: Omit<RawRequest, 'host'> & { readonly on?: string }) {
  const { responses } = await rawExchange(world.port, rawRequest({ host: host(request.on), ...request }), {
    responses: 1,
    methods: [request.method ?? 'GET'],
  })
  return { status: responses[0]?.status ?? 0, response: responses[0], seen: world.origin.requests.at(-1) }
}

describe('an identity header of the client', () => {
  it('is tried under forty-two names, of which thirty-nine are names', () => {
    expect(names).toHaveLength(42)
    expect(names.filter(isName)).toHaveLength(39)
  })

  describe.each(names)('HD-01 %j', name => {
    const outcome = (status: number, good: number) => expect(status).toBe(isName(name) ? good : 400)
    const asAlice = () => {
      const users = world.origin.requests.map(seen => seen.headers('x-remote-user'))
      expect(users).toEqual(isName(name) ? [['alice']] : [])
    }

    it('is not forwarded with a GET of somebody who is signed in', async () => {
      outcome((await send({ target: '/echo', cookie: alice, lines: [`${name}: root`] })).status, 200)
      asAlice()
    })

    it('is not forwarded from nobody to a public path', async () => {
      outcome((await send({ target: '/pub/page', lines: [`${name}: root`] })).status, 200)
      expect(world.origin.requests.map(seen => seen.header('x-remote-user'))).toEqual(isName(name) ? [null] : [])
    })

    it('HD-03 is not forwarded with a WebSocket handshake', async () => {
      outcome((await send({ target: '/ws', cookie: alice, lines: [`${name}: root`, ...handshake] })).status, 101)
      asAlice()
    })

    it('HD-04 is not forwarded with Expect: 100-continue', async () => {
      const lines = ['Expect: 100-continue', `${name}: root`]
      outcome((await send({ method: 'POST', target: '/echo', cookie: alice, lines, body: 'abc' })).status, 200)
      asAlice()
    })

    it('HD-06 is not forwarded as a trailer', async () => {
      const lines = ['Transfer-Encoding: chunked', `Trailer: ${isName(name) ? name : 'X-Other'}`]
      const body = chunked(['abc'], [`${name}: root`])
      outcome((await send({ method: 'POST', target: '/echo', cookie: alice, lines, body })).status, 200)
      // What is no header name is refused before the origin is asked.
      if (isName(name)) await world.origin.exchange(1)
      else expect(world.origin.requests).toEqual([])
      for (const seen of world.origin.requests) {
        expect(seen.headers('x-remote-user')).toEqual(['alice'])
        expect(seen.trailers).toEqual([])
        expect(seen.header('trailer')).toBeNull()
      }
    })
  })
})

it('forty at once, each with a forged identity, are forty of the session’s person', async () => {
  const lines = ['X-Remote-User: root', 'X_Remote_User: root']
  const all = Array.from({ length: 40 }, (_, n) => send({ target: `/echo?n=${n}`, cookie: alice, lines }))
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(40).fill(200))
  expect(world.origin.requests.map(seen => seen.headers('x-remote-user'))).toEqual(Array(40).fill(['alice']))
})

describe('the Connection header', () => {
  it.each([
    ['one line', ['Connection: close, X-Remote-User, x-gw-jwt, cookie']],
    ['capitals', ['CONNECTION: CLOSE, X-REMOTE-USER, X-GW-JWT, COOKIE']],
    ['two lines', ['Connection: close, X-Remote-User', 'connection: x-remote-email, Cookie']],
    ['a name in each line', ['Connection: x-remote-user', 'Connection: X-Remote-Email', 'Connection: host']],
    ['odd spacing', ['Connection:\t,, x-remote-user ,\tX-REMOTE-EMAIL,Host, ,']],
  ])('HD-08 takes no header of ours away: %s', async (_, lines) => {
    const { status, seen } = await send({ target: '/echo', cookie: `${alice}; theirs=1`, lines })
    expect(status).toBe(200)
    expect(seen?.headers('x-remote-user')).toEqual(['alice'])
    expect(seen?.headers('x-remote-email')).toEqual(['alice@campus.example'])
    expect(seen?.headers('host')).toEqual([host()])
    expect(seen?.headers('connection').join()).not.toMatch(/x-|cookie|host/i)
  })

  it('HD-08 ends what it names here: a header of the client does not go on', async () => {
    const lines = ['Connection: close, X-Of-This-Hop, Authorization', 'X-Of-This-Hop: 1', 'Authorization: Bearer x']
    const { seen } = await send({ target: '/echo', cookie: alice, lines })
    expect(seen?.header('x-of-this-hop')).toBeNull()
    expect(seen?.header('authorization')).toBeNull()
  })

  it.each(['Connection: Upgrade, X-Remote-User', 'Connection: upgrade, x-remote-user, Sec-WebSocket-Key'])(
    'HD-09 of a WebSocket handshake is forwarded as exactly Upgrade: %s',
    async connection => {
      const lines = [connection, ...handshake.slice(1), 'X-Remote-User: root']
      const { status, seen } = await send({ target: '/ws', cookie: alice, lines })
      expect(seen?.headers('connection').map(value => value.toLowerCase())).toEqual(['upgrade'])
      expect(seen?.headers('x-remote-user')).toEqual(['alice'])
      expect([101, 400]).toContain(status)
    },
  )
})

it('HD-10 a header between two hops is not forwarded', async () => {
  const lines = [
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: trailers, deflate',
    'Trailer: X-Sum',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'Proxy-Authorization: Basic cm9vdDpyb290',
    'Proxy-Authenticate: Basic',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ]
  const { status, seen } = await send({ method: 'POST', target: '/echo', cookie: alice, lines, body: chunked(['abc']) })
  expect(status).toBe(200)
  const names = ['keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'proxy-authorization']
  for (const name of [...names, 'proxy-authenticate', 'http2-settings']) expect(seen?.header(name)).toBeNull()
  // On the way to the origin the gateway frames the body itself, in one way.
  expect([...(seen?.headers('transfer-encoding') ?? []), ...(seen?.headers('content-length') ?? [])]).toHaveLength(1)
  expect(seen?.text).toBe('abc')
})

it('HD-16 Authorization is the site’s own business: it passes as it came, beside our headers and in none of them', async () => {
  const { seen } = await send({ target: '/echo', cookie: alice, lines: ['Authorization: Bearer of-the-site'] })
  expect(seen?.headers('authorization')).toEqual(['Bearer of-the-site'])
  expect(seen?.headers('x-remote-user')).toEqual(['alice'])
})

describe('HD-17 a cookie of ours that the site sets', () => {
  it.each([
    '__Host-Http-passerelle=planted; Secure; HttpOnly; Path=/',
    '__Host-Http-passerelle-site=planted; Secure; HttpOnly; Path=/; SameSite=Lax',
    '__HOST-HTTP-PASSERELLE-SITE=planted; Secure; HttpOnly; Path=/',
    '__host-http-Passerelle-n-12345678=planted; Secure; HttpOnly; Path=/',
    '__Http-passerelle-zone=planted; Domain=localhost; Path=/; Secure',
    ' \t__Host-Http-passerelle-site \t=planted; Path=/',
    '=__Host-Http-passerelle-site=planted; Path=/',
    '__Host-Http-passerelle-site; Path=/; Secure',
    '"__Host-Http-passerelle-site"; __Host-Http-passerelle-site=planted',
  ])('is dropped, and its neighbour is not: %s', async line => {
    const wanted = Buffer.from(JSON.stringify([line, 'sid=of-the-site; Path=/'])).toString('base64')
    const { status, response } = await send({ cookie: alice, lines: [`Please-Set: ${wanted}`] })
    expect(status).toBe(200)
    const set = response?.headers('set-cookie') ?? []
    // What a browser would store: the name ends at the first `=`, and what follows the first `;` is an attribute.
    const stored = set.map(one => (one.split(';')[0] as string).replace(/^[\s=]*/, ''))
    expect(stored.filter(pair => /^__(host-)?http-passerelle/i.test(pair))).toEqual([])
    expect(stored).toContain('sid=of-the-site')
  })
})

describe('HD-19 two thousand one hundred header lines', () => {
  const filler = Array.from({ length: 2_100 }, (_, i) => `X${i}: 1`)

  it.each([
    ['a forged identity last', [...filler, 'X-Remote-User: root'], true],
    ['the Cookie last', filler, false],
  ])('are refused with 431, never cut in silence: %s', async (_, lines, first) => {
    const text = first
      ? rawRequest({ host: host(), target: '/echo', cookie: alice, lines })
      : rawRequest({ host: host(), target: '/echo', lines: [...lines, `Cookie: ${alice}`] })
    const { responses, closed } = await rawExchange(world.port, text)
    expect(responses.map(({ status }) => status)).toEqual([431])
    expect(closed).toBe(true)
    expect(world.origin.requests).toHaveLength(0)
  })

  it('and two hundred and one, which fit into every other limit, are too', async () => {
    const lines = Array.from({ length: 199 }, (_, i) => `X${i}: 1`)
    expect((await send({ target: '/echo', cookie: alice, lines })).status).toBe(431)
    expect(world.origin.requests).toHaveLength(0)
    expect((await send({ target: '/echo', cookie: alice, lines: lines.slice(1) })).status).toBe(200)
  })
})
