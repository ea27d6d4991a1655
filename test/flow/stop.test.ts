/** What a stop ends at once, what it waits for, and what it says of what it had to cut. */
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { patiently } from '../stand-in/measure.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'

const clock = settableClock(Date.now())
/** The origin's side of answers to /long, which go on until the test ends them. */
const answering: ServerResponse[] = []
let world: TestGateway
beforeEach(async () => {
  answering.length = 0
  world = await startTestGateway({
    surroundings: { now: clock.now, monotonic: clock.now, wall: Date.now },
    origin: {
      handler(request, response, recorded) {
        if (request.url !== '/long') return answerPath(request, response, recorded)
        response.write('begun')
        answering.push(response)
      },
    },
  })
  // Long enough for any machine.
  expect(
    await world.reload(yaml => yaml.replace('drain: { wait: 0s, timeout: 2s }', 'drain: { wait: 0s, timeout: 30s }')),
  ).toBe('adopted')
})
afterEach(() => world.stop())

it('event streams end at once, a visitor’s too; an answer that takes long has its time, whoever has a session', async () => {
  const browser = await world.signIn('alice')
  const long = await browser.open(world.url('app', '/long'))
  await long.until('begun')
  const looked = vi.spyOn(world.gateway.store.records, 'read')
  clock.advance(11_000)
  // From now on it is watched.
  await expect.poll(() => looked.mock.calls.length).toBeGreaterThan(0)
  looked.mockRestore()
  const streams = [
    await browser.open(world.url('app', '/sse?ms=10')),
    await browser.open(world.url('open', '/sse?ms=10')),
  ]
  for (const stream of streams) await stream.until('data: 1')
  const drained = world.gateway.drain()
  expect(await Promise.all(streams.map(stream => stream.closed))).toEqual(['cut', 'cut'])
  answering[0]?.end(', whole')
  expect(await long.closed).toBe('whole')
  await drained
})

it.each([
  ['that we read', []],
  ['that node reads', ['Keep-Alive: timeout=1']],
])('a request %s and that had to be cut is in the log before the end, and nobody’s failure', async (_, lines) => {
  const client = await RawConnection.open(world.port)
  await client.write(rawRequest({ target: '/long', host: `open.localhost:${world.port}`, lines }))
  await vi.waitFor(() => expect(answering).toHaveLength(1), patiently)
  const drained = world.gateway.drain()
  // A second time: at once.
  world.gateway.drain()
  await drained
  const told = world.log.map(line => JSON.parse(line))
  const cut = told.findIndex(line => line.path === '/long')
  expect(told[cut]).toMatchObject({ status: 200, cut: true, level: 'info' })
  expect(told[cut].code).toBeUndefined()
  expect(cut).toBeLessThan(told.findIndex(line => line.msg === 'gateway.stopped'))
})
