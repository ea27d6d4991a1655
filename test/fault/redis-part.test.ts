/**
 * A Redis that half works: late, full, read-only, gone for a moment, not there yet. What can be answered is answered; what
 * cannot is 503 at once, and nothing is half done.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, timed, until } from '../stand-in/measure.ts'
import { freePorts } from '../stand-in/ports.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'
import { timesOf, type Visit, visit } from '../stand-in/visits.ts'

let offsetMs = 0
const now = () => performance.timeOrigin + performance.now() + offsetMs

let redis: RedisServer
let between: CuttingProxy
let op: AdversarialOp
let world: TestGateway
/** The same sessions, which end after a minute without a request: a touch is due every six seconds. */
let restless: TestGateway
let restlessBetween: CuttingProxy

beforeAll(async () => {
  redis = await startRedis()
  between = await startCuttingProxy(redis.port)
  op = await startAdversarialOp(now)
  world = await startTestGateway({
    store: `{ kind: redis, url: "redis://127.0.0.1:${between.port}" }`,
    ...shape(),
  })
  restlessBetween = await startCuttingProxy(redis.port)
  restless = await startTestGateway({
    store: `{ kind: redis, url: "redis://127.0.0.1:${restlessBetween.port}" }`,
    session: '  idleTimeout: 1m',
    shared: world,
    ...shape(),
  })
})
afterAll(async () => {
  world?.invariants()
  await restless?.stop()
  await world?.stop()
  await op?.stop()
  between?.close()
  restlessBetween?.close()
  await redis?.close()
})

/** Sites whose people come from an idp that lives by our clock. */
const shape = () => ({
  idps: `
  - id: op
    label: Accounts
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }`,
  resources: [aSite('app', ['idps: [op]']), aSite('open', ['idps: [op]'], { policy: 'public' })].join(''),
  surroundings: { now },
})

function signIn(person: 'alice' | 'bob', at = world): Promise<Browser> {
  op.bends.subject = person
  return at.signIn(person)
}

const statusesOf = (visits: readonly Visit[]) => [...new Set(visits.map(({ status }) => status))]

const readiness = async (of = world) => (await fetch(`http://127.0.0.1:${of.operationsPort}/readyz`)).status

const isBack = async () => (await readiness()) === 200 && (await readiness(restless)) === 200

const onApp = (cookie: string, { port } = world) => ({ port, host: `app.localhost:${port}`, path: '/echo', cookie })

/** Nobody's session was begun: no portal cookie, and in Redis not one key more of those that make one. */
async function refusedSignIn(): Promise<Reply> {
  const keys = async () => (await redis.admin.keys('pas:*')).filter(key => /^pas:(\{.*\}:s|d:)/.test(key)).toSorted()
  const before = await keys()
  const browser = new Browser()
  op.bends.subject = 'eve'
  const page = await browser.navigate(world.url('app', '/echo'))
  expect([page.status, page.header('retry-after')], page.story).toEqual([503, '5'])
  expect(browser.cookies('acces.localhost')).toEqual([])
  expect(await keys()).toEqual(before)
  return page
}

describe('a gateway that remembers a session', () => {
  it('goes on with it for less than a second without Redis', async () => {
    const alice = world.cookieOf(await signIn('alice'))
    expect(statusesOf(await visit(onApp(alice), 3, 1))).toEqual([200])
    await redis.stop()
    try {
      const shut = async () => statusesOf(await visit(onApp(alice), 1, 1))[0] === 503
      const ms = await until('the session is no longer believed', shut, 2_000)
      tell('a remembered session without Redis is served for', ms)
      expect(ms).toBeLessThan(promised(1_100))
    } finally {
      await redis.start()
      await until('Redis is back', isBack, 2_000)
    }
  })

  it('needs Redis where the session must be kept alive, each time until it succeeds', async () => {
    const cookie = world.cookieOf(await signIn('alice', restless))
    expect(statusesOf(await visit(onApp(cookie, restless), 2, 1))).toEqual([200])
    // Ends go on to be heard: what is remembered is good, however long this takes.
    restlessBetween.swallow('eval')
    try {
      expect(statusesOf(await visit(onApp(cookie, restless), 2, 1))).toEqual([200])
      // A tenth of its idle limit of a minute.
      offsetMs += 7_000
      const visits = await visit(onApp(cookie, restless), 3, 1)
      expect(statusesOf(visits)).toEqual([503])
      expect(Math.max(...visits.map(({ ms }) => ms))).toBeLessThan(promised(1_000))
    } finally {
      restlessBetween.swallow(null)
    }
    await until('Redis is back', isBack, 3_000)
    await until(
      'the session goes on',
      async () => statusesOf(await visit(onApp(cookie, restless), 1, 1))[0] === 200,
      2_000,
    )
  })
})

describe('a Redis that needs 200 ms for each answer', () => {
  it('serves all the same, and keeps its queue short', async () => {
    const alice = world.cookieOf(await signIn('alice'))
    const calm = process.memoryUsage().rss
    between.delay(200)
    try {
      tell('a sign-in', (await timed(() => signIn('bob'))).ms)
      offsetMs += 31_000
      const visits = await visit(onApp(alice), 400, 30)
      expect(statusesOf(visits)).toEqual([200])
      const { p50, p99 } = timesOf(visits)
      tell(
        '400 requests, the first of which must read the session',
        `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
      )
      expect(p50).toBeLessThan(promised(1_000))
      const grown = (process.memoryUsage().rss - calm) / 1_048_576
      tell('memory, gateway and test together', `${grown.toFixed(0)} MB more`)
      expect(grown).toBeLessThan(50)
    } finally {
      between.delay(0)
    }
  })
})

describe('a Redis that is full (noeviction)', () => {
  let reader: Browser
  let restlessReader: Browser
  let leaver: Browser
  let asking: Reply
  beforeAll(async () => {
    reader = await signIn('alice')
    restlessReader = await signIn('alice', restless)
    leaver = await signIn('bob')
    asking = await leaver.navigate(world.portal('/logout'))
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction')
    await redis.admin.config('SET', 'maxmemory', '1mb')
    offsetMs += 31_000
  })
  afterAll(async () => {
    await redis.admin.config('SET', 'maxmemory', '0')
  })

  it('has those who are signed in read on', async () => {
    const visits = await visit(onApp(world.cookieOf(reader)), 100, 10)
    expect(statusesOf(visits)).toEqual([200])
    // Being kept alive takes no memory either.
    const touched = async () => {
      offsetMs += 7_000
      return statusesOf(await visit(onApp(world.cookieOf(restlessReader), restless), 50, 10))
    }
    expect([await touched(), await touched()]).toEqual([[200], [200]])
    tell('requests of a signed-in reader while Redis is full', '200 of 200 answered')
    // Traffic that goes well is worth more than a hundred sign-ins that do not: the balancer keeps us.
    expect(await readiness()).toBe(200)
  })

  it('has no sign-in begin, and leaves nothing of one', async () => {
    const page = await refusedSignIn()
    expect(world.log.find(line => line.includes(page.url.pathname) && line.includes('OOM'))).toContain(
      '"code":"session.store-down"',
    )
  })

  it('has a sign-out shut the session, and finish by itself when there is room again', async () => {
    const cookie = world.cookieOf(leaver)
    const page = await leaver.submit(asking)
    expect([page.status, page.visibleText.includes('pas encore fermée')], page.visibleText).toEqual([503, true])
    expect(statusesOf(await visit(onApp(cookie), 5, 1))).toEqual([401])
    const from = world.events.length
    await redis.admin.config('SET', 'maxmemory', '0')
    const done = () => world.events.slice(from).some(each => each.name === 'session.end-retried' && each.left === 0)
    tell('until the sign-out is finished, once there is room', await until('the sign-out', done, 3_000))
    expect(await redis.admin.xlen('pas:ended')).toBeGreaterThan(0)
    expect((await new Browser().navigate(world.url('app', '/echo'))).status).toBe(200)
  })
})

describe('a Redis that became a replica', () => {
  beforeAll(async () => {
    const [nobody = 0] = await freePorts(1)
    world.origin.forget()
    offsetMs += 31_000
    await redis.admin.replicaof('127.0.0.1', nobody)
  })
  afterAll(async () => {
    await redis.admin.replicaof('NO', 'ONE')
  })

  it('has those who are signed in read on where nothing needs to be written', async () => {
    await redis.admin.replicaof('NO', 'ONE')
    const reader = await signIn('alice')
    await until('the visit is noted', async () => (await redis.admin.keys('pas:*:v')).length > 0, 2_000)
    const [nobody = 0] = await freePorts(1)
    await redis.admin.replicaof('127.0.0.1', nobody)
    const visits = await visit(onApp(world.cookieOf(reader)), 200, 10)
    tell(
      'requests of a signed-in reader on a read-only Redis',
      `${visits.filter(({ status }) => status === 200).length} of 200 answered`,
    )
    expect(statusesOf(visits)).toEqual([200])
  })

  it('costs a request now and then, not all of them, where a visit is to be noted', async () => {
    await redis.admin.replicaof('NO', 'ONE')
    const reader = await signIn('alice')
    const [nobody = 0] = await freePorts(1)
    await redis.admin.replicaof('127.0.0.1', nobody)
    offsetMs += 31_000
    const from = world.events.length
    const visits = await visit({ ...onApp(world.cookieOf(reader)) }, 300, 10)
    const lost = world.events.slice(from).filter(({ name }) => name === 'store.down').length
    tell(
      'requests whose visit cannot be noted',
      `${visits.filter(({ status }) => status === 200).length} of 300 answered, ${lost} reconnections`,
    )
    expect(new Set(statusesOf(visits))).toEqual(new Set([200]))
  })

  it('has no sign-in begin, and leaves nothing of one', async () => {
    await refusedSignIn()
  })

  it('that is the master again takes sign-ins within two seconds', async () => {
    await redis.admin.replicaof('NO', 'ONE')
    const ms = await until(
      'a sign-in',
      async () => (await new Browser().navigate(world.url('app', '/echo'))).status === 200,
      2_000,
    )
    tell('until somebody can sign in', ms)
  })
})

describe('a gateway that starts without Redis', () => {
  it('is up within two seconds, says that it is not ready, and is ready within two seconds of its coming', async () => {
    await redis.stop()
    const started = await timed(() =>
      startTestGateway({
        store: `{ kind: redis, url: "${redis.url}" }`,
        storeComesLater: true,
        shared: world,
        ...shape(),
      }),
    )
    tell('a start without Redis', started.ms)
    expect(started.ms).toBeLessThan(promised(2_000))
    const other = started.value
    const ready = async () => (await fetch(`http://127.0.0.1:${other.operationsPort}/readyz`)).status
    expect(await ready()).toBe(503)
    expect((await new Browser().navigate(other.url('open', '/page'))).status).toBe(200)
    await redis.start()
    const ms = await until('it is ready', async () => (await ready()) === 200, 2_000)
    tell('from the coming of Redis until /readyz', ms)
    expect((await new Browser().navigate(other.url('app', '/echo'))).status).toBe(200)
    await other.stop()
  })
})

describe('the first second of a frozen Redis', () => {
  it('ends every request within two seconds, none of them in a redirect', async () => {
    await until('Redis is back', isBack, 3_000)
    const reader = await signIn('alice')
    const leaver = await signIn('bob')
    const asking = await leaver.navigate(world.portal('/logout'))
    const comer = new Browser()
    const back = await comer.navigate(world.url('app', '/echo'), {
      follow: reply => reply.redirect?.pathname !== '/callback/op',
    })
    offsetMs += 31_000
    redis.freeze()
    try {
      const answers = await Promise.all([
        timed(() => reader.navigate(world.url('app', '/echo'))),
        timed(() => comer.navigate(back.redirect as URL)),
        timed(() => leaver.submit(asking)),
        timed(() => new Browser().navigate(world.url('app', '/echo'))),
      ])
      expect(answers.map(({ value }) => value.status)).toEqual([503, 503, 503, 503])
      for (const [nth, what] of ['a page', 'a callback', 'a sign-out', 'a sign-in'].entries())
        tell(what, answers[nth]?.ms ?? 0)
      expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(promised(2_000))
    } finally {
      redis.thaw()
      await until('Redis is back', isBack, 3_000)
    }
  })
})

describe('the page that asks where to sign in', () => {
  let two: TwoIdps
  beforeAll(async () => {
    two = await startTwoIdps({ store: `{ kind: redis, url: "${redis.url}" }` })
  })
  afterAll(() => two.stop())

  it('is 503 instead of a page whose form could not be sent, while Redis is gone', async () => {
    const browser = new Browser({ language: 'en' })
    expect((await browser.navigate(two.url('any', '/echo'))).forms).toHaveLength(1)
    await redis.stop()
    try {
      for (const visitor of [new Browser({ language: 'en' }), browser]) {
        const page = await visitor.navigate(two.url('any', '/echo'))
        expect([page.status, page.header('retry-after')], page.visibleText).toEqual([503, '5'])
        expect(page.complete).toBe(true)
        expect(page.cookiesSet).toEqual([])
      }
    } finally {
      await redis.start()
    }
  })
})
