/** Open WebSockets and event streams by session: closed as soon as the end of their session is heard. */

export class OpenStreams {
  readonly #bySession = new Map<string, Set<() => void>>()

  /** @returns call it when the stream closed by itself */
  watch(hash: string, close: () => void): () => void {
    const streams = this.#bySession.get(hash) ?? new Set()
    streams.add(close)
    this.#bySession.set(hash, streams)
    return () => {
      streams.delete(close)
      if (streams.size === 0 && this.#bySession.get(hash) === streams) this.#bySession.delete(hash)
    }
  }

  close(hash: string): void {
    const streams = this.#bySession.get(hash)
    this.#bySession.delete(hash)
    for (const close of streams ?? []) close()
  }

  closeAll(): void {
    for (const hash of [...this.#bySession.keys()]) this.close(hash)
  }

  get size(): number {
    let count = 0
    for (const streams of this.#bySession.values()) count += streams.size
    return count
  }
}
