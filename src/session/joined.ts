/**
 * The parts of which the sessions of one process are made, each knowing what it needs of the others; sessions.ts is what the rest of
 * the gateway sees of them.
 */
import type { Report } from '../model/event.ts'
import type { IdpId } from '../model/identity.ts'
import type { Device, EndedSession } from '../model/session.ts'
import type { Store } from '../model/store.ts'
import { SessionCache } from './cache.ts'
import { createChoose } from './choose.ts'
import { createConfirm } from './confirm.ts'
import { createEnd } from './end.ts'
import { createEndAll } from './end-all.ts'
import { createEstablish } from './establish.ts'
import { createHearing } from './hearing.ts'
import { createJudge } from './judge.ts'
import { createLook } from './known.ts'
import { createLeft } from './left.ts'
import { createMany } from './many.ts'
import { createMarks } from './marks.ts'
import { createOwnChange } from './own-change.ts'
import { createPersons, type PerPerson } from './persons.ts'
import { RecentEnds } from './recent-ends.ts'
import { createRecheck, type RecheckSettings } from './recheck.ts'
import { createRecordChange } from './record-change.ts'
import { createResume } from './resume.ts'
import type { Keys } from './seal.ts'
import { OpenStreams } from './streams.ts'
import { createTidy } from './tidy.ts'
import { createVisits } from './visits.ts'

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

export function joinParts(parts: SessionParts) {
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

  return {
    cache,
    streams,
    follower,
    marks,
    ending,
    endingAll,
    recheck,
    resuming,
    judge,
    tidy,
    establishing,
    persons,
    confirmed,
    many,
    visits,
    left,
    choose: createChoose({ ownChange, report }),
    tellChange,
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
