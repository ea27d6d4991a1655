/**
 * The store inside the process: for one process, lost at restart. Same calls, same single use as Redis (SESSIONS C2).
 * Node runs one piece of JavaScript at a time, so each method below is one indivisible step, as a Lua script is in Redis.
 */
import { setImmediate } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import { type OnceKind, recordVersionOffset, type Store } from '../model/store.ts'
import { createFollowers } from './ended-log.ts'
import { createMeters } from './memory-meters.ts'
import { Shelf } from './shelf.ts'

export interface MemoryStoreOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /**
   * Sessions at most; none is ever dropped for another. Page states at most too; of those the oldest go. Read at each use: a
   * reload changes it.
   */
  readonly limit?: number
  /** Values of each once-kind at most; the oldest go. */
  readonly onceLimit?: number
}

interface Live {
  readonly value: Buffer
  /** Lives and dies with the record, as the second key does in Redis. */
  readonly visits: Set<string>
}

/** Bytes of each once-kind at most: ten thousand replies of 256 KiB put aside would be 2.6 GB. */
const onceBytes = 64 * 1024 * 1024
const sweepEveryMs = 5_000
/** Entries of each shelf in one sweep: about a millisecond. */
const sweepAtMost = 20_000
/** Keys in one batch of a scan. */
const scanBatch = 1_000
/** A full store does not walk all its sessions for each of a thousand sign-ins a second. */
const fullSweepEveryMs = 1_000

export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { now, onceLimit = 10_000 } = options
  const mostSessions = () => options.limit ?? 50_000
  const once: Record<OnceKind, Shelf<Buffer>> = {
    p: onceShelf(now),
    a: onceShelf(now),
    r: onceShelf(now),
    t: onceShelf(now),
    o: onceShelf(now),
    j: onceShelf(now),
  }
  const records = new Shelf<Live>(now)
  const directory = new Shelf<Set<string>>(now)
  const tombstones = new Shelf<string>(now)
  const pages = new Shelf<Buffer>(now)
  const counters = new Map<string, number>()
  const meters = createMeters(now)
  const followers = createFollowers()
  let fullSweepAt = Number.NEGATIVE_INFINITY

  const sweep = setInterval(() => {
    for (const shelf of [...Object.values(once), records, directory, tombstones, pages]) shelf.sweep(sweepAtMost)
  }, sweepEveryMs)
  sweep.unref()

  return {
    once: {
      async put(kind, key, value, lifeMs) {
        const shelf = once[kind]
        if (shelf.get(key) !== null) return false
        while (shelf.size > 0 && (shelf.size >= onceLimit || shelf.weight + value.length > onceBytes)) {
          shelf.dropOldest()
        }
        shelf.put(key, Buffer.from(value), now() + lifeMs)
        return true
      },
      peek: async (kind, key) => copyOf(once[kind].get(key)?.value),
      async take(kind, key) {
        const kept = once[kind].get(key)
        once[kind].delete(key)
        return kept === null ? null : kept.value
      },
    },

    records: {
      async create(key, value, lifeMs) {
        if (records.get(key) !== null) return false
        makeRoom()
        records.put(key, { value: Buffer.from(value), visits: new Set() }, now() + lifeMs)
        return true
      },
      async read(key) {
        const kept = records.get(key)
        if (kept === null) return null
        return { value: Buffer.from(kept.value.value), now: now(), expiresAt: kept.expiresAt }
      },
      clock: async () => now(),

      async replace(key, version, value, expiresAt) {
        const kept = records.get(key)
        if (kept === null) return 'absent'
        if (versionOf(kept.value.value) !== version) return 'stale'
        records.put(key, { ...kept.value, value: Buffer.from(value) }, expiresAt ?? kept.expiresAt)
        return 'replaced'
      },
      async touch(key, expiresAt) {
        const kept = records.get(key)
        if (kept === null) return false
        records.put(key, kept.value, expiresAt)
        return true
      },
      async take(key) {
        const kept = records.get(key)
        records.delete(key)
        return kept === null ? null : { value: kept.value.value, visits: [...kept.value.visits] }
      },
      async visit(key, _visitsKey, member, atMost) {
        const visits = records.get(key)?.value.visits
        if (visits !== undefined && visits.size < atMost) visits.add(member)
      },
      async *scan() {
        let batch: string[] = []
        // A record that is written to meanwhile moves to the end of the shelf, and is met there.
        for (const key of records.keys()) {
          batch.push(key)
          if (batch.length < scanBatch) continue
          yield batch
          batch = []
          await setImmediate()
        }
        if (batch.length > 0) yield batch
      },
      visits: async key => [...(records.get(key)?.value.visits ?? [])],
      count: async () => records.live(),
    },

    directory: {
      async add(key, member, expiresAt) {
        const kept = directory.get(key)
        const members = kept?.value ?? new Set()
        members.add(member)
        directory.put(key, members, Math.max(expiresAt, kept?.expiresAt ?? expiresAt))
      },
      async enter(key, member, expiresAt, limit, displaced) {
        const kept = directory.get(key)
        const members = kept?.value ?? new Set()
        if (members.has(member)) return { outcome: 'known', displaced: [] }
        const need = members.size - limit + 1
        const leaving = displaced.filter(one => members.has(one)).slice(0, Math.max(0, need))
        if (leaving.length < need) return { outcome: 'full', displaced: [] }
        for (const one of leaving) members.delete(one)
        members.add(member)
        directory.put(key, members, Math.max(expiresAt, kept?.expiresAt ?? expiresAt))
        return { outcome: 'entered', displaced: leaving }
      },
      members: async key => [...(directory.get(key)?.value ?? [])],
      async remove(key, member) {
        const members = directory.get(key)?.value
        members?.delete(member)
        if (members?.size === 0) directory.delete(key)
      },
    },

    tombstones: {
      mark: async (key, value, lifeMs) => tombstones.put(key, value, now() + lifeMs),
      marks: async keys => keys.map(key => tombstones.get(key)?.value ?? null),
    },

    ended: {
      append: async entry => followers.tell(entry),
      follow: followers.follow,
    },

    counters: {
      async raise(key, most) {
        const count = counters.get(key) ?? 0
        if (count < most) counters.set(key, count + 1)
        return count < most
      },
      counts: async keys => keys.map(key => counters.get(key) ?? 0),
      meter: async (key, rate, many) => meters(key, rate, many),
    },

    pages: {
      get: async key => copyOf(pages.get(key)?.value),
      async set(key, value, lifeMs, create) {
        if (pages.get(key) === null) {
          if (!create) return
          while (pages.size > 0 && pages.size >= mostSessions()) pages.dropOldest()
        }
        pages.put(key, Buffer.from(value), now() + lifeMs)
      },
      async touch(key, lifeMs) {
        const kept = pages.get(key)
        if (kept !== null) pages.put(key, kept.value, now() + lifeMs)
      },
      drop: async key => pages.delete(key),
    },

    reachable: async () => true,
    close: async () => clearInterval(sweep),
  }

  function makeRoom(): void {
    const limit = mostSessions()
    if (records.size < limit) return
    if (now() - fullSweepAt >= fullSweepEveryMs) {
      fullSweepAt = now()
      records.sweepAll()
    }
    if (records.size < limit) return
    throw new GatewayError('session.store-full', `the memory store holds ${limit} sessions`, {
      hint: 'Sessions end by sign-out and time limits. For more at a time, use the Redis store.',
    })
  }
}

function onceShelf(now: () => number): Shelf<Buffer> {
  return new Shelf<Buffer>(now, value => value.length)
}

/** Null: too short to be an envelope of ours, so no version fits it. */
function versionOf(value: Buffer): number | null {
  return value.length < recordVersionOffset + 4 ? null : value.readUInt32BE(recordVersionOffset)
}

/** A caller who writes into what it was given changes nothing here. */
function copyOf(value: Buffer | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value)
}
