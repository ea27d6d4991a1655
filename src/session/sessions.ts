/**
 * Sessions: resume, establish, end, endAll. Rests on the faces of the store and on model/; what is stored where, and why in
 * this order, is docs/sessions.md (A4, A5, C2, C3).
 */
import type { Report } from '../model/event.ts'
import type { IdpId } from '../model/identity.ts'
import type { SignIn } from '../model/idp.ts'
import type { OpenTraffic } from '../model/open-traffic.ts'
import type { Device, EndedSession, EndReason, Scope, Session, SessionId } from '../model/session.ts'
import type { Store } from '../model/store.ts'
import { SessionCache } from './cache.ts'
import { createChoose } from './choose.ts'
import { createConfirm } from './confirm.ts'
import { cookieFor } from './cookies.ts'
import { createEnd } from './end.ts'
import { createEndAll } from './end-all.ts'
import { createEstablish, type Newcomer } from './establish.ts'
import { createHearing } from './hearing.ts'
import { createJudge } from './judge.ts'
import { createLook, type KnownSession } from './known.ts'
import { createLeft } from './left.ts'
import { createMany, type Selection } from './many.ts'
import { createMarks } from './marks.ts'
import { createOwnChange } from './own-change.ts'
import { createPersons, type PerPerson } from './persons.ts'
import { RecentEnds } from './recent-ends.ts'
import { createRecheck, type RecheckSettings } from './recheck.ts'
import { hashOf, keysOf } from './record.ts'
import { createRecordChange } from './record-change.ts'
import { type Activity, createResume, type Resumed } from './resume.ts'
import type { Keys } from './seal.ts'
import { OpenStreams } from './streams.ts'
import { createTidy } from './tidy.ts'
import { createVisits } from './visits.ts'

export type { Activity, KnownSession, Newcomer, PerPerson, Resumed, Selection }

export interface SessionLimits {
  readonly idleMs: number
  readonly sharedIdleMs: number
  readonly absoluteMs: number
}

export interface SessionParts {
  readonly store: Pick<Store, 'records' | 'directory' | 'tombstones' | 'ended'>
  readonly keys: Keys
  /** Read at each use, as the next: a reload changes them. */
  readonly limits: SessionLimits
  /** How many sessions a person may have; null: as many as they like. */
  readonly perPerson: PerPerson | null
  /** Whether the configuration has this idp: see resume.ts. */
  readonly hasIdp: (idp: IdpId) => boolean
  readonly now: () => number
  readonly report: Report
  /** Hears of a session whose end came through after its caller had gone: the store was away, a sign-in was under way, or it made room for another. */
  readonly endedLate: (ended: EndedSession) => void
  /** Null: what the idp said at the sign-in holds until the session ends. */
  readonly recheck: RecheckSettings | null
}

const cacheLimit = 50_000
const sweepMs = 15_000
/** SESSIONS B 21. */
const waitForPlaceMs = 10 * 60_000

export type Sessions = ReturnType<typeof createSessions>

export function createSessions(parts: SessionParts) {
  const { store, keys, now, report } = parts
  const cache = new SessionCache(cacheLimit)
  const streams = new OpenStreams(now)
  /** Shut in this process, whatever the store says: ends that it has not taken yet, and those of the last minutes. */
  const untaken = new Set<string>()
  const recent = new RecentEnds(now)
  const condemned = { has: (hash: string) => untaken.has(hash) || recent.has(hash) }
  const follower = store.ended.follow(entry => hearing.heard(entry))
  const idleMs = (device: Device) => (device === 'shared' ? parts.limits.sharedIdleMs : parts.limits.idleMs)

  const change = createRecordChange({ records: store.records, keys, idleMs })
  const marks = createMarks({
    tombstones: recent.marking(store.tombstones),
    keys,
    get lifeMs() {
      return parts.limits.absoluteMs
    },
    fresh: follower.fresh,
  })
  const ending = createEnd({
    records: store.records,
    directory: store.directory,
    log: store.ended,
    keys,
    condemned: untaken,
    recent,
    drop: forget,
    tombstones: store.tombstones,
    endedLate: parts.endedLate,
    report,
  })
  const endingAll = createEndAll({
    records: store.records,
    directory: store.directory,
    tombstones: recent.marking(store.tombstones),
    keys,
    end: ending.end,
    endedLate: parts.endedLate,
    now,
  })
  const hooks = { change, keys, end: ending.end, ended: parts.endedLate, changed: tellChange, now, report }
  const recheck = parts.recheck === null ? null : createRecheck({ settings: parts.recheck, ...hooks })
  const resuming = createResume({
    records: store.records,
    keys,
    cache,
    follower,
    condemned,
    marks,
    idleMs,
    hasIdp: parts.hasIdp,
    recheck,
    now,
    report,
  })
  const judge = createJudge(streams, resuming.read)
  const hearing = createHearing({ cache, streams, marks, recent, judge, repeatOwn: ending.repeat })
  const look = createLook(store.records, keys, idleMs)
  const tidy = createTidy({ directory: store.directory, keys, look })
  const establishing = createEstablish({
    records: store.records,
    directory: store.directory,
    tombstones: store.tombstones,
    keys,
    get absoluteMs() {
      return parts.limits.absoluteMs
    },
    change,
    end: ending.end,
    ended: parts.endedLate,
    tidy,
  })
  const persons = createPersons({
    records: store.records,
    directory: store.directory,
    keys,
    marks,
    condemned,
    get perPerson() {
      return parts.perPerson
    },
    get absoluteMs() {
      return parts.limits.absoluteMs
    },
    look,
    tidy,
    end: ending.end,
    displaced: parts.endedLate,
  })
  const confirmed = createConfirm({ persons, marks, confirm: establishing.confirm, end: ending.end, report })
  const many = createMany({ ...ending, records: store.records, log: recent.telling(store.ended), marks, persons, look })
  const visits = createVisits(store.records)
  const ownChange = createOwnChange({ change, tellChange })
  const left = createLeft({ ownChange, report })
  const sweeping = setInterval(sweep, sweepMs)
  sweeping.unref()

  return {
    read: resuming.read,
    authentic: resuming.authentic,
    establish: establishing.establish,

    /**
     * Null: no session. A value that is not a promise came from this process's cache.
     * @throws GatewayError `session.ambiguous`, `session.store-down`
     */
    resume(
      cookies: string | null,
      scope: Scope,
      activity: Activity | (() => Activity),
    ): Resumed | null | Promise<Resumed | null> {
      const resumed = resuming.resume(cookies, scope, activity)
      // Only the portal's cookie is set before the session counts.
      return scope === 'portal' ? Promise.resolve(resumed).then(confirmed).then(onlyIfItCounts) : resumed
    },

    /**
     * The session that /enter takes over, by the store: see resume.ts. One that still is provisional opens nothing: its
     * person has as many as they may.
     * @throws GatewayError `session.ambiguous`, `session.store-down`
     */
    async arriving(cookies: string | null): Promise<Resumed | null> {
      return confirmed(await resuming.arriving(cookies))
    },

    /** @returns false: it is gone. What the new sign-in says holds here at once, elsewhere as soon as the log is read. */
    async renew(id: SessionId, signIn: SignIn, device: Device | null): Promise<boolean> {
      const kept = await establishing.renew(id, signIn, device)
      if (kept) await tellChange(hashOf(id))
      return kept
    },

    leave: left.leave,
    reopen: left.reopen,
    choose: createChoose({ ownChange, report }),

    /** The value of a cookie for this scope. */
    cookieFor(scope: Scope, id: SessionId, generation: number): string {
      return cookieFor(keys, scope, id, generation)
    },

    /**
     * Ends one session, everywhere.
     * @returns null: it was over already
     * @throws GatewayError `logout.not-stored` shut here, not yet in the store
     */
    end(id: SessionId, reason: EndReason): Promise<EndedSession | null> {
      return ending.end(hashOf(id), reason)
    },

    /**
     * One that is provisional because its person holds as many as they may waits ten minutes for a place.
     * @returns when it goes, by the store's clock; null: it has gone
     */
    async waitForPlace({ session, entry }: Resumed): Promise<number | null> {
      const until = Math.min(session.createdAt + waitForPlaceMs, session.absoluteEnd)
      return (await store.records.touch(keysOf(entry.hash).record, until)) ? until : null
    },

    /** As `end`, by the hash. */
    endKnown: ending.end,

    /** The sessions of a person that live and count, the oldest first. */
    of: persons.of,

    /** For operators. */
    list: many.list,
    endMany: many.end,

    endAll: endingAll.endAll,

    visit: visits.visit,
    visited: visits.visited,

    /** Closed when the session ends, has ended while it was being opened, or may no longer have it open. */
    watch(session: Session, traffic: OpenTraffic): () => void {
      const hash = hashOf(session.id)
      const stop = streams.watch(hash, session, traffic)
      judge.one(hash, session)
      return stop
    },

    /** S8, which also comes by itself every 15 seconds. Resolves when everything that is open has been judged anew. */
    sweep,

    /**
     * Another configuration has come: nothing that was remembered under the old one is used again. Resolves when everything
     * that is open has been judged by the new one.
     */
    judgeAnew(): Promise<void> {
      marks.forget()
      resuming.forget()
      return sweep()
    },

    openStreams: () => streams.size,
    endsHeard: () => follower.fresh(),
    closeStreams: () => streams.closeAll(),
    count: () => store.records.count(),

    /**
     * For a process that stops: nobody is asked again from now on, what was asked already is written down, and ends that the
     * store has not taken yet are tried once more; all within this time, ms.
     */
    async finish(withinMs: number): Promise<void> {
      await Promise.all([recheck?.close(withinMs), ending.finish(withinMs)])
    },

    async close(): Promise<void> {
      clearInterval(sweeping)
      ending.close()
      endingAll.close()
      tidy.close()
      await follower.stop()
    },
  }

  /** A stream that never rests is no activity, and no reason to outlive a limit. */
  async function sweep(): Promise<void> {
    cache.sweep(now())
    await judge.all()
    streams.cutLate()
  }

  /** The record is written: should the log not take this, it is read anew within 30 seconds. */
  async function tellChange(hash: string): Promise<void> {
    await store.ended.append({ kind: 'changed', key: hash, reason: 'changed' }).catch(() => hearing.changed(hash))
  }

  function forget(hash: string): void {
    cache.drop(hash)
    streams.end(hash)
  }
}

function onlyIfItCounts(resumed: Resumed | null): Resumed | null {
  return resumed === null || resumed.provisional ? null : resumed
}
