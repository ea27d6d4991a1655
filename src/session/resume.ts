/**
 * S1: from the cookie of a request to a session, from this process's memory when it may be used, else from the store.
 * An unauthentic cookie is no session; a store that does not answer is a failure, never "no session".
 */
import { GatewayError } from '../errors.ts'
import { cookieName, cookiesNamed, cookieValues, transactionLimit, transactionPrefix } from '../model/cookie.ts'
import { detached } from '../model/detached.ts'
import type { Report } from '../model/event.ts'
import type { IdpId } from '../model/identity.ts'
import type { Scope, Session } from '../model/session.ts'
import type { Follower, RecordStore, Stored } from '../model/store.ts'
import { type CacheEntry, entryLifeMs, type SessionCache } from './cache.ts'
import { type CookieClaim, readCookie } from './cookies.ts'
import { freshMs } from './follow.ts'
import type { Marks } from './marks.ts'
import type { Recheck } from './recheck.ts'
import { hashOf, keysOf, lastTouch, openRecord, sessionOf } from './record.ts'
import type { Keys } from './seal.ts'

/**
 * What a request says about the person's presence. A prefetch and an open stream say nothing; on a shared computer
 * only navigations and unsafe methods do, so that a page that polls does not keep a forgotten session alive.
 */
export type Activity = 'navigation' | 'background' | 'none'

export interface ResumeParts {
  readonly records: RecordStore
  readonly keys: Keys
  readonly cache: SessionCache
  readonly follower: Follower
  /** Sessions of which this process knows the end: shut here, whatever the store still says or says again. */
  readonly condemned: { readonly has: (hash: string) => boolean }
  /** Ends of many sessions at once, which hold before each record is gone. */
  readonly marks: Marks
  readonly idleMs: (device: Session['device']) => number
  /** Whether the configuration has this idp. Whom it does not vouch for any more is nobody: its sessions count for nothing. */
  readonly hasIdp: (idp: IdpId) => boolean
  /** Null: nobody is asked again. */
  readonly recheck: Pick<Recheck, 'dueAt' | 'begin'> | null
  /** Milliseconds since the epoch, never stepping back. */
  readonly now: () => number
  readonly report: Report
}

export interface Resumed {
  readonly session: Session
  readonly provisional: boolean
  readonly entry: CacheEntry
}

interface Loading {
  readonly counter: number
  readonly entry: Promise<CacheEntry | null>
}

export function createResume(parts: ResumeParts) {
  const { cache, follower, keys, now } = parts
  const loading = new Map<string, Loading>()
  let epoch = 0

  return {
    /** @throws GatewayError `session.ambiguous`, `session.store-down` */
    resume(
      cookies: string | null,
      scope: Scope,
      activity: Activity | (() => Activity),
    ): Resumed | null | Promise<Resumed | null> {
      const values = cookieValues(cookies, scope === 'portal' ? cookieName.portal : cookieName.site)
      if (values.length === 0) return null
      if (values.length === 1) {
        const entry = cache.get(scope, values[0] as string)
        if (entry !== undefined && usable(entry) && !touchDue(entry, activity)) return resumed(entry)
      }
      return resumeAll(values.map(detached), scope, typeof activity === 'string' ? activity : activity())
    },

    /** Nothing that was read before is remembered, nor what is being read: another configuration has come. */
    forget(): void {
      epoch++
      cache.clear()
      loading.clear()
    },

    /** From the store, whatever the cache holds: for the redemption of a ticket. */
    async read(id: string, generation: number): Promise<Resumed | null> {
      const entry = await load({ id, generation })
      return entry === null ? null : resumed(entry)
    },

    /**
     * Whose browser it is while a sign-in arrives: the session of the portal's cookie, else one of those that callbacks
     * have just left. Each tab sees those that were left before its own, so the one that was left first is in sight of all,
     * and all choose it; or one that another tab has chosen already, should a browser not send the oldest first. Asked of
     * the store: in this process' cache may live what another process has ended.
     * @throws GatewayError `session.ambiguous`, `session.store-down`
     */
    async arriving(cookies: string | null): Promise<Resumed | null> {
      const values = cookieValues(cookies, cookieName.portal)
      for (const { id } of claimsOf(values, 'portal')) cache.drop(hashOf(id))
      const held = await resumeAll(values, 'portal', 'navigation')
      if (held !== null) return held
      const left = await Promise.all(claimsOf(leftBehind(cookies), 'portal').map(load))
      const alive = left.filter(entry => entry !== null)
      const chosen = alive.find(entry => !entry.provisional) ?? alive[0]
      return chosen === undefined ? null : resumed(chosen)
    },

    /** The ids of every authentic cookie of a scope, alive or not. */
    authentic(cookies: string | null, scope: Scope): readonly string[] {
      const values =
        scope === 'portal'
          ? [...cookieValues(cookies, cookieName.portal), ...leftBehind(cookies)]
          : cookieValues(cookies, cookieName.site)
      return [...new Set(claimsOf(values, scope).map(claim => claim.id))]
    },
  }

  function claimsOf(values: readonly string[], scope: Scope): readonly CookieClaim[] {
    return values.map(value => readCookie(keys, scope, value)).filter(claim => claim !== null)
  }

  function resumed(entry: CacheEntry): Resumed {
    if (parts.recheck !== null && entry.recheckAt <= now()) parts.recheck.begin(entry)
    return { session: entry.session, provisional: entry.provisional, entry }
  }

  function usable(entry: CacheEntry): boolean {
    const ours = now()
    const theirs = ours + entry.skew
    return (
      follower.fresh() &&
      ours - entry.readAt < entryLifeMs &&
      theirs < entry.idleEnd &&
      theirs < entry.session.absoluteEnd &&
      !parts.condemned.has(entry.hash)
    )
  }

  async function resumeAll(values: readonly string[], scope: Scope, activity: Activity): Promise<Resumed | null> {
    const alive = new Map<string, CacheEntry>()
    for (const value of values) {
      const claim = readCookie(keys, scope, value)
      if (claim === null) continue
      const entry = await current(claim, scope, value, activity)
      const known = alive.get(claim.id)
      if (entry !== null && (known === undefined || known.session.generation < claim.generation)) {
        alive.set(claim.id, entry)
      }
    }
    if (alive.size > 1) {
      parts.report({ name: 'cookie.ambiguous' })
      throw new GatewayError('session.ambiguous', `${alive.size} live sessions in one request, scope ${scope}`)
    }
    const [entry] = alive.values()
    return entry === undefined ? null : resumed(entry)
  }

  async function current(
    claim: CookieClaim,
    scope: Scope,
    value: string,
    activity: Activity,
  ): Promise<CacheEntry | null> {
    const cached = cache.get(scope, value)
    const entry = cached !== undefined && usable(cached) ? cached : await shared(claim, scope, value)
    if (entry === null) return null
    if (!touchDue(entry, activity)) return entry
    return (await touch(entry)) ? entry : null
  }

  /** One read for the concurrent requests of one cookie, but only for those that began at the same point of the log. */
  async function shared(claim: CookieClaim, scope: Scope, value: string): Promise<CacheEntry | null> {
    const key = `${scope}\0${value}`
    const counter = follower.counter()
    const running = loading.get(key)
    if (running?.counter === counter) return running.entry
    const begun: Loading = { counter, entry: loadAndCache(claim, scope, value, counter) }
    loading.set(key, begun)
    try {
      return await begun.entry
    } finally {
      if (loading.get(key) === begun) loading.delete(key)
    }
  }

  async function loadAndCache(
    claim: CookieClaim,
    scope: Scope,
    value: string,
    counter: number,
  ): Promise<CacheEntry | null> {
    const begun = epoch
    const entry = await load(claim)
    if (follower.counter() === counter && begun === epoch) {
      // Of what took so long to read, our clock says too little of the store's.
      if (entry === null || entry.provisional || now() - entry.readAt >= freshMs) return entry
      // What was noted as visited stays noted: one write for each site, not one for each read of the record.
      for (const visited of cache.get(scope, value)?.visited ?? []) entry.visited.add(visited)
      cache.put(scope, value, entry)
      return entry
    }
    // An end was heard while we read, or a reload came: what we hold may be what it ended. A second read decides, and is not kept.
    return load(claim)
  }

  async function load(claim: CookieClaim): Promise<CacheEntry | null> {
    const at = keysOf(hashOf(claim.id))
    if (parts.condemned.has(at.hash)) return null
    const read = await readSoon(at.record)
    if (read === null) return null
    const { stored, askedAt } = read
    const opened = openRecord(keys, at, stored.value)
    if (opened === null) {
      parts.report({ name: 'session.undecryptable' })
      return null
    }
    const { record } = opened
    if (stored.now >= record.absoluteEnd || claim.generation >= record.strengths.length) return null
    if (!parts.hasIdp(record.identity.idp)) return null
    const over = parts.marks.over(record.identity, record.createdAt)
    if (typeof over === 'boolean' ? over : await over) return null
    const skew = stored.now - now()
    return {
      session: sessionOf(claim.id, claim.generation, record),
      hash: at.hash,
      provisional: record.provisional,
      readAt: askedAt,
      skew,
      idleEnd: stored.expiresAt,
      touchedAt: lastTouch(stored, record.absoluteEnd, parts.idleMs(record.device)) ?? stored.now,
      recheckAt: (parts.recheck?.dueAt(record) ?? Number.POSITIVE_INFINITY) - skew,
      visited: new Set(),
    }
  }

  /**
   * Where this process stood still while it asked, it comes to the answer late: what was so then is worth no more than a memory of
   * that age, so it asks once more.
   */
  async function readSoon(key: string): Promise<{ readonly stored: Stored; readonly askedAt: number } | null> {
    for (let again = true; ; again = false) {
      const askedAt = now()
      const stored = await parts.records.read(key)
      if (again && now() - askedAt >= freshMs) continue
      return stored === null ? null : { stored, askedAt }
    }
  }

  /** At most every tenth of the limit: a session ends between 0.9 and 1.0 of it. */
  function touchDue(entry: CacheEntry, activity: Activity | (() => Activity)): boolean {
    if (entry.provisional) return false
    const theirs = now() + entry.skew
    const idleMs = parts.idleMs(entry.session.device)
    // Of a limit that is shorter since a reload the record knows nothing yet.
    if (theirs - entry.touchedAt < idleMs / 10 && entry.idleEnd <= theirs + idleMs) return false
    const shown = typeof activity === 'string' ? activity : activity()
    return shown === 'navigation' || (shown === 'background' && entry.session.device === 'own')
  }

  async function touch(entry: CacheEntry): Promise<boolean> {
    const theirs = now() + entry.skew
    const idleEnd = Math.min(theirs + parts.idleMs(entry.session.device), entry.session.absoluteEnd)
    const { touchedAt } = entry
    // Noted first, so that the other requests of this moment do not touch as well.
    entry.touchedAt = theirs
    try {
      if (await parts.records.touch(keysOf(entry.hash).record, idleEnd)) {
        entry.idleEnd = idleEnd
        return true
      }
    } catch (error) {
      // It was not: else the next one would be due a tenth of the limit later, and the session end too soon.
      entry.touchedAt = touchedAt
      throw error
    }
    cache.drop(entry.hash)
    return false
  }
}

/** By callbacks, for /enter to take over. */
function leftBehind(cookies: string | null): readonly string[] {
  const left = cookiesNamed(cookies, transactionPrefix.session)
  return left.slice(0, transactionLimit).map(({ value }) => value)
}
