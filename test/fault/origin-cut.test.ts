/**
 * An origin that breaks off, a connection that dies between two requests, a client that leaves. No answer is ever cut in
 * silence, no form is ever sent twice, and nothing goes on for somebody who has gone.
 */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { resetAfterEachAnswer } from '../stand-in/broken-answers.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { percentile, promised, tell, timed, until } from '../stand-in/measure.ts'
import { type Origin, type RawAnswer, startOrigin } from '../stand-in/origin.ts'
import { patternBytes } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

const site = (id: string, origin: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "${origin}"
    policy: public`

const whole = patternBytes(0, 40_000)

/** `/cut/<framing>/<how>/<after>`: so many bytes of the body, then the end. */
const cut: RawAnswer = (socket, bytes) => {
  const [, framing = '', how = '', after = ''] = /^GET \/cut\/(\w+)\/(\w+)\/(\d+)/.exec(bytes.toString('latin1')) ?? []
  const sent = whole.subarray(0, Number(after))
  const lines = {
    length: `Content-Length: ${whole.length}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
    last: 'Connection: close\r\nTransfer-Encoding: chunked\r\n',
    close: 'Connection: close\r\n',
  }[framing]
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n${lines}\r\n`)
  const end = () => (how === 'fin' ? socket.end() : socket.resetAndDestroy())
  if (framing === 'chunked' || framing === 'last')
    socket.write(Buffer.concat([Buffer.from(`${whole.length.toString(16)}\r\n`), sent]), end)
  else if (sent.length > 0) socket.write(sent, end)
  else end()
}

let world: TestGateway
let cutting: Origin
let racing: Origin
let closeAfterMs = 0
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  cutting = await startOrigin({ answers: cut, keepBytes: 0 })
  racing = await startOrigin({
    answers(socket, bytes, nth) {
      if (closeAfterMs < 0) return resetAfterEachAnswer(socket, bytes, nth)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      setTimeout(() => socket.end(), closeAfterMs)
    },
  })
  cleanups.push(cutting.stop, racing.stop)
  world = await startTestGateway({
    resources: [site('cutting', cutting.url), site('racing', racing.url), site('good', '$ORIGIN')].join(''),
    origin: { keepBytes: 1_000 },
  })
})
beforeEach(() => {
  world.origin.forget()
  racing.forget()
})
afterAll(async () => {
  await world?.stop()
  for (const cleanup of cleanups) await cleanup()
})

const request = (host: string, target: string, more: Partial<Parameters<typeof rawRequest>[0]> = {}) =>
  rawRequest({ host: `${host}.localhost:${world.port}`, target, ...more })

describe('an answer that its origin breaks off', () => {
  // A FIN is the honest end of an answer without length or chunks: nobody can know that it came too soon.
  const kinds = ['length/fin', 'length/reset', 'chunked/fin', 'chunked/reset', 'last/fin', 'last/reset', 'close/reset']
  const cuts = kinds.flatMap(kind => [0, 1, 1_000, 16_384, 39_999].map(after => `/cut/${kind}/${after}`))

  it.each(['HTTP/1.1', 'HTTP/1.0'])('never looks whole to a client that speaks %s', async version => {
    const runs = 20
    const outcomes = new Map<string, number>()
    const silent = new Set<string>()
    for (let run = 0; run < runs; run++) {
      const seen = await Promise.all(cuts.map(path => readAll(request('cutting', path).replace('HTTP/1.1', version))))
      for (const [nth, one] of seen.entries()) {
        outcomes.set(one, (outcomes.get(one) ?? 0) + 1)
        if (one === 'looks whole') silent.add(cuts[nth] as string)
      }
    }
    tell(
      `${runs * cuts.length} answers broken off, as ${version} saw them`,
      JSON.stringify(Object.fromEntries(outcomes)),
    )
    expect([...silent]).toEqual([])
    expect(outcomes.get('whole') ?? 0).toBe(0)
  })

  it('is whole where nothing was broken off: the judge above can tell', async () => {
    const path = `/cut/length/fin/${whole.length}`
    expect(await readAll(request('cutting', path))).toBe('whole')
    expect(await readAll(request('cutting', path).replace('HTTP/1.1', 'HTTP/1.0'))).toBe('whole')
    expect(await readAll(request('cutting', '/cut/close/fin/1000').replace('HTTP/1.1', 'HTTP/1.0'))).toBe('looks whole')
  })
})

describe('a connection that the origin closes while it is idle', () => {
  /** From a reset at once to a FIN after a while: somewhere among them the next request meets it. */
  const moments = [-1, 0, 1, 2, 3, 5, 8]

  it('costs no GET its answer: it is sent once more, and no more than that', async () => {
    let answered = 0
    let sentTwice = 0
    for (closeAfterMs of moments) {
      racing.forget()
      const paths = Array.from({ length: 80 }, () => `/${randomUUID()}`)
      // One after the other and side by side: both orders of the race.
      for (const path of paths.slice(0, 40)) answered += await ok(path, 'GET')
      const side = await Promise.all(paths.slice(40).map(path => ok(path, 'GET')))
      answered += side.filter(one => one === 1).length
      for (const path of paths) {
        const times = racing.requests.filter(({ url }) => url === path).length
        if (times > 1) sentTwice++
        expect(times).toBeLessThanOrEqual(2)
      }
    }
    const total = moments.length * 80
    tell('GETs over dying connections', `${answered} of ${total} answered, ${sentTwice} seen twice by the origin`)
    expect(answered).toBe(total)
  })

  it.each([
    ['with a body', 'x=1'],
    ['without a body', ''],
  ])('never has a POST sent twice: %s', async (_what, body) => {
    let answered = 0
    const total = moments.length * 60
    for (closeAfterMs of moments) {
      racing.forget()
      const paths = Array.from({ length: 60 }, () => `/${randomUUID()}`)
      for (const path of paths.slice(0, 30)) answered += await ok(path, 'POST', body)
      const side = await Promise.all(paths.slice(30).map(path => ok(path, 'POST', body)))
      answered += side.filter(one => one === 1).length
      for (const path of paths) expect(racing.requests.filter(({ url }) => url === path).length).toBeLessThanOrEqual(1)
    }
    tell(`POSTs ${_what} over dying connections`, `${answered} of ${total} answered, the others 502, none sent twice`)
  })

  async function ok(path: string, method: string, body = ''): Promise<0 | 1> {
    const { responses } = await rawExchange(world.port, request('racing', path, { method, body }), { responses: 1 })
    const status = responses[0]?.status
    if (status === 200) return 1
    expect([method, status]).toEqual(['POST', 502])
    return 0
  }
})

describe('a client that leaves', () => {
  const patienceMs = promised(1_000)

  /** Milliseconds from the client's leaving to the end of the exchange at the origin. */
  async function left(begin: () => Promise<RawConnection>, isThere: () => boolean): Promise<number> {
    const client = await begin()
    await world.origin.until(isThere, 'the request at the origin')
    const { ms } = await timed(async () => {
      client.reset()
      await world.origin.exchange(1)
    })
    return ms
  }

  async function sending(bytes: string): Promise<RawConnection> {
    const client = await RawConnection.open(world.port)
    await client.write(bytes)
    return client
  }

  const arrived = () => world.origin.requests.length === 1

  it.each<[string, string, Parameters<typeof request>[2]]>([
    ['while it waits for an answer', '/slow', {}],
    ['in the middle of a download', '/large?mb=500', {}],
    ['while an event stream is open', '/sse', {}],
    ['in the middle of an upload', '/echo', { method: 'POST', lines: ['Content-Length: 1000000'], body: 'x' }],
    [
      'in the middle of a chunked upload',
      '/echo',
      { method: 'POST', lines: ['Transfer-Encoding: chunked'], body: '5\r\nab' },
    ],
  ])('%s is gone at the origin within a second', async (what, path, more) => {
    const ms = await left(() => sending(request('good', path, more)), arrived)
    tell(`the origin is let go when a client leaves ${what}`, ms)
    expect(ms).toBeLessThan(patienceMs)
    expect((await world.origin.exchange(1)).aborted).toBe(true)
  })

  it('with a WebSocket open is gone at the origin within a second', async () => {
    const socket = await new Browser().webSocket(world.url('good', '/ws'))
    const { ms } = await timed(async () => {
      socket.destroy()
      await world.origin.exchange(1)
    })
    tell('the origin is let go when a client leaves with a WebSocket open', ms)
    expect(ms).toBeLessThan(patienceMs)
  })

  it('three hundred times over does not wedge the way to that origin', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => sending(request('good', '/slow'))))
    await world.origin.until(() => world.origin.requests.length === 300, 'three hundred requests at the origin', 10_000)
    const { ms } = await timed(async () => {
      for (const client of clients) client.reset()
      await world.origin.until(() => world.origin.requests.every(({ over }) => over), 'the end of all of them')
    })
    tell('three hundred departed clients, until the origin is let go', ms)
    expect(ms).toBeLessThan(2 * patienceMs)
    const next = await Promise.all(
      Array.from({ length: 50 }, () => timed(() => new Browser().navigate(world.url('good', '/page')))),
    )
    expect(new Set(next.map(({ value }) => value.status))).toEqual(new Set([200]))
    tell(
      'p99 of the fifty visitors who come next',
      percentile(
        next.map(each => each.ms),
        0.99,
      ),
    )
    await until(
      'every socket of theirs closed',
      () => world.origin.connections.filter(({ open }) => open).length <= 50,
      5_000,
    )
  })

  it('before the origin could be asked costs it nothing later', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => sending(request('good', '/slow'))))
    for (const client of clients) client.reset()
    await new Browser().navigate(world.url('good', '/last'))
    await world.origin.until(() => world.origin.requests.every(({ over }) => over), 'the end of what was begun')
  })
})

/**
 * How a client without a parser of its own sees an answer: whole; cut, because bytes are missing that were announced, a
 * chunk is open, the connection was reset, or it is a page of failure; or a shorter body that looks whole.
 */
function readAll(bytes: string): Promise<'whole' | 'cut' | 'refused' | 'looks whole'> {
  return new Promise(resolve => {
    const pieces: Buffer[] = []
    let broken = false
    const socket = connect(world.port, '127.0.0.1', () =>
      socket.write(bytes.replace(/\r\n\r\n$/, '\r\nConnection: close\r\n\r\n')),
    )
    socket.on('data', piece => pieces.push(piece))
    socket.on('error', () => {
      broken = true
    })
    socket.on('close', () => {
      const answer = Buffer.concat(pieces)
      const end = answer.indexOf('\r\n\r\n')
      const head = answer.subarray(0, Math.max(0, end)).toString('latin1')
      if (end < 0 || broken) return resolve('cut')
      if (!/^HTTP\/1\.1 200 /.test(head)) return resolve('refused')
      const body = answer.subarray(end + 4)
      const length = /^content-length: (\d+)/im.exec(head)?.[1]
      const chunked = /^transfer-encoding: chunked/im.test(head)
      if (
        chunked
          ? !body.toString('latin1').endsWith('\r\n0\r\n\r\n') && !body.equals(Buffer.from('0\r\n\r\n'))
          : length !== undefined && body.length < Number(length)
      )
        return resolve('cut')
      resolve(chunked || body.equals(whole) ? (chunked ? 'looks whole' : 'whole') : 'looks whole')
    })
  })
}
