/**
 * What outlives a configuration: sessions and their store, what is open, what was counted, the log. Made once; what a reload may
 * change of it is asked of the assembly that stands at the moment, at each use (decision 12).
 */
import type { Settings } from '../config/schema.ts'
import { createAnonymousWrites } from '../limits/anonymous-writes.ts'
import { createCodeFailures } from '../limits/code-failures.ts'
import { createLogoutRequests } from '../limits/logout-requests.ts'
import type { GatewayEvent, Report } from '../model/event.ts'
import type { Store } from '../model/store.ts'
import type { WriteSoon } from '../model/write-soon.ts'
import { createLog } from '../observe/log.ts'
import { createMetrics, type Metrics } from '../observe/metrics.ts'
import { createObserver, type Observer } from '../observe/observer.ts'
import { createGatheredWrites } from '../outbound/gathered-writes.ts'
import type { Listener } from '../outbound/outbound.ts'
import { createMeter } from '../session/meter.ts'
import { createKeyRing, type Keys } from '../session/seal.ts'
import { createSessions, type Sessions } from '../session/sessions.ts'
import { createUses } from '../session/uses.ts'
import { createOpen, type Open } from './open-traffic.ts'
import { createLastingOutbound, type LastingOutbound } from './outbound.ts'
import type { Standing } from './standing.ts'
import { openStore } from './store.ts'
import type { Surroundings } from './surroundings.ts'

export interface Lasting extends Pick<Surroundings, 'now' | 'wall' | 'monotonic' | 'random'> {
  readonly metrics: Metrics
  readonly observer: Observer
  readonly report: Report
  readonly store: Store
  readonly keys: Keys
  readonly sessions: Sessions
  readonly open: Open
  readonly outbound: LastingOutbound
  readonly writeSoon: WriteSoon
  /** Our own addresses, as they are bound. */
  readonly bound: (listener: Listener) => void
  readonly limits: ReturnType<typeof limitsBy>
  readonly codes: ReturnType<typeof codesBy>
  /**
   * @returns switches to these settings what is not asked anew at each use
   * @throws Error they cannot be used; nothing has changed then
   */
  readonly prepare: (settings: Settings) => () => void
  /** Everything but the log. */
  readonly close: () => Promise<void>
  readonly closeLog: () => Promise<void>
}

/**
 * A gateway that stops waits so long, ms, to write down what must not be forgotten: what an idp is just giving, which may be
 * good for one use, and ends that the store has not taken yet.
 */
const finishingMs = 2_000

/** @param standing is not asked before this has resolved */
export async function openLasting(
  first: Settings,
  { now, wall, monotonic, random, writeLog, heard }: Surroundings,
  standing: () => Standing,
): Promise<Lasting> {
  let settings = () => first

  // What is observed. Metrics ask the parts below when somebody collects.
  const log = createLog(first.log.level, writeLog)
  const metrics = createMetrics({
    sessions: () => sessions.count(),
    openStreams: () => sessions.openStreams(),
    tunnels: () => open.tunnels.size,
    idps: () => [...standing().providers.values()].map(({ id, health }) => ({ id, health: health() })),
    storeUp: () => store.reachable(),
    endsHeard: () => sessions.endsHeard(),
  })
  const observer = createObserver(log, metrics, {
    get requests() {
      return settings().log.requests
    },
  })
  const report = (event: GatewayEvent) => {
    observer.report(event)
    heard(event)
  }

  const store = await openStore(() => settings(), now, report)
  const ring = createKeyRing(first.session.secrets)
  const sessions = createSessions({
    store,
    keys: ring.keys,
    limits: {
      get idleMs() {
        return settings().session.idleTimeout
      },
      get sharedIdleMs() {
        return settings().session.sharedComputer.idleTimeout
      },
      get absoluteMs() {
        return settings().session.absoluteTimeout
      },
    },
    get perPerson() {
      return settings().session.perPerson
    },
    hasIdp: id => standing().providers.has(id),
    now,
    report,
    endedLate: ended => void standing().tellParticipants(ended),
    recheck: {
      get everyMs() {
        return settings().session.recheck
      },
      ask: (identity, keep) => standing().askAgain(identity, keep),
      random: () => random(1_000) / 1_000,
    },
  })
  const open = createOpen({ sessions, report })

  const ownListeners: Listener[] = [first.listen.address, first.operations.address].map(address => ({ ...address }))
  const outbound = createLastingOutbound(first.outbound, ownListeners)
  settings = () => standing().settings

  return {
    now,
    wall,
    monotonic,
    random,
    metrics,
    observer,
    report,
    store,
    keys: ring.keys,
    sessions,
    open,
    outbound,
    writeSoon: createGatheredWrites(),
    bound: listener => ownListeners.push(listener),
    limits: limitsBy(now),
    codes: codesBy(store, ring.keys, () => settings()),

    prepare(next) {
      const switchOutbound = outbound.prepare(next.outbound)
      return () => {
        log.setLevel(next.log.level)
        ring.change(next.session.secrets)
        switchOutbound()
      }
    },

    async close() {
      await sessions.finish(finishingMs)
      await outbound.close()
      await sessions.close()
      await store.close()
    },
    closeLog: log.close,
  }
}

function limitsBy(now: () => number) {
  return { admitWrite: createAnonymousWrites(now), admitLogoutRequest: createLogoutRequests(now) }
}

function codesBy({ counters }: Store, keys: Keys, settings: () => Settings) {
  const uses = createUses(counters)
  return {
    countUse: uses.count,
    used: uses.used,
    failures: createCodeFailures({ meter: createMeter(counters, keys), networks: () => settings().networks }),
  }
}
