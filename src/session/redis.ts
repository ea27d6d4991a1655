/**
 * The store in Redis: shared, so more than one process may serve the same sessions. The only file that knows ioredis.
 * Nothing waits for Redis: a command that has no connection fails at once, one without an answer after its deadline, and
 * a gateway starts without Redis and finds it when it comes. Keys and layout: docs/sessions.md C2; faults: A4.
 */
import { Redis } from 'ioredis'
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { Secret } from '../model/secret.ts'
import type { Entered, Store } from '../model/store.ts'
import { createFollowers } from './ended-log.ts'
import { readRedisAddress } from './redis-address.ts'
import { scripts } from './redis-scripts.ts'

export interface RedisStoreOptions {
  /** redis://host:port/db, or rediss:// for TLS. May hold a user and a password, which `username` and `password` override. */
  readonly url: Secret
  /** An ACL user; null: the URL's, or none. */
  readonly username: string | null
  readonly password: Secret | null
  readonly report: Report
  /** Milliseconds until a command without an answer is a failure. */
  readonly commandTimeoutMs?: number
}

const endedKey = 'pas:ended'
/** About how many ends the log keeps: far more than a process can miss between two reads. */
const endedLength = 100_000
/** Keys that one SCAN looks at: under a millisecond of Redis' one thread. */
const scanBatch = 1_000
/** Unanswered commands at most. Beyond, Redis is behind by more than waiting can mend. */
const unansweredLimit = 10_000
/** Milliseconds; with the longest pause between two attempts less than the 2 s in which a returned Redis must serve. */
const connectTimeoutMs = 1_000
const longestPauseMs = 800

/** What defineCommand adds. A name that ends in Buffer gives bytes, not text. */
interface Scripted {
  readRecordBuffer(record: string): Promise<[Buffer, number, number] | null>
  replaceRecord(record: string, visits: string, version: Buffer, value: Buffer, expiresAt: string): Promise<string>
  touchRecord(record: string, visits: string, expiresAt: number): Promise<number>
  takeRecordBuffer(record: string, visits: string): Promise<[Buffer, Buffer[]] | null>
  visitRecord(record: string, visits: string, member: string, limit: number): Promise<number>
  enterDirectory(key: string, member: string, expiresAt: number): Promise<number>
  enterLimited(key: string, member: string, expiresAt: number, limit: number, ...displaced: string[]): Promise<string[]>
}

/**
 * Resolves when the first attempt to connect has ended, well or not: Redis may be down, and comes later.
 * @throws GatewayError `session.store-down` the URL is not one of Redis
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { report, commandTimeoutMs = 500 } = options
  const address = readRedisAddress(options.url, options.username, options.password)
  const redis = new Redis({
    host: address.host,
    port: address.port,
    db: address.db,
    ...(address.tls ? { tls: {} } : {}),
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    connectionName: 'passerelle',
    disableClientInfo: true,
    scripts,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A connection that has been silent for so long is given up: what stands in its buffers goes with it.
    socketTimeout: 2 * commandTimeoutMs,
    disconnectTimeout: 200,
    maxLoadingRetryTime: commandTimeoutMs,
    retryStrategy: attempt => Math.min(longestPauseMs, 25 * 2 ** attempt) * (0.5 + Math.random() / 2),
    // A write to what is a replica now: the address may lead to the new master.
    reconnectOnError: error => error.message.startsWith('READONLY'),
    // Never sent twice: a GETDEL that was carried out before the connection broke would then find nothing.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  }) as Redis & Scripted
  const followers = createFollowers()
  const warned = new Set<string>()
  let state: 'unknown' | 'up' | 'down' = 'unknown'
  let problem = 'the first connection is not there yet'
  let closing = false
  let unanswered = 0

  redis.on('ready', () => {
    if (state !== 'up') report({ name: 'store.up' })
    state = 'up'
    warnOfSettings().catch(() => {})
  })
  redis.on('error', (error: Error) => lost(told(error)))
  redis.on('close', () => lost(state === 'up' ? 'the connection was closed' : problem))

  await new Promise<void>(resolve => {
    for (const event of ['ready', 'close', 'end']) redis.once(event, resolve)
  })

  return {
    once: {
      put: async (_kind, key, value, lifeMs) =>
        (await ask('SET NX', () => redis.set(key, value, 'PX', life(lifeMs), 'NX'))) === 'OK',
      peek: (_kind, key) => ask('GET', () => redis.getBuffer(key)),
      take: (_kind, key) => ask('GETDEL', () => redis.getdelBuffer(key)),
    },

    records: {
      create: async (key, value, lifeMs) =>
        (await ask('SET NX', () => redis.set(key, value, 'PX', life(lifeMs), 'NX'))) === 'OK',

      async read(key) {
        const read = await ask('GET', () => redis.readRecordBuffer(key))
        // Without an expiry it is not a record that we wrote.
        if (read === null || read[2] < 0) return null
        const [value, now, left] = read
        return { value, now, expiresAt: now + left }
      },

      clock: () =>
        ask('TIME', async () => {
          const [seconds, microseconds] = (await redis.time()).map(Number)
          return (seconds ?? 0) * 1000 + Math.floor((microseconds ?? 0) / 1000)
        }),

      async replace(key, version, value, expiresAt) {
        const read = Buffer.alloc(4)
        read.writeUInt32BE(version)
        const until = expiresAt === null ? '' : String(Math.floor(expiresAt))
        const outcome = await ask('replace', () => redis.replaceRecord(key, visitsOf(key), read, value, until))
        return outcome as 'replaced' | 'stale' | 'absent'
      },

      touch: async (key, expiresAt) =>
        (await ask('PEXPIREAT', () => redis.touchRecord(key, visitsOf(key), Math.floor(expiresAt)))) === 1,

      async take(key, visitsKey) {
        const taken = await ask('GETDEL', () => redis.takeRecordBuffer(key, visitsKey))
        return taken === null ? null : { value: taken[0], visits: taken[1].map(String) }
      },

      async visit(key, visitsKey, member, limit) {
        await ask('SADD', () => redis.visitRecord(key, visitsKey, member, limit))
      },

      async *scan() {
        let cursor = '0'
        do {
          const [next, found] = await ask('SCAN', () => redis.scan(cursor, 'MATCH', 'pas:{*}:s', 'COUNT', scanBatch))
          cursor = next
          if (found.length > 0) yield found
        } while (cursor !== '0')
      },

      // SCAN over the whole key space, only to draw a line: no.
      count: async () => null,
    },

    directory: {
      async add(key, member, expiresAt) {
        await ask('SADD', () => redis.enterDirectory(key, member, Math.floor(expiresAt)))
      },
      async enter(key, member, expiresAt, limit, displaced) {
        const [outcome, ...left] = await ask('SADD', () =>
          redis.enterLimited(key, member, Math.floor(expiresAt), limit, ...displaced),
        )
        return { outcome: outcome as Entered['outcome'], displaced: left }
      },
      members: key => ask('SMEMBERS', () => redis.smembers(key)),
      async remove(key, member) {
        await ask('SREM', () => redis.srem(key, member))
      },
    },

    tombstones: {
      async mark(key, value, lifeMs) {
        await ask('SET', () => redis.set(key, value, 'PX', life(lifeMs)))
      },
      marks: async keys => (keys.length === 0 ? [] : ask('MGET', () => redis.mget(...keys))),
    },

    ended: {
      async append({ kind, key, reason }) {
        try {
          // First here, whatever Redis says: an end is effective at once in the process that decided it.
          followers.tell({ kind, key, reason })
        } finally {
          const fields = ['kind', kind, 'key', key, 'reason', reason]
          await ask('XADD', () => redis.xadd(endedKey, 'MAXLEN', '~', endedLength, '*', ...fields))
        }
      },
      follow: followers.follow,
    },

    pages: {
      get: key => ask('GET', () => redis.getBuffer(key)),
      async set(key, value, lifeMs, create) {
        await ask('SET', () =>
          create ? redis.set(key, value, 'PX', life(lifeMs)) : redis.set(key, value, 'PX', life(lifeMs), 'XX'),
        )
      },
      async touch(key, lifeMs) {
        await ask('PEXPIRE', () => redis.pexpire(key, life(lifeMs)))
      },
      async drop(key) {
        await ask('DEL', () => redis.del(key))
      },
    },

    reachable: () =>
      ask('PING', () => redis.ping()).then(
        () => true,
        () => false,
      ),

    async close() {
      closing = true
      if (redis.status === 'ready') await redis.quit().catch(() => {})
      redis.disconnect()
    },
  }

  /** The one way to Redis: nothing waits without a connection, everything has its deadline, every failure is ours. */
  async function ask<Answer>(what: string, command: () => Promise<Answer>): Promise<Answer> {
    if (redis.status !== 'ready') throw failure(`no connection: ${problem}`)
    if (unanswered >= unansweredLimit) throw failure(`${what}: ${unansweredLimit} commands wait for an answer already`)
    unanswered++
    try {
      return await command()
    } catch (error) {
      throw failure(`${what}: ${told(error)}`)
    } finally {
      unanswered--
    }
  }

  /** No `cause`: ioredis hangs the command with its arguments on its errors, among them the password. */
  function failure(detail: string): GatewayError {
    return new GatewayError('session.store-down', `${address.shown}: ${detail}`)
  }

  function lost(why: string): void {
    problem = why
    if (closing || state === 'down') return
    state = 'down'
    report({ name: 'store.down', detail: `${address.shown}: ${why}` })
  }

  /** Asked at each connection, said once. A user who may not CONFIG GET has an operator who knows these settings. */
  async function warnOfSettings(): Promise<void> {
    const [policy, save, appendOnly] = await Promise.all(
      ['maxmemory-policy', 'save', 'appendonly'].map(async name => {
        const reply = (await redis.config('GET', name)) as string[]
        return reply[1] ?? null
      }),
    )
    if (policy != null && policy !== 'noeviction' && !policy.startsWith('volatile-')) {
      warn(
        `maxmemory-policy is ${policy}: when memory is short, sessions and the marks of ended ones may go; noeviction is right`,
      )
    }
    if (save === '' && appendOnly === 'no') {
      warn('neither appendonly nor save is on: a restart of Redis signs everybody out')
    }
  }

  function warn(detail: string): void {
    if (warned.has(detail)) return
    warned.add(detail)
    report({ name: 'store.warned', detail: `${address.shown}: ${detail}` })
  }
}

/** C2's name beside a record's: the set of visits lives and dies with it. */
function visitsOf(recordKey: string): string {
  return recordKey.replace(/:s$/, ':v')
}

/** PX takes whole milliseconds, at least one. */
function life(ms: number): number {
  return Math.max(1, Math.floor(ms))
}

/** What an error of ioredis, of the socket or of Redis says, in one short line and without what we had sent. */
function told(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(told).join('; ')
  if (!(error instanceof Error)) return 'unknown failure'
  // Redis repeats the arguments of a command that it does not know, and HELLO has the password among them.
  const said = error.message.replace(/,? with args beginning with.*/s, '')
  return said === '' ? error.name : said.slice(0, 200)
}
