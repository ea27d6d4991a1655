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

type Health = ReturnType<IdentityProvider['health']>

export interface Reach<Found> {
  /**
   * At most ten seconds old. For whoever begins something with the idp.
   *
   * @throws GatewayError `idp.unreachable`, `idp.invalid-answer` also at once, while the back-off lasts
   */
  readonly fresh: () => Promise<Found>
  /** Of any age. For whoever ends what was begun: the request that follows tells more than another look would. */
  readonly known: () => Promise<Found>
  /** Looks again, but for a moment after a look that failed. Resolves when that is known; never rejects. */
  readonly doubt: () => Promise<void>
  /**
   * What was begun with it could not be ended through no fault of the person's. It may still be found where it is looked for: so for
   * five minutes, or until somebody's sign-in succeeds, it counts as down.
   */
  readonly failed: (error: GatewayError) => void
  /** What was begun with it was ended. */
  readonly worked: () => void
  readonly health: IdentityProvider['health']
  /** It is not there at all: nobody is sent to it, not even to sign out. */
  readonly isGone: () => boolean
}

/** For so long what was found is used without looking again. */
const freshMs = 10_000
/** Between two failed looks, at first and at most; each is shortened by chance, so that replicas spread. */
const firstBackOffMs = 500
const lastBackOffMs = 10_000

/** Longer than it takes to type an access code, where one is offered in its place. */
const failingMs = 5 * 60_000

export function createReach<Found>(parts: ReachParts<Found>): Reach<Found> {
  const { now, report } = parts
  let held: { readonly found: Found; readonly at: number } | null = null
  let failure: { readonly error: GatewayError; readonly at: number; readonly waitMs: number } | null = null
  let failures = 0
  let looking: Promise<Found> | null = null
  let found: Health = 'unknown'
  let failedAt: number | null = null
  let told: Health = 'unknown'

  function health(): Health {
    return found === 'down' || (failedAt !== null && !over(failedAt, failingMs)) ? 'down' : found
  }

  /** @param error why it is down, where it is */
  function tell(error: GatewayError | null): void {
    const is = health()
    if (is === told) return
    told = is
    if (is === 'up') report({ name: 'idp.up', idp: parts.id })
    else if (error !== null) report({ name: 'idp.down', idp: parts.id, detail: error.message, hint: error.hint })
  }

  async function look(): Promise<Found> {
    try {
      const there = await parts.look()
      held = { found: there, at: now() }
      failure = null
      failures = 0
      found = 'up'
      tell(null)
      return there
    } catch (cause) {
      const error = cause instanceof GatewayError ? cause : new GatewayError('internal', String(cause), { cause })
      const backOffMs = Math.min(firstBackOffMs * 2 ** failures, lastBackOffMs)
      failures += 1
      failure = { error, at: now(), waitMs: backOffMs * (0.5 + parts.random() / 2) }
      found = 'down'
      tell(error)
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

  async function doubt(): Promise<void> {
    if (held !== null) held = { found: held.found, at: Number.NEGATIVE_INFINITY }
    await fresh().catch(() => {})
  }

  return {
    fresh,
    known: async () => (held === null ? fresh() : held.found),
    doubt,
    failed(error) {
      failedAt = now()
      tell(error)
      void doubt()
    },
    worked() {
      if (found === 'down') void doubt()
      if (failedAt === null) return
      failedAt = null
      tell(null)
    },
    health,
    isGone: () => found === 'down',
  }
}
