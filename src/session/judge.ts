/** What is open is judged anew by its session as the store knows it now (SESSIONS S8). */
import { GatewayError } from '../errors.ts'
import type { Session } from '../model/session.ts'
import type { Resumed } from './resume.ts'
import type { OpenStreams } from './streams.ts'

export type Judge = ReturnType<typeof createJudge>

export function createJudge(streams: OpenStreams, read: (id: string, generation: number) => Promise<Resumed | null>) {
  return {
    one: judge,

    async session(hash: string): Promise<void> {
      if (!streams.has(hash)) return
      const open = streams.sessions().filter(([key]) => key === hash)
      await Promise.all(open.map(([key, session]) => judge(key, session)))
    },

    async all(): Promise<void> {
      await Promise.all(streams.sessions().map(([hash, session]) => judge(hash, session)))
    },
  }

  /** A store that does not answer says nothing; the next sweep asks again. */
  async function judge(hash: string, session: Session): Promise<void> {
    try {
      const live = await read(session.id, session.generation)
      if (live === null) streams.end(hash)
      else streams.judge(hash, live.session)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
    }
  }
}
