/** Requests on a connection whose earlier ones are not answered yet: in order, not without limit, and nothing else behind them. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { Inbound } from '../stand-in/inbound.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { handshake, rawRequest } from '../stand-in/raw-request.ts'

const inbound = new Inbound()
let world: TestGateway
beforeAll(async () => {
  world = await startTestGateway()
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(async () => {
  await world.stop()
  inbound.stop()
})

const host = () => `open.localhost:${world.port}`
const get = (target: string) => rawRequest({ target, host: host() })
const serves = async () =>
  (await rawExchange(world.port, get('/status'), { responses: 1 })).responses.map(({ status }) => status)

describe('behind a request whose answer is under way', () => {
  it.each([
    ['a WebSocket handshake', () => rawRequest({ target: '/ws', host: host(), lines: handshake })],
    [
      'an upgrade to something else',
      () => rawRequest({ host: host(), lines: ['Connection: Upgrade', 'Upgrade: h2c'] }),
    ],
    ['CONNECT', () => `CONNECT ${host()} HTTP/1.1\r\nHost: ${host()}\r\n\r\n`],
  ])('%s ends the connection: nothing is answered in the other’s place', async (_, second) => {
    const { responses, closed } = await rawExchange(world.port, get('/slow') + second())
    expect(responses).toEqual([])
    expect(closed).toBe(true)
    expect(world.origin.requests.filter(({ upgrade }) => upgrade)).toEqual([])
    expect(await serves()).toEqual([200])
  })

  it('a handshake that comes while the answer is being sent waits for its end', async () => {
    const client = await RawConnection.open(world.port)
    await client.write(get('/sse?ms=10'))
    await client.until(() => client.rest.includes('data: 1'), 5_000)
    await client.write(rawRequest({ target: '/ws', host: host(), lines: handshake }))
    const more = client.rest.length
    await client.until(() => client.rest.length > more + 40, 5_000)
    expect(client.closed).toBe(false)
    expect(client.rest.toString()).not.toContain('101 Switching')
    expect(world.origin.requests.filter(({ upgrade }) => upgrade)).toEqual([])
    client.destroy()
  })

  it('on the portal as well', async () => {
    const portal = `acces.localhost:${world.port}`
    const both = rawRequest({ host: portal }) + rawRequest({ target: '/ws', host: portal, lines: handshake })
    expect(await rawExchange(world.port, both)).toMatchObject({ responses: [], closed: true })
    expect(await serves()).toEqual([200])
  })
})

it('a handshake behind a request that is answered opens, as ever', async () => {
  const client = await RawConnection.open(world.port)
  await client.write(get('/status'))
  await client.until(() => client.responses.length === 1, 5_000)
  await client.write(rawRequest({ target: '/ws', host: host(), lines: handshake }))
  await client.until(() => client.responses.length === 2, 5_000)
  expect(client.responses.map(({ status }) => status)).toEqual([200, 101])
  client.destroy()
})

describe('requests without an answer', () => {
  it('are a hundred on one connection; one more ends it, and all that it asked for', async () => {
    const client = await RawConnection.open(world.port)
    await client.write(get('/slow').repeat(3_000))
    expect(await client.until(() => client.closed, 5_000)).toBe(false)
    expect(client.responses).toEqual([])
    expect(await serves()).toEqual([200])
    const slow = world.origin.requests.filter(({ url }) => url === '/slow')
    expect(slow.length).toBeLessThanOrEqual(100)
    await world.origin.until(() => slow.every(({ over }) => over))
  })

  it('count, not those that have one: a connection serves as many as it is asked for in turn', async () => {
    const client = await RawConnection.open(world.port)
    for (let n = 1; n <= 5; n++) {
      await client.write(get('/status').repeat(60))
      await client.until(() => client.responses.length === 60 * n, 10_000)
    }
    expect(client.responses.map(({ status }) => status)).toEqual(Array(300).fill(200))
    client.destroy()
  })
})

it.each([
  ['something that is no HTTP', () => 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['CONNECT', () => `CONNECT ${host()} HTTP/1.1\r\nHost: ${host()}\r\n\r\n`],
])('a client that was refused, says nothing more and never closes its side is cut: %s', async (_, text) => {
  const client = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  await once(client, 'connect')
  const letGo = inbound.follow(client)
  client.write(text())
  client.resume()
  await once(client, 'end')
  await letGo()
  client.destroy()
})
