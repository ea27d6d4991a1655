/**
 * Finding the provider's metadata: lazily, so that an idp that is down never stops a start; again and again, so that
 * one that comes back is found; and never by more than one request at a time, however many people wait.
 */
import { GatewayError } from '../../errors.ts'
import type { Report } from '../../model/event.ts'
import type { IdpId } from '../../model/identity.ts'
import type { IdentityProvider } from '../../model/idp.ts'
import type { OutboundFetch } from '../../model/outbound.ts'
import { ask } from '../ask.ts'
import { type Metadata, readMetadata } from './metadata.ts'

/** For so long metadata is used without looking again: a sign-in must not lead to an idp that has gone meanwhile. */
const freshMs = 10_000
/** Between two failed looks, at first and at most; each is shortened by chance, so that replicas spread. */
const firstBackOffMs = 500
const lastBackOffMs = 10_000

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

export interface Discovery {
  /**
   * At most ten seconds old. For whoever begins something with the idp.
   *
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` also at once, while the back-off lasts
   */
  readonly fresh: () => Promise<Metadata>
  /** Of any age. For whoever ends what was begun: the request that follows tells more than another look would. */
  readonly known: () => Promise<Metadata>
  /** Something else about the idp failed, or worked while it was thought down: look again soon. Never waits. */
  readonly doubt: () => void
  readonly health: IdentityProvider['health']
}

export function createDiscovery(settings: DiscoverySettings, needs: DiscoveryNeeds): Discovery {
  const { now, report } = needs
  const address = new URL(`${settings.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  let held: { readonly metadata: Metadata; readonly at: number } | null = null
  let failure: { readonly error: GatewayError; readonly at: number; readonly waitMs: number } | null = null
  let failures = 0
  let looking: Promise<Metadata> | null = null
  let health: 'up' | 'down' | 'unknown' = 'unknown'

  async function look(): Promise<Metadata> {
    try {
      const answer = await ask(needs.fetch, 'GET', address, { signal: null })
      if (answer.status !== 200) {
        throw new GatewayError('idp.invalid-answer', `GET ${address.href}: answered ${answer.status}`)
      }
      const metadata = readMetadata(await answer.text(), settingsAsExpected)
      held = { metadata, at: now() }
      failure = null
      failures = 0
      if (health !== 'up') report({ name: 'idp.up', idp: settings.id })
      health = 'up'
      return metadata
    } catch (cause) {
      const error = cause instanceof GatewayError ? cause : new GatewayError('internal', String(cause), { cause })
      const backOffMs = Math.min(firstBackOffMs * 2 ** failures, lastBackOffMs)
      failures += 1
      failure = { error, at: now(), waitMs: backOffMs * (0.5 + needs.random() / 2) }
      if (health !== 'down') {
        report({ name: 'idp.down', idp: settings.id, detail: error.message, hint: error.hint })
      }
      health = 'down'
      throw error
    }
  }
  const settingsAsExpected = { issuer: settings.issuer, allowLoopbackHttp: needs.allowLoopbackHttp }

  /** True also where the clock was set back. */
  function over(at: number, ms: number): boolean {
    return Math.abs(now() - at) >= ms
  }

  async function fresh(): Promise<Metadata> {
    if (looking !== null) return looking
    if (failure !== null && !over(failure.at, failure.waitMs)) throw failure.error
    if (failure === null && held !== null && !over(held.at, freshMs)) return held.metadata
    looking = look().finally(() => {
      looking = null
    })
    return looking
  }

  return {
    fresh,
    known: async () => held?.metadata ?? fresh(),
    doubt: () => {
      if (held !== null) held = { metadata: held.metadata, at: Number.NEGATIVE_INFINITY }
      fresh().catch(() => {})
    },
    health: () => health,
  }
}
