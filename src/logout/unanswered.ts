/**
 * The sites that have just not answered, of one piece of work that ends many sessions: each further end would wait the same three
 * seconds for them. After a while they are asked again; the work may take minutes, and a site may come back.
 */
import type { Unanswered } from '../model/logout.ts'

/** Milliseconds. */
const forMs = 30_000

/** @param now milliseconds, never stepping back */
export function createUnanswered(now: () => number): Unanswered {
  const until = new Map<string, number>()
  return {
    has: resource => now() < (until.get(resource) ?? Number.NEGATIVE_INFINITY),
    add: resource => void until.set(resource, now() + forMs),
  }
}
