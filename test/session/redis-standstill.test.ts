/**
 * A process that stands still for longer than Redis may take to answer (SESSIONS S1, S7): it does not take its own standstill for
 * a Redis that is silent, and does not believe what has grown old meanwhile.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndEntry, Follower, Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { type RedisPlace, serverAt } from '../../src/session/redis-place.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { makeSession } from '../stand-in/made-session.ts'
import { until } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startRedisCluster } from '../stand-in/redis-cluster.ts'
import { startRedisSentinel } from '../stand-in/redis-sentinel.ts'
import { redisElsewhere, standStill, standStillUntilAnswered } from '../stand-in/standstill.ts'

const minute = 60_000
/** Longer than a command may take, and than a line may be silent. */
const standstillMs = 1_500

interface Process {
  readonly store: Store
  readonly follower: Follower
  readonly heard: EndEntry[]
  readonly events: GatewayEvent[]
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function open(place: RedisPlace): Promise<Process> {
  const events: GatewayEvent[] = []
  const store = await createRedisStore({ place, report: event => events.push(event) })
  cleanups.push(store.close)
  const heard: EndEntry[] = []
  const follower = store.ended.follow(entry => heard.push(entry))
  await until('the store', store.reachable, 15_000)
  await until('the log', follower.fresh, 15_000)
  return { store, heard, events, follower }
}

const namesOf = ({ events }: Process) => events.map(({ name }) => name).filter(name => name !== 'store.warned')
const nowhere = serverAt(new Secret('redis://127.0.0.1'))

const kinds = {
  'one server': async () => {
    const server = await startRedis()
    return { place: serverAt(new Secret(server.url)), ports: [server.port], close: server.close }
  },
  'a server that sentinels name': async () => {
    const redis = await startRedisSentinel()
    const place = { ...nowhere, kind: 'sentinels', servers: redis.sentinels, master: redis.master } as const
    return { place, ports: redis.servers.map(({ port }) => port), close: redis.close }
  },
  'a cluster': async () => {
    const cluster = await startRedisCluster()
    const ports = cluster.servers.map(({ port }) => port)
    const servers = ports.map(port => ({ host: '127.0.0.1', port }))
    return { place: { ...nowhere, kind: 'cluster', servers } as const, ports, close: cluster.close }
  },
} satisfies Record<string, () => Promise<Servers>>

interface Servers {
  readonly place: RedisPlace
  readonly ports: readonly number[]
  readonly close: () => Promise<void>
}

describe.each(Object.entries(kinds))('a process on %s that stands still', (_, begin) => {
  let redis: Servers
  beforeAll(async () => {
    redis = await begin()
  })
  afterAll(() => redis.close())

  it('has the answers to all that it had asked, loses no line, and tells nobody that Redis is down', async () => {
    const one = await open(redis.place)
    const servers = await Promise.all(redis.ports.map(redisElsewhere))
    for (const { stop } of servers) cleanups.push(stop)
    const { once, records, pages } = one.store
    const keys = Array.from({ length: 50 }, (_, nth) => `pas:{of-the-${nth}}:s`)
    // As large as they come: more than the system keeps for us is read in several turns.
    const large = Buffer.alloc(256 * 1024, 'x')
    await once.put('a', 'pas:a:large', large, minute)
    await once.put('t', 'pas:t:ticket', Buffer.from('ticket'), minute)
    await Promise.all(keys.map(key => records.create(key, Buffer.from(key), minute)))

    const asked = Promise.all([
      Promise.all(keys.map(key => records.read(key))),
      once.take('t', 'pas:t:ticket'),
      once.peek('a', 'pas:a:large'),
      one.store.ended.append({ kind: 'session', key: 'h', reason: 'user' }),
      pages.set('pas:f:x', Buffer.from('x'), minute, true),
    ])
    standStillUntilAnswered(standstillMs, servers)
    const [read, taken, peeked] = await asked
    expect(read.map(each => each?.value.toString())).toEqual(keys)
    expect(taken?.toString()).toBe('ticket')
    expect(peeked).toEqual(large)
    // A line that was given up is told of once it is closed.
    await records.read(keys[0] as string)
    expect(namesOf(one)).toEqual(['store.up'])
  })

  it('follows the log on from where it was, before it believes its memory again', async () => {
    const one = await open(redis.place)
    standStill(standstillMs)
    expect(one.follower.fresh()).toBe(false)
    await vi.waitFor(() => expect(one.follower.fresh()).toBe(true), { timeout: 15_000, interval: 1 })
    expect(one.heard).toEqual([])
  })
})

describe('a process that stands still', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())
  const openHere = () => open(serverAt(new Secret(server.url)))

  it('while Redis is frozen gives it up all the same', async () => {
    const one = await openHere()
    server.freeze()
    cleanups.push(server.thaw)
    const read = one.store.records.read('pas:{a}:s')
    standStill(standstillMs)
    await expect(read).rejects.toMatchObject({ code: 'session.store-down', message: expect.stringContaining('500 ms') })
    await until('the line is given up', () => namesOf(one).includes('store.down'), 15_000)
  })

  it('has the second answer too where Redis had forgotten the script', async () => {
    const { store } = await openHere()
    const elsewhere = await redisElsewhere(server.port)
    cleanups.push(elsewhere.stop)
    await store.records.create('pas:{a}:s', Buffer.from('x'), minute)
    await server.admin.script('FLUSH')
    const read = store.records.read('pas:{a}:s')
    standStillUntilAnswered(standstillMs, [elsewhere])
    expect((await read)?.value.toString()).toBe('x')
  })

  it('believes no memory until it has heard of every end of that time', async () => {
    const one = await openHere()
    const elsewhere = await redisElsewhere(server.port)
    cleanups.push(elsewhere.stop)
    elsewhere.send(500, ['XADD', 'pas:ended', '*', 'kind', 'session', 'key', 'meanwhile', 'reason', 'user'])
    standStill(standstillMs, elsewhere)
    while (!one.follower.fresh()) await nextTurn()
    expect(one.heard).toContainEqual({ kind: 'session', key: 'meanwhile', reason: 'user' })
  })

  it('asks once more where the answer that waits for it has grown old', async () => {
    const { store } = await openHere()
    const hour = 60 * minute
    const sessions = createSessions({
      store,
      keys: createKeys([new Secret('a secret for a process that stands still')]),
      limits: { idleMs: hour, sharedIdleMs: hour, absoluteMs: 10 * hour },
      perPerson: null,
      hasIdp: () => true,
      recheck: null,
      now: () => performance.timeOrigin + performance.now(),
      report: () => {},
      endedLate: () => {},
    })
    cleanups.push(sessions.close)
    const [kept, ended] = [await makeSession(sessions, 'alice'), await makeSession(sessions, 'bob')]
    const elsewhere = await redisElsewhere(server.port)
    cleanups.push(elsewhere.stop)

    const resume = ({ cookieOf }: typeof kept) =>
      sessions.resume(cookieOf('app.localhost'), 'host:app.localhost', 'none')
    const asked = [resume(kept), resume(ended)]
    elsewhere.send(
      500,
      ['DEL', `pas:{${ended.hash}}:s`],
      ['XADD', 'pas:ended', '*', 'kind', 'session', 'key', ended.hash, 'reason', 'user'],
    )
    standStill(standstillMs, elsewhere)
    // The thread may have been early or late; Redis had the question before.
    const [first, second] = await Promise.all(asked)
    expect([first?.session.identity.subject, second]).toEqual(['alice', null])
    expect((await resume(kept))?.session.identity.subject).toBe('alice')
    expect(await resume(ended)).toBeNull()
  })
})
