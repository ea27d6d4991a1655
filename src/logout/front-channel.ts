/**
 * GET /frontchannel/<idp>: an idp says, in a frame of its own page, that sessions are over. No cookie of ours comes along, and
 * nobody vouches for it: what it may end, the provider's settings say. The answer is the same empty page whatever happened,
 * so that nobody learns which sids are alive (SESSIONS B 6). OpenID Connect Front-Channel Logout 1.0 §2, §3.
 */
import { GatewayError } from '../errors.ts'
import { Meter } from '../limits/meter.ts'
import { shareOf } from '../limits/share.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import type { EndFromIdp } from './from-idp.ts'

type FrontChannel = NonNullable<IdentityProvider['frontChannel']>

export interface FrontChannelParts {
  readonly providers: ReadonlyMap<IdpId, Pick<IdentityProvider, 'frontChannel'>>
  readonly endFromIdp: EndFromIdp
  readonly report: Report
  /** Milliseconds. */
  readonly now: () => number
}

/**
 * So many notices in a minute from one address. A school is one, and its people leave at the same hour; but each notice leaves
 * a mark in the store, and one by subject can be anybody's.
 */
const perAddress = { session: 600, subject: 10 }
/** Marks of all addresses together: 20 minutes of them are about 40 MB. */
const ofAll = { perMinute: 6_000, atOnce: 3_000 }
const mostAddresses = 20_000

export function createFrontChannel({ providers, endFromIdp, report, now }: FrontChannelParts) {
  const limits = {
    session: new Meter({ perMinute: perAddress.session, mostKeys: mostAddresses }),
    subject: new Meter({ perMinute: perAddress.subject, mostKeys: mostAddresses }),
  }

  const all = new Meter({ ...ofAll, mostKeys: 1 })

  return async function frontChannel(request: PortalRequest): Promise<Answer> {
    const idp = request.params.idp ?? ''
    const channel = providers.get(idp)?.frontChannel ?? null
    if (channel === null) throw new GatewayError('portal.not-found', request.path)
    // HEAD and what a browser fetches ahead of time end nothing.
    if (request.method === 'GET' && request.navigation !== 'prefetch') await carryOut(request, idp, channel)
    return { kind: 'framed', by: await channel.framedBy() }
  }

  async function carryOut(request: PortalRequest, idp: IdpId, channel: FrontChannel): Promise<void> {
    const notices = channel.hear(request.query)
    if (notices.length === 0) return
    const told = channel.by === 'session' ? 'front' : 'front-subject'
    const share = shareOf(request.address)
    const limit = limits[channel.by]
    const marks = all.wait('', now()) === 0
    if (limit.wait(share, now()) > 0) return report({ name: 'logout.limited', idp, channel: told })
    limit.count(share, now())
    // Of those that are too many for the store, each still ends what is there: a flood keeps nobody from being signed out.
    if (marks) all.count('', now())
    else report({ name: 'logout.limited', idp, channel: told })
    const heard = marks ? notices : notices.map(notice => ({ ...notice, leavesMark: false }))
    const { failure } = await endFromIdp(told, heard)
    if (failure !== null) request.note(failure)
  }
}
