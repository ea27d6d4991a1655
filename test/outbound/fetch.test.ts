/** The gateway's own requests: an end in time and in bytes, no redirects, no cookies. */
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { OutboundRequest } from '../../src/model/outbound.ts'
import { createConnectors } from '../../src/outbound/connector.ts'
import { createFetch } from '../../src/outbound/fetch.ts'
import { serverElsewhere, standStill } from '../stand-in/standstill.ts'

const connector = createConnectors({ ca: null, localAddress: null, refused: [] })
const { fetch, close } = createFetch(connector(5_000), { deadlineMs: 1_000, bytes: 1_000 })
const running: { close(): unknown }[] = []

afterAll(close)
afterEach(() => {
  for (const server of running.splice(0)) server.close()
})

async function serve(answer: RequestListener): Promise<URL> {
  const server = createServer(answer)
  running.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?secret=1`)
}

const get: OutboundRequest = { method: 'GET', headers: {}, body: null, signal: null }

describe('an answer', () => {
  it('comes with its status, headers and body, whatever the status', async () => {
    for (const status of [200, 204, 304, 404, 503]) {
      const url = await serve((_request, response) => void response.writeHead(status, { 'x-a': 'b' }).end('body'))
      const answer = await fetch(url, get)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-a')).toBe('b')
      expect(await answer.text()).toBe(status === 204 || status === 304 ? '' : 'body')
    }
  })

  it('that redirects is handed back and not followed', async () => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect((await fetch(url, get)).status).toBe(302)
    expect(asked).toBe(1)
  })

  it('of exactly the limit is accepted, of one byte more it is not', async () => {
    const url = await serve((_request, response) => void response.end('x'.repeat(1_000)))
    expect(await (await fetch(url, get)).text()).toHaveLength(1_000)
    const larger = await serve((_request, response) => void response.end('x'.repeat(1_001)))
    await expect(fetch(larger, get)).rejects.toMatchObject({ reason: 'too-large' })
  })

  it('is measured unpacked: a compression bomb is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    const url = await serve(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    )
    await expect(fetch(url, get)).rejects.toMatchObject({ reason: 'too-large' })
  })

  it('that never ends is cut off, and its connection closed', async () => {
    let closed = false
    const url = await serve((_request, response) => {
      response.write('x')
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => {
        closed = true
        clearInterval(timer)
      })
    })
    await expect(fetch(url, get)).rejects.toMatchObject({ reason: 'timeout' })
    await expect.poll(() => closed).toBe(true)
  })

  it('that never begins is a time-out, and the message has no query', async () => {
    const url = await serve(() => {})
    await expect(fetch(url, get)).rejects.toMatchObject({
      reason: 'timeout',
      message: `GET ${url.origin}/path: no whole answer within 1 s`,
    })
  })

  it('that came while this process stood still for longer than the deadline is read', async () => {
    const server = await serverElsewhere()
    const answer = fetch(new URL(`http://127.0.0.1:${server.port}/`), get)
    await server.asked(1)
    server.answer()
    standStill(1_300, server)
    expect(await (await answer).text()).toBe('answered')
    await server.stop()
  })

  it('cut short is none', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('x')
      setImmediate(() => response.destroy())
    })
    await expect(fetch(url, get)).rejects.toMatchObject({ reason: expect.stringMatching(/unreachable|malformed/) })
  })

  it('that is not HTTP is malformed', async () => {
    const server = createTcpServer(socket => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'))
    running.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await expect(fetch(url, get)).rejects.toMatchObject({ reason: 'malformed' })
  })

  it('that nobody gives is unreachable, and the message says why', async () => {
    const url = await serve(() => {})
    for (const server of running.splice(0)) server.close()
    await expect(fetch(url, get)).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('a request', () => {
  it('ends when its signal says so', async () => {
    const url = await serve(() => {})
    await expect(fetch(url, { ...get, signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      reason: 'timeout',
    })
  })

  it('carries method, headers and body, and no cookie that an answer has set', async () => {
    const seen: { method: string | undefined; cookie: string | undefined; a: unknown; body: string }[] = []
    const url = await serve(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      seen.push({ method: request.method, cookie: request.headers.cookie, a: request.headers['x-a'], body })
      response.writeHead(200, { 'set-cookie': 'a=1' }).end()
    })
    await fetch(url, { method: 'POST', headers: { 'x-a': 'b' }, body: 'c=d', signal: null })
    await fetch(url, get)
    expect(seen).toEqual([
      { method: 'POST', cookie: undefined, a: 'b', body: 'c=d' },
      { method: 'GET', cookie: undefined, a: undefined, body: '' },
    ])
  })
})
