/** Both stores sit the same examination: the one in the process with the test's clock, Redis with a real server. */
import { afterAll, describe } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createRedisStore } from '../../src/session/redis.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startRedis } from '../stand-in/redis.ts'
import { examine } from './contract.ts'
import type { Sitting } from './sitting.ts'

const cleanups: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup()
})

const stores: readonly (readonly [string, () => Promise<Sitting>])[] = [
  ['memory', sitWithMemory],
  ['Redis', sitWithRedis],
]

for (const [name, begin] of stores) describe(`the ${name} store`, () => examine(begin))

async function sitWithMemory(): Promise<Sitting> {
  const clock = settableClock()
  const store = createMemoryStore({ now: clock.now })
  cleanups.push(store.close)
  return { store, peer: null, now: async () => clock.now(), lapse: async ms => clock.advance(ms) }
}

async function sitWithRedis(): Promise<Sitting> {
  const server = await startRedis()
  cleanups.push(server.close)
  const open = async () => {
    const url = new Secret(server.url)
    const store = await createRedisStore({ url, username: null, password: null, report: () => {} })
    cleanups.push(store.close)
    return store
  }
  return {
    store: await open(),
    peer: await open(),
    async now() {
      const [seconds, micros] = await server.admin.time()
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
    },
    lapse: server.lapse,
  }
}
