/** What only Redis can do to us: be down, silent, slow to come back, full, restarted, or guarded. */
import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Store } from '../../src/model/store.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/session/redis.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { patiently, promised } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const minute = 60_000
const down = { code: 'session.store-down', status: 503 }

/** What has to come, however busy the machine is. */
const comes = (assertion: () => unknown) => vi.waitFor(assertion, patiently)

let server: RedisServer
let events: GatewayEvent[]
let cleanups: (() => unknown)[]

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())

beforeEach(async () => {
  events = []
  cleanups = []
  await server.admin.flushall()
})
afterEach(async () => {
  server.thaw()
  await server.start()
  for (const cleanup of cleanups.toReversed()) await cleanup()
})

async function open(changes: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = await createRedisStore({
    place: serverAt(new Secret(server.url)),
    report: event => events.push(event),
    ...changes,
  })
  cleanups.push(store.close)
  return store
}

/** Without the warning about persistence: the stand-in keeps nothing. */
const changes = () => events.map(event => event.name).filter(name => name !== 'store.warned')

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await act()
  return performance.now() - begun
}

/** A returned Redis serves again within 2 seconds (facts of the fault table). */
const recovered = (store: Store) => vi.waitFor(async () => expect(await store.reachable()).toBe(true), patiently)

describe('a Redis that refuses connections', () => {
  it('does not stop a start; each call fails at once; it is found within 2 s when it comes', async () => {
    await server.stop()
    const store = await open()
    expect(changes()).toEqual(['store.down'])
    expect(events[0]).toMatchObject({
      detail: expect.stringContaining(`127.0.0.1:${server.port}: connect ECONNREFUSED`),
    })
    const spent = await timed(async () => {
      for (const call of everyCall(store)) await expect(call()).rejects.toMatchObject(down)
      expect(await store.reachable()).toBe(false)
    })
    expect(spent).toBeLessThan(promised(250))
    await server.start()
    await recovered(store)
    expect(await store.records.create('pas:{a}:s', Buffer.from('x'), minute)).toBe(true)
    expect(changes()).toEqual(['store.down', 'store.up'])
  })

  it('and that was restarted empty has no sessions, and takes new ones', async () => {
    const store = await open()
    await store.records.create('pas:{a}:s', Buffer.from('x'), minute)
    await server.stop()
    await comes(() => expect(changes()).toEqual(['store.up', 'store.down']))
    await expect(store.records.read('pas:{a}:s')).rejects.toMatchObject(down)
    await server.start()
    await recovered(store)
    expect(await store.records.read('pas:{a}:s')).toBeNull()
    // Scripts are gone from the server as well.
    expect(await store.records.touch('pas:{a}:s', Date.now() + minute)).toBe(false)
    expect(await store.records.create('pas:{a}:s', Buffer.from('y'), minute)).toBe(true)
    expect(changes()).toEqual(['store.up', 'store.down', 'store.up'])
  })
})

describe('a frozen Redis', () => {
  it('makes every call fail after half a second, and works again after it thaws', async () => {
    const store = await open()
    await store.records.create('pas:{a}:s', Buffer.from('x'), minute)
    server.freeze()
    const spent = await Promise.all(
      everyCall(store).map(call => timed(() => expect(call()).rejects.toMatchObject(down))),
    )
    // Less than the second after which the connection itself is given up.
    expect(Math.min(...spent)).toBeLessThan(promised(900))
    expect(Math.max(...spent)).toBeLessThan(promised(1_500))
    expect(Math.max(...spent)).toBeGreaterThan(450)
    server.thaw()
    await recovered(store)
    await store.records.create('pas:{b}:s', Buffer.from('y'), minute)
    expect((await store.records.read('pas:{b}:s'))?.value).toEqual(Buffer.from('y'))
  })

  it('does not mix a late answer up with the next one', async () => {
    const store = await open({ commandTimeoutMs: 200 })
    await store.once.put('o', 'pas:o:a', Buffer.from('a'), minute)
    await store.once.put('o', 'pas:o:b', Buffer.from('b'), minute)
    const connection = await connectionId()
    server.freeze()
    await expect(store.once.peek('o', 'pas:o:a')).rejects.toMatchObject(down)
    server.thaw()
    expect(await store.once.peek('o', 'pas:o:b')).toEqual(Buffer.from('b'))
    expect(await connectionId()).toBe(connection)
  })

  it('loses its connection after a second, and costs nobody time from then on', async () => {
    const store = await open()
    server.freeze()
    await expect(store.records.read('pas:{a}:s')).rejects.toMatchObject(down)
    await vi.waitFor(() => expect(changes()).toEqual(['store.up', 'store.down']), patiently)
    expect(await timed(() => expect(store.records.read('pas:{a}:s')).rejects.toMatchObject(down))).toBeLessThan(
      promised(250),
    )
    server.thaw()
    await recovered(store)
    expect(changes()).toEqual(['store.up', 'store.down', 'store.up'])
  })

  it('is not sent more than ten thousand commands that it does not answer', async () => {
    const store = await open()
    server.freeze()
    const calls = Array.from({ length: 11_000 }, () => store.once.peek('p', 'pas:p:a'))
    const failures = (await Promise.allSettled(calls)).map(each =>
      each.status === 'rejected' ? String(each.reason) : '',
    )
    expect(failures.filter(each => each.includes('10000 commands wait for an answer already'))).toHaveLength(1_000)
    server.thaw()
    await recovered(store)
  })

  it('does not stop a start', async () => {
    server.freeze()
    const spent = await timed(open)
    expect(spent).toBeLessThan(promised(2_000))
    expect(changes()).toEqual(['store.down'])
  })
})

describe('a connection to Redis', () => {
  it('that breaks is made anew, and reported once', async () => {
    const store = await open()
    await server.admin.client('KILL', 'ID', await connectionId())
    await comes(() => expect(changes()).toEqual(['store.up', 'store.down', 'store.up']))
    await recovered(store)
  })

  it('that breaks before the answer came does not have the command sent again: it may have been carried out', async () => {
    const between = await startCuttingProxy(server.port)
    cleanups.push(between.close)
    const store = await open({ place: serverAt(new Secret(`redis://127.0.0.1:${between.port}`)) })
    await store.once.put('t', 'pas:t:a', Buffer.from('ticket'), minute)
    await server.admin.config('RESETSTAT')
    between.cutAtNextAnswer('getdel')
    const spent = await timed(() => expect(store.once.take('t', 'pas:t:a')).rejects.toMatchObject(down))
    expect(spent).toBeLessThan(promised(250))
    await recovered(store)
    expect(await server.admin.info('commandstats')).toContain('cmdstat_getdel:calls=1,')
  })

  it('is closed with the store, and that is not a fault', async () => {
    const store = await open()
    await store.close()
    await comes(async () => expect(await server.admin.client('LIST')).not.toContain('name=passerelle'))
    expect(changes()).toEqual(['store.up'])
    await expect(store.records.read('pas:{a}:s')).rejects.toMatchObject(down)
    expect(await store.reachable()).toBe(false)
  })

  it('can be closed while there is none', async () => {
    await server.stop()
    const store = await open()
    await store.close()
    await server.start()
    await server.admin.ping()
    expect(await server.admin.client('LIST')).not.toContain('name=passerelle')
  })

  it('finds its scripts again after somebody flushed them', async () => {
    const store = await open()
    await store.records.create('pas:{a}:s', Buffer.from('x'), minute)
    expect(await store.records.touch('pas:{a}:s', Date.now() + minute)).toBe(true)
    await server.admin.script('FLUSH')
    expect(await store.records.touch('pas:{a}:s', Date.now() + minute)).toBe(true)
  })

  it('of rediss:// speaks TLS from its first byte', async () => {
    const first = Promise.withResolvers<Buffer>()
    const listener = createServer(socket => {
      socket.once('data', data => {
        first.resolve(data)
        socket.destroy()
      })
    })
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => listener.close())
    const { port } = listener.address() as { port: number }
    await open({ place: serverAt(new Secret(`rediss://:hunter2hunter2@127.0.0.1:${port}`)) })
    const bytes = await first.promise
    // A handshake record with a ClientHello in it (RFC 8446 §5.1).
    expect([bytes[0], bytes[5]]).toEqual([22, 1])
    expect(changes()).toEqual(['store.down'])
  })
})

describe('a Redis that is out of memory', () => {
  it('takes no new session, and serves those it has', async () => {
    const store = await open()
    await store.records.create('pas:{a}:s', Buffer.from('x'), minute)
    await server.admin.config('SET', 'maxmemory', '1')
    cleanups.push(() => server.admin.config('SET', 'maxmemory', '0'))
    await expect(store.records.create('pas:{b}:s', Buffer.from('y'), minute)).rejects.toMatchObject({
      ...down,
      message: expect.stringContaining('OOM'),
    })
    expect((await store.records.read('pas:{a}:s'))?.value).toEqual(Buffer.from('x'))
    expect(await store.records.take('pas:{a}:s', 'pas:{a}:v')).not.toBeNull()
  })
})

describe('a Redis that has become a replica', () => {
  it('is left, because its address may lead to the new master, and refuses writes as long as it does not', async () => {
    const store = await open()
    await server.admin.replicaof('127.0.0.1', 1)
    cleanups.push(() => server.admin.replicaof('NO', 'ONE'))
    await expect(store.records.create('pas:{a}:s', Buffer.from('x'), minute)).rejects.toMatchObject({
      ...down,
      message: expect.stringContaining('READONLY'),
    })
    await comes(() => expect(changes()).toEqual(['store.up', 'store.down', 'store.up']))
    expect(await store.records.read('pas:{a}:s')).toBeNull()
    await server.admin.replicaof('NO', 'ONE')
    expect(await store.records.create('pas:{a}:s', Buffer.from('x'), minute)).toBe(true)
  })
})

describe('the settings of Redis', () => {
  const warnings = () => events.flatMap(event => (event.name === 'store.warned' ? [event.detail] : []))

  it('that may lose sessions are warned of, once for as long as the process lives', async () => {
    await server.admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    cleanups.push(() => server.admin.config('SET', 'maxmemory-policy', 'noeviction'))
    const store = await open()
    await comes(() => expect(warnings()).toHaveLength(2))
    expect(warnings()[0]).toContain('maxmemory-policy is allkeys-lru')
    expect(warnings()[1]).toContain('neither appendonly nor save is on')
    await server.admin.client('KILL', 'ID', await connectionId())
    await comes(() => expect(changes()).toEqual(['store.up', 'store.down', 'store.up']))
    await recovered(store)
    expect(warnings()).toHaveLength(2)
  })

  it('that keep sessions are not warned of', async () => {
    await server.admin.config('SET', 'maxmemory-policy', 'volatile-ttl')
    await server.admin.config('SET', 'save', '3600 1')
    cleanups.push(async () => {
      await server.admin.config('SET', 'maxmemory-policy', 'noeviction')
      await server.admin.config('SET', 'save', '')
    })
    await server.admin.config('RESETSTAT')
    await open()
    await comes(async () => expect(await server.admin.info('commandstats')).toContain('config|get:calls=3,'))
    expect(warnings()).toEqual([])
  })
})

function everyCall(store: Store): (() => Promise<unknown>)[] {
  const [record, visits, value] = ['pas:{z}:s', 'pas:{z}:v', Buffer.alloc(40)] as const
  return [
    () => store.once.put('p', 'pas:p:z', value, minute),
    () => store.once.peek('p', 'pas:p:z'),
    () => store.once.take('p', 'pas:p:z'),
    () => store.records.create(record, value, minute),
    () => store.records.read(record),
    () => store.records.replace(record, 0, value, null),
    () => store.records.touch(record, Date.now() + minute),
    () => store.records.take(record, visits),
    () => store.records.visit(record, visits, 'journals', 500),
    () => store.directory.add('pas:d:z', 'z', Date.now() + minute),
    () => store.directory.members('pas:d:z'),
    () => store.directory.remove('pas:d:z', 'z'),
    () => store.tombstones.mark('pas:x:z', '{}', minute),
    () => store.tombstones.marks(['pas:x:z']),
    () => store.ended.append({ kind: 'session', key: 'z', reason: 'user' }),
    () => store.pages.get('pas:f:z'),
    () => store.pages.set('pas:f:z', value, minute, true),
    () => store.pages.touch('pas:f:z', minute),
    () => store.pages.drop('pas:f:z'),
  ]
}

async function connectionId(): Promise<string> {
  const list = (await server.admin.client('LIST')) as string
  return /^id=(\d+) .*name=passerelle /m.exec(list)?.[1] ?? 'none'
}
