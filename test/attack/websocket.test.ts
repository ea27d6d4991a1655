/**
 * WS: a WebSocket is one decision for a long time. It is made on the handshake, for the site's own pages only, and it ends
 * with the session; until both sides have agreed, nothing is a tunnel.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { Inbound } from '../stand-in/inbound.ts'
import type { UpgradeHandler } from '../stand-in/origin.ts'
import { echoWebSocket } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { handshakeAnswer as accepted, handshake, rawRequest } from '../stand-in/raw-request.ts'
import { Watch } from '../stand-in/recording.ts'

const echo = echoWebSocket()
let upgrade: UpgradeHandler = echo

const clock = settableClock(Date.now())
let world: TestGateway
let alice: string
beforeAll(async () => {
  world = await startTestGateway({
    origin: { upgrade: (...handed) => upgrade(...handed) },
    surroundings: { now: clock.now },
  })
  alice = world.cookieOf(await world.signIn('alice'))
})
beforeEach(() => {
  upgrade = echo
  world.origin.forget()
})
afterEach(() => world.invariants())
afterAll(async () => {
  await world.stop()
  inbound.stop()
})

const inbound = new Inbound()
const watch = new Watch()
const host = (name = 'app') => `${name}.localhost:${world.port}`
const open = (cookie: string | null = alice, lines: readonly string[] = handshake, on = 'app') =>
  rawRequest({ target: '/ws', host: host(on), cookie, lines })
const statusOf = async (text: string) => (await rawExchange(world.port, text, { responses: 1 })).responses[0]?.status

async function opened(text = open()): Promise<RawConnection> {
  const connection = await RawConnection.open(world.port)
  await connection.write(text)
  await connection.until(() => connection.responses.length > 0, 5_000)
  expect(connection.responses[0]?.status).toBe(101)
  return connection
}

/** Some time passes: another request goes all the way. */
async function roundTrips(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    expect(await statusOf(rawRequest({ target: '/pub/', host: host() }))).toBe(200)
  }
}

describe('WS-03 a handshake', () => {
  it('of nobody is 401, in JSON, and does not reach the origin', async () => {
    const { responses } = await rawExchange(world.port, open(null), { responses: 1 })
    expect(responses[0]?.status).toBe(401)
    expect(responses[0]?.header('location')).toBeNull()
    expect(world.origin.requests).toHaveLength(0)
  })

  it('of a session that was ended is 401', async () => {
    const browser = await world.signIn('bob')
    const cookie = world.cookieOf(browser)
    world.origin.forget()
    expect(await statusOf(open(cookie))).toBe(101)
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, null, { follow: false })
    world.origin.forget()
    expect(await statusOf(open(cookie))).toBe(401)
    expect(world.origin.requests).toHaveLength(0)
  })

  it('of a session that has expired is 401', async () => {
    const cookie = world.cookieOf(await world.signIn('bob'))
    world.origin.forget()
    clock.advance(11 * 3_600_000)
    expect(await statusOf(open(cookie))).toBe(401)
    expect(world.origin.requests).toHaveLength(0)
    clock.set(Date.now())
    alice = world.cookieOf(await world.signIn('alice'))
  })

  it('of somebody whom the policy does not admit is 403', async () => {
    const browser = await world.signIn('bob')
    const cookie = world.cookieOf(browser)
    world.origin.forget()
    const text = rawRequest({ target: '/adm/ws', host: host(), cookie, lines: handshake })
    expect(await statusOf(text)).toBe(403)
    expect(world.origin.requests).toHaveLength(0)
  })
})

describe('WS-04 an upgrade that is no WebSocket', () => {
  const [connection = '', upgradeLine = '', ...rest] = handshake
  it.each([
    ['to foo', 'GET', [connection, 'Upgrade: foo', ...rest], undefined],
    ['to a WebSocket or h2c', 'GET', [connection, 'Upgrade: websocket, h2c', ...rest], undefined],
    ['to TLS', 'OPTIONS', [connection, 'Upgrade: TLS/1.2'], undefined],
    ['by POST', 'POST', [...handshake, 'Content-Length: 0'], undefined],
    ['with a body of known length', 'GET', handshake, 'GET /smuggled HTTP/1.1\r\n\r\n'],
    ['with a chunked body', 'GET', [...handshake, 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
    ['without a key', 'GET', [connection, upgradeLine], undefined],
  ])('%s is 400, and the end of the connection', async (_, method, lines, body) => {
    const request = { method, target: '/ws', host: host(), cookie: alice, lines: lines as string[] }
    const text = rawRequest(body === undefined ? request : { ...request, body })
    const { responses, closed } = await rawExchange(world.port, text)
    expect(responses.map(({ status }) => status)).toEqual([400])
    expect(closed).toBe(true)
    expect(world.origin.requests).toHaveLength(0)
  })

  it.each([
    ['a refused handshake', () => open(null)],
    ['something that is no HTTP', () => 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['CONNECT', () => `CONNECT ${host()} HTTP/1.1\r\nHost: ${host()}\r\n\r\n`],
  ])('leaves nothing behind, even when the client never closes its side and goes on talking: %s', async (_, text) => {
    const client = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => {})
    await once(client, 'connect')
    const letGo = inbound.follow(client)
    client.write(text())
    client.resume()
    await once(client, 'end')
    client.write('and still here')
    await letGo()
    client.destroy()
  })
})

describe('WS-05 a page', () => {
  const from = (origin: string) => [...handshake, `Origin: ${origin}`]

  it.each([
    'https://evil.test',
    'null',
    'http://open.localhost',
    'http://app.localhost.evil.test',
    'http://app.localhost:1',
    '',
  ])('of another origin opens no WebSocket with somebody’s session: %j', async origin => {
    expect(await statusOf(open(alice, from(origin)))).toBe(403)
    expect(world.origin.requests).toHaveLength(0)
  })

  it('of the site itself does, and so does a program, which sends no Origin', async () => {
    expect(await statusOf(open(alice, from(`http://${host()}`)))).toBe(101)
    expect(await statusOf(open(alice))).toBe(101)
  })

  it('of anywhere may open a public one, which nobody’s session goes with', async () => {
    expect(await statusOf(open(alice, from('https://evil.test'), 'open'))).toBe(101)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBeNull()
  })
})

describe('WS-06 an origin that does not agree', () => {
  it.each([200, 302, 401, 426])('is heard with its %i as with any answer, and there is no tunnel', async status => {
    upgrade = (_, socket) => {
      socket.write(`HTTP/1.1 ${status} No\r\nLocation: /elsewhere\r\nContent-Length: 4\r\n\r\nnope`)
    }
    const later = 'GET /adm/tunnelled HTTP/1.1\r\nHost: x\r\n\r\n'
    const client = await RawConnection.open(world.port)
    await client.write(open() + later)
    await client.until(() => client.closed, 5_000)
    await client.write(later)
    expect(client.responses.map(response => [response.status, response.text])).toEqual([[status, 'nope']])
    expect(client.rest.toString()).toBe('')
    await roundTrips(3)
    expect(world.origin.rawBytes()).not.toContain('tunnelled')
    client.destroy()
  })
})

describe('WS-07 the end of a session', () => {
  it('closes its WebSockets with 1001, on every host, and at the origin', async () => {
    const browser = await world.signIn('bob')
    await browser.navigate(world.url('plain'))
    const sockets = [await browser.webSocket(world.url('app', '/a')), await browser.webSocket(world.url('plain', '/b'))]
    const kept = await opened()
    for (const socket of sockets) {
      socket.send('hello')
      await socket.until('hello')
    }
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, null, { follow: false })
    expect(await Promise.all(sockets.map(socket => socket.closed))).toEqual([
      { code: 1001, reason: '' },
      { code: 1001, reason: '' },
    ])
    const theirs = () => world.origin.requests.filter(seen => seen.upgrade && seen.header('x-remote-user') === 'bob')
    expect(theirs()).toHaveLength(2)
    await world.origin.until(() => theirs().every(seen => seen.over))
    // Somebody else's goes on.
    expect(kept.closed).toBe(false)
    kept.destroy()
  })

  it('breaks the connection where a frame is half sent, because a Close frame would be part of it', async () => {
    upgrade = (_, socket) => {
      socket.write(Buffer.concat([Buffer.from(accepted), Buffer.from([0x81, 0x05]), Buffer.from('hal')]))
    }
    const browser = await world.signIn('bob')
    const client = await opened(open(world.cookieOf(browser)))
    await client.until(() => client.rest.length === 5, 5_000)
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, null, { follow: false })
    expect(await client.until(() => false, 5_000)).toBe(false)
    expect(client.rest.subarray(2).toString()).toBe('hal')
  })
})

describe('WS-09 a frame in the packet of the handshake', () => {
  const frame = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('early')])

  it('is forwarded after the origin has agreed, and not before', async () => {
    const heard: Buffer[] = []
    let agree = () => {}
    upgrade = (_, socket, head) => {
      heard.push(head)
      socket.on('data', chunk => {
        heard.push(chunk)
        watch.changed()
      })
      agree = () => socket.write(accepted)
    }
    const client = await RawConnection.open(world.port)
    await client.write(Buffer.concat([Buffer.from(open()), frame]))
    await world.origin.request(1)
    await roundTrips(5)
    expect(Buffer.concat(heard)).toHaveLength(0)
    agree()
    await watch.until(() => Buffer.concat(heard).length >= frame.length, 'the frame')
    expect(Buffer.concat(heard)).toEqual(frame)
    client.destroy()
  })

  it('of somebody who is refused goes nowhere', async () => {
    const text = Buffer.concat([Buffer.from(open(null)), frame])
    const { responses } = await rawExchange(world.port, text, { responses: 1 })
    expect(responses[0]?.status).toBe(401)
    expect(world.origin.connections.map(({ bytes }) => bytes.toString()).join('')).not.toContain('early')
  })
})

describe('WS-10 the handshake at the origin', () => {
  it('says who it is, and has no cookie of ours', async () => {
    const browser = await world.signIn('bob')
    await browser.fetch(world.url('app', `/cookies?set=${encodeURIComponent('sid=1; Path=/')}`))
    const socket = await browser.webSocket(world.url('app', '/ws?room=1'))
    socket.send('ping')
    await socket.until('ping')
    const seen = world.origin.requests.at(-1)
    expect(seen?.url).toBe('/ws?room=1')
    expect(seen?.headers('x-remote-user')).toEqual(['bob'])
    expect(seen?.headers('x-remote-email')).toEqual(['bob@campus.example'])
    expect(seen?.headers('cookie')).toEqual(['sid=1'])
    expect(seen?.headers('host')).toEqual([host()])
    expect(seen?.headers('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(seen?.headers('origin')).toEqual([`http://${host()}`])
    expect(seen?.headers('upgrade')).toEqual(['websocket'])
    await socket.close()
  })

  it('of a page that a browser opened without a session is refused with a word it can read', async () => {
    const refused = await new Browser().webSocket(world.url('app', '/ws')).catch(error => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
    expect(refused.reply.status).toBe(401)
    expect(refused.reply.json()).toEqual({ error: 'login.required' })
  })
})
