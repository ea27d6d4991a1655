/** What the tests of this folder stand on: a provider that lies as told, a clock that both share, and the way there. */
import { afterAll, beforeEach } from 'vitest'
import { createFetch } from '../../src/outbound/fetch.ts'
import { createOutbound } from '../../src/outbound/outbound.ts'
import { startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { settableClock } from '../stand-in/clock.ts'

/**
 * Honest again before each test, stopped after the last. `needs` is what `gatewayAt` asks for.
 *
 * @param patienceMs after which an answer is not waited for any more
 */
export async function atProvider(patienceMs = 10_000) {
  const clock = settableClock()
  const op = await startAdversarialOp(clock.now)
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  const asking = createFetch(outbound.connector(5_000), { deadlineMs: patienceMs, bytes: 1024 * 1024 })
  beforeEach(() => op.reset())
  afterAll(async () => {
    await op.stop()
    await asking.close()
    await outbound.close()
  })
  return { clock, op, needs: { fetch: asking.fetch, now: clock.now } }
}
