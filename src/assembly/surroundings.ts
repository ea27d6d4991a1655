/** What the gateway takes from the machine it runs on; a test gives its own. */
import { randomInt } from 'node:crypto'
import type { GatewayEvent } from '../model/event.ts'

export interface Surroundings {
  /** For limits: milliseconds since the epoch as of the start, never stepping back while the process lives. */
  readonly now: () => number
  /** What the clock on the wall says, ms: what others' clocks are compared with. The same as `now` where only that is given. */
  readonly wall: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
  /** An integer from 0 to below `max`. */
  readonly random: (max: number) => number
  /** Where log lines go instead of standard output. */
  readonly writeLog: ((line: string) => void) | null
  /** Hears every event beside the log. */
  readonly heard: (event: GatewayEvent) => void
}

const ofThisMachine: Surroundings = {
  now: () => performance.timeOrigin + performance.now(),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  random: max => randomInt(max),
  writeLog: null,
  heard: () => {},
}

export function surroundingsWith(given: Partial<Surroundings>): Surroundings {
  return { ...ofThisMachine, ...given, wall: given.wall ?? given.now ?? ofThisMachine.wall }
}
