/** docs/sessions.md C5 14: a session of thirty days. A timer of more than 24.8 days fires at once, so none is armed for long. */
import { afterEach, expect, it, vi } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTwoIdps } from '../stand-in/two-idps.ts'

const hour = 60 * 60_000
const day = 24 * hour

afterEach(() => vi.restoreAllMocks())

it('a session of thirty days lives as long as it is said to, and no timer is armed for more than an hour (C5 14)', async () => {
  const timers = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')]
  const clock = settableClock(Date.now())
  const world = await startTwoIdps({
    session: '  idleTimeout: 30d\n  absoluteTimeout: 30d',
    surroundings: { now: clock.now },
  })
  try {
    const browser = new Browser({ language: 'en' })
    await browser.navigate(world.url('app', '/echo'))
    const socket = await browser.webSocket(world.url('app', '/ws'))
    const stream = await browser.open(world.url('app', '/sse?ms=10'))
    await stream.until('data: 2')
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(200)
    clock.advance(29 * day)
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(200)
    socket.send('still open')
    await socket.until('still open')
    clock.advance(day)
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(401)
    const again = new Browser({ language: 'en' })
    expect((await again.navigate(world.url('app', '/echo'))).status).toBe(200)
    await again.submit(await again.navigate(world.portal('/logout')), {}, '/logout', { follow: false })
    socket.destroy()
    stream.leave()
    world.invariants()
  } finally {
    await world.stop()
  }
  const armed = timers.flatMap(timer => timer.mock.calls.map(([, ms]) => Number(ms ?? 0)))
  expect(armed.length).toBeGreaterThan(10)
  expect(Math.max(...armed)).toBeLessThanOrEqual(hour)
})
