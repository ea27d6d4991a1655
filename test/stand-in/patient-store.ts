/** The store in Redis, for tests of what it answers: a busy machine may keep a server waiting for longer than people would be. */
import type { Store } from '../../src/model/store.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import type { RedisPlace } from '../../src/session/redis-place.ts'

export function openPatiently(place: RedisPlace): Promise<Store> {
  return createRedisStore({ place, report: () => {}, commandTimeoutMs: 15_000 })
}
