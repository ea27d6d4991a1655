/**
 * An end at one gateway, as the others notice it: at once as a rule, within a second whatever happens to their connection to the
 * log, and for good, even where Redis forgets it (docs/sessions.md A4, C5.6, B 18).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { expectEnds, measureEnds } from '../stand-in/end-times.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type MadeSession, makeSession } from '../stand-in/made-session.ts'
import { promised, tell, until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { visit } from '../stand-in/visits.ts'

let redis: RedisServer
let between: CuttingProxy
let a: TestGateway
let b: TestGateway
/** Keys of the lines that b has heard. */
const heardAtB = new Set<string>()

beforeAll(async () => {
  redis = await startRedis()
  between = await startCuttingProxy(redis.port)
  a = await startTestGateway({ store: `{ kind: redis, url: "${redis.url}" }` })
  b = await startTestGateway({ store: `{ kind: redis, url: "redis://127.0.0.1:${between.port}" }`, shared: a })
  b.gateway.store.ended.follow(({ key }) => heardAtB.add(key))
})
afterEach(async () => {
  between.swallow(null)
  between.delay(0)
  await redis.start()
  a.invariants()
  b.invariants()
})
afterAll(async () => {
  await b.stop()
  await a.stop()
  between.close()
  await redis.close()
})

async function statusAt(world: TestGateway, session: MadeSession): Promise<number> {
  const visitors = { port: world.port, host: `app.localhost:${world.port}`, path: '/echo' }
  const [one] = await visit({ ...visitors, cookie: session.cookieOf('app.localhost') }, 1, 1)
  return one?.status ?? 0
}

/** Its line has come to b by the log. */
async function endHeard(session: MadeSession): Promise<void> {
  await a.gateway.sessions.end(session.id, 'user')
  await until('b heard of it', () => heardAtB.has(session.hash), 3_000)
}

describe('an end at another gateway', () => {
  it('is effective for requests, WebSockets and event streams: 0 of 150 missed', async () => {
    expectEnds(await measureEnds(a, b, 150, 6))
  })

  it('is effective within a second where the connection to the log has become a black hole (C5.6)', async () => {
    for (let round = 0; round < 3; round++) {
      await endHeard(await makeSession(a.gateway.sessions, 'alice'))
      const session = await makeSession(a.gateway.sessions, 'alice')
      expect(await statusAt(b, session)).toBe(200)
      between.swallow('xread')
      await a.gateway.sessions.end(session.id, 'user')
      const from = performance.now()
      let servedAt = from
      for (let asked = from; (await statusAt(b, session)) === 200; asked = performance.now()) servedAt = asked
      tell('served after its end by a gateway that cannot hear, at most', servedAt - from)
      expect(servedAt - from).toBeLessThan(promised(1_000))
      between.swallow(null)
    }
  })

  it('costs nobody else anything while that lasts: each request is served, from Redis', async () => {
    const session = await makeSession(a.gateway.sessions, 'bob')
    between.swallow('xread')
    const visitors = { port: b.port, host: `app.localhost:${b.port}`, path: '/echo' }
    const heard = async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${b.operationsPort}/metrics`)).text()
      return /^passerelle_ends_heard (\d)$/m.exec(metrics)?.[1]
    }
    await until('it to know that it hears nothing', async () => (await heard()) === '0')
    const visits = await visit({ ...visitors, cookie: session.cookieOf('app.localhost') }, 100, 5)
    expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await heard()).toBe('0')
    between.swallow(null)
    await until('ends are heard again', async () => (await heard()) === '1', 3_000)
  })
})

describe('an end during a request that has its use and its visit noted (C5.7)', () => {
  let c: TestGateway
  beforeAll(async () => {
    const store = `{ kind: redis, url: "redis://127.0.0.1:${between.port}" }`
    c = await startTestGateway({ store, session: '  idleTimeout: 1m', shared: a })
  })
  afterAll(() => c.stop())

  it('leaves no key of the session behind, in 300 races', async () => {
    const sessions: MadeSession[] = []
    for (let nth = 0; nth < 300; nth++) sessions.push(await makeSession(c.gateway.sessions, 'alice'))
    // A use is noted again after a tenth of the idle limit.
    await redis.lapse(7_000)
    // What c reads comes to it late, and what it writes then is later than some of the ends.
    between.delay(30)
    const statuses = new Set<number>()
    for (let from = 0; from < sessions.length; from += 20) {
      const races = sessions.slice(from, from + 20).map(async (session, nth) => {
        const asked = statusAt(c, session)
        await new Promise(resolve => setTimeout(resolve, 12 * nth))
        await a.gateway.sessions.end(session.id, 'user')
        statuses.add(await asked)
      })
      await Promise.all(races)
    }
    // Behind everything that c still has to note.
    expect(await c.gateway.store.reachable()).toBe(true)
    const left = await redis.admin.keys('pas:{*}:*')
    expect(left.filter(key => sessions.some(({ hash }) => key.includes(hash)))).toEqual([])
    // Else there was no race.
    expect(statuses).toContain(200)
    expect(statuses).toContain(401)
    c.invariants()
  })
})

describe('an end that a failover of Redis has lost', () => {
  /** As a new master that had not heard of the end: the record is there, the line and everything after it is not. */
  async function loseEnd(act: () => Promise<unknown>, { hash }: MadeSession): Promise<void> {
    const key = `pas:{${hash}}:s`
    const [record, life] = [await redis.admin.dumpBuffer(key), await redis.admin.pttl(key)]
    const before = new Set((await redis.admin.xrange('pas:ended', '-', '+')).map(([id]) => id))
    await act()
    const written = (await redis.admin.xrange('pas:ended', '-', '+')).map(([id]) => id).filter(id => !before.has(id))
    await redis.admin
      .multi()
      .restore(key, life, record, 'REPLACE')
      .xdel('pas:ended', ...written)
      .exec()
  }

  it('is refused at once by those who had heard of it, and made once more by the one who had decided it', async () => {
    const session = await makeSession(a.gateway.sessions, 'alice')
    expect(await statusAt(b, session)).toBe(200)
    await loseEnd(() => endHeard(session), session)
    expect([await statusAt(a, session), await statusAt(b, session)]).toEqual([401, 401])
    const ms = await until(
      'the record is gone',
      async () => (await redis.admin.exists(`pas:{${session.hash}}:s`)) === 0,
      2_000,
    )
    tell('until a lost end is made once more', ms)
    await until('it is told', () => a.events.some(({ name }) => name === 'session.ends-repeated'), 2_000)
    // It was counted when it happened.
    expect(a.events.filter(({ name }) => name === 'session.ended').length).toBeGreaterThan(0)
    expect(a.events.filter(event => event.name === 'store.log-lost').length).toBeGreaterThan(0)
  })

  it('has nobody else signed out, and no stream of anybody else cut', async () => {
    const [lost, other] = [await makeSession(a.gateway.sessions, 'alice'), await makeSession(a.gateway.sessions, 'bob')]
    const browser = await b.signIn('bob')
    const socket = await browser.webSocket(b.url('app', '/ws'))
    await loseEnd(() => a.gateway.sessions.end(lost.id, 'user'), lost)
    const heard = b.events.filter(({ name }) => name === 'store.log-lost').length
    await until(
      'b has read everything anew',
      () => b.events.filter(({ name }) => name === 'store.log-lost').length > heard - 1,
      2_000,
    )
    expect([await statusAt(a, other), await statusAt(b, other)]).toEqual([200, 200])
    socket.send('still here')
    await socket.until('still here')
    await socket.close()
  })

  it('of a whole person is marked once more: a sign-in that it overtook still finds the mark', async () => {
    await a.gateway.sessions.end((await makeSession(a.gateway.sessions, 'alice')).id, 'user')
    const issuedAt = Math.floor(Date.now() / 1000)
    await a.gateway.sessions.endAll({ idp: 'campus', subject: 'eve', idpSession: null, issuedAt, message: null })
    const [mark = ''] = await redis.admin.keys('pas:x:*')
    expect(mark).not.toBe('')
    const life = await redis.admin.pttl(mark)
    const repeated = () => a.events.filter(({ name }) => name === 'session.ends-repeated').length
    const before = repeated()
    await redis.admin.flushall()
    await until('the mark is there again', async () => (await redis.admin.exists(mark)) === 1, 2_000)
    expect(await redis.admin.pttl(mark)).toBeLessThanOrEqual(life)
    // All that it had ended is: what it still writes of that is not what the next test looks for.
    await until('the rest, too', () => repeated() > before)
  })

  it('of everybody is marked and told once more', async () => {
    for await (const _ of a.gateway.sessions.endMany({ kind: 'idp', idp: 'campus' }));
    await redis.admin.flushall()
    const kinds = async () => (await redis.admin.xrange('pas:ended', '-', '+')).map(([, fields]) => fields[1])
    await until('the line is there again', async () => (await kinds()).includes('idp'), 8_000)
    expect((await redis.admin.keys('pas:x:*')).length).toBeGreaterThan(0)
  })
})
