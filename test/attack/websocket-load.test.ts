/** WS-08, and WS-07 where nobody reads: floods on an open WebSocket, and sides of it that stop, leave or vanish. */
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { Inbound } from '../stand-in/inbound.ts'
import type { UpgradeHandler } from '../stand-in/origin.ts'
import { echoWebSocket } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { handshakeAnswer as accepted, handshake, rawRequest } from '../stand-in/raw-request.ts'
import { Watch } from '../stand-in/recording.ts'

const echo = echoWebSocket()
let upgrade: UpgradeHandler = echo
const inbound = new Inbound()
const watch = new Watch()
let world: TestGateway
let alice: string
beforeAll(async () => {
  world = await startTestGateway({ origin: { upgrade: (...handed) => upgrade(...handed) } })
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

const host = () => `app.localhost:${world.port}`
const open = (cookie = alice) => rawRequest({ target: '/ws', host: host(), cookie, lines: handshake })

async function opened(text = open()): Promise<RawConnection> {
  const connection = await RawConnection.open(world.port)
  await connection.write(text)
  await connection.until(() => connection.responses.length > 0, 5_000)
  expect(connection.responses[0]?.status).toBe(101)
  return connection
}

/** As much as the other side takes. */
function pour(socket: Duplex, first: string, block: Buffer): void {
  socket.write(first, 'latin1')
  const goOn = () => {
    while (!socket.destroyed && socket.write(block)) {}
  }
  socket.on('drain', goOn)
  socket.on('error', () => {})
  goOn()
}

/** Waits until a count has stood still while fifty other requests went all the way, and stays below three buffers of the system. */
async function standsStill(count: () => number): Promise<void> {
  let before = -1
  for (let still = 0; still < 5; still++) {
    for (let i = 0; i < 10; i++) {
      const { responses } = await rawExchange(world.port, rawRequest({ target: '/pub/', host: host() }), {
        responses: 1,
      })
      expect(responses[0]?.status).toBe(200)
    }
    if (count() !== before) still = -1
    before = count()
    expect(before).toBeLessThan(40_000_000)
  }
}

describe('WS-07 the end of a session', () => {
  it('does not wait for a client that has stopped reading', async () => {
    // Whole frames, so that a Close frame could be sent, if only somebody took it.
    upgrade = (_, socket) => pour(socket, accepted, Buffer.alloc(65_536, Buffer.from([0x89, 0x00])))
    const browser = await world.signIn('bob')
    const client = await RawConnection.open(world.port)
    const letGo = inbound.follow(client.socket)
    await client.write(open(world.cookieOf(browser)))
    await client.until(() => client.responses.length > 0, 5_000)
    client.socket.pause()
    await world.origin.until(() => world.origin.requests.at(-1)?.connection.socket.writableNeedDrain ?? false)
    await browser.submit(await browser.navigate(world.portal('/logout')), {}, null, { follow: false })
    await letGo()
    client.destroy()
  })
})

describe('WS-08', () => {
  it('a gigabyte that the browser does not read stays with the origin', async () => {
    upgrade = (_, socket) => pour(socket, `${accepted}\x82\x7f\0\0\0\0\x40\0\0\0`, Buffer.alloc(65_536))
    const client = await opened()
    client.socket.pause()
    const seen = world.origin.requests[0]?.connection.socket
    await standsStill(() => seen?.bytesWritten ?? 0)
    client.destroy()
    await world.origin.until(() => world.origin.requests[0]?.over === true, 'the end at the origin')
  })

  it('a gigabyte that the origin does not read stays with the browser', async () => {
    upgrade = (_, socket) => {
      socket.write(accepted)
      socket.pause()
    }
    const client = await opened()
    const block = Buffer.alloc(65_536)
    await client.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]))
    const goOn = () => {
      while (!client.socket.destroyed && client.socket.write(block)) {}
    }
    client.socket.on('drain', goOn)
    goOn()
    await standsStill(() => client.socket.bytesWritten)
    client.destroy()
    // Behind all that nobody reads, nobody can hear that the client has left: it is over when the origin is.
    world.origin.requests[0]?.connection.socket.destroy()
  })

  it('a million tiny frames arrive in both directions', async () => {
    const frames = 1_000_000
    let received = 0
    upgrade = (_, socket) => {
      socket.write(accepted)
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length
        watch.changed()
      })
      socket.write(Buffer.alloc(2 * frames, Buffer.from([0x89, 0x00])))
    }
    const client = await RawConnection.open(world.port)
    let sent = 0
    client.socket.on('data', (chunk: Buffer) => {
      sent += chunk.length
      watch.changed()
    })
    await client.write(open())
    await client.until(() => client.responses.length > 0, 5_000)
    await client.write(Buffer.alloc(6 * frames, Buffer.from([0x8a, 0x80, 0, 0, 0, 0])))
    await watch.until(() => received === 6 * frames, 'all pongs at the origin', 20_000)
    await watch.until(() => sent >= 2 * frames, 'all pings at the client', 20_000)
    client.destroy()
  })

  it('a client that has said its last may still hear the origin’s, and then both are gone', async () => {
    upgrade = (_, socket) => {
      socket.write(accepted)
      socket.on('end', () => socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe8])))
    }
    const client = await opened()
    const letGo = inbound.follow(client.socket)
    client.end()
    expect(await client.until(() => client.closed, 5_000)).toBe(false)
    expect(client.rest).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe8]))
    await letGo()
    await world.origin.until(() => world.origin.requests[0]?.over === true, 'the end at the origin')
  })

  it('a client that vanishes is gone at the origin within a second', async () => {
    const client = await opened()
    client.reset()
    await world.origin.until(() => world.origin.requests[0]?.over === true, 'the end at the origin', 1_000)
  })

  it('a client that leaves is let go of, although the origin never does', async () => {
    upgrade = (_, socket) => {
      socket.write(accepted)
      socket.resume()
    }
    const client = await opened()
    const letGo = inbound.follow(client.socket)
    client.destroy()
    await letGo()
  })

  it('an origin that vanishes is gone at the browser', async () => {
    const client = await opened()
    const letGo = inbound.follow(client.socket)
    world.origin.requests[0]?.connection.socket.resetAndDestroy()
    expect(await client.until(() => client.closed, 1_000)).toBe(false)
    await letGo()
  })
})
