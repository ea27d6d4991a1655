/** One connection to an origin, on real sockets: what it sends, how an answer ends, and that nobody hears more than his own. */
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidAnswer } from '../../src/proxy/answer-parser.ts'
import { ClientLate, ConnectionLost, OriginConnection, OriginLate } from '../../src/proxy/origin-connection.ts'
import { type SettableClock, settableClock } from '../stand-in/clock.ts'
import { type Accepted, answerOf, aRequest, connectTo, Heard, type OriginSide, startOriginSide } from './origin-side.ts'

const waits = { answerMs: 5_000, idleMs: 2_000 }
let origin: OriginSide
let clock: SettableClock
beforeEach(async () => {
  origin = await startOriginSide()
  clock = settableClock(0)
})
afterEach(() => origin.stop())

interface Ends {
  readonly ours: OriginConnection
  readonly theirs: Accepted
  /** What was said of the connection: true, it is free; false, it is gone. */
  readonly settled: boolean[]
  /** It is gone, on both sides, and that was said once. */
  readonly gone: () => Promise<void>
}

async function connected(): Promise<Ends> {
  const settled: boolean[] = []
  const gone = Promise.withResolvers<void>()
  const socket = await connectTo(origin)
  const ours = new OriginConnection(
    socket,
    waits,
    (_, reusable) => {
      settled.push(reusable)
      if (!reusable) gone.resolve()
    },
    clock.now,
  )
  return {
    ours,
    theirs: await origin.connection(origin.connections.length || 1),
    settled,
    async gone() {
      const { theirs } = ends
      await Promise.all([gone.promise, theirs.closed])
      expect(settled.filter(reusable => !reusable)).toHaveLength(1)
      expect(socket.destroyed).toBe(true)
    },
  } satisfies Ends as Ends & { theirs: Accepted } as Ends
}
