/**
 * POST /backchannel/<idp>: an idp says, server to server, that sessions are over. It hears 200 only when they are, 400 where
 * its word proves nothing, and 5xx where it must say it again. OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8.
 */
import { GatewayError } from '../errors.ts'
import { Meter } from '../limits/meter.ts'
import { shareOf } from '../limits/share.ts'
import type { Report } from '../model/event.ts'
import type { Answer, PortalRequest } from '../model/exchange.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'
import { isLoopback } from '../setting/network.ts'
import type { EndFromIdp } from './from-idp.ts'

export interface BackChannelParts {
  readonly providers: ReadonlyMap<IdpId, Pick<IdentityProvider, 'backChannel'>>
  readonly endFromIdp: EndFromIdp
  readonly report: Report
  /** Milliseconds. */
  readonly now: () => number
}

/** Worthless tokens that one address may send in a minute; good ones are not counted. */
const refusedPerAddress = 60
const mostAddresses = 20_000
const retryAfterS = 5

export function createBackChannel({ providers, endFromIdp, report, now }: BackChannelParts) {
  const refused = new Meter({ perMinute: refusedPerAddress, mostKeys: mostAddresses })

  return async function backChannel(request: PortalRequest): Promise<Answer> {
    const idp = request.params.idp ?? ''
    const hear = providers.get(idp)?.backChannel ?? null
    if (hear === null) throw new GatewayError('portal.not-found', request.path)
    // This machine's own address is nobody's: behind a proxy here that is not trusted it would be everybody's.
    const share = isLoopback(request.address) ? null : shareOf(request.address)
    try {
      const waitMs = share === null ? 0 : refused.wait(share, now())
      if (waitMs > 0) throw tooMany(share ?? '', waitMs)
      const { failure } = await endFromIdp('back', [await hear(request.form ?? new URLSearchParams())])
      if (failure !== null) throw failure
      return { kind: 'empty', status: 200 }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      if (error.code === 'logout.too-many') report({ name: 'logout.limited', idp, channel: 'back' })
      if (error.code === 'logout.token-rejected' && share !== null) refused.count(share, now())
      return refusal(request, error)
    }
  }
}

function tooMany(share: string, waitMs: number): GatewayError {
  const detail = `more than ${refusedPerAddress} worthless logout tokens a minute from ${share}`
  return new GatewayError('logout.too-many', detail, { retryAfterS: Math.ceil(waitMs / 1000) })
}

/** The idp's operator finds the reason in our log, by the reference; whoever sends forgeries learns nothing. */
function refusal(request: PortalRequest, error: GatewayError): Answer {
  request.note(error)
  const isTheirs = error.status === 400
  const said = isTheirs ? 'The logout token was refused' : 'The end could not be carried out, say it again'
  return {
    kind: 'json',
    // Everything that is not their token's fault asks for another try (§2.8).
    status: isTheirs || error.status === 429 ? error.status : 503,
    body: {
      error: isTheirs ? 'invalid_request' : 'temporarily_unavailable',
      error_description: `${said}; the log of the gateway says why under the reference ${request.reference}`,
    },
    ...(isTheirs ? {} : { headers: { 'Retry-After': String(error.retryAfterS ?? retryAfterS) } }),
  }
}
