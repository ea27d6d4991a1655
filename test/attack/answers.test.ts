/**
 * SM-05 to SM-09, SM-13 and DO-05: a hostile or broken origin. It must not speak in another answer's place, must not make
 * half an answer look whole, and must not stop the gateway for the sites beside it.
 */
import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { brokenAnswers, bytes, goodAnswer } from '../stand-in/broken-answers.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type Origin, type RawAnswer, startOrigin } from '../stand-in/origin.ts'
import { RawConnection, type RawResponse, rawExchange } from '../stand-in/raw-client.ts'
import { handshake, rawRequest } from '../stand-in/raw-request.ts'

let hostile: Origin
let eager: Origin
let answer: RawAnswer = goodAnswer
let world: TestGateway
beforeAll(async () => {
  const answers: RawAnswer = (socket, request, nth) => answer(socket, request, nth)
  hostile = await startOrigin({ answers })
  eager = await startOrigin({ answers, answerAt: 'head' })
  const site = (id: string, origin: Origin) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "${origin.url}"
    policy: public
    timeouts: { answer: 1s, idle: 1s }
`
  world = await startTestGateway({
    resources: `${site('hostile', hostile)}${site('eager', eager)}
  - { id: plain, title: Plain, at: "http://plain.localhost:$PORT", origin: "$ORIGIN", policy: public }
`,
  })
})
afterEach(async () => {
  // The process goes on, and the site beside answers.
  const beside = rawRequest({ target: '/pub/', host: `plain.localhost:${world.port}` })
  expect((await rawExchange(world.port, beside, { responses: 1 })).responses[0]?.status).toBe(200)
  world.invariants()
})
afterAll(async () => {
  await world.stop()
  await Promise.all([hostile.stop(), eager.stop()])
})

interface Got {
  readonly response: RawResponse | undefined
  readonly closed: boolean
  readonly rest: Buffer
}

async function ask(how: RawAnswer, method = 'GET', lines: readonly string[] = []): Promise<Got> {
  answer = how
  const text = rawRequest({ method, target: '/a', host: `hostile.localhost:${world.port}`, lines })
  const { responses, closed, rest } = await rawExchange(world.port, text, {
    responses: 1,
    methods: [method],
  })
  return { response: responses[0], closed, rest }
}

/** Nothing of the next answer may be what an earlier one left behind. */
async function nextIsClean(): Promise<void> {
  const { response } = await ask(goodAnswer)
  expect([response?.status, response?.text]).toEqual([200, 'ok'])
}

describe('SM-05 bytes beyond an answer', () => {
  it('are dropped, and nobody’s answer', async () => {
    const { response } = await ask(brokenAnswers['extra bytes after the body'])
    expect([response?.status, response?.text]).toEqual([200, 'ok'])
    await nextIsClean()
  })

  it('end the connection they came on', async () => {
    hostile.forget()
    await ask(brokenAnswers['extra bytes after the body'])
    await hostile.until(() => hostile.connections.every(connection => !connection.open))
    await nextIsClean()
  })
})

describe('SM-06 an answer whose length has two readings, or none', () => {
  it.each([
    'Content-Length and Transfer-Encoding together',
    'two different Content-Length lines',
    'a transfer coding that nobody knows',
  ] as const)('%s is 502, and its connection is not used again', async name => {
    hostile.forget()
    const { response } = await ask(brokenAnswers[name])
    expect(response?.status).toBe(502)
    await hostile.until(() => hostile.connections.every(connection => !connection.open))
    await nextIsClean()
  })

  it('a chunk size that is no number cuts the answer that has begun', async () => {
    const { response, closed } = await ask(brokenAnswers['a chunk size that is no number'])
    if (response?.status !== 502) expect([response?.complete ?? false, closed]).toEqual([false, true])
    await nextIsClean()
  })
})

describe('SM-07 a body where none can be', () => {
  it.each([
    ['204', brokenAnswers['a body on 204'], 'GET', 204],
    ['304', brokenAnswers['a body on 304'], 'GET', 304],
    ['HEAD', bytes('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted'), 'HEAD', 200],
  ] as const)('is not the next answer: %s', async (_, how, method, status) => {
    const { response, rest } = await ask(how, method)
    expect(response?.status).toBe(status)
    expect(response?.body).toHaveLength(0)
    expect(rest.toString()).toBe('')
    await nextIsClean()
    await nextIsClean()
  })

  it.each([204, 304])('is not waited for: %i that announces one, and the next request', async status => {
    answer = (socket, request, nth) => {
      if (request.includes('GET /first')) socket.write(`HTTP/1.1 ${status} None\r\nContent-Length: 7\r\n\r\n`)
      else goodAnswer(socket, request, nth)
    }
    const request = (target: string) => rawRequest({ target, host: `hostile.localhost:${world.port}` })
    const { responses } = await rawExchange(world.port, request('/first') + request('/second'), { responses: 2 })
    expect(responses.map(response => [response.status, response.text])).toEqual([
      [status, ''],
      [200, 'ok'],
    ])
  })
})

describe('SM-08 a thousand interim answers', () => {
  it.each([100, 102, 103])('of status %i come before the real one, which is delivered', async status => {
    const hints = `HTTP/1.1 ${status} Wait\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n`.repeat(1_000)
    const { response } = await ask((socket, request, nth) => {
      socket.write(hints)
      goodAnswer(socket, request, nth)
    })
    expect([response?.status, response?.text]).toEqual([200, 'ok'])
    expect(response?.interim.length).toBeLessThanOrEqual(10)
    await nextIsClean()
  })
})

describe('SM-09 a change of protocol', () => {
  it('that nobody asked for is 502, and no tunnel', async () => {
    const { response, rest } = await ask(brokenAnswers['an upgrade that nobody asked for'])
    expect(response?.status).toBe(502)
    expect(rest.toString('latin1')).not.toContain('hi')
    await nextIsClean()
  })

  it.each([
    ['to something else than was asked for', 'Upgrade: h2c\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ['that does not answer the key', 'Upgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['that says nothing of the key', 'Upgrade: websocket'],
    ['that names no protocol', 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
  ])('%s is 502', async (_, lines) => {
    const other = bytes(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines}\r\n\r\n\x81\x02hi`)
    const { response, rest } = await ask(other, 'GET', handshake)
    expect(response?.status).toBe(502)
    expect(rest.toString('latin1')).not.toContain('hi')
    await nextIsClean()
  })
})

describe('SM-13 an answer while the client still sends', () => {
  it('is delivered, stops the upload, and its connection is not used again', async () => {
    eager.forget()
    answer = bytes('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch')
    const connection = await RawConnection.open(world.port)
    const lines = ['Content-Length: 1000000000']
    await connection.write(rawRequest({ method: 'POST', host: `eager.localhost:${world.port}`, lines }))
    await pourUntilClosed(connection)
    expect(connection.responses.map(({ status, text }) => [status, text])).toEqual([[413, 'much']])
    await eager.until(() => eager.connections.every(({ open }) => !open), 'the end of the half-used connection')
    expect(eager.requests[0]?.bodyBytes).toBeLessThan(100_000_000)
  })
})

async function pourUntilClosed(connection: RawConnection): Promise<void> {
  const block = Buffer.alloc(65_536)
  const goOn = () => {
    while (!connection.closed && connection.socket.writable && connection.socket.write(block)) {}
  }
  connection.socket.on('drain', goOn)
  goOn()
  expect(await connection.until(() => false, 10_000)).toBe(false)
  connection.destroy()
}

describe('DO-05', () => {
  it('F5: a Trailer line on a GET is dropped', async () => {
    const { response } = await ask(goodAnswer, 'GET', ['Trailer: foo'])
    expect(response?.status).toBe(200)
  })

  it.each([
    'status 000',
    'status 999',
    'a control character in a header value',
    'no HTTP at all',
    'HTTP/0.9',
    'a head of 300 KB',
    'a head that ends in the middle',
    'nothing, then the end',
    'nothing, then a reset',
  ] as const)('%s is 502 and a line in the log', async name => {
    const before = world.log.length
    const { response } = await ask(brokenAnswers[name])
    expect(response?.status).toBe(502)
    expect(world.log.slice(before).join('')).toMatch(/"code":"origin\.(invalid-answer|unreachable)"/)
    await nextIsClean()
  })

  it('F6: a control character in the status text does not get into our answer', async () => {
    const { response } = await ask(brokenAnswers['a control character in the status text'])
    expect([200, 502]).toContain(response?.status)
    expect(response?.startLine).toMatch(/^HTTP\/1\.1 \d{3} [\x20-\x7e]*$/)
    await nextIsClean()
  })

  it.each([
    ['the status text', (byte: string) => `HTTP/1.1 200 O${byte}K\r\nContent-Length: 2\r\n\r\nok`],
    ['a header name', (byte: string) => `HTTP/1.1 200 OK\r\nX-O${byte}d: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['a header value', (byte: string) => `HTTP/1.1 200 OK\r\nX-Odd: a${byte}b\r\nContent-Length: 2\r\n\r\nok`],
    ['a cookie', (byte: string) => `HTTP/1.1 200 OK\r\nSet-Cookie: a${byte}b=1\r\nContent-Length: 2\r\n\r\nok`],
    ['Location', (byte: string) => `HTTP/1.1 302 Found\r\nLocation: /a${byte}b\r\nContent-Length: 2\r\n\r\nok`],
    [
      'Link of a hint',
      (byte: string) => `HTTP/1.1 103 Hint\r\nLink: <a${byte}b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    ],
    [
      'the end of the body',
      (byte: string) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ${byte}\r\n\r\n`,
    ],
  ])('no byte in %s stops anything', async (_, head) => {
    for (let code = 0; code < 256; code++) {
      const { response } = await ask((socket, ...rest) => {
        bytes(head(String.fromCharCode(code)))(socket, ...rest)
        socket.end()
      })
      expect([200, 302, 502], `byte ${code}`).toContain(response?.status)
    }
  })

  it.each(['a body shorter than its Content-Length', 'a chunked body that ends in the middle'] as const)(
    'F9: %s is never a whole answer',
    async name => {
      const { response, closed } = await ask(brokenAnswers[name])
      expect([response?.status, response?.complete, closed]).toEqual([200, false, true])
      await nextIsClean()
    },
  )

  it('an origin that accepts and says nothing is 504 after its limit', async () => {
    const held: Socket[] = []
    const { response } = await ask(socket => held.push(socket))
    expect(response?.status).toBe(504)
    await hostile.until(() => hostile.connections.every(({ socket, open }) => !held.includes(socket) || !open))
  })
})
