/** What the tests of this folder stand on: a provider that lies as told, a clock that both share, and the way there. */
import { afterAll, beforeEach } from 'vitest'
import { createOutbound } from '../../src/outbound/outbound.ts'
import { startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { settableClock } from '../stand-in/clock.ts'

/** Honest again before each test, stopped after the last. `needs` is what `gatewayAt` asks for. */
export async function atProvider() {
  const clock = settableClock()
  const op = await startAdversarialOp(clock.now)
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  beforeEach(() => op.reset())
  afterAll(async () => {
    await op.stop()
    await outbound.close()
  })
  return { clock, op, needs: { fetch: outbound.fetch, now: clock.now } }
}
