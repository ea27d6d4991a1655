/** The one face of everything that is compared. */
import type { Target } from '../load.ts'
import type { Cleanup } from '../pinned.ts'
import type { Program } from '../programs.ts'

/** What stands ready before a peer starts. */
export interface Stage {
  readonly originPort: number
  /** Null: redis-server is missing. */
  readonly redisPort: number | null
  /** A folder for this peer alone; it exists. */
  readonly folder: string
  /** Takes everything that has to be stopped, at once when it was started. */
  readonly cleanup: Cleanup
}

export interface StartedPeer extends Target {
  /** Its processes; their descendants are counted too. */
  readonly pids: readonly number[]
}

export interface Peer {
  readonly name: string
  /** What it does for each request, for the reader who doubts the table. */
  readonly work: string
  readonly needs: readonly Program[]
  /** True: it refuses a stranger, and tells the origin who asks in X-Remote-User. */
  readonly protects: boolean
  /** @param core the one core on which all its processes run */
  readonly start: (core: number, stage: Stage) => Promise<StartedPeer>
}
