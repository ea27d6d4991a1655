/** Processes on one store, each held up before any of its calls that a test chooses: what comes between is the test's to say. */
import type { GatewayEvent } from '../../src/model/event.ts'
import type { SignIn } from '../../src/model/idp.ts'
import { Secret } from '../../src/model/secret.ts'
import type { SessionId } from '../../src/model/session.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import type { PerPerson } from '../../src/session/persons.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { anIdentity } from '../policy/a-session.ts'
import { type SettableClock, settableClock } from '../stand-in/clock.ts'

export const signIn: SignIn = { identity: anIdentity({}, {}), keep: {}, issuedAt: 1_800_000_000, notAfter: null }
const newcomer = { device: 'own' as const, browser: { family: 'other', network: '' } }

export type Hold = (face: 'records' | 'directory', call: string) => Promise<void>

export interface Arena {
  readonly clock: SettableClock
  readonly events: readonly GatewayEvent[]
  /** A process of its own; `hold` is waited for before each of its calls. */
  readonly aProcess: (perPerson: PerPerson | null, hold?: Hold) => Sessions
  /** A sign-in whose cookie has not come back yet. */
  readonly begun: (sessions: Sessions) => Promise<Begun>
  readonly close: () => Promise<void>
}

export interface Begun {
  readonly id: SessionId
  /** @returns true: it counts */
  readonly comesBack: (there?: Sessions) => Promise<boolean>
}

export function anArena(): Arena {
  const clock = settableClock()
  const keys = createKeys([new Secret('the secret of the test, which is long enough')])
  const store = createMemoryStore({ now: clock.now })
  const events: GatewayEvent[] = []
  const processes: Sessions[] = []

  return {
    clock,
    events,

    aProcess(perPerson, hold = async () => {}) {
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
        perPerson,
        hasIdp: () => true,
        recheck: null,
        now: clock.now,
        report: event => events.push(event),
        endedLate: () => {},
      })
      processes.push(sessions)
      return sessions
    },

    async begun(sessions) {
      clock.advance(1)
      const made = await sessions.establish(signIn, newcomer)
      if (made === null) throw new Error('no session was made')
      const cookie = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, 0)}`
      return {
        id: made.id,
        comesBack: async (there = sessions) => (await there.resume(cookie, 'portal', 'none')) !== null,
      }
    },

    async close() {
      await Promise.all(processes.map(one => one.close()))
      await store.close()
    },
  }
}

/** Stops a process at the first such call, once armed, until it is let go. */
export function atCall(face: 'records' | 'directory', call: string) {
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
