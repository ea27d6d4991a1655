/**
 * Open WebSockets, event streams and long answers by session. A stream is closed as soon as the end of its session is heard; an
 * ordinary answer may finish within its grace; both are judged again at every sweep (SESSIONS A4, S8).
 */
import type { OpenTraffic } from '../model/open-traffic.ts'
import type { Session } from '../model/session.ts'

interface Watched {
  readonly session: Session
  readonly traffic: OpenTraffic
  /** Since when its session is over, or may not have it open; milliseconds since the epoch. */
  endedAt: number | null
}

export class OpenStreams {
  readonly #bySession = new Map<string, Set<Watched>>()
  readonly #now: () => number

  /** @param now milliseconds since the epoch, never stepping back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @returns call it when the stream closed by itself */
  watch(hash: string, session: Session, traffic: OpenTraffic): () => void {
    const watched: Watched = { session, traffic, endedAt: null }
    const all = this.#bySession.get(hash) ?? new Set()
    all.add(watched)
    this.#bySession.set(hash, all)
    return () => this.#forget(hash, watched)
  }

  /** The session is over: at once for what has no grace, else at the first sweep after it. */
  end(hash: string): void {
    for (const watched of [...(this.#bySession.get(hash) ?? [])]) this.#over(hash, watched)
  }

  /** Sessions that have something open, each with the hash of its key; one for each generation of its cookies. */
  sessions(): readonly (readonly [hash: string, session: Session])[] {
    const found: (readonly [string, Session])[] = []
    for (const [hash, all] of this.#bySession) {
      const generations = new Map([...all].map(({ session }) => [session.generation, session]))
      for (const session of generations.values()) found.push([hash, session])
    }
    return found
  }

  has(hash: string): boolean {
    return this.#bySession.has(hash)
  }

  /** What the session, as it is now, may no longer have open is closed. */
  judge(hash: string, live: Session): void {
    for (const watched of [...(this.#bySession.get(hash) ?? [])]) {
      if (watched.session.generation !== live.generation) continue
      if (!watched.traffic.permitted(live)) this.#over(hash, watched)
    }
  }

  /** Whose grace is over is cut. */
  cutLate(): void {
    const now = this.#now()
    for (const [hash, all] of this.#bySession) {
      for (const watched of [...all]) {
        if (watched.endedAt !== null && now - watched.endedAt >= watched.traffic.graceMs) this.#close(hash, watched)
      }
    }
  }

  /** What would not end by itself. */
  closeAll(): void {
    for (const [hash, all] of [...this.#bySession]) {
      for (const watched of [...all]) if (watched.traffic.graceMs === 0) this.#close(hash, watched)
    }
  }

  /** Streams; answers that will end by themselves are not counted. */
  get size(): number {
    let count = 0
    for (const all of this.#bySession.values()) for (const { traffic } of all) if (traffic.graceMs === 0) count++
    return count
  }

  #over(hash: string, watched: Watched): void {
    watched.endedAt ??= this.#now()
    if (watched.traffic.graceMs === 0) this.#close(hash, watched)
  }

  #close(hash: string, watched: Watched): void {
    this.#forget(hash, watched)
    watched.traffic.close()
  }

  #forget(hash: string, watched: Watched): void {
    const all = this.#bySession.get(hash)
    if (all?.delete(watched) && all.size === 0) this.#bySession.delete(hash)
  }
}
