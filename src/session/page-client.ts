/**
 * What connect-redis 8 is given as its Redis, over either store: express-session's page state, and nothing else, goes
 * through here (SESSIONS A4). express-session writes a whole state back when an answer ends, also one that was destroyed
 * meanwhile; here a write creates only what genid() made just now and nobody wrote yet, so nothing comes back to life.
 */
import { createHash, randomBytes } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { PageStore } from '../model/store.ts'
import type { Keys } from './seal.ts'

/**
 * The calls that express-session's own work makes of connect-redis, in ioredis' form. Listing (`scan`, `mget`) is absent:
 * our keys are hashes, no list of ids can be had from them, and whoever asks for one gets an error.
 */
export interface PageClient {
  readonly get: (id: string) => Promise<string | null>
  readonly set: (id: string, value: string, unit: 'EX', seconds: number) => Promise<'OK'>
  readonly expire: (id: string, seconds: number) => Promise<number>
  readonly del: (ids: readonly string[]) => Promise<number>
}

export interface Pages {
  /** For `new RedisStore({ client, prefix: '' })`: with a prefix, no id would be one that genid() made. */
  readonly client: PageClient
  /** For express-session's `genid`: 256 random bits, base64url, 43 characters. */
  readonly genid: () => string
}

/** Milliseconds (SESSIONS C2); also where express-session would keep it longer. */
const longestLife = 60 * 60_000
/** Bytes. A form token, the chooser's place and a few messages need a tenth. */
const longestValue = 4 * 1024
/** Milliseconds in which a new id may be written for the first time. */
const createWithin = 60_000
/** New ids remembered at most; many requests make one and never write it. */
const newIdsLimit = 20_000

/** @param now milliseconds since the epoch */
export function createPageClient(pages: PageStore, keys: Keys, now: () => number): Pages {
  /** Ids of genid() that were not written yet, with the time they were made, oldest first. */
  const newIds = new Map<string, number>()

  return {
    genid() {
      forgetOldIds()
      const id = randomBytes(32).toString('base64url')
      newIds.set(id, now())
      return id
    },

    client: {
      async get(id) {
        const key = keyOf(id)
        const sealed = await pages.get(key)
        const opened = sealed === null ? null : keys.open(key, sealed)
        return opened === null ? null : opened.plain.toString('utf8')
      },

      async set(id, value, _unit, seconds) {
        const plain = Buffer.from(value, 'utf8')
        if (plain.length > longestValue) {
          throw new GatewayError('internal', `a page state of ${plain.length} bytes; ${longestValue} are the limit`)
        }
        const madeAt = newIds.get(id)
        // Forgotten before the store is asked: a second write, and one after a destroy, can only update.
        newIds.delete(id)
        const create = madeAt !== undefined && now() - madeAt < createWithin
        const key = keyOf(id)
        await pages.set(key, keys.seal(key, 0, plain), life(seconds), create)
        return 'OK'
      },

      async expire(id, seconds) {
        await pages.touch(keyOf(id), life(seconds))
        return 1
      },

      async del(ids) {
        for (const id of ids) newIds.delete(id)
        await Promise.all(ids.map(id => pages.drop(keyOf(id))))
        return ids.length
      },
    },
  }

  function forgetOldIds(): void {
    const before = now() - createWithin
    for (const [id, madeAt] of newIds) {
      if (madeAt > before && newIds.size < newIdsLimit) return
      newIds.delete(id)
    }
  }
}

/** Whatever the cookie held is hashed before it becomes a key; the id itself stands nowhere in the store. */
function keyOf(id: string): string {
  return `pas:f:${createHash('sha256').update(id).digest('base64url')}`
}

function life(seconds: number): number {
  return Math.min(seconds * 1_000, longestLife)
}
