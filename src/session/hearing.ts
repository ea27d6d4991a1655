/** What this process does about each line of the log of ends, its own ones among them (SESSIONS A4, S7, S8). */
import type { EndEntry } from '../model/store.ts'
import type { SessionCache } from './cache.ts'
import type { Judge } from './judge.ts'
import type { Marks } from './marks.ts'
import type { RecentEnds } from './recent-ends.ts'
import type { OpenStreams } from './streams.ts'

export interface HearingParts {
  readonly cache: SessionCache
  readonly streams: OpenStreams
  readonly marks: Marks
  readonly recent: RecentEnds
  readonly judge: Judge
  /** The store may have lost ends that were decided here. */
  readonly repeatOwn: () => void
}

export function createHearing({ cache, streams, marks, recent, judge, repeatOwn }: HearingParts) {
  return { heard, changed }

  function heard(entry: EndEntry): void {
    switch (entry.kind) {
      case 'session':
        recent.heard(entry.key)
        cache.drop(entry.key)
        return streams.end(entry.key)
      case 'changed':
        return changed(entry.key)
      case 'idp':
      case 'all':
        return marked(entry.key)
      case 'unknown':
        // They name no session.
        return readAnew()
      case 'lost':
        readAnew()
        return repeatOwn()
    }
  }

  /** What is remembered of this session is read anew, and what it has open is judged by that. */
  function changed(hash: string): void {
    cache.drop(hash)
    judge.session(hash)
  }

  /** Everything of an idp, or of everybody, that began before. */
  function marked(mark: string): void {
    marks.hear(mark)
    cache.dropWhere(({ session }) => marks.covers(session.identity, session.createdAt))
    for (const [hash, session] of streams.sessions()) {
      if (marks.covers(session.identity, session.createdAt)) streams.end(hash)
    }
  }

  /** Everything that is remembered, and everything that is open. */
  function readAnew(): void {
    marks.forget()
    cache.clear()
    judge.all()
  }
}
