/** What is open when its session ends, or loses what it was let in for (docs/sessions.md A4, S8, B 28). */
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '../../src/model/session.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import type { BrowserSocket } from '../stand-in/browser-socket.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { answerPath, echoWebSocket } from '../stand-in/origin-paths.ts'

const second = 1_000
/** What is open is judged anew so often by itself; real time, whatever the clock below says. */
const sweptAfterMs = 15_000
const clock = settableClock(Date.now())
let world: TestGateway
let browser: Browser
/** The origin's side of answers to /long, which go on until the test ends them. */
const answering: ServerResponse[] = []

beforeAll(async () => {
  world = await startTestGateway({
    surroundings: { now: clock.now, monotonic: clock.now, wall: Date.now },
    origin: {
      handler(request, response, recorded) {
        if (request.url !== '/long') return answerPath(request, response, recorded)
        response.write('begun')
        answering.push(response)
      },
      upgrade: echoWebSocket(),
    },
  })
})
afterAll(() => world.stop())

beforeEach(async () => {
  answering.length = 0
  browser = await world.signIn('alice', 'staff')
  expect((await browser.navigate(world.url('app'))).status).toBe(200)
})

async function session(): Promise<Session> {
  const cookie = world.cookieOf(browser, 'staff')
  const resumed = await world.gateway.sessions.resume(cookie, 'host:staff.localhost', 'none')
  if (resumed === null) throw new Error('not signed in')
  return resumed.session
}

/** The identity provider says something else of the person now. */
async function nowA(affiliation: string): Promise<void> {
  const { id, identity } = await session()
  const claims = { ...identity.claims, affiliation: [affiliation] }
  const signIn = { identity: { ...identity, claims }, keep: {}, issuedAt: identity.authenticatedAt, notAfter: null }
  const kept = await world.gateway.sessions.renew(id, signIn, null)
  expect(kept).toBe(true)
}

/** Neither closed nor silent: the site's echo comes back. */
async function answers(socket: BrowserSocket): Promise<void> {
  const asked = `still there at ${clock.now()}?`
  socket.send(asked)
  await socket.until(asked)
}

describe('an open WebSocket', () => {
  it('is closed as soon as new claims no longer open its site, and those of other sites stay', async () => {
    const staff = await browser.webSocket(world.url('staff', '/ws'))
    const app = await browser.webSocket(world.url('app', '/ws'))
    const begun = performance.now()
    await nowA('student')
    expect(await staff.closed).toMatchObject({ code: 1001 })
    expect(performance.now() - begun, 'long before the sweep').toBeLessThan(sweptAfterMs / 2)
    await answers(app)
    await app.close()
  })

  it('stays open where new claims still open its site', async () => {
    const staff = await browser.webSocket(world.url('staff', '/ws'))
    await nowA('staff')
    await world.gateway.sessions.sweep()
    await answers(staff)
    await staff.close()
  })

  it('is no sign that somebody is there: it closes with the idle session', async () => {
    const socket = await browser.webSocket(world.url('app', '/ws'))
    for (let minutes = 0; minutes < 59; minutes++) {
      clock.advance(60 * second)
      await world.gateway.sessions.sweep()
    }
    await answers(socket)
    clock.advance(61 * second)
    await world.gateway.sessions.sweep()
    expect(await socket.closed).toMatchObject({ code: 1001 })
  })
})

describe('an open event stream', () => {
  it('is closed as soon as new claims no longer open its site', async () => {
    const stream = await browser.open(world.url('staff', '/sse?ms=20'))
    await stream.until('data:')
    const begun = performance.now()
    await nowA('student')
    expect(await stream.closed).toBe('cut')
    expect(performance.now() - begun, 'long before the sweep').toBeLessThan(sweptAfterMs / 2)
  })
})

describe('an ordinary answer that takes long', () => {
  async function beginLong(host: string) {
    const reply = await browser.open(world.url(host, '/long'))
    await reply.until('begun')
    return { reply, origin: answering.at(-1) as ServerResponse }
  }

  it('may finish for a minute after its session has ended, and is then cut, at the origin too', async () => {
    const { id } = await session()
    const { reply, origin } = await beginLong('app')
    const looked = vi.spyOn(world.gateway.store.records, 'read')
    clock.advance(11 * second)
    // From now on it is watched.
    await expect.poll(() => looked.mock.calls.length).toBeGreaterThan(0)
    looked.mockRestore()
    await world.gateway.sessions.end(id, 'administrator')
    clock.advance(59 * second)
    await world.gateway.sessions.sweep()
    origin.write(', and going on')
    await reply.until('and going on')

    const left = new Promise(resolve => origin.on('close', resolve))
    clock.advance(second)
    await world.gateway.sessions.sweep()
    expect(await reply.closed).toBe('cut')
    await left
  })

  it('comes to its end where it ends in time', async () => {
    const { reply, origin } = await beginLong('app')
    await world.gateway.sessions.end((await session()).id, 'administrator')
    clock.advance(50 * second)
    await world.gateway.sessions.sweep()
    origin.end(', whole')
    expect(await reply.closed).toBe('whole')
    expect(reply.text).toBe('begun, whole')
  })

  it('takes as long as it likes while its session lives', async () => {
    const { reply, origin } = await beginLong('app')
    for (let minutes = 0; minutes < 4; minutes++) {
      clock.advance(60 * second)
      await world.gateway.sessions.sweep()
      origin.write('.')
      await reply.until('.'.repeat(minutes + 1))
    }
    origin.end()
    expect(await reply.closed).toBe('whole')
  })
})
