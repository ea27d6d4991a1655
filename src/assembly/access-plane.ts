/** The access plane: every host but the portal's. Who stands in it, and whom each of them knows. */
import { createAccess } from '../access/access.ts'
import { createBegin, createChallenge } from '../access/challenge.ts'
import { createOurs } from '../access/ours.ts'
import { createRefuse } from '../access/refuse.ts'
import { createSiteLogout } from '../access/site-logout.ts'
import { createSitePage } from '../access/site-page.ts'
import { createCloseFromSite } from '../logout/close-from-site.ts'
import { languageOf } from '../pages/language.ts'
import { stylesheet } from '../pages/stylesheet.ts'
import { authorize, isLeft } from '../policy/authorize.ts'
import { createForward } from '../proxy/forward.ts'
import type { Core } from './core.ts'

export function assembleAccessPlane(core: Core) {
  const { portal, resources, locate, locateUrl, providers, sessions, handoff, outbound, open, pages, report } = core
  const forwarding = createForward({
    resources,
    connector: outbound.connector,
    writeSoon: core.writeSoon,
    watch: open.watch,
    permits: core.permits,
    tunnels: open.tunnels,
    report: open.report,
    monotonic: core.monotonic,
  })
  const sitePage = createSitePage({ languageOf, random: core.random, now: core.wall })
  const access = createAccess({
    locate,
    sessions,
    authorize,
    forward: forwarding.forward,
    challenge: createChallenge({ portal: portal.origin, handoff, locateUrl, pages, sitePage }),
    refuse: createRefuse({
      portal: portal.origin,
      pages,
      sitePage,
      idpLabel: id => providers.get(id)?.label ?? null,
    }),
    ours: createOurs({
      portal: portal.origin,
      sessions,
      handoff,
      leaveTokens: core.leaveTokens,
      locateUrl,
      begin: createBegin({ portal: portal.origin, handoff }),
      pages,
      sitePage,
      stylesheet,
      report,
    }),
    siteLogout: createSiteLogout({
      portal: portal.origin,
      sessions,
      authorize,
      isLeft,
      resources,
      close: createCloseFromSite({ sessions, closedSessions: core.closedSessions }),
      passOn: forwarding.passOn,
      pages,
      sitePage,
    }),
    stylesheet,
    decided: core.metrics.decision,
    report,
  })

  return { access, retire: forwarding.retire, close: forwarding.close }
}
