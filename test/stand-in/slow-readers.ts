/** Readers who ask for something large and then do not read on: the gateway holds what it has taken from the origin. */
import type { RawConnection } from './raw-client.ts'

export interface Crowd {
  /** All at once, with a reset. */
  readonly leave: () => void
}

/** @param ask opens a connection and sends a request; resolves once every reader has the first bytes of an answer */
export async function crowdOf(count: number, ask: () => Promise<RawConnection>): Promise<Crowd> {
  const readers = await Promise.all(
    Array.from({ length: count }, async () => {
      const reader = await ask()
      const begun = new Promise<void>(resolve => reader.socket.once('data', () => resolve()))
      await begun
      reader.socket.pause()
      return reader
    }),
  )
  return {
    leave() {
      for (const reader of readers) reader.reset()
    },
  }
}
