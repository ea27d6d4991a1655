/** A read that is under way while a session ends leaves nothing of it in the memory of a process (docs/sessions.md A4, C5.5). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import type { Follower, Store } from '../../src/model/store.ts'
import { SessionCache } from '../../src/session/cache.ts'
import { createMarks } from '../../src/session/marks.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { createResume } from '../../src/session/resume.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { makeSession } from '../stand-in/made-session.ts'
import { openPatiently } from '../stand-in/patient-store.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const keys = createKeys([new Secret('a secret for the races of reads and ends')])
const hour = 60 * 60_000
const scope = 'host:app.localhost'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const open = () => openPatiently(serverAt(new Secret(redis.url)))

/** Who ends, and who reads: of one process, and of two. */
const pairs: readonly (readonly [string, () => Promise<readonly [Store, Store]>])[] = [
  [
    'one process, in memory',
    async () => {
      const store = createMemoryStore({ now: Date.now })
      return [store, store]
    },
  ],
  ['two processes on one Redis', async () => [await open(), await open()]],
]

describe.each(pairs)('of 3,000 ends during a read, in %s,', (_, begin) => {
  let stores: readonly [Store, Store]
  let sessions: Sessions
  let follower: Follower
  const cache = new SessionCache(50_000)

  beforeAll(async () => {
    stores = await begin()
    sessions = createSessions({
      store: stores[0],
      keys,
      limits: { idleMs: hour, sharedIdleMs: hour, absoluteMs: 10 * hour },
      perPerson: null,
      hasIdp: () => true,
      recheck: null,
      now: Date.now,
      report: () => {},
      endedLate: () => {},
    })
    follower = stores[1].ended.follow(({ kind, key }) => {
      if (kind === 'session') cache.drop(key)
    })
  })
  afterAll(async () => {
    await follower.stop()
    await sessions.close()
    for (const store of new Set(stores)) await store.close()
  })

  it('none is left in the cache', async () => {
    const { records } = stores[1]
    let readAlive = 0
    const resume = createResume({
      // What is read takes a while to be opened.
      records: {
        ...records,
        async read(key) {
          const stored = await records.read(key)
          if (stored !== null) readAlive++
          await new Promise(resolve => setTimeout(resolve, Math.random() * 4))
          return stored
        },
      },
      keys,
      marks: createMarks({ tombstones: stores[1].tombstones, keys, lifeMs: hour, fresh: follower.fresh }),
      cache,
      follower,
      // Another rule, which must not hide this one: ends that were heard are refused whatever the cache holds.
      condemned: { has: () => false },
      idleMs: () => hour,
      hasIdp: () => true,
      recheck: null,
      now: Date.now,
      report: () => {},
    })
    const values: string[] = []
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const session = await makeSession(sessions, 'alice')
          const cookie = session.cookieOf('app.localhost')
          values.push(cookie.slice(cookie.indexOf('=') + 1))
          await Promise.all([resume.resume(cookie, scope, 'none'), sessions.end(session.id, 'user')])
        }),
      )
    }
    const last = await makeSession(sessions, 'alice')
    const heard = Promise.withResolvers<void>()
    const listener = stores[1].ended.follow(({ key }) => key === last.hash && heard.resolve())
    await sessions.end(last.id, 'user')
    await heard.promise
    await listener.stop()
    expect(values.filter(value => cache.get(scope, value) !== undefined)).toHaveLength(0)
    // Else the reads came after the ends, and there was no race.
    expect(readAlive).toBeGreaterThan(1_000)
    // So many take as long as they take: two seconds, or half a minute where others are at work.
  }, 120_000)
})
