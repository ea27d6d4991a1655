/**
 * The store in Redis: shared, so more than one process may serve the same sessions. Keys and layout: docs/sessions.md C2;
 * faults: A4. How it is reached: redis-connection.ts; its log of ends: redis-log.ts, followed as follow.ts says.
 */
import { GatewayError } from '../errors.ts'
import { Deadlines } from '../model/deadlines.ts'
import type { Report } from '../model/event.ts'
import type { Entered, Store } from '../model/store.ts'
import { createFollowers } from './ended-log.ts'
import { startFollowing } from './follow.ts'
import { cautionsOf } from './redis-cautions.ts'
import { connect, firstAttempt, isReply, mastersOf, onMastersChanged, onServerLost, told } from './redis-connection.ts'
import { createLogReader, logKey, readWithinMs, writeLine } from './redis-log.ts'
import type { RedisPlace } from './redis-place.ts'
import { createReplicaCheck } from './redis-replicas.ts'

export interface RedisStoreOptions {
  readonly place: RedisPlace
  readonly report: Report
  /** Milliseconds until a command without an answer is a failure. */
  readonly commandTimeoutMs?: number
}

/** Keys that one SCAN looks at: under a millisecond of Redis' one thread. */
const scanBatch = 1_000
/** Unanswered commands at most. Beyond, Redis is behind by more than waiting can mend. */
const unansweredLimit = 10_000

/** Resolves when the first attempt to connect has ended, well or not: Redis may be down, and comes later. */
export async function createRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { place, report, commandTimeoutMs = 500 } = options
  const deadlines = new Deadlines(commandTimeoutMs)
  const asWeAsk = { silenceMs: 2 * commandTimeoutMs, longestPauseMs: 800 }
  const redis = connect(place, { name: 'passerelle', ...asWeAsk })
  // A read that waits for news would hold up every command behind it.
  const logConnection = connect(place, { name: 'passerelle-log', silenceMs: readWithinMs, longestPauseMs: 200 })
  const replicas = createReplicaCheck(
    () => connect(place, { name: 'passerelle-wait', ...asWeAsk }),
    place.kind === 'cluster',
    report,
  )
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
    // Asked at each connection, said once.
    cautionsOf(redis).then(cautions => cautions.forEach(warn))
  })
  redis.on('error', (error: Error) => lost(told(error)))
  redis.on('close', () => lost(state === 'up' ? 'the connection was closed' : problem))

  logConnection.on('error', () => {
    // The other connection tells the same of the same Redis.
  })
  onServerLost(redis, error => {
    problem = told(error)
  })
  onMastersChanged(redis, () => {
    report({ name: 'store.log-lost', detail: `${place.shown}: another server has become a master` })
    followers.tell({ kind: 'lost', key: '', reason: 'another server of the cluster has become a master' })
  })

  await Promise.all([firstAttempt(redis), firstAttempt(logConnection)])
  const following = startFollowing({
    reader: createLogReader(logConnection),
    hear(entry) {
      if (entry.kind === 'lost' && followed) report({ name: 'store.log-lost', detail: place.shown })
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
        for (const master of mastersOf(redis)) {
          let cursor = '0'
          do {
            const from = cursor
            const [next, found] = await ask('SCAN', () => master.scan(from, 'MATCH', 'pas:{*}:s', 'COUNT', scanBatch))
            cursor = next
            if (found.length > 0) yield found
          } while (cursor !== '0')
        }
      },

      // The set never outlives its record.
      visits: (_key, visitsKey) => ask('SMEMBERS', () => redis.smembers(visitsKey)),

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
      marks: textsOf,
    },

    ended: {
      async append(entry) {
        try {
          // First here, whatever Redis says: an end is effective at once in the process that decided it.
          followers.tell(entry)
        } finally {
          following.wrote(await ask('XADD', () => writeLine(redis, entry)))
          if (entry.kind !== 'changed') replicas.ended(entry.kind === 'session' ? entry.key : null)
        }
      },
      follow(hear) {
        const follower = followers.follow(hear)
        return { ...follower, fresh: () => following.fresh() && follower.fresh() }
      },
    },

    counters: {
      raise: async (key, most) => (await ask('INCR', () => redis.raiseCounter(key, most))) === 1,
      counts: async keys => (await textsOf(keys)).map(Number),
      meter: (key, { stepMs, atOnce }, many) =>
        ask('SET', () => redis.meterRate(key, stepMs, (atOnce - 1) * stepMs, many)),
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

    // Not PING, which a server of a cluster answers that has lost the others.
    reachable: () =>
      ask('EXISTS', () => redis.exists(logKey)).then(
        () => true,
        () => false,
      ),

    async close() {
      closing = true
      replicas.close()
      await following.stop()
      if (redis.status === 'ready' && place.kind !== 'cluster') await deadlines.within(redis.quit()).catch(() => {})
      redis.disconnect()
    },
  }

  async function textsOf(keys: readonly string[]): Promise<readonly (string | null)[]> {
    if (keys.length === 0) return []
    // Of a cluster no two of them need be on one server.
    if (place.kind === 'cluster') return ask('GET', () => Promise.all(keys.map(key => redis.get(key))))
    return ask('MGET', () => redis.mget(...keys))
  }

  /** The one way to Redis: nothing waits without a connection, everything has its deadline, every failure is ours. */
  async function ask<Answer>(what: string, command: () => Promise<Answer>): Promise<Answer> {
    if (redis.status !== 'ready') throw failure(`no connection: ${problem}`)
    if (unanswered >= unansweredLimit) throw failure(`${what}: ${unansweredLimit} commands wait for an answer already`)
    unanswered++
    try {
      return await deadlines.within(command())
    } catch (error) {
      throw failure(`${what}: ${told(error)}`)
    } finally {
      unanswered--
    }
  }

  /** No `cause`: ioredis hangs the command with its arguments on its errors, among them the password. */
  function failure(detail: string): GatewayError {
    return new GatewayError('session.store-down', `${place.shown}: ${detail}`)
  }

  function lost(why: string): void {
    problem = why
    if (closing || state === 'down') return
    state = 'down'
    report({ name: 'store.down', detail: `${place.shown}: ${why}` })
  }

  function warn(detail: string): void {
    if (warned.has(detail)) return
    warned.add(detail)
    report({ name: 'store.warned', detail: `${place.shown}: ${detail}` })
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
