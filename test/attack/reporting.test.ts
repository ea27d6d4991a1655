/** What the log and the metrics say of requests that were none, of handshakes that came to nothing, and of a stop. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, until } from '../stand-in/measure.ts'
import type { UpgradeHandler } from '../stand-in/origin.ts'
import { echoWebSocket } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'
import { handshake, handshakeAnswer, rawRequest } from '../stand-in/raw-request.ts'

const echo = echoWebSocket()
let upgrade: UpgradeHandler = echo
let world: TestGateway
beforeAll(async () => {
  world = await startTestGateway({
    origin: { upgrade: (...handed) => upgrade(...handed) },
    more: 'log: { level: info }',
  })
})
beforeEach(() => {
  upgrade = echo
  world.origin.forget()
})
afterAll(() => world.stop())

const host = () => `open.localhost:${world.port}`
const open = (target: string) => rawRequest({ target, host: host(), lines: handshake })
const lines = () => world.log.flatMap(text => text.trim().split('\n')).map(line => JSON.parse(line))
const lineOf = async (path: string) => {
  await until(`the line of ${path}`, () => lines().some(line => line.path === path), 5_000, 5)
  return lines().find(line => line.path === path)
}

/** Of `passerelle_requests_total`. */
async function counted(): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
  return Object.fromEntries(
    Array.from(text.matchAll(/^passerelle_requests_total\{plane="(\w+)",status="(\w+)"\} (\d+)$/gm), found => [
      `${found[1]} ${found[2]}`,
      Number(found[3]),
    ]),
  )
}

it('a request for nobody, and what is no request, count for neither plane', async () => {
  const before = await counted()
  await rawExchange(world.port, rawRequest({ host: 'nobody.example', lines: ['Connection: close'] }))
  await rawExchange(world.port, 'SSH-2.0-OpenSSH_9.2\r\n\r\n')
  await rawExchange(world.port, rawRequest({ target: '/', host: host(), lines: ['Connection: close'] }))
  await new Browser().navigate(world.portal())
  const after = await counted()
  const more = Object.keys(after).map(name => [name, (after[name] ?? 0) - (before[name] ?? 0)])
  expect(Object.fromEntries(more.filter(([, count]) => count !== 0))).toEqual({
    'access 2xx': 1,
    'none 4xx': 2,
    'portal 2xx': 1,
  })
})

it('a handshake whose client left before any answer had none: no 101 is told', async () => {
  upgrade = () => {}
  const client = await RawConnection.open(world.port)
  await client.write(open('/unheard'))
  await world.origin.request(1)
  client.reset()
  expect(await lineOf('/unheard')).toMatchObject({ status: 0, cut: true })
})

it('one that opened is 101, and one that was refused is what it was refused with', async () => {
  const client = await RawConnection.open(world.port)
  await client.write(open('/heard'))
  await client.until(() => client.responses.length === 1, 5_000)
  client.destroy()
  const opened = await lineOf('/heard')
  expect(opened).toMatchObject({ status: 101 })
  expect(opened).not.toHaveProperty('cut')
  await rawExchange(world.port, open('/not?refuse=403'), { responses: 1 })
  const refused = await lineOf('/not')
  expect(refused).toMatchObject({ status: 403 })
  expect(refused).not.toHaveProperty('cut')
})

it('a page of failure of the portal is sandboxed, and says nothing of its opener: browsers may refuse both together', async () => {
  const page = await new Browser().navigate(world.portal('/nowhere'))
  expect(page.status).toBe(404)
  expect(page.header('content-security-policy')).toMatch(/^sandbox /)
  expect(page.header('cross-origin-opener-policy')).toBeNull()
  expect(page.header('x-content-type-options')).toBe('nosniff')
})

it('a stop closes what a session has open, with 1001, and tells of no session’s end', async () => {
  const other = await startTestGateway()
  try {
    const browser = await other.signIn('alice')
    const sockets = [await browser.webSocket(other.url('app', '/ws')), await browser.webSocket(other.url('app', '/ws'))]
    const stream = await browser.open(other.url('app', '/sse?ms=10'))
    await stream.until('data: 1')
    await other.gateway.drain()
    expect(await Promise.all(sockets.map(socket => socket.closed))).toEqual([
      { code: 1001, reason: '' },
      { code: 1001, reason: '' },
    ])
    expect(await stream.closed).toBe('cut')
    expect(other.events.filter(({ name }) => name === 'stream.closed-at-end')).toEqual([])
  } finally {
    await other.stop()
  }
})

it('a WebSocket to which its origin agrees only during the stop is told to go, too', async () => {
  let agree = () => {}
  const other = await startTestGateway({
    origin: {
      upgrade: (_, socket) => {
        agree = () => socket.write(handshakeAnswer)
      },
    },
  })
  try {
    const client = await RawConnection.open(other.port)
    await client.write(rawRequest({ target: '/ws', host: `open.localhost:${other.port}`, lines: handshake }))
    await other.origin.request(1)
    await patientStop(other)
    const drained = other.gateway.drain()
    await until('the stop', () => other.events.some(({ name }) => name === 'gateway.draining'), 1_000)
    await until('the refusal of new connections', refusing(other.port), 2_000)
    agree()
    expect(await client.until(() => client.closed, 5_000)).toBe(false)
    expect(client.responses.map(({ status }) => status)).toEqual([101])
    // FIN and Close, two bytes of it: 1001.
    expect([...client.rest]).toEqual([0x88, 0x02, 0x03, 0xe9])
    await drained
  } finally {
    await other.stop()
  }
})

it('a handshake that its origin never answers does not hold up a stop beyond the limit', async () => {
  const other = await startTestGateway({ origin: { upgrade: () => {} } })
  try {
    const client = await RawConnection.open(other.port)
    await client.write(rawRequest({ target: '/ws', host: `open.localhost:${other.port}`, lines: handshake }))
    await other.origin.request(1)
    await patientStop(other)
    const begun = performance.now()
    const drained = other.gateway.drain()
    // A second time: at once.
    other.gateway.drain()
    await drained
    expect(performance.now() - begun).toBeLessThan(promised(1_500))
    expect(client.closed || !(await client.until(() => client.closed, 1_000))).toBe(true)
  } finally {
    await other.stop()
  }
})

/** One that waits for longer than any machine needs. */
async function patientStop(of: TestGateway): Promise<void> {
  const edit = (yaml: string) => yaml.replace('drain: { wait: 0s, timeout: 2s }', 'drain: { wait: 0s, timeout: 60s }')
  expect(await of.reload(edit)).toBe('adopted')
}

function refusing(port: number): () => Promise<boolean> {
  return () =>
    RawConnection.open(port).then(
      connection => {
        connection.destroy()
        return false
      },
      () => true,
    )
}
