/** What Sentinel and Cluster can do that a single Redis cannot: fail over, move a slot, lose a server, lag behind (SESSIONS A4, B 18). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndEntry, Follower, Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { type RedisPlace, serverAt } from '../../src/session/redis-place.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { promised } from '../stand-in/measure.ts'
import { freePort } from '../stand-in/ports.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { type RedisCluster, startRedisCluster } from '../stand-in/redis-cluster.ts'
import { type RedisSentinel, startRedisSentinel } from '../stand-in/redis-sentinel.ts'

const minute = 60_000
/** Sentinels that were held up for two seconds do nothing for thirty (TILT mode). */
const soon = { timeout: 60_000, interval: 10 }

interface Process {
  readonly store: Store
  readonly follower: Follower
  readonly heard: EndEntry[]
  readonly events: GatewayEvent[]
}

let opened: Process[] = []
afterEach(async () => {
  for (const { store } of opened) await store.close()
  opened = []
})

async function open(place: RedisPlace): Promise<Process> {
  const events: GatewayEvent[] = []
  const store = await createRedisStore({ place, report: event => events.push(event) })
  const heard: EndEntry[] = []
  const one = { store, heard, events, follower: store.ended.follow(entry => heard.push(entry)) }
  opened.push(one)
  return one
}

const nowhere = serverAt(new Secret('redis://127.0.0.1'))
const end = (key: string): EndEntry => ({ kind: 'session', key, reason: 'user' })
const hears = (one: Process, key: string) =>
  vi.waitFor(() => expect(one.heard.map(each => each.key)).toContain(key), soon)
const namesOf = ({ events }: Process) => events.map(({ name }) => name).filter(name => name !== 'store.warned')

describe('a Redis Cluster', () => {
  let cluster: RedisCluster
  const placeAt = (servers: readonly RedisServer[]): RedisPlace => ({
    ...nowhere,
    kind: 'cluster',
    servers: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
  })
  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: true })
  })
  afterAll(() => cluster.close())

  it('is found by one of its servers, the others being known to it', async () => {
    const [first, second] = cluster.servers as [RedisServer, RedisServer]
    await second.stop()
    // Nobody at the first of the addresses.
    const one = await open(placeAt([second, first]))
    await second.start()
    await cluster.whole()
    await vi.waitFor(async () => expect(await one.store.reachable()).toBe(true), soon)
  })

  it('is started without: nothing waits for it', async () => {
    const from = performance.now()
    const one = await open(placeAt([{ port: 1 } as RedisServer, { port: 2 } as RedisServer]))
    expect(performance.now() - from).toBeLessThan(promised(2_000))
    expect(namesOf(one)).toEqual(['store.down'])
    expect(await one.store.reachable()).toBe(false)
    const failing = one.store.ended.append(end('nowhere'))
    await expect(failing).rejects.toMatchObject({ code: 'session.store-down' })
    expect(one.follower.fresh()).toBe(false)
  })

  it('has the log followed on where its slot moves to', async () => {
    const [writer, reader] = [await open(placeAt(cluster.servers)), await open(placeAt(cluster.servers))]
    await writer.store.ended.append(end('before'))
    await hears(reader, 'before')
    const from = await cluster.holder('pas:ended')
    await cluster.move('pas:ended')
    expect(await cluster.holder('pas:ended')).not.toBe(from)
    await writer.store.ended.append(end('after'))
    await hears(reader, 'after')
    await vi.waitFor(() => expect(reader.follower.fresh()).toBe(true), soon)
    expect(reader.heard.map(({ kind }) => kind)).not.toContain('lost')
  })

  it('that loses the server of the log has it followed on at the replica, and no end is missed', async () => {
    const [writer, reader] = [await open(placeAt(cluster.servers)), await open(placeAt(cluster.servers))]
    await writer.store.ended.append(end('before the loss'))
    await hears(reader, 'before the loss')
    const lost = await cluster.holder('pas:ended')
    await lost.stop()
    await expect(writer.store.ended.append(end('refused'))).rejects.toMatchObject({ code: 'session.store-down' })
    await vi.waitFor(() => writer.store.ended.append(end('after the loss')), soon)
    await hears(reader, 'after the loss')
    await vi.waitFor(() => expect(reader.follower.fresh()).toBe(true), soon)
    await lost.start()
    await cluster.whole()
  })

  it('that loses one server serves what the others hold', async () => {
    const one = await open(placeAt(cluster.servers))
    const keys = Array.from({ length: 60 }, (_, nth) => `pas:{of-the-${nth}}:s`)
    for (const key of keys) await one.store.records.create(key, Buffer.alloc(40), 10 * minute)
    const lost = await cluster.holder(keys[0] as string)
    const elsewhere = (
      await Promise.all(keys.map(async key => ((await cluster.holder(key)) === lost ? [] : [key])))
    ).flat()
    lost.freeze()
    const reads = await Promise.all(elsewhere.map(key => one.store.records.read(key)))
    expect(reads.filter(read => read === null)).toEqual([])
    const from = performance.now()
    await expect(one.store.records.read(keys[0] as string)).rejects.toMatchObject({ code: 'session.store-down' })
    expect(performance.now() - from).toBeLessThan(promised(1_200))
    // Its replica takes over, and may not know what its master had confirmed last.
    await vi.waitFor(async () => expect(await one.store.records.read(keys[0] as string)).not.toBeNull(), soon)
    await vi.waitFor(() => expect(one.heard.map(({ kind }) => kind)).toContain('lost'), soon)
    lost.thaw()
    await cluster.whole()
  })
})

describe('a Redis behind sentinels', () => {
  let redis: RedisSentinel
  let place: RedisPlace
  beforeEach(async () => {
    redis = await startRedisSentinel()
    place = { ...nowhere, kind: 'sentinels', servers: redis.sentinels, master: redis.master }
  })
  afterEach(() => redis.close())

  it('that fails over is found again, with its sessions, and ends are heard', async () => {
    const [writer, reader] = [await open(place), await open(place)]
    await writer.store.records.create('pas:{a}:s', Buffer.from('x'.repeat(40)), 10 * minute)
    await redis.servers[0].admin.call('WAIT', 1, 1_000)
    await redis.servers[0].stop()
    await vi.waitFor(async () => expect(await writer.store.records.read('pas:{a}:s')).not.toBeNull(), soon)
    await vi.waitFor(() => writer.store.ended.append(end('after')), soon)
    await hears(reader, 'after')
    await vi.waitFor(() => expect(reader.follower.fresh()).toBe(true), soon)
    expect(namesOf(writer)).toEqual(expect.arrayContaining(['store.up', 'store.down']))
  })

  it('is started without: nothing waits for the sentinels, and it is found when they come', async () => {
    const [sentinel] = redis.sentinels as [{ host: string; port: number }]
    const nobody = { host: '127.0.0.1', port: 1 }
    const from = performance.now()
    const alone = await open({ ...place, servers: [nobody] })
    expect(performance.now() - from).toBeLessThan(promised(2_000))
    expect(namesOf(alone)).toEqual(['store.down'])
    expect(await alone.store.reachable()).toBe(false)
    const one = await open({ ...place, servers: [nobody, sentinel] })
    await vi.waitFor(async () => expect(await one.store.reachable()).toBe(true), soon)
  })

  it('whose replica does not follow has each end that is at risk told', async () => {
    const one = await open(place)
    const outcomes = () =>
      one.events.flatMap(event => (event.name === 'session.end-replicated' ? [event.confirmed] : []))
    await one.store.ended.append(end('replicated'))
    await vi.waitFor(() => expect(outcomes()).toEqual([true]), soon)
    redis.servers[1].freeze()
    const from = performance.now()
    await one.store.ended.append(end('at risk'))
    // Nobody waits for it.
    expect(performance.now() - from).toBeLessThan(100)
    await vi.waitFor(() => expect(outcomes()).toEqual([true, false]), soon)
    redis.servers[1].thaw()
  })
})

describe('TLS', () => {
  const tls = selfSigned(['redis.example.org'])
  const ca = { ca: tls.certificate, serverName: 'redis.example.org' }
  const works = async (place: RedisPlace) => {
    const [one, other] = [await open(place), await open(place)]
    await vi.waitFor(async () => expect(await one.store.reachable()).toBe(true), soon)
    expect(await one.store.records.create('pas:{a}:s', Buffer.alloc(40), minute)).toBe(true)
    expect(await other.store.records.take('pas:{a}:s', 'pas:{a}:v')).not.toBeNull()
    await one.store.ended.append(end('over TLS'))
    await hears(other, 'over TLS')
  }

  it('is spoken with every server of a cluster, by a user who may do no more than the guide says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-tls-'))
    const bus = await freePort()
    const cluster = [
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      `${bus}`,
      '--tls-cluster',
      'yes',
      '--dir',
      folder,
      '--cluster-announce-ip',
      '127.0.0.1',
    ]
    const server = await startRedis({ tls, serverName: 'redis.example.org', more: () => cluster })
    await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await vi.waitFor(async () => expect(await server.admin.cluster('INFO')).toContain('cluster_state:ok'), soon)
    const rights = '+@read +@write +@scripting +time +wait -@dangerous +info +cluster|slots +cluster|info'.split(' ')
    await server.admin.acl('SETUSER', 'passerelle', 'on', '>of-the-gateway', '~pas:*', '-@all', ...rights)
    const servers = [{ host: '127.0.0.1', port: server.port }]
    const user = { username: 'passerelle', password: 'of-the-gateway' }
    await works({ ...nowhere, ...user, kind: 'cluster', servers, tls: ca })
    const stranger = await open({ ...nowhere, ...user, kind: 'cluster', servers, tls: { ca: null, serverName: null } })
    expect(await stranger.store.reachable()).toBe(false)
    await server.close()
    await rm(folder, { recursive: true })
  })

  it('is spoken with sentinels and with the server that they name', async () => {
    const redis = await startRedisSentinel({ tls, serverName: 'redis.example.org' })
    await works({ ...nowhere, kind: 'sentinels', servers: redis.sentinels, master: redis.master, tls: ca })
    await redis.close()
  })
})

describe('a Redis without replicas', () => {
  it('says nothing of replicas', async () => {
    const server = await startRedis()
    const one = await open(serverAt(new Secret(server.url)))
    const commands: string[] = []
    const monitor = await server.admin.monitor()
    monitor.on('monitor', (_time, [name]: readonly string[]) => commands.push(String(name).toLowerCase()))
    await one.store.ended.append(end('a'))
    await vi.waitFor(() => expect(commands).toContain('info'), soon)
    // Behind whatever the answer to that led to.
    expect(await one.store.reachable()).toBe(true)
    await one.store.ended.append(end('b'))
    await vi.waitFor(() => expect(commands.filter(name => name === 'xadd')).toHaveLength(2), soon)
    expect(namesOf(one)).toEqual(['store.up'])
    expect(commands).not.toContain('wait')
    monitor.disconnect()
    await server.close()
  })
})
