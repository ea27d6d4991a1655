/** Pieces of an answer on their way to a client that does not read yet: the origin reads on when all of them are out, not before. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Permit } from '../../src/model/decision.ts'
import type { Passage } from '../../src/model/passage.ts'
import { createGatheredWrites } from '../../src/outbound/gathered-writes.ts'
import { type ExchangeParts, OriginExchange, type OriginRoute } from '../../src/proxy/origin-exchange.ts'
import { reuse } from '../../src/proxy/origin-pool.ts'
import { PlainResponse } from '../../src/server/plain-response.ts'
import { until } from '../stand-in/measure.ts'
import { aRequest } from './origin-side.ts'

let server: Server
let client: Socket
let ours: Socket
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.pause()
  const [accepted] = (await once(server, 'connection')) as [Socket]
  ours = accepted
})
afterEach(() => {
  client.destroy()
  ours.destroy()
  server.close()
})

/** @returns the exchange, as an origin's connection speaks to it, and how often it has said that more may be read */
function exchangeWith(socket: Socket) {
  const told = { resumed: 0 }
  const response = new PlainResponse(
    { socket, writeSoon: createGatheredWrites(), isLast: () => false, waiting() {}, finished() {} },
    false,
  )
  const passage = { request: { httpVersionMinor: 1 }, response, observed: {}, upgrade: null } as unknown as Passage
  const permit = { session: null, resource: { id: 'site', timeouts: { idleMs: 60_000 } } } as unknown as Permit
  const asked = { resume: () => void told.resumed++, abandon() {} }
  const route = { pool: { ask: () => asked }, answerHeaders: (raw: string[]) => raw, servername: null }
  const exchange = new OriginExchange(
    { monotonic: () => 0, report() {} } as unknown as ExchangeParts,
    passage,
    permit,
    route as unknown as OriginRoute,
    aRequest(),
    true,
    () => {},
    () => {},
  )
  exchange.ask(reuse.never)
  return { exchange, told }
}

// Of a stream that was held, as under TLS, several pieces come in one turn.
it('a piece that was taken at once does not let the origin read on while the next one waits', async () => {
  const { exchange, told } = exchangeWith(ours)
  exchange.onHead(200, 'OK', [])
  expect(exchange.onBody(Buffer.alloc(100))).toBe(true)
  expect(exchange.onBody(Buffer.alloc(32 * 1_048_576))).toBe(false)
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  expect([told.resumed, ours.writableLength > 0]).toEqual([0, true])
  client.resume()
  await until('the piece taken', () => told.resumed > 0, 10_000)
  expect([told.resumed, ours.writableLength]).toEqual([1, 0])
})
