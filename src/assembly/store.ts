/** Which store the operator chose. */
import type { Settings } from '../config/schema.ts'
import type { GatewayEvent } from '../model/event.ts'
import type { Store } from '../model/store.ts'
import { createMemoryStore } from '../session/memory.ts'
import { createRedisStore } from '../session/redis.ts'
import { placeOf } from '../session/redis-place.ts'

export function openStore(
  settings: Settings,
  now: () => number,
  report: (event: GatewayEvent) => void,
): Promise<Store> | Store {
  const { store } = settings.session
  switch (store.kind) {
    case 'memory':
      return createMemoryStore({ now, limit: store.limit })
    case 'redis':
      return createRedisStore({ place: placeOf(store, settings.outbound.ca), report })
  }
}
