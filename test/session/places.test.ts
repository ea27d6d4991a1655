/** Who has a place among a person's sessions when several come at the same moment, held up wherever it hurts (docs/sessions.md B 21). */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { SignIn } from '../../src/model/idp.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Store } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import type { PerPerson } from '../../src/session/persons.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { anIdentity } from '../policy/a-session.ts'
import { settableClock } from '../stand-in/clock.ts'

const clock = settableClock()
const keys = createKeys([new Secret('the secret of the test, which is long enough')])
const signIn: SignIn = { identity: anIdentity({}, {}), keep: {}, issuedAt: 1_800_000_000, notAfter: null }
const newcomer = { device: 'own' as const, browser: { family: 'other', network: '' } }

let store: Store
let events: GatewayEvent[]
let processes: Sessions[]
beforeEach(() => {
  store = createMemoryStore({ now: clock.now })
  events = []
  processes = []
})
afterEach(async () => {
  await Promise.all(processes.map(one => one.close()))
  await store.close()
})

type Hold = (face: 'records' | 'directory', call: string) => Promise<void>

/** A process of its own; `hold` is waited for before each of its calls. */
function aProcess(beyond: PerPerson['beyond'], hold: Hold = async () => {}): Sessions {
  const held = <Face extends object>(face: Face, name: 'records' | 'directory'): Face =>
    new Proxy(face, {
      get: (target, call) => {
        const asked = Reflect.get(target, call)
        if (typeof asked !== 'function') return asked
        return async (...given: unknown[]) => {
          await hold(name, String(call))
          return Reflect.apply(asked, target, given)
        }
      },
    })
  const sessions = createSessions({
    store: { ...store, records: held(store.records, 'records'), directory: held(store.directory, 'directory') },
    keys,
    limits: { idleMs: 3_600_000, sharedIdleMs: 600_000, absoluteMs: 36_000_000 },
    perPerson: { limit: 2, beyond },
    hasIdp: () => true,
    recheck: null,
    now: clock.now,
    report: event => events.push(event),
    endedLate: () => {},
  })
  processes.push(sessions)
  return sessions
}

/** A sign-in whose cookie has not come back yet. */
async function begun(sessions: Sessions) {
  clock.advance(1)
  const made = await sessions.establish(signIn, newcomer)
  if (made === null) throw new Error('no session was made')
  const cookie = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, 0)}`
  return {
    id: made.id,
    /** @returns true: it counts */
    comesBack: async (there: Sessions = sessions) => (await there.resume(cookie, 'portal', 'none')) !== null,
  }
}

/** Stops a process at the first such call, once armed, until it is let go. */
function atCall(face: 'records' | 'directory', call: string) {
  const reached = Promise.withResolvers<void>()
  const letGo = Promise.withResolvers<void>()
  let armed = false
  return {
    arm: () => {
      armed = true
    },
    reached: reached.promise,
    letGo: letGo.resolve,
    hold: async (on: string, name: string) => {
      if (!armed || on !== face || name !== call) return
      armed = false
      reached.resolve()
      await letGo.promise
    },
  }
}

const count = (name: GatewayEvent['name']) => events.filter(one => one.name === name).length
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
