import type { EndedSession } from '../model/session.ts'

export interface Settled {
  readonly ended: readonly EndedSession[]
  /** Of those that could not be ended, the first one's reason; null: none failed. */
  readonly failure: { readonly reason: unknown } | null
}

/**
 * Waits for several ends. What has ended is not forgotten because another end failed: nobody can end it again, and its sites
 * must be told.
 */
export async function settled(ends: readonly Promise<EndedSession | null>[]): Promise<Settled> {
  const outcomes = await Promise.allSettled(ends)
  const ended = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : null))
  const failure = outcomes.find(outcome => outcome.status === 'rejected') ?? null
  return { ended: ended.filter(one => one !== null), failure }
}
