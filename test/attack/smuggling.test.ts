/**
 * SM: one message that two parsers read as two. Every byte that a client can send is sent; the origin must read the
 * requests that the gateway decided on, and no other.
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { chunked, rawRequest } from '../stand-in/raw-request.ts'

const { cases }: { cases: Readonly<Record<string, { readonly raw_b64: string; readonly expect: string }>> } =
  JSON.parse(readFileSync(new URL('strings/raw-http1.json', import.meta.url), 'utf8'))

/** These are requests: what they hide is a body, or a second request that is decided on like the first. */
const legal: Readonly<Record<string, { readonly status: number; readonly requests: readonly string[] }>> = {
  "CL value '05'": { status: 200, requests: ['POST /a', 'GET /smuggled'] },
  "CL value '5 '": { status: 200, requests: ['POST /a', 'GET /smuggled'] },
  "CL value ' 5'": { status: 200, requests: ['POST /a', 'GET /smuggled'] },
  'GET TE:chunked body is a request': { status: 200, requests: ['GET /a'] },
  'HEAD TE:chunked body is a request': { status: 200, requests: ['HEAD /a'] },
  'trailer carries identity': { status: 200, requests: ['POST /a'] },
  'Expect 100 + spoof': { status: 200, requests: ['POST /a'] },
  'Connection nominates identity': { status: 200, requests: ['GET /a'] },
  'Connection nominates, WS': { status: 101, requests: ['GET /ws'] },
}

/** What the status of the others may be: 400, or where a more exact word exists, that. */
const refused = [400, 405, 421]

let world: TestGateway
let alice: string
let bob: string
beforeAll(async () => {
  world = await startTestGateway()
  alice = world.cookieOf(await world.signIn('alice'))
  bob = world.cookieOf(await world.signIn('bob'))
})
beforeEach(() => world.origin.forget())
afterAll(() => world.stop())

const host = () => `app.localhost:${world.port}`
const asked = () => world.origin.requests.map(({ method, url }) => `${method} ${url}`)

/** The case as it was written for `gw.example.edu`, for our host; chunk sizes that counted the name's bytes follow. */
function forUs(raw: string, cookie: string | null): string {
  const grown = host().length - 'gw.example.edu'.length
  const [head = '', ...rest] = raw.replaceAll('gw.example.edu', host()).split('\r\n\r\n')
  const resized = rest.join('\r\n\r\n').replace(/^45\r\nGET/, `${(69 + grown).toString(16)}\r\nGET`)
  const sized = head.replace('Content-Length: 69', `Content-Length: ${69 + grown}`)
  return `${sized}${cookie === null ? '' : `\r\nCookie: ${cookie}`}\r\n\r\n${resized}`
}

describe('SM-01', () => {
  afterEach(() => world.invariants(true))

  it('has its fifty-one cases, and every exception below is one of them', () => {
    expect(Object.keys(cases)).toHaveLength(51)
    expect(Object.keys(legal).filter(name => !(name in cases))).toEqual([])
  })

  describe.each(Object.entries(cases))('%s', (name, { raw_b64 }) => {
    const raw = Buffer.from(raw_b64, 'base64').toString('latin1')
    const method = raw.slice(0, raw.indexOf(' '))

    it('of somebody signed in', async () => {
      const known = legal[name]
      const options = { methods: [method], ...(known === undefined ? {} : { responses: known.requests.length }) }
      const { responses, closed } = await rawExchange(world.port, forUs(raw, alice), options)
      const statuses = responses.map(({ status }) => status)
      if (known === undefined) {
        expect(statuses).toHaveLength(1)
        expect(refused).toContain(statuses[0])
        expect(closed).toBe(true)
        // One more, so that whatever was on its way has arrived.
        await rawExchange(world.port, rawRequest({ target: '/pub/', host: host() }), { responses: 1 })
        expect(world.origin.requests.map(({ url }) => url)).toEqual(['/pub/'])
        return
      }
      // The second request of a pair has no cookie: on a protected path it gets no further than us.
      expect(statuses).toEqual(known.requests.map((_, at) => (at === 0 ? known.status : 401)))
      expect(asked()).toEqual(known.requests.slice(0, 1))
      for (const seen of world.origin.requests) expect(seen.headers('x-remote-user')).toEqual(['alice'])
    })

    it('of nobody', async () => {
      const { responses, closed } = await rawExchange(world.port, forUs(raw, null), {
        methods: [method],
        responses: legal[name]?.requests.length ?? 9,
      })
      for (const { status } of responses) expect([...refused, 401]).toContain(status)
      expect(responses.length > 0 || closed).toBe(true)
      expect(asked()).toEqual([])
    })
  })

  it.each(["CL value '05'", "CL value '5 '", "CL value ' 5'"])(
    '%s: a second request with a cookie of its own is decided on by itself',
    async name => {
      const raw = Buffer.from(cases[name]?.raw_b64 ?? '', 'base64').toString('latin1')
      const text = forUs(raw, alice).replace('X-Remote-User: root', `X-Remote-User: root\r\nCookie: ${bob}`)
      const { responses } = await rawExchange(world.port, text, { responses: 2 })
      expect(responses.map(({ status }) => status)).toEqual([200, 200])
      // Each on a connection of its own: which of them the origin sees first is chance.
      expect(world.origin.requests.map(seen => seen.headers('x-remote-user')).sort()).toEqual([['alice'], ['bob']])
    },
  )
})

describe('SM-02 a chunked body that is a request', () => {
  afterEach(() => world.invariants(true))

  it.each(['DELETE', 'OPTIONS', 'GET', 'HEAD', 'PROPFIND', 'POST'])('is the body of one %s', async method => {
    const inner = rawRequest({ target: '/smuggled', host: host(), lines: ['X-Remote-User: root'] })
    const request = (target: string) =>
      rawRequest({
        method,
        target,
        host: host(),
        cookie: alice,
        lines: ['Transfer-Encoding: chunked'],
        body: chunked([inner]),
      })
    // Twice, so that what the first one left on the origin's connection would be the second one's beginning.
    const options = { responses: 2, methods: [method, method] }
    const { responses } = await rawExchange(world.port, request('/a') + request('/b'), options)
    expect(responses.map(({ status }) => status)).toEqual([200, 200])
    expect(asked()).toEqual([`${method} /a`, `${method} /b`])
    for (const seen of world.origin.requests) expect(seen.text).toBe(inner)
  })

  it.each([
    ['Content-Length', 'POST', null],
    ['Content-Length', 'GET', null],
    ['close, content-length, host', 'DELETE', null],
    ['Transfer-Encoding', 'POST', 'Transfer-Encoding: chunked'],
    ['transfer-encoding, Content-Length', 'PUT', 'Transfer-Encoding: chunked'],
  ])('is a body too where Connection: %s takes its framing away from a %s', async (nominated, method, framing) => {
    const inner = rawRequest({ target: '/smuggled', host: host(), lines: ['X-Remote-User: root'] })
    const lines = [`Connection: ${nominated}`, ...(framing === null ? [] : [framing])]
    const body = framing === null ? inner : chunked([inner])
    const text = rawRequest({ method, target: '/a', host: host(), cookie: alice, lines, body })
    await rawExchange(world.port, text, { responses: 1 })
    const after = rawRequest({ method, target: '/b', host: host(), cookie: alice, body: 'x' })
    expect((await rawExchange(world.port, after, { responses: 1 })).responses[0]?.status).toBe(200)
    expect(asked()).toEqual([`${method} /a`, `${method} /b`])
    expect(world.origin.requests[0]?.text).toBe(inner)
  })

  it('of TRACE does not reach the origin', async () => {
    const lines = ['Transfer-Encoding: chunked']
    const text = rawRequest({ method: 'TRACE', target: '/a', host: host(), cookie: alice, lines, body: chunked(['x']) })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect(responses.map(({ status }) => status)).toEqual([405])
    expect(asked()).toEqual([])
  })
})

describe('SM-03 a body that the gateway does not want', () => {
  afterEach(() => world.invariants())
  const hidden = 'GET /adm/hidden HTTP/1.1\r\nHost: app.localhost\r\n\r\n'

  it.each([
    ['answered 401, of known length', [] as string[], hidden],
    ['answered 401, chunked', ['Transfer-Encoding: chunked'], chunked([hidden])],
    ['answered with a page', ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'], hidden],
  ])('is not the next request: %s', async (_, lines, body) => {
    const first = rawRequest({ method: 'POST', target: '/a', host: host(), lines, body })
    const second = rawRequest({ target: '/echo', host: host(), cookie: bob })
    const { responses } = await rawExchange(world.port, first + second, { responses: 2 })
    expect(responses.map(({ status }) => status)).toEqual([401, 200])
    expect(asked()).toEqual(['GET /echo'])
  })

  it('is not the next request of a redirect to sign-in either', async () => {
    const lines = ['Accept: text/html', 'Transfer-Encoding: chunked']
    const first = rawRequest({ target: '/a', host: host(), lines, body: chunked([hidden]) })
    const second = rawRequest({ target: '/echo', host: host(), cookie: bob })
    const { responses } = await rawExchange(world.port, first + second, { responses: 2 })
    expect(responses.map(({ status }) => status)).toEqual([303, 200])
    expect(asked()).toEqual(['GET /echo'])
  })

  it('is read no further than a megabyte: then the connection is over', async () => {
    const connection = await RawConnection.open(world.port)
    const lines = ['Content-Length: 1000000000']
    await connection.write(rawRequest({ method: 'POST', target: '/a', host: host(), lines, body: '' }))
    const block = Buffer.alloc(65_536)
    let sent = 0
    const goOn = () => {
      while (!connection.closed && connection.socket.writable) {
        sent += block.length
        if (!connection.socket.write(block)) return
      }
    }
    connection.socket.on('drain', goOn)
    goOn()
    await connection.until(() => false, 5_000)
    expect(connection.closed).toBe(true)
    expect(connection.responses.map(({ status }) => status)).toEqual([401])
    // What lay in the buffers of the system besides is not ours to say.
    expect(sent).toBeLessThan(100_000_000)
    connection.destroy()
  })
})

it('SM-04 fifty requests on one connection are each decided by their own cookie, and answered in order', async () => {
  const who = (n: number) => [alice, bob, null, 'unknown=1'][n % 4] ?? null
  const requests = Array.from({ length: 50 }, (_, n) =>
    rawRequest({ target: `/echo?n=${n}`, host: host(), cookie: who(n) }),
  )
  const { responses } = await rawExchange(world.port, requests.join(''), { responses: 50 })
  expect(responses.map(({ status }) => status)).toEqual(requests.map((_, n) => (n % 4 < 2 ? 200 : 401)))
  responses.forEach((response, n) => {
    if (n % 4 > 1) return
    const { url, rawHeaders } = JSON.parse(response.text)
    expect(url).toBe(`/echo?n=${n}`)
    expect(rawHeaders[rawHeaders.indexOf('X-Remote-User') + 1]).toBe(n % 4 === 0 ? 'alice' : 'bob')
  })
  world.invariants()
})

describe('SM-12 an upgrade to HTTP/2 in clear', () => {
  afterEach(() => world.invariants())

  it.each([
    ['asked for as curl does', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ']],
    [
      'hidden behind a WebSocket',
      ['Connection: Upgrade', 'Upgrade: websocket, h2c', 'Sec-WebSocket-Key: dGhlIHNhbXBsZQ=='],
    ],
    [
      'in a second line',
      ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', 'Sec-WebSocket-Key: dGhlIHNhbXBsZQ=='],
    ],
    ['not announced by Connection', ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ']],
  ])('is not forwarded: %s', async (_, lines) => {
    const text = rawRequest({ target: '/a', host: host(), cookie: alice, lines })
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect([200, 400]).toContain(responses[0]?.status)
    for (const seen of world.origin.requests) {
      expect(seen.header('upgrade')).toBeNull()
      expect(seen.header('http2-settings')).toBeNull()
      expect(seen.headers('connection')).toEqual(['keep-alive'])
    }
  })

  it('by prior knowledge is no HTTP/1.1', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
    const { responses, closed } = await rawExchange(world.port, preface)
    expect(responses.map(({ status }) => status)).toEqual([400])
    expect(closed).toBe(true)
    expect(asked()).toEqual([])
  })
})
