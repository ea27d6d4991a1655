/** A real Redis with a replica, watched by three real sentinels, all on the loopback. */
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Certificate } from './certificate.ts'
import { until } from './measure.ts'
import { freePort } from './ports.ts'
import { type RedisServer, spawnRedis, startRedis, writtenDown } from './redis.ts'

export interface RedisSentinel {
  /** The master of the beginning, and its replica. */
  readonly servers: readonly [RedisServer, RedisServer]
  /** YAML keys of `session.store`, without braces. */
  readonly yaml: string
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  readonly master: 'sessions'
  /** Whom the sentinels name at this moment. */
  readonly current: () => Promise<RedisServer>
  /** Resolves when the sentinels name the other one. */
  readonly failedOver: (from: RedisServer) => Promise<RedisServer>
  readonly close: () => Promise<void>
}

const name = 'sessions'

/** Sentinels that were held up for two seconds do nothing for thirty (TILT mode). */
const withinMs = 60_000

/** @param secured all of them speak TLS only, and the certificate bears this name */
export async function startRedisSentinel(
  secured: { readonly tls: Certificate; readonly serverName: string } | null = null,
): Promise<RedisSentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
  const files = secured === null ? null : await writtenDown(secured.tls)
  const replication = secured === null ? [] : ['--tls-replication', 'yes']
  const more = () => ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5', '--dir', folder, ...replication]
  const first = await startRedis({ ...secured, more })
  const second = await startRedis({ ...secured, more: () => [...more(), '--replicaof', `127.0.0.1 ${first.port}`] })
  const servers = [first, second] as const
  await until('the replica follows', async () => (await first.admin.info('replication')).includes('state=online'))

  const processes: ChildProcess[] = []
  const sentinels: { host: string; port: number }[] = []
  for (let nth = 0; nth < 3; nth++) {
    const port = await freePort()
    const file = join(folder, `sentinel-${port}.conf`)
    const lines = [
      ...(files === null
        ? [`port ${port}`]
        : [
            'port 0',
            `tls-port ${port}`,
            'tls-auth-clients no',
            'tls-replication yes',
            `tls-cert-file ${join(files, 'cert.pem')}`,
            `tls-key-file ${join(files, 'key.pem')}`,
            `tls-ca-cert-file ${join(files, 'cert.pem')}`,
          ]),
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
      // A machine that does nothing for a second does not look like a master that is gone.
      `sentinel down-after-milliseconds ${name} 1500`,
      `sentinel failover-timeout ${name} 2000`,
    ]
    await writeFile(file, `${lines.join('\n')}\n`)
    processes.push(await spawnRedis([file, '--sentinel'], '+monitor'))
    sentinels.push({ host: '127.0.0.1', port })
  }
  const trusted = secured === null ? {} : { tls: { ca: secured.tls.certificate, servername: secured.serverName } }
  const askers = sentinels.map(({ port }) => new Redis({ port, host: '127.0.0.1', ...trusted }))
  await until(
    'the sentinels know one another and the replica',
    async () => {
      const told = await Promise.all(askers.map(asker => asker.info('sentinel')))
      return told.every(text => text.includes('slaves=1') && text.includes('sentinels=3'))
    },
    withinMs,
  )

  async function current(): Promise<RedisServer> {
    const named = (await askers[0]?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as [string, string]
    return servers.find(({ port }) => port === Number(named[1])) ?? first
  }

  return {
    servers,
    sentinels,
    master: name,
    yaml: `sentinels: [${sentinels.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}], master: ${name}`,
    current,

    async failedOver(from) {
      await until('the sentinels name the other one', async () => (await current()) !== from, withinMs)
      const to = await current()
      await until('it is a master', async () => (await to.admin.info('replication')).includes('role:master'), withinMs)
      return to
    },

    async close() {
      for (const asker of askers) asker.disconnect()
      await Promise.all(
        processes.map(
          child =>
            new Promise(resolve => {
              child.once('exit', resolve)
              child.kill('SIGKILL')
            }),
        ),
      )
      await Promise.all(servers.map(server => server.close()))
      for (const each of [folder, files]) if (each !== null) await rm(each, { recursive: true })
    },
  }
}
