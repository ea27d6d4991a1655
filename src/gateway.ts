/**
 * assemble(settings) → Gateway: the only place where the parts meet, with its two planes in assembly/. Read them to see
 * who knows whom.
 */
import { randomInt } from 'node:crypto'
import { assembleAccessPlane } from './assembly/access-plane.ts'
import type { Core } from './assembly/core.ts'
import { createAskAgain } from './assembly/freshness.ts'
import { assembleCommands } from './assembly/operator.ts'
import { assemblePortalPlane } from './assembly/portal-plane.ts'
import { openStore } from './assembly/store.ts'
import { createUnderstanding } from './claims/map.ts'
import { codeRules, readCodeFile } from './config/access-codes.ts'
import type { Settings } from './config/schema.ts'
import { buildProviders, namedIdps } from './idp/build.ts'
import { createCodeFailures } from './limits/code-failures.ts'
import { createClosedSessions } from './logout/closed.ts'
import { createTellParticipants } from './logout/participants.ts'
import type { GatewayEvent } from './model/event.ts'
import type { Store } from './model/store.ts'
import { createLog } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { createObserver } from './observe/observer.ts'
import { createOutbound, type Listener } from './outbound/outbound.ts'
import { languageOf } from './pages/language.ts'
import { createPages } from './pages/pages.ts'
import { createAccessOf } from './policy/access.ts'
import { compileIdentityHeaders } from './proxy/identity-headers.ts'
import { buildResources, publicAddressOf } from './resource/build.ts'
import { createLocate } from './resource/locate.ts'
import { createLocateUrl } from './resource/locate-url.ts'
import { readTarget } from './resource/target.ts'
import { createClientAddress } from './server/client-address.ts'
import { createFailurePage } from './server/failure-page.ts'
import { createLifecycle } from './server/lifecycle.ts'
import { createListener, type Serving } from './server/listener.ts'
import { createOperationsApp } from './server/operations-app.ts'
import { createAssertionKeys } from './session/assertion-keys.ts'
import { createHandoff } from './session/handoff.ts'
import { createKeys } from './session/seal.ts'
import { createSessions } from './session/sessions.ts'
import { createSingleUse } from './session/single-use.ts'
import { createUses } from './session/uses.ts'

export interface Surroundings {
  /** For limits: milliseconds since the epoch as of the start, never stepping back while the process lives. */
  readonly now: () => number
  /** What the clock on the wall says, ms: what others' clocks are compared with. The same as `now` where only that is given. */
  readonly wall: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
  /** An integer from 0 to below `max`. */
  readonly random: (max: number) => number
  /** Where log lines go instead of standard output. */
  readonly writeLog: ((line: string) => void) | null
  /** Hears every event beside the log. */
  readonly heard: (event: GatewayEvent) => void
}

export interface Gateway {
  /** Binds both listeners. */
  readonly listen: () => Promise<{ readonly port: number; readonly operationsPort: number }>
  /** Stops as an operator's SIGTERM does; a second call hurries. */
  readonly drain: () => Promise<void>
  /** Stops at once. */
  readonly close: () => Promise<void>
  readonly sessions: ReturnType<typeof createSessions>
  readonly store: Store
}

/**
 * A gateway that stops waits so long, ms, to write down what must not be forgotten: what an idp is just giving, which may be
 * good for one use, and ends that the store has not taken yet.
 */
const finishingMs = 2_000

const surroundings: Surroundings = {
  now: () => performance.timeOrigin + performance.now(),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  random: max => randomInt(max),
  writeLog: null,
  heard: () => {},
}

export async function assemble(settings: Settings, given: Partial<Surroundings> = {}): Promise<Gateway> {
  const { now, monotonic, random, writeLog, heard } = { ...surroundings, ...given }
  const wall = given.wall ?? given.now ?? surroundings.wall
  const portal = publicAddressOf(settings.portal)

  // What is observed. Metrics ask the parts below when somebody collects.
  const log = createLog(settings.log.level, writeLog)
  const metrics = createMetrics({
    sessions: () => sessions.count(),
    openStreams: () => sessions.openStreams(),
    tunnels: () => plane.tunnels(),
    idps: () => providers.map(({ id, health }) => ({ id, health: health() })),
    storeUp: () => store.reachable(),
    endsHeard: () => sessions.endsHeard(),
  })
  const observer = createObserver(log, metrics, settings.log.requests)
  const report = (event: GatewayEvent) => {
    observer.report(event)
    heard(event)
  }

  // Sessions.
  const store = await openStore(settings, now, report)
  const keys = createKeys(settings.session.secrets)
  const limits = {
    idleMs: settings.session.idleTimeout,
    sharedIdleMs: settings.session.sharedComputer.idleTimeout,
    absoluteMs: settings.session.absoluteTimeout,
  }
  const sessions = createSessions({
    store,
    keys,
    limits,
    perPerson: settings.session.perPerson,
    now,
    report,
    endedLate: ended => void tellParticipants(ended),
    recheck:
      settings.session.recheck === null
        ? null
        : {
            everyMs: settings.session.recheck,
            ask: (identity, keep) => askAgain(identity, keep),
            random: () => random(1_000) / 1_000,
          },
  })
  const singleUse = createSingleUse(store.once, keys)
  const handoff = createHandoff(singleUse)

  // Resources, and who may have them.
  const resources = buildResources(settings.resources, {
    accessOf: createAccessOf(settings.policies),
    identityHeadersOf: ({ identity }) => compileIdentityHeaders(identity),
  })
  const locate = createLocate({ portal, resources })

  // Whom we reach.
  const ownListeners: Listener[] = [settings.listen.address, settings.operations.address].map(address => ({
    ...address,
  }))
  const outbound = createOutbound({ ...settings.outbound, refused: ownListeners })
  const assertionKeys = createAssertionKeys(settings.session.secrets)
  const tellParticipants = createTellParticipants({
    portal: portal.origin,
    resources,
    tell: outbound.tell,
    sign: assertionKeys.sign,
    now: wall,
    report,
  })
  const providers = buildProviders(settings.idps, {
    fetch: outbound.fetch,
    now: wall,
    report,
    allowLoopbackHttp: true,
    rechecks: settings.session.recheck !== null,
    codes: {
      read: ({ file, state }) => readCodeFile(file, codeRules(settings.session.store, state)),
      countUse: createUses(store.counters),
      failures: createCodeFailures(now),
    },
  })
  const understanding = createUnderstanding({
    claims: settings.claims,
    named: namedIdps(settings.idps),
    asserts: new Map(settings.idps.map(({ id, asserts }) => [id, asserts])),
    report,
  })

  const byId = new Map(providers.map(provider => [provider.id, provider]))
  const askAgain = createAskAgain(byId, understanding.claims)

  // Pages.
  const pages = createPages(
    { ...settings.site, portal: portal.origin },
    {
      idps: Object.fromEntries(providers.map(({ id, label }) => [id, label])),
      values: Object.fromEntries(Object.entries(settings.claims).map(([name, { labels }]) => [name, labels])),
    },
  )
  const failurePage = createFailurePage({ pages, languageOf, random, now: wall })

  // The two planes.
  const core: Core = {
    settings,
    portal,
    resources,
    locate,
    locateUrl: createLocateUrl(locate),
    providers: byId,
    understanding,
    store,
    keys,
    sessions,
    tellParticipants,
    assertionKeys,
    singleUse,
    closedSessions: createClosedSessions({ portal: portal.origin, providers: byId, tellParticipants, singleUse }),
    handoff,
    outbound,
    pages,
    failurePage,
    metrics,
    report,
    now,
    wall,
    monotonic,
    random,
  }
  const plane = assembleAccessPlane(core)

  // The listeners.
  const serving: Serving = {
    portalHostname: portal.hostname,
    access: plane.access,
    portal: assemblePortalPlane(core),
    failurePage,
    clientAddress: createClientAddress(settings.listen.trustedProxies),
  }
  const server = createListener({
    tls: settings.listen.tls,
    serving: () => serving,
    readTarget,
    observer,
    idleMs: longestWait(resources.map(resource => resource.timeouts)),
    monotonic,
  })
  const operations = createOperationsApp({
    metrics: metrics.text,
    commands: assembleCommands(core),
    async obstacles() {
      if (running.isDraining()) return ['draining']
      return (await store.reachable()) ? [] : ['the session store does not answer']
    },
  })
  const running = createLifecycle({
    server,
    operations,
    addresses: { listen: settings.listen.address, operations: settings.operations.address },
    drain: settings.drain,
    bound: listener => ownListeners.push(listener),
    closeStreams: plane.closeStreams,
    async closeParts() {
      await plane.close()
      await sessions.finish(finishingMs)
      await outbound.close()
      await sessions.close()
      await store.close()
    },
    report,
    closeLog: log.close,
  })
  return { sessions, store, listen: running.listen, drain: running.drain, close: running.close }
}

/** A connection on which nothing moves is cut after the longest wait that any resource allows, and a little more. */
function longestWait(timeouts: readonly { readonly answerMs: number; readonly idleMs: number }[]): number {
  return Math.max(60_000, ...timeouts.flatMap(({ answerMs, idleMs }) => [answerMs, idleMs])) + 5_000
}
