/**
 * assemble(settings) → Gateway: the only place where the parts meet. Read it to see who knows whom.
 */
import { randomInt } from 'node:crypto'
import { createAccess } from './access/access.ts'
import { createBegin, createChallenge } from './access/challenge.ts'
import { createOurs } from './access/ours.ts'
import { createRefuse } from './access/refuse.ts'
import { createSitePage } from './access/site-page.ts'
import { createClaimsMap } from './claims/map.ts'
import type { Settings } from './config/schema.ts'
import { buildProviders } from './idp/build.ts'
import { createCallback } from './login/callback.ts'
import { createFail } from './login/failed.ts'
import { createLogin } from './login/login.ts'
import { loginRoutes } from './login/routes.ts'
import { createLogout } from './logout/logout.ts'
import { logoutRoutes } from './logout/routes.ts'
import type { GatewayEvent } from './model/event.ts'
import type { Secret } from './model/secret.ts'
import type { Store } from './model/store.ts'
import { createLog } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { createObserver } from './observe/observer.ts'
import { createOutbound, type Listener } from './outbound/outbound.ts'
import { icon } from './pages/icon.ts'
import { languageOf } from './pages/language.ts'
import { createPages } from './pages/pages.ts'
import { stylesheet } from './pages/stylesheet.ts'
import { createAccessOf } from './policy/access.ts'
import { authorize } from './policy/authorize.ts'
import { createFront, portalRoutes } from './portal/front.ts'
import { createForward } from './proxy/forward.ts'
import { compileIdentityHeaders } from './proxy/identity-headers.ts'
import { Tunnels } from './proxy/upgrade.ts'
import { buildResources, publicAddressOf } from './resource/build.ts'
import { createLocate } from './resource/locate.ts'
import { createLocateUrl } from './resource/locate-url.ts'
import { readTarget } from './resource/target.ts'
import { createClientAddress } from './server/client-address.ts'
import { createFailurePage } from './server/failure-page.ts'
import { createLifecycle } from './server/lifecycle.ts'
import { createListener } from './server/listener.ts'
import { createOperationsApp } from './server/operations-app.ts'
import { createPortalApp } from './server/portal-app.ts'
import { createHandoff } from './session/handoff.ts'
import { createMemoryStore } from './session/memory.ts'
import { createPageClient } from './session/page-client.ts'
import { createPendingLogins } from './session/pending.ts'
import { createRedisStore } from './session/redis.ts'
import { createKeys } from './session/seal.ts'
import { createSessions } from './session/sessions.ts'
import { createSingleUse, newSecret } from './session/single-use.ts'

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
    tunnels: () => tunnels.size,
    idps: () => providers.map(({ id, health }) => ({ id, health: health() })),
    storeUp: () => store.reachable(),
  })
  const observer = createObserver(log, metrics, settings.log.requests)
  const report = (event: GatewayEvent) => {
    observer.report(event)
    heard(event)
  }

  // Sessions.
  const store = await openStore(settings, now, report)
  const { secrets } = settings.session
  const keys = createKeys(secrets)
  const limits = {
    idleMs: settings.session.idleTimeout,
    sharedIdleMs: settings.session.sharedComputer.idleTimeout,
    absoluteMs: settings.session.absoluteTimeout,
  }
  const sessions = createSessions({ store, keys, limits, now, report })
  const singleUse = createSingleUse(store.once, keys)
  const handoff = createHandoff(singleUse)
  const pending = createPendingLogins(singleUse, wall)

  // Resources, and who may have them.
  const resources = buildResources(settings.resources, {
    accessOf: createAccessOf(settings.policies),
    identityHeadersOf: ({ identity }) => compileIdentityHeaders(identity),
  })
  const locate = createLocate({ portal, resources })
  const locateUrl = createLocateUrl(locate)

  // Whom we reach.
  const ownListeners: Listener[] = [settings.listen.address, settings.operations.address].map(address => ({
    ...address,
  }))
  const outbound = createOutbound({ ...settings.outbound, refused: ownListeners })
  const providers = buildProviders(settings.idps, { fetch: outbound.fetch, now: wall, report, allowLoopbackHttp: true })
  const providerOf = new Map(providers.map(provider => [provider.id, provider]))
  const idpLabel = (id: string) => providerOf.get(id)?.label ?? null
  const helpOf = (id: string) => {
    const help = settings.idps.find(idp => idp.id === id)?.help ?? null
    return help === null ? null : { label: help.label, url: help.url.href }
  }

  // Pages.
  const pages = createPages(
    { ...settings.site, portal: portal.origin },
    Object.fromEntries(providers.map(({ id, label }) => [id, label])),
  )
  const sitePage = createSitePage({ languageOf, random, now: wall })
  const failurePage = createFailurePage({ pages, languageOf, random, now: wall })
  const fail = createFail({ pages, locateUrl, idpLabel, portalHost: portal.hostname })

  // The access plane.
  const tunnels = new Tunnels()
  let cutting = false
  const forwarding = createForward({
    resources,
    connector: outbound.connector,
    watch: sessions.watch,
    tunnels,
    report: event => {
      // Of a session's end; a gateway that stops ends none.
      if (!cutting || event.name !== 'stream.closed-at-end') report(event)
    },
    monotonic,
  })
  const access = createAccess({
    locate,
    sessions,
    authorize,
    forward: forwarding.forward,
    challenge: createChallenge({ portal: portal.origin, handoff, pages, sitePage }),
    refuse: createRefuse({ portal: portal.origin, pages, sitePage, idpLabel }),
    ours: createOurs({
      sessions,
      handoff,
      locateUrl,
      begin: createBegin({ portal: portal.origin, handoff }),
      pages,
      sitePage,
      stylesheet,
      report,
    }),
    decided: metrics.decision,
    report,
  })

  // The portal.
  const login = createLogin({
    portal: portal.origin,
    providers: providerOf,
    helpOf,
    sessions,
    handoff,
    pending,
    singleUse,
    locateUrl,
    pages,
    fail,
    report,
    now: wall,
  })
  const callback = createCallback({
    portal: portal.origin,
    providers: providerOf,
    sessions,
    pending,
    singleUse,
    mapClaims: createClaimsMap(settings.claims),
    device: settings.session.assume ?? 'own',
    fail,
    report,
    now: wall,
  })
  const logout = createLogout({
    portal: portal.origin,
    providers: providerOf,
    resources,
    sessions,
    singleUse,
    pages,
    now: wall,
  })
  const front = createFront({ resources, sessions, authorize, pages })
  const portalApp = createPortalApp({
    routes: [...portalRoutes(front), ...loginRoutes(login, callback), ...logoutRoutes(logout)],
    origin: portal.origin,
    pages,
    stylesheet,
    icon,
    pageState: createPageClient(store.pages, keys, wall),
    cookieSecrets: secrets.map(pageCookieSecret),
    failurePage,
    languageOf,
    newToken: () => newSecret(),
    random,
    now: wall,
  })

  // The listeners.
  const server = createListener({
    tls: settings.listen.tls,
    portalHostname: portal.hostname,
    readTarget,
    access,
    portal: portalApp,
    failurePage,
    observer,
    clientAddress: createClientAddress(settings.listen.trustedProxies),
    idleMs: longestWait(resources.map(resource => resource.timeouts)),
    monotonic,
  })
  const operations = createOperationsApp({
    metrics: metrics.text,
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
    closeStreams() {
      cutting = true
      sessions.closeStreams()
      tunnels.closeAll()
      cutting = false
    },
    async closeParts() {
      await forwarding.close()
      await outbound.close()
      await sessions.close()
      await store.close()
    },
    report,
    closeLog: log.close,
  })
  return { sessions, store, listen: running.listen, drain: running.drain, close: running.close }
}

function openStore(
  settings: Settings,
  now: () => number,
  report: (event: GatewayEvent) => void,
): Promise<Store> | Store {
  const { store } = settings.session
  switch (store.kind) {
    case 'memory':
      return createMemoryStore({ now })
    case 'redis':
      return createRedisStore({ url: store.url, username: store.username, password: store.password, report })
  }
}

/** express-session signs its cookie with a secret of its own, made of ours. */
function pageCookieSecret(secret: Secret): string {
  const keys = createKeys([secret])
  return keys.hmac('cookie', keys.first, 'express-session')?.toString('base64url') ?? ''
}

/** A connection on which nothing moves is cut after the longest wait that any resource allows, and a little more. */
function longestWait(timeouts: readonly { readonly answerMs: number; readonly idleMs: number }[]): number {
  return Math.max(60_000, ...timeouts.flatMap(({ answerMs, idleMs }) => [answerMs, idleMs])) + 5_000
}
