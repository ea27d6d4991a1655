/** Which store the operator chose: for as long as the process lives. */
import type { Settings } from '../config/schema.ts'
import type { GatewayEvent } from '../model/event.ts'
import type { Store } from '../model/store.ts'
import { createMemoryStore } from '../session/memory.ts'
import { createRedisStore } from '../session/redis.ts'
import { placeOf } from '../session/redis-place.ts'

/** @param settings as they are at the moment: a reload may change the limit of the memory store */
export function openStore(
  settings: () => Settings,
  now: () => number,
  report: (event: GatewayEvent) => void,
): Promise<Store> | Store {
  const { session, outbound } = settings()
  const { store } = session
  switch (store.kind) {
    case 'memory': {
      let { limit } = store
      return createMemoryStore({
        now,
        get limit() {
          const current = settings().session.store
          if (current.kind === 'memory') limit = current.limit
          return limit
        },
      })
    }
    case 'redis':
      return createRedisStore({ place: placeOf(store, outbound.ca), report })
  }
}
