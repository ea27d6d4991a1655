/**
 * WS-07, the narrow gap: the session ends after the request was decided and before the stream is open. Nothing is open
 * then that could be closed; so whoever opens a stream looks once more.
 */
import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

/** What is left open is looked at every 15 seconds anyway (docs/sessions.md S8). */
const sweptAfterMs = 15_000

let world: TestGateway
/** The origin's side of a handshake that it has not answered yet. */
let waiting: ((answer: () => void) => void) | null = null

beforeAll(async () => {
  world = await startTestGateway({
    origin: {
      handler(_request, response) {
        waiting?.(() => {
          response.writeHead(200, { 'Content-Type': 'text/event-stream' })
          response.write('data: too late\n\n')
        })
        if (waiting === null) response.end('ok')
      },
      upgrade(request, socket: Duplex) {
        const accept = createHash('sha1')
          .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64')
        waiting?.(() =>
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
          ),
        )
      },
    },
  })
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

/** Resolves with what lets the origin answer, once it has been asked. */
function asked(): Promise<() => void> {
  return new Promise(resolve => {
    waiting = resolve
  })
}

async function endEverything(subject: string): Promise<void> {
  const issuedAt = Math.floor(Date.now() / 1000)
  const notice = { idp: 'campus', subject, idpSession: null, issuedAt, message: null }
  const { ended } = await world.gateway.sessions.endAll(notice)
  expect(ended.length).toBeGreaterThan(0)
}

describe('a stream whose session ended while it was being opened', () => {
  it('is closed as soon as it is open: a WebSocket', async () => {
    waiting = null
    const browser = await world.signIn('alice')
    const answered = asked()
    const opening = browser.webSocket(world.url('app', '/ws'))
    const answer = await answered
    await endEverything('alice')
    answer()
    const begun = performance.now()
    const socket = await opening
    expect(await socket.closed).toMatchObject({ code: 1001 })
    expect(performance.now() - begun, 'long before the sweep').toBeLessThan(sweptAfterMs / 2)
  })

  it('is closed as soon as it is open: an event stream', async () => {
    waiting = null
    const browser = await world.signIn('bob')
    const answered = asked()
    const opening = browser.open(world.url('app', '/events'))
    const answer = await answered
    await endEverything('bob')
    answer()
    const begun = performance.now()
    const reply = await opening
    expect(reply.status).toBe(200)
    expect(await reply.closed).toBe('cut')
    expect(performance.now() - begun, 'long before the sweep').toBeLessThan(sweptAfterMs / 2)
  })
})
