/**
 * The store in Redis: shared, so more than one process may serve the same sessions. Keys and layout: docs/sessions.md C2;
 * faults: A4. How it is reached: redis-connection.ts; its log of ends: redis-log.ts, followed as follow.ts says.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { Secret } from '../model/secret.ts'
import type { Entered, Store } from '../model/store.ts'
import { createFollowers } from './ended-log.ts'
import { startFollowing } from './follow.ts'
import { readRedisAddress } from './redis-address.ts'
import { connect, firstAttempt, isReply, told } from './redis-connection.ts'
import { createLogReader, writeLine } from './redis-log.ts'

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

/** Keys that one SCAN looks at: under a millisecond of Redis' one thread. */
const scanBatch = 1_000
/** Unanswered commands at most. Beyond, Redis is behind by more than waiting can mend. */
const unansweredLimit = 10_000
/** Milliseconds until a read of the log without an answer is a lost connection; one waits 400 for news. */
const logTimeoutMs = 900

/**
 * Resolves when the first attempt to connect has ended, well or not: Redis may be down, and comes later.
 * @throws GatewayError `session.store-down` the URL is not one of Redis
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { report, commandTimeoutMs = 500 } = options
  const address = readRedisAddress(options.url, options.username, options.password)
  const redis = connect(address, {
    name: 'passerelle',
    commandTimeoutMs,
    silenceMs: 2 * commandTimeoutMs,
    longestPauseMs: 800,
  })
  // A read that waits for news would hold up every command behind it.
  const logConnection = connect(address, {
    name: 'passerelle-log',
    commandTimeoutMs: logTimeoutMs,
    silenceMs: logTimeoutMs,
    longestPauseMs: 200,
  })
  const followers = createFollowers()
  const warned = new Set<string>()
  let state: 'unknown' | 'up' | 'down' = 'unknown'
  let problem = 'the first connection is not there yet'
  let closing = false
  let unanswered = 0
  /** The log was reached once. */
  let followed = false

  redis.on('ready', () => {
    if (state !== 'up') report({ name: 'store.up' })
    state = 'up'
    warnOfSettings().catch(() => {})
  })
  redis.on('error', (error: Error) => lost(told(error)))
  redis.on('close', () => lost(state === 'up' ? 'the connection was closed' : problem))

  logConnection.on('error', () => {
    // The other connection tells the same of the same Redis.
  })

  await Promise.all([firstAttempt(redis), firstAttempt(logConnection)])
  const following = startFollowing({
    reader: createLogReader(logConnection),
    hear(entry) {
      if (entry.kind === 'lost' && followed) report({ name: 'store.log-lost', detail: address.shown })
      followed = true
      followers.tell(entry)
    },
    failed(error) {
      if (isReply(error)) warn(`the log of ends cannot be read, so that each request asks Redis: ${told(error)}`)
    },
    monotonic: () => performance.now(),
  })
  await following.attempted

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
      async append(entry) {
        try {
          // First here, whatever Redis says: an end is effective at once in the process that decided it.
          followers.tell(entry)
        } finally {
          following.wrote(await ask('XADD', () => writeLine(redis, entry)))
        }
      },
      follow(hear) {
        const follower = followers.follow(hear)
        return { ...follower, fresh: () => following.fresh() && follower.fresh() }
      },
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
      await following.stop()
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
