/** Finding a provider's metadata (OpenID Connect Discovery 1.0 §4), in the way that every idp is looked for. */
import { GatewayError } from '../../errors.ts'
import type { Report } from '../../model/event.ts'
import type { IdpId } from '../../model/identity.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import { ask } from '../ask.ts'
import { createReach, type Reach } from '../reach.ts'
import { type Metadata, readMetadata } from './metadata.ts'

export interface DiscoverySettings {
  readonly id: IdpId
  readonly issuer: string
}

export interface DiscoveryNeeds {
  readonly fetch: OutboundFetch
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly report: Report
  /** 0 to 1. */
  readonly random: () => number
  readonly allowLoopbackHttp: boolean
}

export type Discovery = Reach<Metadata>

export function createDiscovery({ id, issuer }: DiscoverySettings, needs: DiscoveryNeeds): Discovery {
  const address = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const expected = { issuer, allowLoopbackHttp: needs.allowLoopbackHttp }
  return createReach({
    id,
    now: needs.now,
    random: needs.random,
    report: needs.report,
    async look() {
      const answer = await ask(needs.fetch, 'GET', address, { signal: null })
      if (answer.status !== 200) {
        throw new GatewayError('idp.invalid-answer', `GET ${address.href}: answered ${answer.status}`)
      }
      return readMetadata(await answer.text(), expected)
    },
  })
}
