/** Page state through the real express, express-session and connect-redis, over both stores. */
import { createServer, type Server } from 'node:http'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import type { PageStore, Store } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createPageClient, type Pages } from '../../src/session/page-client.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { createKeys } from '../../src/session/seal.ts'
import { type SettableClock, settableClock } from '../stand-in/clock.ts'
import { openPatiently } from '../stand-in/patient-store.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

declare module 'express-session' {
  interface SessionData {
    word: string
  }
}

const keys = createKeys([new Secret('a secret of the page state, long enough')])
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const stores: readonly (readonly [string, () => Promise<Store>])[] = [
  ['memory', async () => createMemoryStore({ now: Date.now })],
  ['Redis', () => openPatiently(serverAt(new Secret(redis.url)))],
]

for (const [name, open] of stores) {
  describe(`page state in the ${name} store`, () => {
    let store: Store
    let clock: SettableClock
    let seen: Seen
    let portal: Portal

    beforeEach(async () => {
      store = await open()
      clock = settableClock()
      seen = watched(store.pages)
      portal = await startPortal(createPageClient(seen.pages, keys, clock.now))
    })
    afterEach(async () => {
      await portal.close()
      await store.close()
    })

    it('is there again at the next request', async () => {
      const cookie = await portal.cookieAfter('/put/first')
      expect(await portal.text('/word', cookie)).toBe('first')
      await portal.text('/put/second', cookie)
      expect(await portal.text('/word', cookie)).toBe('second')
    })

    it('is not made for a browser that needs none', async () => {
      expect(await portal.text('/word', null)).toBe('nothing')
      expect(seen.keys).toEqual(new Set())
    })

    it('that was destroyed is not written back by a request that ends later (SE-05)', async () => {
      const cookie = await portal.cookieAfter('/put/first')
      const slow = portal.text('/put-slowly/late', cookie)
      await portal.slowArrived()
      await portal.text('/destroy', cookie)
      portal.releaseSlow()
      await slow
      expect(await portal.text('/word', cookie)).toBe('nothing')
      for (const key of seen.keys) expect(await store.pages.get(key)).toBeNull()
    })

    it('gets a new id at regenerate(), and the old one stays dead', async () => {
      const old = await portal.cookieAfter('/put/first')
      const slow = portal.text('/put-slowly/late', old)
      await portal.slowArrived()
      const fresh = await portal.cookieAfter('/regenerate', old)
      portal.releaseSlow()
      await slow
      expect(await portal.text('/word', fresh)).toBe('regenerated')
      expect(await portal.text('/word', old)).toBe('nothing')
    })

    it('is not created under an id that a browser brings', async () => {
      const pages = createPageClient(store.pages, keys, clock.now)
      await pages.client.set('an-id-that-somebody-planted', '{}', 'EX', 60)
      expect(await pages.client.get('an-id-that-somebody-planted')).toBeNull()
      expect(await pages.client.expire('an-id-that-somebody-planted', 60)).toBe(1)
      expect(await pages.client.get('an-id-that-somebody-planted')).toBeNull()
    })

    it('is created within a minute after its id was made, once', async () => {
      const { client, genid } = createPageClient(store.pages, keys, clock.now)
      const [late, twice] = [genid(), genid()]
      await client.set(twice, '"first"', 'EX', 60)
      await client.del([twice])
      await client.set(twice, '"again"', 'EX', 60)
      expect(await client.get(twice)).toBeNull()
      clock.advance(60_000)
      await client.set(late, '{}', 'EX', 60)
      expect(await client.get(late)).toBeNull()
    })

    it('is not created after its new id was destroyed', async () => {
      const { client, genid } = createPageClient(store.pages, keys, clock.now)
      const id = genid()
      await client.del([id])
      await client.set(id, '{}', 'EX', 60)
      expect(await client.get(id)).toBeNull()
    })

    it('that another process destroyed is not written back by the one that made it', async () => {
      const here = createPageClient(store.pages, keys, clock.now)
      const there = createPageClient(store.pages, keys, clock.now)
      const id = here.genid()
      await here.client.set(id, '"made here"', 'EX', 60)
      await there.client.del([id])
      await here.client.set(id, '"late"', 'EX', 60)
      expect(await here.client.get(id)).toBeNull()
    })

    it('that another process made is updated', async () => {
      const here = createPageClient(store.pages, keys, clock.now)
      const there = createPageClient(store.pages, keys, clock.now)
      const id = there.genid()
      await there.client.set(id, '"made there"', 'EX', 60)
      await here.client.set(id, '"updated here"', 'EX', 60)
      expect(await there.client.get(id)).toBe('"updated here"')
    })

    it('names no id in its key and shows nothing of what it holds', async () => {
      const cookie = await portal.cookieAfter('/put/confidential')
      const id = /s%3A([\w-]{43})/.exec(cookie)?.[1] ?? 'no id'
      expect(id).toHaveLength(43)
      const [key] = seen.keys
      expect(key).toMatch(/^pas:f:[\w-]{43}$/)
      expect(key).not.toContain(id)
      const sealed = await store.pages.get(key as string)
      expect(sealed?.includes('confidential')).toBe(false)
      expect(sealed?.includes(id)).toBe(false)
    })

    it('that does not open is none: altered, copied from another, or under a secret that is gone', async () => {
      const { client, genid } = createPageClient(seen.pages, keys, clock.now)
      const [mine, other] = [genid(), genid()]
      await client.set(mine, '"mine"', 'EX', 60)
      await client.set(other, '"other"', 'EX', 60)
      const [mineKey, otherKey] = seen.keys as unknown as Iterable<string>
      const copied = (await store.pages.get(otherKey as string)) as Buffer
      await store.pages.set(mineKey as string, copied, 60_000, false)
      expect(await client.get(mine)).toBeNull()
      await store.pages.set(mineKey as string, Buffer.from('rubbish'), 60_000, false)
      expect(await client.get(mine)).toBeNull()
      const later = createPageClient(
        store.pages,
        createKeys([new Secret('another secret, after the rotation')]),
        clock.now,
      )
      expect(await later.client.get(other)).toBeNull()
      expect(await client.get(other)).toBe('"other"')
    })

    it('lives an hour at most, whatever express-session says', async () => {
      await portal.cookieAfter('/put/first')
      expect(seen.lives).toEqual([60 * 60_000])
    })

    it('holds at most 4 KB', async () => {
      const { client, genid } = createPageClient(store.pages, keys, clock.now)
      const id = genid()
      await client.set(id, 'x'.repeat(4096), 'EX', 60)
      expect(await client.get(id)).toHaveLength(4096)
      await expect(client.set(id, 'é'.repeat(2049), 'EX', 60)).rejects.toMatchObject({ code: 'internal' })
    })
  })
}

describe('the ids of page state', () => {
  it('are 256 random bits, and those that nobody wrote are not remembered for ever', async () => {
    const clock = settableClock()
    const store = createMemoryStore({ now: clock.now })
    const { client, genid } = createPageClient(store.pages, keys, clock.now)
    const first = genid()
    expect(first).toMatch(/^[\w-]{43}$/)
    for (let each = 0; each < 20_000; each++) genid()
    await client.set(first, '{}', 'EX', 60)
    expect(await client.get(first)).toBeNull()
    await store.close()
  })
})

interface Seen {
  readonly pages: PageStore
  readonly keys: Set<string>
  readonly lives: number[]
}

/** The store, and what is written to it. */
function watched(pages: PageStore): Seen {
  const seen = { keys: new Set<string>(), lives: [] as number[] }
  return {
    ...seen,
    pages: {
      ...pages,
      async set(key, value, lifeMs, create) {
        seen.keys.add(key)
        seen.lives.push(lifeMs)
        await pages.set(key, value, lifeMs, create)
      },
    },
  }
}

interface Portal {
  readonly text: (path: string, cookie: string | null) => Promise<string>
  readonly cookieAfter: (path: string, cookie?: string) => Promise<string>
  /** When a request to /put-slowly has read its state and waits. */
  readonly slowArrived: () => Promise<void>
  readonly releaseSlow: () => void
  readonly close: () => Promise<void>
}

async function startPortal({ client, genid }: Pages): Promise<Portal> {
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const app = express()
  app.use(
    session({
      name: 'form',
      secret: 'for the signature of the cookie only',
      store: new RedisStore({ client, prefix: '' }),
      genid,
      resave: false,
      saveUninitialized: false,
    }),
  )
  app.get('/word', (request, response) => response.send(request.session.word ?? 'nothing'))
  app.get('/put/:word', (request, response) => {
    request.session.word = request.params.word
    response.send('put')
  })
  app.get('/put-slowly/:word', async (request, response) => {
    request.session.word = request.params.word
    arrived.resolve()
    await released.promise
    response.send('put')
  })
  app.get('/destroy', (request, response) => request.session.destroy(() => response.send('destroyed')))
  app.get('/regenerate', (request, response) => {
    request.session.regenerate(() => {
      request.session.word = 'regenerated'
      response.send('regenerated')
    })
  })
  const server: Server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }

  const ask = (path: string, cookie: string | null) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: cookie === null ? {} : { cookie } })

  return {
    text: async (path, cookie) => (await ask(path, cookie)).text(),
    async cookieAfter(path, cookie) {
      const response = await ask(path, cookie ?? null)
      return response.headers.get('set-cookie')?.split(';')[0] ?? 'no cookie'
    },
    slowArrived: () => arrived.promise,
    releaseSlow: () => released.resolve(),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
