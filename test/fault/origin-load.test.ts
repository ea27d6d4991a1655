/** One origin in trouble, many visitors: the other sites do not notice, and nothing is left behind. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { neverAnswer } from '../stand-in/broken-answers.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type DeafListener, startDeafListener } from '../stand-in/deaf-listener.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, timed, until } from '../stand-in/measure.ts'
import { type Origin, type RawAnswer, startOrigin } from '../stand-in/origin.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { crowdOf } from '../stand-in/slow-readers.ts'
import { timesOf, visit } from '../stand-in/visits.ts'

const resource = (id: string, origin: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "${origin}"
    policy: public
    timeouts: { connect: 3s, answer: 60s, idle: 60s }`

let world: TestGateway
let hole: Origin
let deaf: DeafListener

beforeAll(async () => {
  hole = await startOrigin({ answers: neverAnswer })
  deaf = await startDeafListener()
  world = await startTestGateway({
    resources: [
      resource('hole', hole.url),
      resource('deaf', `http://127.0.0.1:${deaf.port}`),
      resource('good', '$ORIGIN'),
    ].join(''),
    origin: { keepBytes: 0, keepAliveMs: 2_000 },
  })
})
afterAll(async () => {
  await world?.stop()
  await hole?.stop()
  deaf?.close()
})

const request = (host: string, target: string) => rawRequest({ host: `${host}.localhost:${world.port}`, target })

async function ask(host: string, target: string): Promise<RawConnection> {
  const client = await RawConnection.open(world.port)
  await client.write(request(host, target))
  return client
}

const good = (path: string) => ({ port: world.port, host: `good.localhost:${world.port}`, path })

describe('two origins that are black holes', () => {
  it('are not felt on another site, while five hundred visitors wait for them; then nothing is left of those', async () => {
    await visit(good('/status'), 500, 4)
    // Turn by turn, so that whatever else this machine does falls on both.
    const calm: number[] = []
    const during: number[] = []
    const before = openFiles()
    for (let round = 0; round < 4; round++) {
      calm.push(timesOf(await visit(good('/status'), 300, 4)).p99)
      const waiting = await Promise.all(
        Array.from({ length: 500 }, (_, nth) => ask(nth % 2 === 0 ? 'hole' : 'deaf', '/')),
      )
      await hole.until(() => hole.requests.length === 250 * (round + 1), 'the requests at the black hole', 10_000)
      const visits = await visit(good('/status'), 300, 4)
      expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([200]))
      during.push(timesOf(visits).p99)
      for (const client of waiting) client.destroy()
      await hole.until(
        () => hole.connections.every(({ open }) => !open),
        'the end of every connection to the black hole',
      )
    }
    tell('p99 of another site, calm, in four rounds', calm.map(ms => ms.toFixed(1)).join(', '))
    tell('p99 of another site, with 500 waiting visitors', during.map(ms => ms.toFixed(1)).join(', '))
    const [quiet = 0, loud = 0] = [Math.min(...calm), Math.min(...during)]
    tell('the better rounds compared', `${(loud / quiet).toFixed(2)} times`)
    // A few milliseconds more are noise.
    expect(loud).toBeLessThan(promised(1.2 * quiet + 10))
    const settled = await until('open files back to where they were', () => openFiles() <= before, 10_000)
    tell(`open files back to ${before} or fewer, after 2,000 departed visitors`, settled)
  })
})

describe('three hundred slow readers of one site', () => {
  it('do not starve those who read fast, on the same site', async () => {
    await visit(good('/status'), 200, 4)
    const calm = timesOf(await visit(good('/status'), 400, 8))
    const crowd = await crowdOf(300, () => ask('good', '/large?mb=4'))
    try {
      const visits = await visit(good('/status'), 400, 8)
      expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([200]))
      const { p99 } = timesOf(visits)
      tell('p99 of fast readers, calm', calm.p99)
      tell('p99 of fast readers beside 300 slow ones', p99)
      expect(p99).toBeLessThan(promised(1.2 * calm.p99 + 50))
    } finally {
      crowd.leave()
    }
    await world.origin.until(() => world.origin.requests.every(({ over }) => over), 'the end of every download', 10_000)
  })

  it('keep no connection that they are through with from the next visitor', async () => {
    // A last piece of 64 KB fills what is taken at once, so the gateway stops reading just as the answer ends.
    const filling = await startOrigin({ answers: fillsTheBuffer })
    const site = await startTestGateway({ resources: resource('filling', filling.url) })
    const at = (path: string) => ({ port: site.port, host: `filling.localhost:${site.port}`, path })
    const slow = await crowdOf(20, async () => {
      const reader = await RawConnection.open(site.port)
      await reader.write(rawRequest({ host: `filling.localhost:${site.port}`, target: '/65536' }))
      return reader
    })
    const next = Promise.all([visit(at('/65536'), 60, 30), visit(at('/0'), 60, 30)])
    slow.leave()
    const seen = await Promise.race([next, until('those who came next', () => false, 5_000).then(() => [])])
    const answered = seen.flat().filter(({ status }) => status === 200).length
    tell('visitors on connections that slow readers had', `${answered} of 120 answered`)
    expect(answered).toBe(120)
    await site.stop()
    await filling.stop()
  })
})

/** `/65536`: a head, and when that has been read a body of so many bytes in one piece. */
const fillsTheBuffer: RawAnswer = (socket, bytes) => {
  const size = Number(/^GET \/(\d+)/.exec(bytes.toString('latin1'))?.[1])
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
  if (size > 0) setTimeout(() => socket.write(Buffer.alloc(size, 'x')), 20)
}

describe('visitors of every kind of trouble', () => {
  it('leave no socket and no file behind', async () => {
    await new Browser().navigate(world.url('good', '/page'))
    await until('idle connections closed', () => world.origin.connections.every(({ open }) => !open), 10_000)
    const before = openFiles()
    const paths = [
      '/large?mb=50',
      '/sse',
      '/slow',
      '/stream?pieces=500&ms=5',
      '/echo',
      '/redirect',
      '/gzip',
      '/early-hints',
    ]
    const clients = await Promise.all(
      Array.from({ length: 160 }, (_, nth) => ask('good', paths[nth % paths.length] ?? '/')),
    )
    await world.origin.until(() => world.origin.requests.length >= 160)
    for (const client of clients) client.destroy()
    await world.origin.until(
      () => world.origin.connections.every(({ open }) => !open),
      'every connection closed',
      10_000,
    )
    const { ms } = await timed(() => until('open files as before', () => openFiles() <= before, 5_000))
    tell(`open files back to ${before}, after 160 visitors of eight kinds`, ms)
  })
})

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}
