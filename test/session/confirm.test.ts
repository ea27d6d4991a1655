/** A session begins to count while others write to it: the tabs of one browser that were restored together (docs/sessions.md S3, A2). */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Arena, anArena, signIn } from './held-up.ts'

let arena: Arena
beforeEach(() => {
  arena = anArena()
})
afterEach(() => arena.close())

/** So many times another tab's sign-in renews the record between this process's look at it and its write. */
async function overtaken(times: number) {
  const there = arena.aProcess(null)
  let left = 0
  const here = arena.aProcess(null, async (face, call) => {
    if (face !== 'records' || call !== 'replace' || left === 0) return
    left--
    expect(await there.renew(session.id, signIn, null)).toBe(true)
  })
  const session = await arena.begun(here)
  left = times
  return { here, there, session, overtakings: () => times - left }
}

const established = () => arena.events.filter(({ name }) => name === 'session.established').length

it.each([0, 1, 2, 3, 24])(
  'counts, and outlives its first minute, though its record is written to %i times meanwhile',
  async times => {
    const { here, there, session, overtakings } = await overtaken(times)
    expect(await session.comesBack()).toBe(true)
    expect(overtakings()).toBe(times)
    arena.clock.advance(61_000)
    for (const process of [here, there]) expect(await session.comesBack(process)).toBe(true)
    expect(await here.of(signIn.identity)).toHaveLength(1)
    expect(established()).toBe(1)
  },
)

it('is announced once, and counts everywhere, when two tabs bring its cookie back at the same moment', async () => {
  const there = arena.aProcess(null)
  let armed = false
  const here = arena.aProcess(null, async (face, call) => {
    if (!armed || face !== 'records' || call !== 'replace') return
    armed = false
    expect(await session.comesBack(there)).toBe(true)
  })
  const session = await arena.begun(here)
  armed = true
  expect(await session.comesBack()).toBe(true)
  arena.clock.advance(61_000)
  expect(await session.comesBack()).toBe(true)
  expect(established()).toBe(1)
})

it('of which the record never rests is no session yet and none that is refused: the browser is asked to come again', async () => {
  const { session } = await overtaken(Number.POSITIVE_INFINITY)
  await expect(session.comesBack()).rejects.toMatchObject({ code: 'session.store-down' })
  expect(established()).toBe(0)
})
