/**
 * Sessions: resume, establish, end, endAll. Rests on the faces of the store and on model/; what is stored where, and why in
 * this order, is docs/sessions.md (A4, A5, C2, C3).
 */
import type { SignIn } from '../model/idp.ts'
import type { OpenTraffic } from '../model/open-traffic.ts'
import type { Device, EndedSession, EndReason, Scope, Session, SessionId } from '../model/session.ts'
import { cookieFor } from './cookies.ts'
import type { Newcomer } from './establish.ts'
import { joinParts, type SessionParts } from './joined.ts'
import type { KnownSession } from './known.ts'
import type { Selection } from './many.ts'
import type { PerPerson } from './persons.ts'
import { hashOf, keysOf } from './record.ts'
import type { Activity, Resumed } from './resume.ts'

export type { Activity, KnownSession, Newcomer, PerPerson, Resumed, Selection }

const sweepMs = 15_000
/** SESSIONS B 21. */
const waitForPlaceMs = 10 * 60_000

export type Sessions = ReturnType<typeof createSessions>

export function createSessions(parts: SessionParts) {
  const { store, keys, now } = parts
  const joined = joinParts(parts)
  const {
    cache,
    streams,
    follower,
    marks,
    ending,
    endingAll,
    resuming,
    judge,
    establishing,
    persons,
    confirmed,
    many,
  } = joined
  const sweeping = setInterval(sweep, sweepMs)
  sweeping.unref()

  return {
    read: resuming.read,
    authentic: resuming.authentic,
    establish: establishing.establish,

    /**
     * Null: no session. A value that is not a promise came from this process's cache.
     * @throws GatewayError `session.ambiguous`, `session.store-down`
     */
    resume(
      cookies: string | null,
      scope: Scope,
      activity: Activity | (() => Activity),
    ): Resumed | null | Promise<Resumed | null> {
      const resumed = resuming.resume(cookies, scope, activity)
      // Only the portal's cookie is set before the session counts.
      return scope === 'portal' ? Promise.resolve(resumed).then(confirmed).then(onlyIfItCounts) : resumed
    },

    /**
     * The session that /enter takes over, by the store: see resume.ts. One that still is provisional opens nothing: its
     * person has as many as they may.
     * @throws GatewayError `session.ambiguous`, `session.store-down`
     */
    async arriving(cookies: string | null): Promise<Resumed | null> {
      return confirmed(await resuming.arriving(cookies))
    },

    /** @returns false: it is gone. What the new sign-in says holds here at once, elsewhere as soon as the log is read. */
    async renew(id: SessionId, signIn: SignIn, device: Device | null): Promise<boolean> {
      const kept = await establishing.renew(id, signIn, device)
      if (kept) await joined.tellChange(hashOf(id))
      return kept
    },

    leave: joined.left.leave,
    reopen: joined.left.reopen,
    choose: joined.choose,

    /** The value of a cookie for this scope. */
    cookieFor(scope: Scope, id: SessionId, generation: number): string {
      return cookieFor(keys, scope, id, generation)
    },

    /**
     * Ends one session, everywhere.
     * @returns null: it was over already
     * @throws GatewayError `logout.not-stored` shut here, not yet in the store
     */
    end(id: SessionId, reason: EndReason): Promise<EndedSession | null> {
      return ending.end(hashOf(id), reason)
    },

    /**
     * One that is provisional because its person holds as many as they may waits ten minutes for a place.
     * @returns when it goes, by the store's clock; null: it has gone
     */
    async waitForPlace({ session, entry }: Resumed): Promise<number | null> {
      const until = Math.min(session.createdAt + waitForPlaceMs, session.absoluteEnd)
      return (await store.records.touch(keysOf(entry.hash).record, until)) ? until : null
    },

    /** As `end`, by the hash. */
    endKnown: ending.end,

    /** The sessions of a person that live and count, the oldest first. */
    of: persons.of,

    /** For operators. */
    list: many.list,
    endMany: many.end,

    endAll: endingAll.endAll,

    visit: joined.visits.visit,
    visited: joined.visits.visited,

    /** Closed when the session ends, has ended while it was being opened, or may no longer have it open. */
    watch(session: Session, traffic: OpenTraffic): () => void {
      const hash = hashOf(session.id)
      const stop = streams.watch(hash, session, traffic)
      judge.one(hash, session)
      return stop
    },

    /** S8, which also comes by itself every 15 seconds. Resolves when everything that is open has been judged anew. */
    sweep,

    /**
     * Another configuration has come: nothing that was remembered under the old one is used again. Resolves when everything
     * that is open has been judged by the new one.
     */
    judgeAnew(): Promise<void> {
      marks.forget()
      resuming.forget()
      return sweep()
    },

    openStreams: () => streams.size,
    endsHeard: () => follower.fresh(),
    closeStreams: () => streams.closeAll(),
    count: () => store.records.count(),

    /**
     * For a process that stops: nobody is asked again from now on, what was asked already is written down, and ends that the
     * store has not taken yet are tried once more; all within this time, ms.
     */
    async finish(withinMs: number): Promise<void> {
      await Promise.all([joined.recheck?.close(withinMs), ending.finish(withinMs)])
    },

    async close(): Promise<void> {
      clearInterval(sweeping)
      ending.close()
      endingAll.close()
      joined.tidy.close()
      await follower.stop()
    },
  }

  /** A stream that never rests is no activity, and no reason to outlive a limit. */
  async function sweep(): Promise<void> {
    cache.sweep(now())
    await judge.all()
    streams.cutLate()
  }
}

function onlyIfItCounts(resumed: Resumed | null): Resumed | null {
  return resumed === null || resumed.provisional ? null : resumed
}
