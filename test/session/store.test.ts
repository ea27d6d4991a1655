/** Every store sits the same examination: the one in the process with the test's clock, Redis in all its kinds with real servers. */
import { afterAll, describe } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { type RedisPlace, serverAt } from '../../src/session/redis-place.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { settableClock } from '../stand-in/clock.ts'
import { openPatiently } from '../stand-in/patient-store.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startRedisCluster } from '../stand-in/redis-cluster.ts'
import { startRedisSentinel } from '../stand-in/redis-sentinel.ts'
import { examine } from './contract.ts'
import type { Sitting } from './sitting.ts'

const cleanups: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup()
})

const stores: readonly (readonly [string, () => Promise<Sitting>])[] = [
  ['memory', sitWithMemory],
  ['Redis', sitWithRedis],
  ['Redis over TLS, as an ACL user,', sitWithGuardedRedis],
  ['Redis Sentinel', sitWithSentinel],
  ['Redis Cluster', sitWithCluster],
]

for (const [name, begin] of stores) describe(`the ${name} store`, () => examine(begin))

async function sitWithMemory(): Promise<Sitting> {
  const clock = settableClock()
  const store = createMemoryStore({ now: clock.now })
  cleanups.push(store.close)
  return { store, peer: null, now: async () => clock.now(), lapse: async ms => clock.advance(ms) }
}

async function sitWithRedis(): Promise<Sitting> {
  const server = await startRedis()
  cleanups.push(server.close)
  return sitAt(serverAt(new Secret(server.url)), server, server.lapse)
}

async function sitWithGuardedRedis(): Promise<Sitting> {
  const tls = selfSigned(['localhost'])
  const server = await startRedis({ tls })
  cleanups.push(server.close)
  // What the guide gives away, and no more.
  const commands = '+@read +@write +@scripting +time +wait -@dangerous +info'.split(' ')
  await server.admin.acl('SETUSER', 'passerelle', 'on', '>of-the-gateway', '~pas:*', '-@all', ...commands)
  const place = serverAt(new Secret(server.url), 'passerelle', new Secret('of-the-gateway'))
  return sitAt({ ...place, tls: { ca: tls.certificate, serverName: 'localhost' } }, server, server.lapse)
}

async function sitWithSentinel(): Promise<Sitting> {
  const redis = await startRedisSentinel()
  cleanups.push(redis.close)
  const place = { ...nowhere, kind: 'sentinels', servers: redis.sentinels, master: redis.master } as const
  return sitAt(place, redis.servers[0], redis.servers[0].lapse)
}

async function sitWithCluster(): Promise<Sitting> {
  const cluster = await startRedisCluster()
  cleanups.push(cluster.close)
  const [first] = cluster.servers as [RedisServer]
  return sitAt(
    { ...nowhere, kind: 'cluster', servers: [{ host: '127.0.0.1', port: first.port }] },
    first,
    cluster.lapse,
  )
}

const nowhere = {
  ...serverAt(new Secret('redis://127.0.0.1')),
  shown: 'a Redis of the test',
}

async function sitAt(place: RedisPlace, { admin }: RedisServer, lapse: Sitting['lapse']): Promise<Sitting> {
  const open = async () => {
    const store = await openPatiently(place)
    cleanups.push(store.close)
    return store
  }
  return {
    store: await open(),
    peer: await open(),
    async now() {
      const [seconds, micros] = await admin.time()
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
    },
    lapse,
  }
}
