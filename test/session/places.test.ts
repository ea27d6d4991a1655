/** Who has a place among a person's sessions when several come at the same moment, held up wherever it hurts (docs/sessions.md B 21). */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { PerPerson } from '../../src/session/persons.ts'
import { type Arena, anArena, atCall, type Hold, signIn } from './held-up.ts'

let arena: Arena
beforeEach(() => {
  arena = anArena()
})
afterEach(() => arena.close())

const begun: Arena['begun'] = sessions => arena.begun(sessions)
const aProcess = (beyond: PerPerson['beyond'], hold?: Hold) => arena.aProcess({ limit: 2, beyond }, hold)

const count = (name: GatewayEvent['name']) => arena.events.filter(one => one.name === name).length
const ended = () => count('session.ended')

it.each(['refuse', 'ask'] as const)(
  'with “%s” one that has its place but does not count yet costs nobody who is in theirs',
  async beyond => {
    const stop = atCall('records', 'replace')
    const [here, there] = [aProcess(beyond, stop.hold), aProcess(beyond)]
    const first = await begun(there)
    expect(await first.comesBack()).toBe(true)
    const [second, third] = [await begun(here), await begun(there)]
    stop.arm()
    const coming = second.comesBack()
    await stop.reached
    expect(await third.comesBack()).toBe(false)
    stop.letGo()
    expect(await coming).toBe(true)
    expect(await first.comesBack()).toBe(true)
    expect(ended()).toBe(0)
  },
)

it('with “oldest” nobody is kept out by those who have a place and do not count yet', async () => {
  const stops = [atCall('records', 'replace'), atCall('records', 'replace')]
  const there = aProcess('oldest')
  const earlier = stops.map(async stop => {
    const one = await begun(aProcess('oldest', stop.hold))
    stop.arm()
    const coming = one.comesBack()
    await stop.reached
    return coming
  })
  // Both stand in the set, and neither has become more than provisional.
  await Promise.all(stops.map(stop => stop.reached))
  const last = await begun(there)
  expect(await last.comesBack()).toBe(true)
  for (const stop of stops) stop.letGo()
  expect((await Promise.all(earlier)).toSorted()).toEqual([false, true])
  expect(await there.of(signIn.identity)).toHaveLength(2)
  expect(count('session.established') - ended()).toBe(2)
})

it('with “oldest” whoever finds a place taken again and again comes in all the same', async () => {
  // Between each of its looks and its next step, everybody whom it saw makes room for others.
  let rounds = 5
  const there = aProcess('oldest')
  let armed = false
  const here = aProcess('oldest', async (_, call) => {
    if (!armed || call !== 'enter' || rounds-- <= 0) return
    armed = false
    for (let nth = 0; nth < 2; nth++) await (await begun(there)).comesBack()
    armed = true
  })
  for (let nth = 0; nth < 2; nth++) await (await begun(there)).comesBack()
  const last = await begun(here)
  armed = true
  expect(await last.comesBack()).toBe(true)
  expect(await there.of(signIn.identity)).toHaveLength(2)
})

it('one session that comes back by two tabs at the same moment has one place, and keeps it', async () => {
  const stop = atCall('directory', 'members')
  const [here, there] = [aProcess('refuse', stop.hold), aProcess('refuse')]
  const [first, second] = [await begun(there), await begun(there)]
  expect([await first.comesBack(), await second.comesBack()]).toEqual([true, true])
  const third = await begun(here)
  stop.arm()
  const tab = third.comesBack(here)
  await stop.reached
  // The place becomes free, and the other tab takes it.
  await there.end(first.id, 'user')
  expect(await third.comesBack(there)).toBe(true)
  stop.letGo()
  expect(await tab).toBe(true)
})
