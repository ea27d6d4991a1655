/** Open WebSockets and event streams by session: closed as soon as the end of their session is heard. */

import type { Session } from '../model/session.ts'

export class OpenStreams {
  readonly #bySession = new Map<string, Set<() => void>>()
  readonly #sessions = new Map<string, Session>()

  /** @returns call it when the stream closed by itself */
  watch(hash: string, session: Session, close: () => void): () => void {
    const streams = this.#bySession.get(hash) ?? new Set()
    streams.add(close)
    this.#bySession.set(hash, streams)
    this.#sessions.set(hash, session)
    return () => {
      streams.delete(close)
      if (streams.size === 0 && this.#bySession.get(hash) === streams) this.#forget(hash)
    }
  }

  close(hash: string): void {
    const streams = this.#bySession.get(hash)
    this.#forget(hash)
    for (const close of streams ?? []) close()
  }

  /** Of each session that has open streams, with its hash. */
  sessions(): readonly (readonly [string, Session])[] {
    return [...this.#sessions]
  }

  closeAll(): void {
    for (const hash of [...this.#bySession.keys()]) this.close(hash)
  }

  #forget(hash: string): void {
    this.#bySession.delete(hash)
    this.#sessions.delete(hash)
  }

  get size(): number {
    let count = 0
    for (const streams of this.#bySession.values()) count += streams.size
    return count
  }
}
