/**
 * Freshness of entitlement (SESSIONS B 5): in the background of a request whose session was last checked long ago, the idp
 * is asked how things stand. One check at a time over all processes: whoever writes into the record that it begins, by
 * its version, has it; nobody else begins before that claim is over. It is written before the idp is asked, because
 * what is asked with may be good for one use: where the store takes nothing, nothing is used up (decision 10).
 */
import type { GatewayError } from '../errors.ts'
import type { RecheckOutcome, Report } from '../model/event.ts'
import { type Claims, type Identity, type Understood, withClaims } from '../model/identity.ts'
import type { Refreshed } from '../model/idp.ts'
import type { EndedSession, IdpMemory } from '../model/session.ts'
import type { CacheEntry } from './cache.ts'
import { keysOf, openKeep, type SessionRecord, sealKeep } from './record.ts'
import type { ChangeRecord } from './record-change.ts'
import type { Keys } from './seal.ts'

export interface RecheckSettings {
  /** Null: nobody is asked. Read at each use: a reload changes it. */
  readonly everyMs: number | null
  /** The idp's answer, understood. Throws a GatewayError where nothing is known. */
  readonly ask: (identity: Identity, keep: IdpMemory) => Promise<Rechecked>
  /** 0 to 1, so that those who signed in together do not ask together for ever. */
  readonly random: () => number
}

/** With claims by the names that policies use, and what there is to choose from among them. */
export type Rechecked = Refreshed & Pick<Understood, 'candidates'>

export interface RecheckParts {
  readonly settings: RecheckSettings
  readonly change: ChangeRecord
  readonly keys: Keys
  readonly end: (hash: string, reason: 'recheck') => Promise<EndedSession | null>
  readonly ended: (ended: EndedSession) => void
  /** The claims of this session are new: whoever remembers the old ones drops them. */
  readonly changed: (hash: string) => Promise<void>
  readonly now: () => number
  readonly report: Report
}

export interface Recheck {
  /** By the store's clock, ms. */
  readonly dueAt: (record: SessionRecord) => number
  /** Never waits, never throws. */
  readonly begin: (entry: CacheEntry) => void
  /** Nothing new begins; what runs may end, and be written, within this time. */
  readonly close: (withinMs: number) => Promise<void>
}

/** Whoever has begun has so long, also to write what it was given; a process that died leaves the session to others then. */
const claimMs = 5 * 60_000
/** How soon somebody looks again whose attempt found another's claim, or no store. */
const lookMs = 10_000
const firstPauseMs = 30_000
const longestPauseMs = 10 * 60_000
const retryMs = 1_000
/** In this process; whoever comes when so many run, begins at a later request. */
const atATime = 32
const failuresLimit = 10_000
const never = Number.POSITIVE_INFINITY

/** What is to be written of a check. */
interface Result {
  readonly identity: Identity
  readonly outcome: RecheckOutcome
  readonly detail: string | null
  /** The sealed tokens that were asked with, and those that replace them. */
  readonly before: string
  readonly keep: string
  /** Null: they stay as they are. */
  readonly said: Understood | null
  /** ms; null: it did not say. */
  readonly notAfter: number | null
  /** ms until the next attempt; null: it was checked, and the period begins anew. */
  readonly pause: number | null
}

export function createRecheck(parts: RecheckParts): Recheck {
  const { change, keys, now, settings } = parts
  const running = new Map<string, Promise<void>>()
  /** What the store would not take: kept here, because it holds what the idp will not give twice. */
  const unwritten = new Map<string, Result>()
  /** How often in succession the idp could not be asked. */
  const failures = new Map<string, number>()
  let retry: NodeJS.Timeout | null = null
  let closing = false

  return {
    dueAt,

    begin(entry) {
      const { hash } = entry
      if (closing || settings.everyMs === null || running.has(hash) || unwritten.has(hash) || running.size >= atATime)
        return
      entry.recheckAt = now() + lookMs
      const check = checked(entry)
        // The store does not answer: nothing was asked, or the claim stands until it is over.
        .catch(() => {})
        .finally(() => running.delete(hash))
      running.set(hash, check)
    },

    async close(withinMs) {
      closing = true
      if (retry !== null) clearTimeout(retry)
      if (running.size > 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const timer = setTimeout(resolve, withinMs)
        await Promise.race([Promise.all(running.values()), promise])
        clearTimeout(timer)
      }
      await Promise.all([...unwritten].map(([hash, result]) => write(hash, result).catch(() => {})))
    },
  }

  function dueAt(record: SessionRecord): number {
    return record.provisional ? never : Math.max(record.checkedAt + (settings.everyMs ?? never), record.checkAfter ?? 0)
  }

  async function checked(entry: CacheEntry): Promise<void> {
    const { hash } = entry
    const claimed = await claim(entry)
    if (claimed === null) return
    const at = keysOf(hash)
    const keep = openKeep(keys, at, claimed.keep)
    const result = resultOf(hash, claimed, await answerTo(claimed.identity, keep), keep)
    if (result.outcome === 'ended') return ended(hash, result)
    await write(hash, result)
    if (result.pause === null) entry.recheckAt = now() + (settings.everyMs ?? never)
  }

  /** Null: it is not due, or another process has it. */
  async function claim(entry: CacheEntry): Promise<SessionRecord | null> {
    let seen: SessionRecord | null = null
    let due = 0
    const outcome = await change(
      entry.hash,
      (record, storeNow) => {
        seen = record
        due = dueAt(record)
        return storeNow < due ? null : { ...record, checkAfter: storeNow + claimMs }
      },
      'none',
    )
    if (outcome === 'changed') return seen
    entry.recheckAt = Math.max(entry.recheckAt, due - entry.skew)
    return null
  }

  async function answerTo(identity: Identity, keep: IdpMemory): Promise<Rechecked | GatewayError> {
    try {
      return await settings.ask(identity, keep)
    } catch (error) {
      return error as GatewayError
    }
  }

  function resultOf(hash: string, claimed: SessionRecord, answer: Rechecked | GatewayError, given: IdpMemory): Result {
    const { identity, keep: before } = claimed
    const same = { identity, before, keep: before, said: null, notAfter: null, detail: null, pause: null }
    if (answer instanceof Error) return { ...same, ...failed(hash, answer) }
    const sealed = (keep: IdpMemory) =>
      JSON.stringify(keep) === JSON.stringify(given) ? before : sealKeep(keys, keysOf(hash), keep)
    switch (answer.kind) {
      case 'renewed': {
        const { claims, candidates, notAfter, keep } = answer
        failures.delete(hash)
        const said = claims === null ? null : { claims, ...(candidates === undefined ? {} : { candidates }) }
        const outcome = said === null || saysTheSame(said, identity) ? 'unchanged' : 'changed'
        return { ...same, outcome, said, notAfter, keep: sealed(keep) }
      }
      case 'interrupted':
        return { ...same, ...failed(hash, answer.error), keep: sealed(answer.keep) }
      case 'unable':
        return { ...same, outcome: 'unable', detail: answer.why }
      case 'ended':
        return { ...same, outcome: 'ended', detail: answer.why }
    }
  }

  function failed(hash: string, error: GatewayError): Pick<Result, 'outcome' | 'detail' | 'pause'> {
    const count = failures.get(hash) ?? 0
    const [oldest] = failures.keys()
    if (count === 0 && failures.size >= failuresLimit && oldest !== undefined) failures.delete(oldest)
    failures.set(hash, count + 1)
    const longest = Math.min(firstPauseMs * 2 ** count, longestPauseMs, settings.everyMs ?? never)
    return {
      outcome: error.code === 'idp.unreachable' ? 'unreachable' : 'rejected',
      detail: error.message,
      pause: longest * (0.5 + settings.random() / 2),
    }
  }

  /** Whoever signed in anew while we asked has other tokens, of which the idp said nothing. */
  async function ended(hash: string, result: Result): Promise<void> {
    let current: string | null = null
    await change(hash, record => {
      current = record.keep
      return null
    })
    if (current !== result.before) return
    told(result)
    const over = await parts.end(hash, 'recheck')
    if (over !== null) parts.ended(over)
  }

  /** Until it is written, gone, or another sign-in's tokens stand there. */
  async function write(hash: string, result: Result): Promise<void> {
    let stands = false
    try {
      for (let attempt = 0; attempt < 5; attempt++) {
        const outcome = await change(
          hash,
          (record, storeNow) => {
            // A command whose answer was lost may have been carried out.
            stands = record.keep === result.keep && result.keep !== result.before
            return record.keep === result.before ? written(record, result, storeNow) : null
          },
          'none',
        )
        if (outcome === 'changed') stands = true
        if (outcome !== 'lost') break
      }
    } catch (error) {
      if ((error as GatewayError).code !== 'session.store-down') {
        // More claims than a record can hold: it goes on with those that it has.
        if (result.said !== null) return write(hash, { ...result, said: null, ...failed(hash, error as GatewayError) })
        throw error
      }
      if (result.keep !== result.before) keepFor(hash, result)
      throw error
    }
    unwritten.delete(hash)
    if (!stands) return
    if (result.outcome === 'changed') await parts.changed(hash)
    told(result)
  }

  function written(record: SessionRecord, result: Result, storeNow: number): SessionRecord {
    const { identity, absoluteEnd, checkedAt } = record
    return {
      ...record,
      identity: result.said === null ? identity : withClaims(identity, result.said),
      keep: result.keep,
      // Never later: a refresh is no sign-in.
      absoluteEnd: Math.min(absoluteEnd, result.notAfter ?? absoluteEnd),
      checkedAt: result.pause === null ? storeNow : checkedAt,
      checkAfter: result.pause === null ? null : storeNow + result.pause,
    }
  }

  function keepFor(hash: string, result: Result): void {
    unwritten.set(hash, result)
    if (retry !== null || closing) return
    retry = setTimeout(async () => {
      retry = null
      for (const [each, kept] of [...unwritten]) await write(each, kept).catch(() => {})
    }, retryMs)
    retry.unref()
  }

  function told({ identity, outcome, detail }: Result): void {
    parts.report({ name: 'session.rechecked', idp: identity.idp, outcome, detail })
  }
}

/** Whatever the order: to a policy it is none. */
function saysTheSame(a: Understood, b: Understood): boolean {
  return canonical(a.claims) === canonical(b.claims) && canonical(a.candidates ?? {}) === canonical(b.candidates ?? {})
}

function canonical(claims: Claims): string {
  const sorted = Object.entries(claims).map(([name, values]) => [name, values.toSorted()] as const)
  return JSON.stringify(sorted.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
