/** The store in Redis, for tests of what it answers: a busy machine may keep a server waiting for longer than people would be. */
import type { Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import type { RedisPlace } from '../../src/session/redis-place.ts'
import { until } from './measure.ts'

/** Resolves when it answers: the first attempt to connect may be too late for a cluster that has just begun. */
export async function openPatiently(place: RedisPlace): Promise<Store> {
  const store = await createRedisStore({ place, report: () => {}, commandTimeoutMs: 15_000 })
  await until('the store', store.reachable, 15_000)
  return store
}
