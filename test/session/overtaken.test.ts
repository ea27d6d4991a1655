/**
 * A sign-in and its end by the idp, interleaved at every one of their steps in the store: whatever came between, the session
 * does not live (SESSIONS A4, "a logout that overtakes the sign-in"; C5 8; BL-10).
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { SignIn } from '../../src/model/idp.ts'
import type { LogoutNotice } from '../../src/model/logout.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndedSession } from '../../src/model/session.ts'
import type { Store } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { anIdentity } from '../policy/a-session.ts'
import { settableClock } from '../stand-in/clock.ts'

const clock = settableClock()
const keys = createKeys([new Secret('the secret of the test, which is long enough')])
const issuedAt = 1_800_000_000
const opened: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(one => one.close()))
})

/** A process of its own on the store; `before` is run before each of its calls. */
function onStore(
  store: Store,
  before: () => Promise<void> = async () => {},
  endedLate: (ended: EndedSession) => void = () => {},
): Sessions {
  const watched = <Face extends object>(face: Face): Face =>
    new Proxy(face, {
      get: (target, name) => {
        const call = Reflect.get(target, name)
        if (typeof call !== 'function') return call
        return async (...given: unknown[]) => {
          await before()
          return Reflect.apply(call, target, given)
        }
      },
    })
  const { records, directory, tombstones, ended } = store
  const sessions = createSessions({
    store: { records: watched(records), directory: watched(directory), tombstones: watched(tombstones), ended },
    keys,
    limits: { idleMs: 3_600_000, sharedIdleMs: 600_000, absoluteMs: 36_000_000 },
    perPerson: null,
    hasIdp: () => true,
    recheck: null,
    now: clock.now,
    report: () => {},
    endedLate,
  })
  opened.push(sessions)
  return sessions
}

/** Runs `work` once, before the call of this number. */
function atCall(number: number, work: () => Promise<unknown>) {
  let calls = 0
  const step = async () => {
    if (calls++ === number) await work()
  }
  return { step, calls: () => calls }
}

const signIn = (kind: 'sid' | 'guessable-sid'): SignIn => ({
  identity: anIdentity({}, { idpSession: { kind, value: 'S' } }),
  keep: {},
  issuedAt,
  notAfter: null,
})
const bySession: Pick<LogoutNotice, 'subject' | 'idpSession'> = {
  subject: null,
  idpSession: { kinds: ['sid', 'guessable-sid'], value: 'S' },
}
const newcomer = { device: 'own' as const, browser: { family: 'other', network: '' } }

describe.each<[string, 'sid' | 'guessable-sid', Pick<LogoutNotice, 'subject' | 'idpSession'>]>([
  ['its session', 'sid', bySession],
  ['a session with a name that could be guessed', 'guessable-sid', bySession],
  ['its subject', 'sid', { subject: 'anna', idpSession: null }],
  ['both', 'sid', { ...bySession, subject: 'anna' }],
])('a sign-in, and a notice that names %s (BL-10)', (_, kind, named) => {
  const notice: LogoutNotice = { idp: 'campus', issuedAt, message: null, ...named }

  async function alive(store: Store, made: { id: string; generation: number } | null): Promise<boolean> {
    return made !== null && (await onStore(store).read(made.id, made.generation)) !== null
  }

  it('at each step of the sign-in: it is dead', async () => {
    for (let at = 0; ; at++) {
      const store = createMemoryStore({ now: clock.now })
      opened.push(store)
      const idp = onStore(store)
      const cut = atCall(at, () => idp.endAll(notice))
      const made = await onStore(store, cut.step).establish(signIn(kind), newcomer)
      if (cut.calls() <= at) {
        expect(at).toBeGreaterThanOrEqual(4)
        return
      }
      expect(await alive(store, made), `the notice came before call ${at}`).toBe(false)
    }
  })

  it('at each step of the end: it is dead', async () => {
    for (let at = 0; ; at++) {
      const store = createMemoryStore({ now: clock.now })
      opened.push(store)
      const people = onStore(store)
      let made: { id: string; generation: number } | null = null
      const cut = atCall(at, async () => {
        made = await people.establish(signIn(kind), newcomer)
      })
      expect(await onStore(store, cut.step).endAll(notice)).toMatchObject({ failure: null })
      if (cut.calls() <= at) {
        expect(at).toBeGreaterThanOrEqual(2)
        return
      }
      expect(await alive(store, made), `the sign-in came before call ${at}`).toBe(false)
    }
  })

  it('at each step of a sign-in that keeps its browser’s session: that is dead, and its sites hear of it once', async () => {
    for (let at = 0; ; at++) {
      const store = createMemoryStore({ now: clock.now })
      opened.push(store)
      const idp = onStore(store)
      const told: EndedSession[] = []
      const cut = atCall(at, async () => told.push(...(await idp.endAll(notice)).ended))
      const before = signIn('sid')
      const kept = await idp.establish(
        {
          ...before,
          identity: { ...before.identity, idpSession: { kind: 'sid', value: 'older' } },
          issuedAt: issuedAt - 9,
        },
        newcomer,
      )
      const resumed = kept === null ? null : await idp.read(kept.id, kept.generation)
      if (kept === null || resumed === null) throw new Error('there is no session to keep')
      idp.visit(resumed, 'app')
      expect(await idp.visited(kept.id)).toEqual(['app'])
      const renewed = await onStore(store, cut.step, ended => told.push(ended)).renew(kept.id, signIn(kind), null)
      if (cut.calls() <= at) {
        expect({ renewed, at }).toEqual({ renewed: true, at: expect.toSatisfy((calls: number) => calls >= 5) })
        return
      }
      expect(await alive(store, kept), `the notice came before call ${at}`).toBe(false)
      expect(
        told.map(({ visited }) => visited),
        `the notice came before call ${at}`,
      ).toEqual([['app']])
    }
  })

  it('of another idp, session or subject, or of an earlier moment where a person is meant: it lives', async () => {
    const others: LogoutNotice[] = [
      { ...notice, idp: 'janus' },
      { ...notice, subject: 'eve' },
      ...(named.idpSession === null
        ? [{ ...notice, issuedAt: issuedAt - 1 }]
        : [{ ...notice, idpSession: { ...named.idpSession, value: 'T' } }]),
      ...(kind === 'sid' ? [] : [{ ...notice, issuedAt: issuedAt - 1 }]),
    ]
    for (const other of others) {
      const store = createMemoryStore({ now: clock.now })
      opened.push(store)
      const sessions = onStore(store)
      await sessions.endAll(other)
      const made = await sessions.establish(signIn(kind), newcomer)
      expect((await sessions.endAll(other)).ended).toEqual([])
      expect(await alive(store, made), JSON.stringify(other)).toBe(true)
    }
  })
})
