/**
 * Redis in every kind of trouble while two gateways carry traffic: nothing is forwarded without a live session, nobody is signed
 * out who need not be, what cannot be answered is a 503 page within a second and no redirect, and two seconds after Redis is back
 * so is everybody.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type MadeSession, makeSession } from '../stand-in/made-session.ts'
import { promised, tell, until } from '../stand-in/measure.ts'
import { freePorts } from '../stand-in/ports.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { type RedisSentinel, startRedisSentinel } from '../stand-in/redis-sentinel.ts'
import { type Asked, lastOther, slowest, startTraffic, statusesOf } from '../stand-in/steady-traffic.ts'
import { visit } from '../stand-in/visits.ts'

const answerWithinMs = promised(1_000)
const backWithinMs = promised(2_000)
const readers = 3

let redis: RedisServer
let between: CuttingProxy
let a: TestGateway
let b: TestGateway
/** Ended before the trouble: never to be served again. */
let ended: MadeSession
let alive: MadeSession[]

async function ready(world: TestGateway): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${world.operationsPort}/readyz`)).status === 200
}

async function statusAt(world: TestGateway, session: MadeSession): Promise<number> {
  const visitors = { port: world.port, host: `app.localhost:${world.port}`, path: '/echo' }
  const [one] = await visit({ ...visitors, cookie: session.cookieOf('app.localhost') }, 1, 1)
  return one?.status ?? 0
}

async function makeReaders(): Promise<void> {
  alive = []
  for (let nth = 0; nth < readers; nth++) alive.push(await makeSession(a.gateway.sessions, 'alice'))
  ended = await makeSession(a.gateway.sessions, 'alice')
  for (const world of [a, b]) for (const one of [...alive, ended]) expect(await statusAt(world, one)).toBe(200)
  await a.gateway.sessions.end(ended.id, 'user')
  await until('b heard of it', async () => (await statusAt(b, ended)) === 401, 1_000)
  a.origin.forget()
}

/** What holds in every fault. */
function expectLawful(asked: readonly Asked[], what: string, wanted: readonly number[]): void {
  const failures = asked.filter(({ status }) => status === 503)
  tell(what, statusesOf(asked))
  if (failures.length > 0)
    tell(
      `${what}: 503 within`,
      `p99 ${slowest(failures).p99.toFixed(0)} ms, worst ${slowest(failures).worst.toFixed(0)} ms`,
    )
  expect(asked.filter(({ status }) => !wanted.includes(status))).toEqual([])
  // Nobody is redirected, nobody loses a cookie, and everybody is told when to come back.
  expect(
    failures.filter(
      ({ location, cookiesSet, retryAfter }) => location !== null || cookiesSet > 0 || retryAfter !== '5',
    ),
  ).toEqual([])
  expect(slowest(failures).p99).toBeLessThan(answerWithinMs)
}

/** Traffic of the living, and of the ended one, whose requests never reach the origin. */
async function during(
  act: (everybodyGets: (status: number) => Promise<unknown>) => Promise<void>,
): Promise<readonly Asked[]> {
  const traffic = startTraffic([a, b], alive)
  const thief = startTraffic([a, b], [ended])
  // So many answers in a row that every reader of both has had some of them.
  const everybodyGets = (status: number) => {
    const from = traffic.asked.length
    const last = () => traffic.asked.slice(from).slice(-10 * readers)
    const all = () => last().length === 10 * readers && last().every(one => one.status === status)
    return until(`everybody to get ${status}`, all, backWithinMs)
  }
  await until('everybody reads', () => traffic.asked.filter(({ status }) => status === 200).length > 20, 5_000)
  await act(everybodyGets)
  await Promise.all([traffic.stop(), thief.stop()])
  const served = thief.asked.filter(({ status }) => status === 200)
  const forwarded = a.origin.requests.filter(({ url }) => url.includes(ended.hash))
  tell(
    'requests with an ended session that were served or forwarded',
    `${served.length + forwarded.length} of ${thief.asked.length}`,
  )
  expect([served.length, forwarded.length]).toEqual([0, 0])
  return traffic.asked
}

const servedBy = (traffic: readonly Asked[], from: number) => traffic.filter(({ sentAt }) => sentAt >= from)

describe('two gateways on one Redis that', () => {
  beforeAll(async () => {
    redis = await startRedis()
    between = await startCuttingProxy(redis.port)
    const store = `{ kind: redis, url: "redis://127.0.0.1:${between.port}" }`
    a = await startTestGateway({ store })
    b = await startTestGateway({ store, shared: a })
  })
  beforeEach(makeReaders)
  afterEach(() => {
    a.invariants()
    b.invariants()
  })
  afterAll(async () => {
    await b?.stop()
    await a?.stop()
    between?.close()
    await redis?.close()
  })

  /** For so long, ms: well beyond the second in which memories are believed. */
  const lastingMs = 2_500
  const lasting = () => new Promise(resolve => setTimeout(resolve, lastingMs))

  it.each([
    ['is frozen', () => redis.freeze(), () => redis.thaw()],
    ['needs two seconds for an answer', () => between.delay(2_000), () => between.delay(0)],
  ])('%s: 503, and everybody is back', async (what, begin, end) => {
    let endedAt = 0
    const asked = await during(async everybodyGets => {
      begin()
      await lasting()
      await end()
      endedAt = performance.now()
      await until('both are ready', async () => (await ready(a)) && (await ready(b)), 5_000)
      await everybodyGets(200)
    })
    expectLawful(asked, `a Redis that ${what}`, [200, 503])
    const back = lastOther(asked, 200, endedAt)
    tell(`a Redis that ${what}: everybody is served again after`, back)
    expect(back).toBeLessThan(backWithinMs)
    for (const one of alive) expect(await statusAt(b, one)).toBe(200)
  })

  it('refuses connections, and comes back empty: 503, then a sign-in, and nobody by memory', async () => {
    let endedAt = 0
    const asked = await during(async everybodyGets => {
      await redis.stop()
      await lasting()
      await redis.start()
      endedAt = performance.now()
      await until('both are ready', async () => (await ready(a)) && (await ready(b)), 5_000)
      await everybodyGets(303)
    })
    // 303: to the sign-in, from the one who was forgotten.
    const before = asked.filter(({ sentAt }) => sentAt < endedAt - 10)
    expectLawful(
      before.filter(({ answeredAt }) => answeredAt < endedAt),
      'a Redis that refuses connections',
      [200, 503],
    )
    expect(servedBy(asked, endedAt).filter(({ status }) => status === 200)).toEqual([])
    const back = lastOther(asked, 303, endedAt)
    tell('a Redis that came back empty: everybody is asked to sign in after', back)
    expect(back).toBeLessThan(backWithinMs)
  })

  it('is full: readers go on, a sign-out is shut at once and stored as soon as there is room', async () => {
    const leaver = await makeSession(a.gateway.sessions, 'alice')
    const asked = await during(async () => {
      await redis.admin.config('SET', 'maxmemory', '1mb')
      await expect(a.gateway.sessions.end(leaver.id, 'user')).rejects.toMatchObject({ code: 'logout.not-stored' })
      expect(await statusAt(a, leaver)).toBe(401)
      await expect(makeSession(a.gateway.sessions, 'bob')).rejects.toMatchObject({ code: 'session.store-down' })
      expect([await ready(a), await ready(b)]).toEqual([true, true])
      await lasting()
      await redis.admin.config('SET', 'maxmemory', '0')
      const ms = await until('b refuses it', async () => (await statusAt(b, leaver)) === 401, backWithinMs)
      tell('a Redis that is full: a sign-out is effective elsewhere, once there is room, after', ms)
    })
    expectLawful(asked, 'a Redis that is full', [200])
  })

  it('is read-only: readers go on, nobody is signed in or out, and both work again when it is a master', async () => {
    const leaver = await makeSession(a.gateway.sessions, 'alice')
    expect(await statusAt(a, leaver)).toBe(200)
    const [nobody = 0] = await freePorts(1)
    const asked = await during(async () => {
      await redis.admin.replicaof('127.0.0.1', nobody)
      await expect(a.gateway.sessions.end(leaver.id, 'user')).rejects.toMatchObject({ code: 'logout.not-stored' })
      expect(await statusAt(a, leaver)).toBe(401)
      await lasting()
      await redis.admin.replicaof('NO', 'ONE')
      const ms = await until('b refuses it', async () => (await statusAt(b, leaver)) === 401, backWithinMs + 1_000)
      tell('a Redis that was read-only: a sign-out is effective elsewhere, once it is a master, after', ms)
    })
    // A write that it refuses costs the connection: the address may lead to the new master.
    expectLawful(asked, 'a Redis that is read-only', [200, 503])
    expect(asked.filter(({ status }) => status === 200).length).toBeGreaterThan(0.75 * asked.length)
  })
})

describe('two gateways on a Redis behind three sentinels', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startRedisSentinel()
    a = await startTestGateway({ store: `{ kind: redis, ${sentinel.yaml} }` })
    b = await startTestGateway({ store: `{ kind: redis, ${sentinel.yaml} }`, shared: a })
  })
  beforeEach(makeReaders)
  afterEach(() => {
    a.invariants()
    b.invariants()
  })
  afterAll(async () => {
    await b?.stop()
    await a?.stop()
    await sentinel?.close()
  })

  it.each([
    ['is killed', (master: RedisServer) => master.stop(), (master: RedisServer) => master.start()],
    ['is frozen', (master: RedisServer) => master.freeze(), (master: RedisServer) => master.thaw()],
  ])('whose master %s: everybody keeps their session, and ends are not undone', async (what, begin, end) => {
    const master = await sentinel.current()
    let promotedAt = 0
    let begunAt = 0
    const asked = await during(async everybodyGets => {
      // Everything that was confirmed has reached the replica: what has not is B 18's residual, and ends-across.test.ts.
      // WAIT speaks of the writes of its own connection: of this one, and so of all before it.
      await master.admin.set('of-the-test', 'everything before this')
      await until('the replica has it all', async () => (await master.admin.call('WAIT', 1, 1_000)) === 1, 15_000)
      begunAt = performance.now()
      await begin(master)
      await sentinel.failedOver(master)
      promotedAt = performance.now()
      await until('both are ready', async () => (await ready(a)) && (await ready(b)), 5_000)
      await everybodyGets(200)
    })
    expectLawful(asked, `a master that ${what}`, [200, 503])
    const back = lastOther(asked, 200, promotedAt)
    tell(`a master that ${what}: until the sentinels have another`, promotedAt - begunAt)
    tell(`a master that ${what}: everybody is served again, from then on, after`, back)
    expect(back).toBeLessThan(backWithinMs)
    for (const world of [a, b]) {
      for (const one of alive) expect(await statusAt(world, one)).toBe(200)
      expect(await statusAt(world, ended)).toBe(401)
    }
    // Ends go on to be heard.
    const [leaver] = alive as [MadeSession]
    await a.gateway.sessions.end(leaver.id, 'user')
    await until('b heard of it', async () => (await statusAt(b, leaver)) === 401, 1_000)
    await end(master)
    await until(
      'the old master follows',
      async () => (await master.admin.info('replication')).includes('master_link_status:up'),
      15_000,
    )
  })
})
