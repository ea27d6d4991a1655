/**
 * Whether an idp is there, as we see it, and what it says of itself: looked for lazily, so that an idp that is down never stops a
 * start; again and again, so that one that comes back is found; and never by more than one request at a time, however
 * many people wait. Asked before a person is sent there, so that an idp that has gone is a page of ours and not a browser's.
 */
import { GatewayError } from '../errors.ts'
import type { Report } from '../model/event.ts'
import type { IdpId } from '../model/identity.ts'
import type { IdentityProvider } from '../model/idp.ts'

export interface ReachParts<Found> {
  readonly id: IdpId
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 to 1. */
  readonly random: () => number
  readonly report: Report
  /** @throws GatewayError it is not there, or it is no such idp */
  readonly look: () => Promise<Found>
}

export interface Reach<Found> {
  /**
   * At most ten seconds old. For whoever begins something with the idp.
   *
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` also at once, while the back-off lasts
   */
  readonly fresh: () => Promise<Found>
  /** Of any age. For whoever ends what was begun: the request that follows tells more than another look would. */
  readonly known: () => Promise<Found>
  /** Something else about the idp failed, or worked while it was thought down: look again soon. Never waits. */
  readonly doubt: () => void
  readonly health: IdentityProvider['health']
}

/** For so long what was found is used without looking again. */
const freshMs = 10_000
/** Between two failed looks, at first and at most; each is shortened by chance, so that replicas spread. */
const firstBackOffMs = 500
const lastBackOffMs = 10_000

export function createReach<Found>(parts: ReachParts<Found>): Reach<Found> {
  const { now, report } = parts
  let held: { readonly found: Found; readonly at: number } | null = null
  let failure: { readonly error: GatewayError; readonly at: number; readonly waitMs: number } | null = null
  let failures = 0
  let looking: Promise<Found> | null = null
  let health: 'up' | 'down' | 'unknown' = 'unknown'

  async function look(): Promise<Found> {
    try {
      const found = await parts.look()
      held = { found, at: now() }
      failure = null
      failures = 0
      if (health !== 'up') report({ name: 'idp.up', idp: parts.id })
      health = 'up'
      return found
    } catch (cause) {
      const error = cause instanceof GatewayError ? cause : new GatewayError('internal', String(cause), { cause })
      const backOffMs = Math.min(firstBackOffMs * 2 ** failures, lastBackOffMs)
      failures += 1
      failure = { error, at: now(), waitMs: backOffMs * (0.5 + parts.random() / 2) }
      if (health !== 'down') report({ name: 'idp.down', idp: parts.id, detail: error.message, hint: error.hint })
      health = 'down'
      throw error
    }
  }

  /** True also where the clock was set back. */
  function over(at: number, ms: number): boolean {
    return Math.abs(now() - at) >= ms
  }

  async function fresh(): Promise<Found> {
    if (looking !== null) return looking
    if (failure !== null && !over(failure.at, failure.waitMs)) throw failure.error
    if (failure === null && held !== null && !over(held.at, freshMs)) return held.found
    looking = look().finally(() => {
      looking = null
    })
    return looking
  }

  return {
    fresh,
    known: async () => (held === null ? fresh() : held.found),
    doubt: () => {
      if (held !== null) held = { found: held.found, at: Number.NEGATIVE_INFINITY }
      fresh().catch(() => {})
    },
    health: () => health,
  }
}
