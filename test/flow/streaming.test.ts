/**
 * Bodies pass through, in both directions: at once, with back-pressure, never collected, and as they were sent. Answers of
 * every kind that HTTP knows arrive as what they are.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answerAsAsked, asking } from '../stand-in/asked-answer.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import type { OriginHandler } from '../stand-in/origin.ts'
import { patternBytes } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { chunked, type RawRequest, rawRequest } from '../stand-in/raw-request.ts'
import { Watch } from '../stand-in/recording.ts'

let handler: OriginHandler = answerAsAsked
let world: TestGateway
let alice: string
beforeAll(async () => {
  world = await startTestGateway({ origin: { handler: (...handed) => handler(...handed) } })
  alice = world.cookieOf(await world.signIn('alice'))
})
beforeEach(() => {
  handler = answerAsAsked
  world.origin.forget()
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

async function ask(target: string, more: Partial<RawRequest> = {}) {
  const text = rawRequest({ target, host: `app.localhost:${world.port}`, cookie: alice, ...more })
  const options = { responses: 1, methods: [more.method ?? 'GET'] }
  const { responses, closed } = await rawExchange(world.port, text, options)
  const [response] = responses
  if (response === undefined) throw new Error(`no answer to ${target}`)
  return { response, closed, seen: world.origin.requests.at(-1) }
}

/** A client that reads and writes at the test's own pace. */
function client(method: string, path: string, headers: Readonly<Record<string, string>> = {}): ClientRequest {
  const sent = { Host: `app.localhost:${world.port}`, Cookie: alice, ...headers }
  const asked = httpRequest({ host: '127.0.0.1', port: world.port, method, path, headers: sent, agent: false })
  asked.on('error', () => {})
  return asked
}
const answerTo = async (asked: ClientRequest) => ((await once(asked, 'response')) as [IncomingMessage])[0]

async function digest(stream: AsyncIterable<Buffer>): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of stream) {
    hash.update(piece)
    bytes += piece.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Waits until a count has stood still while twenty other requests went all the way. */
async function standstill(count: () => number): Promise<number> {
  let before = -1
  for (let still = 0; still < 2; still++) {
    for (let i = 0; i < 10; i++) await ask('/pub/', { cookie: null })
    if (count() !== before) still = -1
    before = count()
  }
  return before
}

/** Buffers of the system between three sockets, and what streams hold; far below what is on its way. */
const buffered = 40 * 1_048_576

describe('back-pressure', () => {
  it.each([
    ['of a plain request', { Connection: 'keep-alive' }],
    ['of another', { Connection: 'close' }],
  ])('of a slow reader stops the origin, and what it reads later is whole: %s', async (_, headers) => {
    // A piece of an odd length: what stood a piece further on would be seen.
    const piece = randomBytes(999_983)
    const pieces = Array<Buffer>(100).fill(piece)
    let written = () => 0
    handler = (request, response, recorded) => {
      if (request.url !== '/large') return answerAsAsked(request, response, recorded)
      const { socket } = request
      const before = socket.bytesWritten
      written = () => socket.bytesWritten - before
      Readable.from(pieces).pipe(response)
    }
    const asked = client('GET', '/large', headers)
    asked.end()
    const answer = await answerTo(asked)
    expect(await standstill(() => written())).toBeLessThan(buffered)
    const whole = createHash('sha256')
    for (const one of pieces) whole.update(one)
    expect(await digest(answer)).toEqual({ bytes: 99_998_300, sha256: whole.digest('hex') })
    asked.destroy()
  })

  it('of an origin that does not read stops the client, and what it reads later is whole', async () => {
    let goOn = () => {}
    handler = (request, response, recorded) => {
      if (request.method !== 'POST') return answerAsAsked(request, response, recorded)
      request.pause()
      goOn = () => request.resume()
      request.on('end', () => response.end(recorded.bodySha256))
    }
    const total = 100 * 1_048_576
    const block = patternBytes(0, 65_536)
    const asked = client('POST', '/upload', { 'Content-Length': String(total) })
    const hash = createHash('sha256')
    let left = total
    const pour = () => {
      while (left > 0) {
        left -= block.length
        hash.update(block)
        if (!asked.write(block)) return
      }
      asked.end()
    }
    asked.on('drain', pour)
    pour()
    await world.origin.until(() => world.origin.requests.length > 0)
    expect(await standstill(() => asked.socket?.bytesWritten ?? 0)).toBeLessThan(buffered)
    goOn()
    const answer = await answerTo(asked)
    const [text] = await answer.toArray()
    expect(String(text)).toBe(hash.digest('hex'))
    expect(world.origin.requests.find(({ method }) => method === 'POST')?.bodyBytes).toBe(total)
  })
})

describe('many at once, fast and slow', () => {
  const noise = randomBytes(2_000_000)
  const sizes = [700_000, 20, 90_000, 20_000, 1_000_000, 66_000]
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  it.each([
    ['as plain requests', 'GET', true],
    ['as plain requests, in chunks', 'GET', false],
    ['as others', 'POST', true],
    ['as others, in chunks', 'POST', false],
  ])('have each the bytes that are theirs: %s', async (_, method, announced) => {
    handler = (request, response, recorded) => {
      const [, from, to] = /^\/noise\/(\d+)-(\d+)$/.exec(request.url ?? '') ?? []
      if (from === undefined) return answerAsAsked(request, response, recorded)
      const body = noise.subarray(Number(from), Number(to))
      response.writeHead(200, announced ? { 'Content-Length': String(body.length) } : {})
      response.end(body)
    }
    const visit = async (nth: number) => {
      for (let i = 0; i < 6; i++) {
        const from = (nth * 7_919 + i * 104_729) % 1_000_000
        const to = from + (sizes[(nth + i) % sizes.length] ?? 0)
        const asked = client(method, `/noise/${from}-${to}`)
        asked.end()
        const answer = await answerTo(asked)
        // Every second one begins to read when the others are at work.
        if (nth % 2 === 0) await ask('/pub/', { cookie: null })
        expect(await digest(answer)).toEqual({ bytes: to - from, sha256: sha256(noise.subarray(from, to)) })
      }
    }
    await Promise.all(Array.from({ length: 12 }, (_, nth) => visit(nth)))
  })
})

describe('nothing waits for what comes next', () => {
  it('downwards: the head, then each event of a stream, arrives before the origin has another', async () => {
    let response: ServerResponse | undefined
    handler = (_, answering) => {
      response = answering
      answering.writeHead(200, { 'Content-Type': 'text/event-stream' })
      answering.flushHeaders()
    }
    const asked = client('GET', '/events')
    asked.end()
    const answer = await answerTo(asked)
    answer.setEncoding('utf8')
    for (let n = 0; n < 5; n++) {
      response?.write(`data: ${n}\n\n`)
      expect(await once(answer, 'data')).toEqual([`data: ${n}\n\n`])
    }
    asked.destroy()
  })

  it('downwards of known length: a first byte arrives without the second', async () => {
    let response: ServerResponse | undefined
    handler = (_, answering) => {
      response = answering
      answering.writeHead(200, { 'Content-Length': '2' })
      answering.write('a')
    }
    const asked = client('GET', '/slowly')
    asked.end()
    const answer = await answerTo(asked)
    expect(String((await once(answer, 'data'))[0])).toBe('a')
    response?.end('b')
    expect(String((await once(answer, 'data'))[0])).toBe('b')
  })

  it('upwards: each piece arrives before the client has another, while the answer is already coming', async () => {
    const watch = new Watch()
    let heard = ''
    handler = (request, response) => {
      response.writeHead(200)
      response.flushHeaders()
      request.on('data', piece => {
        heard += piece
        response.write(`got ${piece}`)
        watch.changed()
      })
      request.on('end', () => response.end('.'))
    }
    const asked = client('POST', '/talk')
    asked.flushHeaders()
    const answer = await answerTo(asked)
    answer.setEncoding('utf8')
    for (const piece of ['a', 'b', 'c']) {
      asked.write(piece)
      expect(await once(answer, 'data')).toEqual([`got ${piece}`])
    }
    asked.end()
    await once(answer, 'end')
    expect(heard).toBe('abc')
  })
})

describe('a part of a file', () => {
  it.each([
    ['from the beginning', ['Range: bytes=0-99'], 206, 'bytes 0-99/1000000', 100],
    ['at the end', ['Range: bytes=-100'], 206, 'bytes 999900-999999/1000000', 100],
    ['of an unchanged file', ['Range: bytes=5-9', 'If-Range: "pattern-1000000"'], 206, 'bytes 5-9/1000000', 5],
    ['of a changed file', ['Range: bytes=5-9', 'If-Range: "other"'], 200, null, 1_000_000],
    ['beyond its end', ['Range: bytes=2000000-'], 416, 'bytes */1000000', 0],
    ['that the browser has', ['If-None-Match: "pattern-1000000"'], 304, null, 0],
  ])('is asked for and given: %s', async (_, lines, status, range, bytes) => {
    const { response } = await ask('/range', { lines })
    expect([response.status, response.header('content-range'), response.body.length]).toEqual([status, range, bytes])
    expect(response.header('etag')).toBe('"pattern-1000000"')
    expect(response.complete).toBe(true)
  })
})

describe('Expect: 100-continue', () => {
  const lines = ['Expect: 100-continue', 'Content-Length: 3']

  it('is answered after the decision, and the body goes on without it', async () => {
    const connection = await RawConnection.open(world.port)
    const host = `app.localhost:${world.port}`
    await connection.write(rawRequest({ method: 'POST', target: '/echo', host, cookie: alice, lines, body: '' }))
    await world.origin.until(() => world.origin.requests.length === 1)
    await connection.write('abc')
    await connection.until(() => connection.responses.length === 1, 5_000)
    expect(connection.responses[0]?.interim.map(({ status }) => status)).toEqual([100])
    const seen = world.origin.requests[0]
    expect([seen?.text, seen?.header('expect')]).toEqual(['abc', null])
    connection.destroy()
  })

  it('of nobody is answered 401 at once, and no body is asked for', async () => {
    const { response, closed } = await ask('/echo', { method: 'POST', cookie: null, lines, body: '' })
    expect([response.status, response.interim]).toEqual([401, []])
    expect(world.origin.requests).toHaveLength(0)
    expect(closed || response.header('connection') === 'close').toBe(true)
  })

  it('of anything else is 417', async () => {
    expect((await ask('/echo', { lines: ['Expect: the-unexpected'] })).response.status).toBe(417)
    expect(world.origin.requests).toHaveLength(0)
  })
})

describe('a method', () => {
  it.each(['PROPFIND', 'REPORT', 'MKCALENDAR', 'LOCK', 'COPY', 'PATCH', 'SEARCH', 'QUERY', 'PURGE', 'DELETE'])(
    'that some site needs goes on with its body: %s',
    async method => {
      const lines = ['Depth: 1', 'Destination: /x', 'Content-Type: text/xml']
      const { response, seen } = await ask('/dav/', { method, lines, body: '<a/>' })
      expect(response.status).toBe(200)
      expect([seen?.method, seen?.header('depth'), seen?.text]).toEqual([method, '1', '<a/>'])
    },
  )

  it('GET may have a body too, and a POST none', async () => {
    expect((await ask('/echo', { body: 'why not' })).seen?.text).toBe('why not')
    const { response, seen } = await ask('/echo', { method: 'POST', lines: ['Content-Length: 0'] })
    expect([response.status, seen?.headers('content-length'), seen?.header('transfer-encoding')]).toEqual([
      200,
      ['0'],
      null,
    ])
  })
})

describe('an answer', () => {
  it.each([200, 201, 203, 299, 300, 402, 404, 418, 451, 499, 500, 507, 599])('of status %i arrives', async status => {
    const { response } = await ask('/', { lines: [asking({ status, body: 'words' })] })
    expect([response.status, response.text]).toEqual([status, 'words'])
  })

  it.each([204, 304])('of status %i has no body, and the connection goes on', async status => {
    const connection = await RawConnection.open(world.port)
    const lines = [asking({ status, headers: ['ETag', '"a"'] })]
    const text = rawRequest({ target: '/', host: `app.localhost:${world.port}`, cookie: alice, lines })
    await connection.write(text + text)
    await connection.until(() => connection.responses.length === 2, 5_000)
    expect(connection.responses.map(({ status, body }) => [status, body.length])).toEqual([
      [status, 0],
      [status, 0],
    ])
    connection.destroy()
  })

  it('to HEAD keeps its length and has no body', async () => {
    const { response } = await ask('/large?mb=1', { method: 'HEAD' })
    expect([response.status, response.header('content-length'), response.body.length]).toEqual([200, '1048576', 0])
  })

  it('keeps its length, or is chunked where the origin did not say', async () => {
    const known = await ask('/', { lines: [asking({ headers: ['Content-Length', '5'], body: 'words' })] })
    expect(known.response.headers('content-length')).toEqual(['5'])
    const unknown = await ask('/large?mb=1&chunked')
    expect(unknown.response.headers('transfer-encoding')).toEqual(['chunked'])
    expect(unknown.response.body).toHaveLength(1_048_576)
  })

  it('keeps packed bytes as they are, asked for or not', async () => {
    const { response } = await ask('/gzip', { lines: ['Accept-Encoding: identity'] })
    expect(response.headers('content-encoding')).toEqual(['gzip'])
    expect(gunzipSync(response.body).toString()).toContain('whether you asked for it or not')
  })

  it('keeps its headers: order, spelling, doubles, latin-1 bytes, its own Date or none but ours', async () => {
    const headers = [
      'X-B',
      '1',
      'x-a',
      'caf\xe9',
      'X-B',
      '2',
      'Date',
      'Mon, 02 Nov 2026 08:00:00 GMT',
      'Server',
      'Old/1',
    ]
    const { response } = await ask('/', { lines: [asking({ headers })] })
    expect(response.rawHeaders.slice(0, headers.length)).toEqual(headers)
    expect(response.headers('date')).toHaveLength(1)
  })

  it('keeps its own words for a status', async () => {
    handler = (_, response) => response.writeHead(200, 'Quite Fine').end()
    expect((await ask('/')).response.reason).toBe('Quite Fine')
  })

  it('is preceded by its early hints', async () => {
    const { response } = await ask('/early-hints')
    expect(response.interim).toEqual([{ status: 103, rawHeaders: ['Link', '</style.css>; rel=preload; as=style'] }])
    expect(response.text).toBe('after the hints')
  })

  it('loses its trailers, and their announcement', async () => {
    const { response } = await ask('/stream?pieces=2&ms=1', { lines: ['TE: trailers'] })
    expect(response.text).toBe('piece 1\npiece 2\n')
    expect([response.trailers, response.header('trailer')]).toEqual([[], null])
  })
})

it('the trailers of a request end at the gateway', async () => {
  const lines = ['Transfer-Encoding: chunked', 'Trailer: X-Sum']
  const { seen } = await ask('/echo', { method: 'POST', lines, body: chunked(['abc', 'def'], ['X-Sum: 6']) })
  expect([seen?.text, seen?.trailers, seen?.header('trailer')]).toEqual(['abcdef', [], null])
})

it('an HTTP/1.0 client gets an answer that ends with the connection', async () => {
  const text = rawRequest({ target: '/stream?pieces=2&ms=1', host: `app.localhost:${world.port}`, cookie: alice })
  const { responses, closed } = await rawExchange(world.port, text.replace('HTTP/1.1', 'HTTP/1.0'))
  expect(responses.map(({ text: body }) => body)).toEqual(['piece 1\npiece 2\n'])
  expect(responses[0]?.header('transfer-encoding')).toBeNull()
  expect(closed).toBe(true)
})

it('a hundred megabytes go up and come back at the same time, unharmed', async () => {
  const block = patternBytes(0, 65_536)
  const blocks = 1_600
  const asked = client('PUT', '/echo?raw', { 'Transfer-Encoding': 'chunked' })
  let sent = 0
  const pour = () => {
    while (sent < blocks) {
      sent += 1
      if (!asked.write(block)) return
    }
    asked.end()
  }
  asked.on('drain', pour)
  pour()
  const back = await digest(await answerTo(asked))
  expect(back.bytes).toBe(104_857_600)
  expect(back.sha256).toBe(world.origin.requests[0]?.bodySha256)
})
