/** How long an end at one gateway takes to be effective at another that has the session in its memory and open streams of it. */
import { Agent, request } from 'node:http'
import { expect } from 'vitest'
import { BrowserSocket } from './browser-socket.ts'
import type { TestGateway } from './gateway.ts'
import { type MadeSession, makeSession } from './made-session.ts'
import { percentile, promised, tell } from './measure.ts'

/** Milliseconds from the moment at which the end began; null: it did not happen within twenty seconds. */
interface EndTimes {
  /** Until the first request that was refused. */
  readonly request: number | null
  readonly webSocket: number | null
  readonly eventStream: number | null
}

const missedAfterMs = 20_000

/** @param atOnce so many sessions at any time */
export async function measureEnds(
  ending: TestGateway,
  other: TestGateway,
  count: number,
  atOnce: number,
): Promise<readonly EndTimes[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 * atOnce })
  const times: EndTimes[] = []
  let begun = 0
  const one = async () => {
    while (begun++ < count) times.push(await measureEnd(ending, other, agent))
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  agent.destroy()
  return times
}

/** Tells the figures, and what they must be: none missed, a second at worst, a tenth of it usually. */
export function expectEnds(times: readonly EndTimes[]): void {
  for (const what of ['request', 'webSocket', 'eventStream'] as const) {
    const known = times.map(each => each[what]).filter(ms => ms !== null)
    const [median, p99, worst] = [0.5, 0.99, 1].map(share => percentile(known, share)) as [number, number, number]
    const figures = `median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`
    tell(`an end elsewhere, until ${what}`, `${figures}; ${times.length - known.length} of ${times.length} missed`)
    expect(known).toHaveLength(times.length)
    expect(median).toBeLessThan(promised(100))
    expect(worst).toBeLessThan(promised(1_000))
  }
}

/** A busy machine may let a deadline of the store pass here, which is not what is measured. */
async function anySession(world: TestGateway): Promise<MadeSession> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await makeSession(world.gateway.sessions, 'alice')
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function measureEnd(ending: TestGateway, other: TestGateway, agent: Agent): Promise<EndTimes> {
  const session = await anySession(ending)
  const host = `app.localhost:${other.port}`
  const Cookie = session.cookieOf('app.localhost')
  const headers = { Host: host, Cookie, Accept: '*/*' }
  const ask = (path: string) => request({ port: other.port, host: '127.0.0.1', path, headers, agent })
  const statusOf = () =>
    new Promise<number>((resolve, reject) => {
      const asked = ask('/echo')
      asked.on('error', reject)
      asked.on('response', answer => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      })
      asked.end()
    })

  expect(await statusOf()).toBe(200)
  const url = new URL(`ws://${host}/ws`)
  const socket = await BrowserSocket.open(
    { method: 'GET', url, headers: { Cookie, Origin: `http://${host}` } },
    () => {},
  )
  const stream = ask('/sse?ms=60000')
  const streamClosed = Promise.withResolvers<void>()
  const streamOpen = Promise.withResolvers<void>()
  stream.on('error', () => streamClosed.resolve())
  stream.on('response', answer => {
    answer.on('data', () => streamOpen.resolve())
    answer.on('error', () => {})
    answer.on('close', () => streamClosed.resolve())
  })
  stream.end()
  await streamOpen.promise

  const from = performance.now()
  const after = async (happens: Promise<unknown>) => {
    const late = Promise.withResolvers<null>()
    const timer = setTimeout(() => late.resolve(null), missedAfterMs)
    const ms = await Promise.race([happens.then(() => performance.now() - from), late.promise])
    clearTimeout(timer)
    return ms
  }
  const refused = async () => {
    while ((await statusOf()) !== 401 && performance.now() - from < missedAfterMs);
  }
  const [webSocket, eventStream, refusedAfter] = await Promise.all([
    after(socket.closed),
    after(streamClosed.promise),
    after(refused()),
    ending.gateway.sessions.end(session.id, 'user'),
  ])
  socket.destroy()
  stream.destroy()
  return { request: refusedAfter, webSocket, eventStream }
}
