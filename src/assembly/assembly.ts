/** Everything that follows from one configuration: made whole beside the one that stands, and replaced whole (decision 12). */
import { createUnderstanding } from '../claims/map.ts'
import { checksumOf } from '../config/canonical.ts'
import type { Settings } from '../config/schema.ts'
import { namedIdps } from '../idp/build.ts'
import { createClosedSessions } from '../logout/closed.ts'
import { createTellParticipants } from '../logout/participants.ts'
import { languageOf } from '../pages/language.ts'
import { createPages } from '../pages/pages.ts'
import { createAccessOf } from '../policy/access.ts'
import { compileIdentityHeaders } from '../proxy/identity-headers.ts'
import { buildResources, publicAddressOf } from '../resource/build.ts'
import { createLocate } from '../resource/locate.ts'
import { createLocateUrl } from '../resource/locate-url.ts'
import { createClientAddress } from '../server/client-address.ts'
import { createFailurePage } from '../server/failure-page.ts'
import type { Serving } from '../server/listener.ts'
import { createAssertionKeys } from '../session/assertion-keys.ts'
import { createHandoff } from '../session/handoff.ts'
import { createLeaveTokens } from '../session/leave-token.ts'
import { derived } from '../session/seal.ts'
import { createSingleUse } from '../session/single-use.ts'
import { assembleAccessPlane } from './access-plane.ts'
import type { Core } from './core.ts'
import { createAskAgain } from './freshness.ts'
import type { Lasting } from './lasting.ts'
import { createPermits, type Permits } from './permits.ts'
import { assemblePortalPlane } from './portal-plane.ts'
import { providersOf } from './providers.ts'
import type { Standing } from './standing.ts'

export interface Assembly extends Standing {
  /** 12 hexadecimal digits, the same for every process with the same configuration. */
  readonly checksum: string
  readonly serving: Serving
  /** Milliseconds without a byte after which a browser's connection is cut. */
  readonly idleMs: number
  /** Another one has taken over: what is under way is finished, and no connection is kept for what may come. */
  readonly retire: () => void
  readonly close: () => Promise<void>
}

/**
 * @param permits by the assembly of the moment, whichever that is then
 * @param before  whose providers go on where their settings are the same; null: there is none
 * @throws Error these settings cannot be used; nothing has changed then
 */
export function assemblyOf(
  settings: Settings,
  lasting: Lasting,
  permits: Permits,
  before: Pick<Assembly, 'settings' | 'providers'> | null,
): Assembly {
  const providers = new Map(providersOf(settings, lasting, before).map(provider => [provider.id, provider]))
  return assembled(settings, lasting, permits, providers)
}

/** Apart from the assembly before it, which must be forgotten once its last request is over. */
function assembled(settings: Settings, lasting: Lasting, permits: Permits, providers: Standing['providers']): Assembly {
  const { store, keys, outbound, report, wall, random } = lasting
  const portal = publicAddressOf(settings.portal)

  // Resources, and who may have them.
  const resources = buildResources(settings.resources, {
    accessOf: createAccessOf(settings.policies),
    identityHeadersOf: ({ identity }) => compileIdentityHeaders(identity),
  })
  const locate = createLocate({ portal, resources })

  // Whom we tell, whom we ask, and what we make of it.
  const assertionKeys = createAssertionKeys(settings.session.secrets)
  const tellParticipants = createTellParticipants({
    portal: portal.origin,
    resources,
    tell: outbound.tell,
    sign: assertionKeys.sign,
    now: wall,
    report,
  })
  const understanding = createUnderstanding({
    claims: settings.claims,
    named: namedIdps(settings.idps),
    asserts: new Map(settings.idps.map(({ id, asserts }) => [id, asserts])),
    report,
  })
  const singleUse = createSingleUse(store.once, keys)

  // Pages.
  const pages = createPages(
    { ...settings.site, portal: portal.origin },
    {
      idps: Object.fromEntries([...providers.values()].map(({ id, label }) => [id, label])),
      values: Object.fromEntries(Object.entries(settings.claims).map(([name, { labels }]) => [name, labels])),
    },
  )
  const failurePage = createFailurePage({ pages, languageOf, random, now: wall })

  // The two planes.
  const core: Core = {
    ...lasting,
    settings,
    portal,
    resources,
    locate,
    locateUrl: createLocateUrl(locate),
    providers,
    understanding,
    tellParticipants,
    assertionKeys,
    singleUse,
    closedSessions: createClosedSessions({ portal: portal.origin, providers, tellParticipants, singleUse }),
    handoff: createHandoff(singleUse),
    leaveTokens: createLeaveTokens(lasting.keys, lasting.wall),
    pages,
    failurePage,
    permits,
  }
  const portalPlane = assemblePortalPlane(core)
  // Last: it opens connections and looks after them.
  const accessPlane = assembleAccessPlane(core)

  return {
    settings,
    checksum: checksumIn(settings),
    providers,
    tellParticipants,
    askAgain: createAskAgain(providers, understanding.understood),
    permits: createPermits(locate),
    serving: {
      portalHostname: portal.hostname,
      access: accessPlane.access,
      portal: portalPlane,
      failurePage,
      clientAddress: createClientAddress(settings.listen.trustedProxies),
    },
    idleMs: longestWait(resources.map(resource => resource.timeouts)),
    retire: accessPlane.retire,
    close: accessPlane.close,
  }
}

/** Replicas share their first secret, and so the key. */
function checksumIn(settings: Settings): string {
  const [first] = settings.session.secrets
  return first === undefined ? '' : checksumOf(settings, derived(first, 'configuration', 32))
}

/** A connection on which nothing moves is cut after the longest wait that any resource allows, and a little more. */
function longestWait(timeouts: readonly { readonly answerMs: number; readonly idleMs: number }[]): number {
  return Math.max(60_000, ...timeouts.flatMap(({ answerMs, idleMs }) => [answerMs, idleMs])) + 5_000
}
