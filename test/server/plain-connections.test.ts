/** Plain requests are answered in the order in which they came, and node takes over wherever one is not plain. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'
import { type PlainConnections, takePlainConnections } from '../../src/server/plain-connections.ts'
import type { PlainRequest } from '../../src/server/plain-passage.ts'
import type { PlainResponse } from '../../src/server/plain-response.ts'
import { settableClock } from '../stand-in/clock.ts'
import { patiently, until } from '../stand-in/measure.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

type Serve = (request: PlainRequest, response: PlainResponse) => boolean

const idleMs = 300

let server: Server
let plain: PlainConnections
let port: number
let serve: Serve
/** What node was asked. */
let nodes: string[]
let sockets: Socket[]
let clock: ReturnType<typeof settableClock>
let look: () => void

beforeEach(async () => {
  nodes = []
  sockets = []
  clock = settableClock(0)
  server = createServer((request, response) => {
    nodes.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => response.end(`node ${request.url}`))
  })
  const every = vi.spyOn(globalThis, 'setInterval')
  plain = takePlainConnections(server, false, {
    serve: (request, response) => serve(request, response),
    idleMs: () => idleMs,
    writeSoon: createGatheredWrites(),
    monotonic: clock.now,
  })
  look = every.mock.calls.at(-1)?.[0] as () => void
  every.mockRestore()
  server.on('connection', socket => sockets.push(socket))
  serve = answer
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  plain.closeAll()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

const answer: Serve = ({ url }, response) => {
  response.writeHead(200, ['Content-Length', String(url.length)])
  response.end(url, 'latin1')
  return true
}
const ask = (target: string, more: object = {}) => rawRequest({ target, host: 'x.example', ...more })
const one = async (text: string, method = 'GET') => {
  const { responses } = await rawExchange(port, text, { responses: 1, methods: [method] })
  return responses[0]
}
const texts = (connection: RawConnection) => connection.responses.map(({ text }) => text)

/** An answer that a test gives when it likes. */
function later() {
  const asked = Promise.withResolvers<PlainResponse>()
  serve = (request, response) => {
    if (request.url !== '/later') return answer(request, response)
    asked.resolve(response)
    return true
  }
  return asked.promise
}

describe('a connection', () => {
  it('carries one plain request after the other, and says for how long it stays', async () => {
    const client = await RawConnection.open(port)
    for (const target of ['/one', '/two', '/three']) {
      const before = client.responses.length
      await client.write(ask(target))
      await client.until(() => client.responses.length > before, 2_000)
    }
    expect(texts(client)).toEqual(['/one', '/two', '/three'])
    expect(client.responses[0]?.header('connection')).toBe('keep-alive')
    expect(client.responses[0]?.header('keep-alive')).toBe('timeout=75')
    expect(Date.parse(client.responses[0]?.header('date') ?? '')).not.toBeNaN()
    expect(nodes).toEqual([])
    client.destroy()
  })

  it.each([
    ['a body', ask('/body', { method: 'POST', body: 'abc' }), 'POST /body'],
    ['what is not for us', ask('/not-ours'), 'GET /not-ours'],
  ])('with %s is node’s, and stays so', async (_, text, seen) => {
    serve = (request, response) => (request.url === '/not-ours' ? false : answer(request, response))
    const client = await RawConnection.open(port)
    await client.write(ask('/before'))
    await client.until(() => client.responses.length === 1, 2_000)
    await client.write(text)
    await client.until(() => client.responses.length === 2, 2_000)
    await client.write(ask('/after'))
    await client.until(() => client.responses.length === 3, 2_000)
    expect(nodes).toEqual([seen, 'GET /after'])
    expect(texts(client)).toEqual(['/before', `node ${seen.split(' ')[1]}`, 'node /after'])
    client.destroy()
  })

  /** Each in a read of its own. */
  async function inPieces(client: RawConnection, text: string, ...cuts: readonly number[]) {
    const ends = [...cuts, text.length]
    for (const [index, end] of ends.entries()) {
      const before = sockets[0]?.bytesRead ?? 0
      await client.write(text.slice(ends[index - 1] ?? 0, end))
      if (end < text.length) await vi.waitFor(() => expect(sockets[0]?.bytesRead).toBeGreaterThan(before), patiently)
    }
  }

  it('on which a head comes in pieces waits for them, wherever it is cut', async () => {
    const text = ask('/pieces', { lines: ['Accept: text/html'] })
    const client = await RawConnection.open(port)
    let answers = 0
    for (let cut = 6; cut < text.length; cut += 3) {
      await inPieces(client, text, cut)
      answers++
      await client.until(() => client.responses.length === answers, 2_000)
    }
    expect(texts(client)).toEqual(Array(answers).fill('/pieces'))
    expect(nodes).toEqual([])
    client.destroy()
  })

  it.each([
    ['by bytes', (client: RawConnection) => inPieces(client, ask('/x'), 6, 7, 8, 9, 10, 11, 12, 13, 14)],
    ['and is of another method', (client: RawConnection) => inPieces(client, ask('/x', { method: 'PUT' }), 8)],
    [
      'and turns out to be none of ours',
      (client: RawConnection) => inPieces(client, ask('/x', { lines: ['TE: a'] }), 8),
    ],
    [
      'and does not come on',
      async (client: RawConnection) => {
        await inPieces(client, ask('/x').slice(0, 20), 8)
        clock.advance(2_001)
        look()
        await client.write(ask('/x').slice(20))
      },
    ],
  ])('on which a head comes %s is node’s, from its first byte on', async (_, send) => {
    const client = await RawConnection.open(port)
    await send(client)
    await client.until(() => client.responses.length === 1, 2_000)
    expect(texts(client)).toEqual(['node /x'])
    client.destroy()
  })

  it('with half a head is not idle', async () => {
    const client = await RawConnection.open(port)
    await inPieces(client, ask('/x').slice(0, 20), 8)
    await vi.waitFor(() => expect(sockets[0]?.bytesRead).toBe(20), patiently)
    plain.closeIdle()
    await client.write(ask('/x').slice(20))
    await client.until(() => client.responses.length === 1, 2_000)
    expect(texts(client)).toEqual(['/x'])
    client.destroy()
  })

  it('with two requests in one packet is node’s from the first on', async () => {
    const { responses } = await rawExchange(port, ask('/one') + ask('/two'), { responses: 2 })
    expect(responses.map(({ text }) => text)).toEqual(['node /one', 'node /two'])
  })

  it('on which more comes while an answer is under way answers in order', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    const response = await asked
    const before = sockets[0]?.bytesRead ?? 0
    await client.write(ask('/second') + ask('/third', { method: 'POST', body: 'abc' }))
    await vi.waitFor(() => expect(sockets[0]?.bytesRead).toBeGreaterThan(before), patiently)
    expect(client.responses).toEqual([])
    response.writeHead(200, ['Content-Length', '5'])
    response.end('first', 'latin1')
    await client.until(() => client.responses.length === 3, 2_000)
    expect(texts(client)).toEqual(['first', 'node /second', 'node /third'])
    client.destroy()
  })

  it('is read no further than it is answered: a client that only sends fills no memory', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    await asked
    client.socket.write(Buffer.alloc(8_000_000, 'x'))
    await vi.waitFor(() => expect(sockets[0]?.isPaused()).toBe(true), patiently)
    expect(sockets[0]?.bytesRead).toBeLessThan(1_000_000)
    client.destroy()
  })
})

describe('an answer', () => {
  it('of unknown length comes in chunks', async () => {
    serve = (_, response) => {
      response.writeHead(200, 'Fine', ['X-Name', 'a'])
      response.flushHeaders()
      for (const piece of ['abc', '', 'def']) response.write(Buffer.from(piece), () => {})
      response.end('g\xe9', 'utf8')
      return true
    }
    const response = await one(ask('/'))
    expect(response).toMatchObject({ status: 200, reason: 'Fine', text: 'abcdefgé', complete: true })
    expect(response?.header('transfer-encoding')).toBe('chunked')
  })

  it.each([
    ['to HEAD', 'HEAD', 200, ['Content-Length', '100']],
    ['204', 'GET', 204, []],
    ['304', 'GET', 304, ['Content-Length', '100']],
  ])('%s has no body, whoever writes one', async (_, method, status, headers) => {
    serve = (_request, response) => {
      response.writeHead(status, [...headers])
      response.write(Buffer.from('abc'), () => {})
      response.end('def', 'latin1')
      return true
    }
    const client = await RawConnection.open(port, [method, 'GET'])
    await client.write(ask('/', { method }))
    await client.until(() => client.responses.length === 1, 2_000)
    serve = answer
    await client.write(ask('/next'))
    await client.until(() => client.responses.length === 2, 2_000)
    expect(client.responses.map(({ status, text }) => [status, text])).toEqual([
      [status, ''],
      [200, '/next'],
    ])
    client.destroy()
  })

  it('tells early hints before itself', async () => {
    serve = (request, response) => {
      response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] })
      return answer(request, response)
    }
    const response = await one(ask('/'))
    expect(response?.interim).toMatchObject([
      { status: 103, rawHeaders: ['Link', '</a.css>; rel=preload, </b.js>; rel=preload'] },
    ])
    expect(response?.text).toBe('/')
  })

  it.each(['a\r\nSet-Cookie: b', 'a\nb', 'a\0', 'a\x7f', '€'])('has no value %j', async value => {
    const refused = Promise.withResolvers<unknown>()
    serve = (request, response) => {
      try {
        response.writeHead(200, ['X-Name', value])
      } catch (error) {
        refused.resolve(error)
      }
      return answer(request, response)
    }
    expect((await one(ask('/')))?.text).toBe('/')
    expect(await refused.promise).toBeInstanceOf(TypeError)
  })

  it('waits for a reader who takes his time, and goes on', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    client.socket.pause()
    await client.write(ask('/later'))
    const response = await asked
    const piece = Buffer.alloc(2_000_000, 'x')
    response.writeHead(200, ['Content-Length', String(8 * piece.length)])
    let sent = 0
    const drained = Promise.withResolvers<void>()
    const more = (): void => {
      if (++sent <= 8) return void response.write(piece, more)
      response.end()
      drained.resolve()
    }
    more()
    await until('a piece that waits', () => response.writableLength > 0, 2_000)
    expect(sent).toBeLessThan(8)
    client.socket.resume()
    await drained.promise
    await client.until(() => client.responses.length === 1, 10_000)
    expect(client.responses[0]?.body.length).toBe(8 * piece.length)
    client.destroy()
  })

  it('that nobody takes ends with its connection, and is not whole', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    client.socket.pause()
    await client.write(ask('/later'))
    const response = await asked
    const over = new Promise<void>(resolve => response.once('close', resolve))
    response.writeHead(200, ['Content-Length', '30000000'])
    response.end('x'.repeat(30_000_000), 'latin1')
    await over
    expect(response.writableFinished).toBe(false)
    client.destroy()
  })

  it('whose client leaves is over, and not whole', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    const response = await asked
    let times = 0
    const over = new Promise<void>(resolve => response.once('close', resolve))
    response.once('close', () => times++)
    client.destroy()
    await over
    expect(response).toMatchObject({ writableFinished: false, destroyed: true })
    response.writeHead(200, ['Content-Length', '1'])
    response.end('x', 'latin1')
    expect(times).toBe(1)
  })

  it('that was given before its client’s last word was heard goes out', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    const response = await asked
    response.writeHead(200, ['Content-Length', '1'])
    response.end('x', 'latin1')
    // In the same turn, as when both are read at once.
    sockets[0]?.emit('end')
    await client.until(() => client.closed, 2_000)
    expect(texts(client)).toEqual(['x'])
    expect(response.writableFinished).toBe(true)
  })

  it('that is whole can be destroyed, and the next one on its connection goes on', async () => {
    const over: PlainResponse[] = []
    serve = (request, response) => {
      over.push(response)
      return answer(request, response)
    }
    const client = await RawConnection.open(port)
    await client.write(ask('/first'))
    await client.until(() => client.responses.length === 1, 2_000)
    const asked = later()
    await client.write(ask('/later'))
    const second = await asked
    over[0]?.destroy()
    second.writeHead(200, ['Content-Length', '1'])
    second.end('x', 'latin1')
    await client.until(() => client.responses.length === 2, 2_000)
    expect(texts(client)).toEqual(['/first', 'x'])
    client.destroy()
  })

  it('is not begun for a client that has said its last word', async () => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    const response = await asked
    const before = sockets[0]?.bytesRead ?? 0
    await client.write(ask('/second'))
    await vi.waitFor(() => expect(sockets[0]?.bytesRead).toBeGreaterThan(before), patiently)
    const served: string[] = []
    serve = (request, answered) => {
      served.push(request.url)
      return answer(request, answered)
    }
    response.writeHead(200, ['Content-Length', '1'])
    response.end('x', 'latin1')
    sockets[0]?.emit('end')
    await client.until(() => client.closed, 2_000)
    expect(texts(client)).toEqual(['x'])
    expect(served).toEqual([])
  })

  it.each([
    ['while it stops', () => plain.makeLast(), (_: PlainResponse) => {}],
    [
      'after a request that is not believed',
      () => {},
      (response: PlainResponse) => {
        response.shouldKeepAlive = false
      },
    ],
  ])('is its connection’s last %s', async (_, before, then) => {
    const asked = later()
    const client = await RawConnection.open(port)
    await client.write(ask('/later'))
    const response = await asked
    before()
    then(response)
    response.writeHead(200, ['Content-Length', '1'])
    response.end('x', 'latin1')
    await client.until(() => client.closed, 2_000)
    expect(client.closed).toBe(true)
    expect(client.responses[0]).toMatchObject({ text: 'x' })
    expect(client.responses[0]?.header('connection')).toBe('close')
  })
})

describe('an idle connection', () => {
  /** One with an answer under way, one that has had its answer, one that has asked nothing yet. */
  async function three() {
    const asked = later()
    const open = () => RawConnection.open(port)
    const [busy, used, unused] = [await open(), await open(), await open()]
    await busy.write(ask('/later'))
    await used.write(ask('/'))
    const response = await asked
    await used.until(() => used.responses.length === 1, 2_000)
    await vi.waitFor(() => expect(sockets).toHaveLength(3), patiently)
    return { busy, used, unused, response }
  }

  it('is closed on request; one with an answer under way is not', async () => {
    const { busy, used, unused, response } = await three()
    plain.closeIdle()
    await Promise.all([used.until(() => used.closed, 2_000), unused.until(() => unused.closed, 2_000)])
    expect([busy.closed, used.closed, unused.closed]).toEqual([false, true, true])
    response.writeHead(200, ['Content-Length', '1'])
    response.end('x', 'latin1')
    await busy.until(() => busy.responses.length === 1, 2_000)
    expect(texts(busy)).toEqual(['x'])
    busy.destroy()
  })

  it('waits 20 s for its first request, a second more than it promised for the next, and for ever for an answer', async () => {
    const { busy, used, unused } = await three()
    const states = () => [busy.closed, used.closed, unused.closed]
    clock.advance(20_000)
    look()
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false])
    clock.advance(1)
    look()
    await unused.until(() => unused.closed, 2_000)
    expect(states()).toEqual([false, false, true])
    clock.advance(55_999)
    look()
    expect(sockets.filter(({ destroyed }) => destroyed)).toHaveLength(1)
    clock.advance(1)
    look()
    await used.until(() => used.closed, 2_000)
    expect(states()).toEqual([false, true, true])
    busy.destroy()
  })
})
