/**
 * The narrow faces of the store. session/memory.ts and session/redis.ts implement all of them and sit one contract
 * test; gateway.ts hands each part only its own. Values are opaque bytes: they were sealed before they came here.
 * Keys are SESSIONS C2's, already hashed. Every call ends within its deadline or throws GatewayError `session.store-down`.
 */

/** Milliseconds since the epoch by the store's own clock, and how long the key still lives. */
export interface Stored {
  readonly value: Buffer
  readonly now: number
  readonly expiresAt: number
}

export type OnceKind = 'p' | 'a' | 'r' | 't' | 'o' | 'j'

/**
 * Values that are used once: pending sign-ins (p), replies put aside (a), references (r), tickets (t), ended sessions
 * (o), messages of an idp that were carried out (j).
 */
export interface OnceStore {
  /** False: the key was taken (SET NX). The memory store drops its oldest of the kind when it holds 10,000. */
  readonly put: (kind: OnceKind, key: string, value: Buffer, lifeMs: number) => Promise<boolean>
  readonly peek: (kind: OnceKind, key: string) => Promise<Buffer | null>
  /** GETDEL: exactly one caller gets it. */
  readonly take: (kind: OnceKind, key: string) => Promise<Buffer | null>
}

/** Bytes of a session record, in clear, that `replace` compares: u32 big-endian at this offset (SESSIONS C2, layout). */
export const recordVersionOffset = 5

export interface RecordStore {
  /**
   * Only establish calls this: nothing else creates (SET NX PX).
   * @throws GatewayError `session.store-full` the memory store holds its limit; it never drops a session
   */
  readonly create: (key: string, value: Buffer, lifeMs: number) => Promise<boolean>
  /** One round trip: GET, PTTL, TIME. */
  readonly read: (key: string) => Promise<Stored | null>
  /** The store's own clock, milliseconds since the epoch: what ends are written by. */
  readonly clock: () => Promise<number>
  /** Only if it exists and holds the version that was read; `expiresAt` null keeps the expiry. */
  readonly replace: (
    key: string,
    version: number,
    value: Buffer,
    expiresAt: number | null,
  ) => Promise<'replaced' | 'stale' | 'absent'>
  /** PEXPIREAT: false means that the record is gone. */
  readonly touch: (key: string, expiresAt: number) => Promise<boolean>
  /** GETDEL of the record and of its set of visits: exactly one caller wins. */
  readonly take: (
    key: string,
    visitsKey: string,
  ) => Promise<{ readonly value: Buffer; readonly visits: readonly string[] } | null>
  /** Adds to the set of visited resources, at most `limit`, only if the record exists. */
  readonly visit: (key: string, visitsKey: string, member: string, limit: number) => Promise<void>
  /**
   * The keys of all records, in batches of bounded size, other work between two of them. Each record that exists from the first
   * batch to the last is named, some twice perhaps; one that comes or goes meanwhile may be.
   */
  readonly scan: () => AsyncIterable<readonly string[]>
  /** The set as it stands, at most some hundred; empty where the record is gone. */
  readonly visits: (key: string, visitsKey: string) => Promise<readonly string[]>
  /** Live sessions, for the metric; null where counting would be dear. */
  readonly count: () => Promise<number | null>
}

/** known: it was a member already. `displaced`: those of the offered ones that were taken out. */
export interface Entered {
  readonly outcome: 'entered' | 'known' | 'full'
  readonly displaced: readonly string[]
}

/** From what an idp names (sid, subject, person) to session keys. */
export interface DirectoryStore {
  readonly add: (key: string, member: string, expiresAt: number) => Promise<void>
  /**
   * Adds to a set of at most `limit` members, as one step: of two who come at the same moment for one place, one finds it full.
   * @param displaced who may make room, the first first; taken out only where that makes enough
   */
  readonly enter: (
    key: string,
    member: string,
    expiresAt: number,
    limit: number,
    displaced: readonly string[],
  ) => Promise<Entered>
  readonly members: (key: string) => Promise<readonly string[]>
  readonly remove: (key: string, member: string) => Promise<void>
}

/** Tombstones: an end that overtakes a sign-in finds it by these. */
export interface TombstoneStore {
  readonly mark: (key: string, value: string, lifeMs: number) => Promise<void>
  readonly marks: (keys: readonly string[]) => Promise<readonly (string | null)[]>
}

/**
 * One line of the log of ends. `changed`: the session lives on, with other claims; what is remembered of it is read anew.
 * Two kinds are heard and never written. `unknown`: a line of a later version, so something ended. `lost`: the log is not
 * the one that was followed, so anything may have ended, and own ends may be in no log any more (SESSIONS A4).
 */
export interface EndEntry {
  readonly kind: 'session' | 'changed' | 'idp' | 'all' | 'unknown' | 'lost'
  /** The session's hash; for `idp` and `all` the mark, as session/marks.ts writes it. */
  readonly key: string
  readonly reason: string
}

/**
 * Revocation is a log that is followed. In this process an entry is heard before append() resolves, and perhaps once more
 * when it comes back through the log.
 */
export interface EndedLog {
  readonly append: (entry: EndEntry) => Promise<void>
  readonly follow: (hear: (entry: EndEntry) => void) => Follower
}

export interface Follower {
  /** Moves with each entry heard: a value read while it moved is not cached. */
  readonly counter: () => number
  /** A cached session may be used only while this holds. */
  readonly fresh: () => boolean
  readonly stop: () => Promise<void>
}

/** So many in some time. */
export interface Rate {
  /** Milliseconds after which one of them is forgotten. */
  readonly stepMs: number
  /** So many may come in one moment. */
  readonly atOnce: number
}

/** What is counted in all processes together. */
export interface CounterStore {
  /** For ever: counts one more, as one step. False: it stands at `most` already, and stays. */
  readonly raise: (key: string, most: number) => Promise<boolean>
  /** How far each stands. */
  readonly counts: (keys: readonly string[]) => Promise<readonly number[]>
  /**
   * By the generic cell rate algorithm (ITU-T I.371) and the store's own clock, as one step. The memory store remembers 20,000 keys
   * and forgets for a new one the one that was counted longest ago.
   *
   * @param many 1 counts one more, unless that is one too many; 0 only asks; -1 takes one back
   * @returns milliseconds until one more is within the rate; 0: it is now, and what was to be counted is counted
   */
  readonly meter: (key: string, rate: Rate, many: -1 | 0 | 1) => Promise<number>
}

/** What connect-redis writes for the portal's pages; own key space. `set` creates only where `create` is true. */
export interface PageStore {
  readonly get: (key: string) => Promise<Buffer | null>
  readonly set: (key: string, value: Buffer, lifeMs: number, create: boolean) => Promise<void>
  readonly touch: (key: string, lifeMs: number) => Promise<void>
  readonly drop: (key: string) => Promise<void>
}

export interface Store {
  readonly once: OnceStore
  readonly records: RecordStore
  readonly directory: DirectoryStore
  readonly tombstones: TombstoneStore
  readonly ended: EndedLog
  readonly counters: CounterStore
  readonly pages: PageStore
  /** For /readyz. */
  readonly reachable: () => Promise<boolean>
  readonly close: () => Promise<void>
}
