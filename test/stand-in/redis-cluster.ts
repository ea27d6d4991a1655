/** A real Redis Cluster on the loopback: three masters, with a replica each where asked for. Needs `redis-server` 7. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from 'ioredis'
import { until } from './measure.ts'
import { freePort } from './ports.ts'
import { type RedisServer, startRedis } from './redis.ts'

export interface RedisCluster {
  /** Masters first; the replica of each follows in the same order. */
  readonly servers: readonly RedisServer[]
  readonly admin: Cluster
  /** `[127.0.0.1:7001, …]`, as the configuration has it. */
  readonly yaml: string
  /** The server of the moment that holds this key. */
  readonly holder: (key: string) => Promise<RedisServer>
  /** Moves a slot with its keys to another master, as resharding does. */
  readonly move: (key: string) => Promise<void>
  /** Resolves when every server says that every slot is served. */
  readonly whole: () => Promise<unknown>
  readonly lapse: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
}

const slots = 16_384

export async function startRedisCluster({ replicas = false } = {}): Promise<RedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'))
  const buses = new Map<RedisServer, number>()
  const start = async () => {
    const bus = await freePort()
    const server = await startRedis({
      more: port => [
        ...['--cluster-enabled', 'yes', '--cluster-config-file', join(folder, `${port}.conf`)],
        // A machine that does nothing for a second does not look like a server that is lost.
        ...['--cluster-port', `${bus}`, '--cluster-node-timeout', '2500', '--dir', folder],
        // A replica of a master with few writes counts as up to date.
        ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
      ],
    })
    buses.set(server, bus)
    return server
  }
  const servers = await Promise.all(Array.from({ length: replicas ? 6 : 3 }, start))
  const masters = servers.slice(0, 3)
  const [first] = masters as [RedisServer]
  await Promise.all(
    masters.map(({ admin }, nth) => {
      const [from, to] = [nth, nth + 1].map(part => Math.floor((slots * part) / 3)) as [number, number]
      return admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to - 1)
    }),
  )
  for (const other of servers.slice(1))
    await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', other.port, buses.get(other) ?? 0)
  const about = async (server: RedisServer) => String(await server.admin.call('CLUSTER', 'INFO'))
  await until('every server knows every other one', async () => {
    const told = await Promise.all(servers.map(about))
    return told.every(text => text.includes(`cluster_known_nodes:${servers.length}`))
  })
  for (const [nth, replica] of servers.slice(3).entries()) {
    const id = String(await masters[nth]?.admin.call('CLUSTER', 'MYID'))
    await until('the replica knows its master', async () =>
      replica.admin.call('CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      ),
    )
  }
  const whole = () =>
    until('the cluster is whole', async () => {
      const told = await Promise.all(servers.map(about))
      return told.every(text => text.includes('cluster_state:ok'))
    })
  await whole()
  if (replicas)
    await until('the replicas follow', async () => {
      const states = await Promise.all(masters.map(({ admin }) => admin.info('replication')))
      return states.every(text => text.includes('state=online'))
    })

  const admin = new Cluster(
    masters.map(({ port }) => ({ host: '127.0.0.1', port })),
    { slotsRefreshInterval: 200 },
  )
  admin.on('error', () => {})

  const serverOf = (port: number) => {
    const found = servers.find(server => server.port === port)
    if (found === undefined) throw new Error(`no server at ${port}`)
    return found
  }

  async function holder(key: string): Promise<RedisServer> {
    const slot = await admin.cluster('KEYSLOT', key)
    const shards = (await admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const shard = shards.find(([from, to]) => from <= slot && slot <= to)
    return serverOf(shard?.[2][1] ?? 0)
  }

  return {
    servers,
    admin,
    yaml: `[${masters.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}]`,
    holder,

    async move(key) {
      const slot = await admin.cluster('KEYSLOT', key)
      const from = await holder(key)
      const to = masters.find(master => master !== from) as RedisServer
      const ids = await Promise.all([from, to].map(async server => String(await server.admin.call('CLUSTER', 'MYID'))))
      await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0] ?? '')
      await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1] ?? '')
      const left = async () => (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
      for (let keys = await left(); keys.length > 0; keys = await left()) {
        for (const each of keys) await from.admin.call('MIGRATE', '127.0.0.1', to.port, each, 0, 5_000)
      }
      for (const server of [to, ...masters.filter(master => master !== to)])
        await server.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1] ?? '')
    },

    whole,

    async lapse(ms) {
      await Promise.all(masters.map(master => master.lapse(ms)))
    },

    async close() {
      admin.disconnect()
      await Promise.all(servers.map(server => server.close()))
      await rm(folder, { recursive: true })
    },
  }
}
