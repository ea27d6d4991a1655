/**
 * Plain requests are read by us, all others by node (decision 13). Nobody outside can tell which: requests in any mix and any
 * pieces are answered in their order, and an answer has the same bytes, whoever read its request.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { until } from '../stand-in/measure.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

/** On this line nothing hangs; but a request with it is not plain. */
const forNode = 'Keep-Alive: timeout=1'

describe('requests of both kinds on one connection', () => {
  let world: TestGateway
  beforeAll(async () => {
    world = await startTestGateway()
  })
  afterAll(() => world.stop())

  /** A body that would be a request to whoever began to read a little too early, or too late. */
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  const kinds: readonly ((id: string) => { method: string; text: string })[] = [
    id => ({ method: 'GET', text: asked(id) }),
    id => ({ method: 'GET', text: asked(id, { lines: [forNode] }) }),
    id => ({ method: 'POST', text: asked(id, { method: 'POST', body: smuggled }) }),
    id => ({ method: 'HEAD', text: asked(id, { method: 'HEAD' }) }),
  ]
  const asked = (id: string, more: object = {}) =>
    rawRequest({ target: `/echo?id=${id}`, host: `open.localhost:${world.port}`, ...more })

  it('are answered in their order, whole and no more, in whatever pieces they come', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = randomFrom(seed)
      const requests = Array.from({ length: 1 + random(6) }, (_, nth) => kinds[(random(8) % 5) % 4]?.(`${seed}-${nth}`))
      const text = requests.map(request => request?.text).join('')
      const client = await RawConnection.open(
        world.port,
        requests.map(request => request?.method ?? ''),
      )
      for (let at = 0; at < text.length; ) {
        const headEnd = text.indexOf('\r\n\r\n', at) + 4
        const to = [headEnd < 4 ? text.length : headEnd, at + 1, at + 1 + random(300)][random(3)] as number
        await client.write(text.slice(at, to))
        for (let turns = random(4); turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
        at = to
      }
      expect(await client.until(() => client.responses.length >= requests.length, 10_000), `seed ${seed}`).toBe(false)
      const seen = client.responses.map(({ status, text }) => [status, /id=([\d-]+)/.exec(text)?.[1]])
      const meant = requests.map((request, nth) => [200, request?.method === 'HEAD' ? undefined : `${seed}-${nth}`])
      expect(seen, `seed ${seed}`).toEqual(meant)
      expect(client.rest.toString('latin1'), `seed ${seed}`).toBe('')
      client.destroy()
    }
    expect(world.origin.requests.filter(({ url }) => url === '/smuggled')).toEqual([])
  })
})

describe('a request', () => {
  let world: TestGateway
  let signedIn: string
  beforeAll(async () => {
    world = await startTestGateway()
    signedIn = world.cookieOf(await world.signIn('alice'))
  })
  afterAll(() => world.stop())
  afterEach(() => world.invariants())

  /** What its origin is sent of it, and how it is logged; what differs from one moment to the next left out. */
  async function effectOf(
    host: string,
    method: string,
    target: string,
    lines: readonly string[],
    cookie: string | null,
  ) {
    world.origin.forget()
    const client = await RawConnection.open(world.port, [method])
    const before = world.log.length
    await client.write(rawRequest({ method, target, host: `${host}.localhost:${world.port}`, cookie, lines }))
    await client.until(() => client.responses.length > 0, 10_000)
    await until('its line', () => world.log.length > before, 5_000)
    client.destroy()
    const { time, ms, originMs, ref, ...logged } = JSON.parse(world.log[before] as string)
    const sent = world.origin.requests.map(({ method, url, rawHeaders }) => [method, url, rawHeaders])
    return { sent, logged, status: client.responses[0]?.status }
  }

  const lines: readonly (readonly string[])[] = [
    ['X-A: 1', 'x-a: 2', 'X-A:3', 'X-Empty:', 'X-Space:   a  b\t ', 'X-Latin: \xe9\xa0\xff', "!#$%&'*+-.^_`|~: token"],
    ['Authorization: Basic a', 'Authorization: Basic b', 'Referer: http://x/', 'Referer: http://y/'],
    ['Origin: http://evil.example', 'Origin: null'],
    ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: document', 'Accept: text/html'],
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: no-cors'],
    ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2', 'Forwarded: for=192.0.2.3'],
    ['X-Remote-User: root', 'X_Remote_User: root', 'x-remote-email: root', 'X-REMOTE-USER:root'],
    ['Accept-Language: fr', 'Accept-Language: en', 'Accept-Encoding: gzip', 'Range: bytes=0-1', 'If-None-Match: "x"'],
    [
      'Connection: Keep-Alive',
      'connection: keep-alive',
      'Via: 1.1 x',
      'Max-Forwards: 1',
      'Priority: u=1',
      'Early-Data: 1',
    ],
    ['Content-Type: text/plain', 'Content-Encoding: gzip', 'Content-Location: /x', 'Set-Cookie: a', 'Set-Cookie: b'],
  ]
  const targets = [
    '//x',
    '/a//b/../c',
    '/%2e%2e/x',
    '/x#y',
    '/"<>^`{|}',
    '/?',
    '/a;b=c?d=e&&',
    '/\\x',
    '/%zz',
    '/%00',
    '/*',
  ]
  const asked = [...lines.map(some => ['/echo', some] as const), ...targets.map(target => [target, []] as const)]

  it.each(asked)('for %j with %j goes the same way, whoever reads it', async (target, some) => {
    for (const method of ['GET', 'HEAD']) {
      for (const [host, cookie] of [
        ['open', null],
        ['app', null],
        ['app', signedIn],
        ['nobody', null],
      ] as const) {
        const ours = await effectOf(host, method, target, some, cookie)
        expect(await effectOf(host, method, target, [...some, forNode], cookie), `${method} ${host}`).toEqual(ours)
      }
    }
  })
})

describe('an answer', () => {
  const length = 'Content-Length: 2\r\n'
  const heads: readonly string[] = [
    `HTTP/1.1 200 OK\r\n${length}\r\nok`,
    `HTTP/1.1 200\r\n${length}\r\nok`,
    `HTTP/1.1 200 \r\n${length}\r\nok`,
    `HTTP/1.1 200 D\xe9j\xe0 vu\r\n${length}\r\nok`,
    `HTTP/1.1 599 Odd\r\nX-Empty:\r\nX-Latin: \xe9\xa0\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n${length}\r\nok`,
    'HTTP/1.1 204 Nothing\r\n\r\n',
    'HTTP/1.1 204 Nothing\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 304 Same\r\nContent-Length: 99\r\nETag: "x"\r\n\r\n',
    `HTTP/1.1 200 OK\r\nDATE: Mon, 01 Jan 2024 00:00:00 GMT\r\nCONNECTION: Keep-Alive\r\nkEEP-aLIVE: timeout=5\r\ncONTENT-lENGTH: 2\r\n\r\nok`,
    'HTTP/1.1 200 OK\r\nConnection: close, X-A\r\nX-A: 1\r\nx-b: 2\r\n\r\nuntil the end',
    `HTTP/1.1 200 OK\r\nConnection: content-length\r\n${length}\r\nok`,
    'HTTP/1.0 200 OK\r\n\r\nuntil the end',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n${length}\r\nok`,
    `HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`,
    `HTTP/1.1 200 OK\r\n${length}\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`,
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n${length}\r\nok`,
    'no answer at all\r\n\r\n',
  ]
  let world: TestGateway
  beforeAll(async () => {
    world = await startTestGateway({
      origin: {
        answers(socket, request) {
          socket.write(heads[Number(/nth=(\d+)/.exec(request.toString('latin1'))?.[1] ?? 0)] as string, 'latin1')
          if (request.includes('&ends')) socket.end()
        },
      },
    })
  })
  afterAll(() => world.stop())
  afterEach(() => world.invariants())

  /** The answer to this request and to the next on its connection, without what differs from one moment to the next. */
  async function bytesOf(method: string, target: string, lines: readonly string[]): Promise<string> {
    const client = await RawConnection.open(world.port, [method, 'GET'])
    let bytes = ''
    client.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
    })
    for (const [nth, text] of [
      rawRequest({ method, target, host: `open.localhost:${world.port}`, lines }),
      rawRequest({ target: '/', host: `open.localhost:${world.port}` }),
    ].entries()) {
      await client.write(text)
      await client.until(() => client.responses.length > nth, 10_000)
    }
    client.destroy()
    return bytes.replace(/Date: \w{3}, \d[^\r]*/g, 'Date: now').replace(/"reference":"\w+"/g, '"reference":"…"')
  }

  it.each(heads.flatMap((head, nth) => ['GET', 'HEAD'].map(method => [method, head.slice(0, 120), nth] as const)))(
    'to %s, made of %j, is the same from us and from node, and so is the next',
    async (method, head, nth) => {
      const target = `/?nth=${nth}${/(?:until the end|ab)$/.test(head) ? '&ends' : ''}`
      const ours = await bytesOf(method, target, [])
      expect(ours).toMatch(/^HTTP\/1\.1 /)
      expect(await bytesOf(method, target, [forNode])).toBe(ours)
    },
  )

  it('without a body announces none (204)', async () => {
    const nth = heads.findIndex(head => head.startsWith('HTTP/1.1 204') && head.includes('Content-Length'))
    for (const lines of [[], [forNode]]) {
      const bytes = await bytesOf('GET', `/?nth=${nth}`, lines)
      expect(bytes.match(/^HTTP\/1\.1 \d+|^Content-Length: \d+/gm)).toEqual([
        'HTTP/1.1 204',
        'HTTP/1.1 200',
        'Content-Length: 2',
      ])
    }
  })
})

/** The same numbers for the same seed, from 0 to below `max`. */
function randomFrom(seed: number): (max: number) => number {
  let state = seed
  return max => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
}
