/**
 * Asking the idp again during a session (SESSIONS B 5): when, how often, what is written, and what happens while the store
 * or the idp is away. The idp is a function here; the real ones are in test/idp/refresh.test.ts and test/flow/recheck.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { Identity } from '../../src/model/identity.ts'
import type { Refreshed } from '../../src/model/idp.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Device, IdpMemory } from '../../src/model/session.ts'
import type { RecordStore, Store } from '../../src/model/store.ts'
import { choiceHandle } from '../../src/session/choose.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import type { Rechecked } from '../../src/session/recheck.ts'
import { hashOf, keysOf, openKeep, openRecord } from '../../src/session/record.ts'
import { createRecordChange } from '../../src/session/record-change.ts'
import { serverAt } from '../../src/session/redis-place.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { settableClock } from '../stand-in/clock.ts'
import { openPatiently } from '../stand-in/patient-store.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const second = 1_000
const minute = 60 * second
const every = 15 * minute
const limits = { idleMs: 60 * minute, sharedIdleMs: 10 * minute, absoluteMs: 600 * minute }
const keys = createKeys([new Secret('x'.repeat(32))])

const identity: Identity = {
  idp: 'campus',
  subject: 'anna',
  claims: { affiliation: ['staff'], groups: ['a', 'b'] },
  authenticatedAt: 1_700_000_000,
  strength: { acr: null, amr: [] },
  idpSession: null,
}

/** One process. */
interface Desk {
  readonly sessions: Sessions
  readonly events: GatewayEvent[]
  readonly ended: string[]
  /** What the idp was asked with, oldest first. */
  readonly asked: IdpMemory[]
  /** How the idp answers from now on. */
  answer: (identity: Identity, keep: IdpMemory) => Rechecked | Promise<Rechecked>
  readonly outcomes: () => readonly string[]
}

const open: Desk[] = []
afterEach(async () => {
  for (const desk of open.splice(0)) await desk.sessions.close()
})

function desk(store: Store, now: () => number): Desk {
  const events: GatewayEvent[] = []
  const ended: string[] = []
  const asked: IdpMemory[] = []
  const made: Desk = {
    events,
    ended,
    asked,
    answer: (_identity, keep) => ({ kind: 'renewed', claims: identity.claims, keep, notAfter: null }),
    sessions: createSessions({
      store,
      keys,
      limits,
      perPerson: null,
      hasIdp: () => true,
      now,
      report: event => events.push(event),
      endedLate: session => ended.push(session.identity.subject),
      recheck: {
        everyMs: every,
        async ask(who, keep) {
          asked.push(keep)
          return made.answer(who, keep)
        },
        random: () => 1,
      },
    }),
    outcomes: () => events.flatMap(event => (event.name === 'session.rechecked' ? [event.outcome] : [])),
  }
  open.push(made)
  return made
}

interface Signed {
  readonly id: string
  readonly cookies: string
}

async function signIn(sessions: Sessions, device: Device = 'own'): Promise<Signed> {
  const signed = { identity, issuedAt: identity.authenticatedAt, keep: { refreshToken: 'r0' }, notAfter: null }
  const made = await sessions.establish(signed, { device, browser: { family: '', network: '' } })
  if (made === null) throw new Error('overtaken')
  const portal = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, 0)}`
  expect((await sessions.resume(portal, 'portal', 'navigation'))?.provisional).toBe(false)
  return { id: made.id, cookies: `__Host-Http-passerelle-site=${sessions.cookieFor('host:app', made.id, 0)}` }
}

const request = async ({ sessions }: Desk, { cookies }: Signed) =>
  (await sessions.resume(cookies, 'host:app', 'background'))?.session ?? null

const affiliationOf = async (at: Desk, signed: Signed) => (await request(at, signed))?.identity.claims.affiliation

async function recordOf(store: Store, { id }: Signed) {
  const at = keysOf(hashOf(id))
  const stored = await store.records.read(at.record)
  const opened = stored === null ? null : openRecord(keys, at, stored.value)
  if (stored === null || opened === null) throw new Error('no record')
  return { ...opened.record, keep: openKeep(keys, at, opened.record.keep), expiresAt: stored.expiresAt }
}

/** With a claim that its person chooses. */
const choosing = (...groups: readonly string[]): Rechecked => ({
  kind: 'renewed',
  claims: { ...identity.claims, group: groups.slice(0, 1) },
  candidates: { group: groups },
  keep: { refreshToken: 'r1' },
  notAfter: null,
})

const renewed = (affiliation: string, token: string): Refreshed => ({
  kind: 'renewed',
  claims: { ...identity.claims, affiliation: [affiliation] },
  keep: { refreshToken: token },
  notAfter: null,
})

/** Resolves once so many checks have come to something. */
const come = (at: Desk, ...outcomes: string[]) => expect.poll(at.outcomes).toEqual(outcomes)

/** A check of this session is under way, and the idp waits with its answer until the test gives it. */
async function waits(at: Desk, signed: Parameters<typeof request>[1], advance: (ms: number) => void) {
  const answer = Promise.withResolvers<Refreshed>()
  at.answer = () => answer.promise
  advance(every)
  await request(at, signed)
  await expect.poll(() => at.asked).toHaveLength(1)
  return answer
}

describe('a session', () => {
  const clock = settableClock()
  let store: Store
  function start(): Desk {
    store = createMemoryStore({ now: clock.now })
    return desk(store, clock.now)
  }

  it('is checked when its last check is older than the period, and not before', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    clock.advance(every - 1)
    await request(at, signed)
    expect(at.asked).toEqual([])
    clock.advance(1)
    await request(at, signed)
    await come(at, 'unchanged')
    clock.advance(every - 1)
    await request(at, signed)
    expect(at.asked).toHaveLength(1)
    clock.advance(1)
    await request(at, signed)
    await come(at, 'unchanged', 'unchanged')
  })

  it('is checked in the background: no request waits for the idp, and none asks it a second time', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const answer = Promise.withResolvers<Refreshed>()
    at.answer = () => answer.promise
    clock.advance(every)
    for (let each = 0; each < 20; each++) expect(await affiliationOf(at, signed)).toEqual(['staff'])
    // More requests, until the cached copy is read anew, more than once.
    for (let each = 0; each < 4; each++) {
      clock.advance(40 * second)
      expect(await affiliationOf(at, signed)).toEqual(['staff'])
    }
    expect(at.asked).toHaveLength(1)
    answer.resolve(renewed('student', 'r1'))
    await come(at, 'changed')
    expect(await affiliationOf(at, signed)).toEqual(['student'])
  })

  it('has the new claims at the next request, and nothing else of it has changed', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const before = await recordOf(store, signed)
    at.answer = () => renewed('student', 'r1')
    clock.advance(every)
    await request(at, signed)
    await come(at, 'changed')
    const live = await request(at, signed)
    expect(live?.identity).toEqual({ ...identity, claims: { ...identity.claims, affiliation: ['student'] } })
    const { identity: _, keep, checkedAt, expiresAt, ...after } = await recordOf(store, signed)
    expect(after).toEqual({ ...after, createdAt: before.createdAt, absoluteEnd: before.absoluteEnd, checkAfter: null })
    expect(keep).toEqual({ refreshToken: 'r1' })
    expect(checkedAt).toBe(clock.now())
    expect(expiresAt).toBe(clock.now() + limits.idleMs)
  })

  it('keeps what its person chose for as long as there is that to choose, which is news where nothing else is', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const held = async () => (await request(at, signed))?.identity.claims.group
    at.answer = () => choosing('a', 'b')
    clock.advance(every)
    await request(at, signed)
    await come(at, 'changed')
    await at.sessions.choose(signed.id, ['group'], choiceHandle('group', 'b'))
    expect(await held()).toEqual(['b'])
    clock.advance(every)
    await request(at, signed)
    await come(at, 'changed', 'unchanged')
    expect(await held()).toEqual(['b'])
    at.answer = () => choosing('a', 'c')
    clock.advance(every)
    await request(at, signed)
    await come(at, 'changed', 'unchanged', 'changed')
    expect(await held()).toEqual(['a'])
    // With one value there is nothing to choose any more.
    at.answer = () => ({ ...renewed('staff', 'r1'), claims: { ...identity.claims, group: ['a'] } }) as Rechecked
    clock.advance(every)
    await request(at, signed)
    await come(at, 'changed', 'unchanged', 'changed', 'changed')
    expect((await recordOf(store, signed)).identity.candidates).toBeUndefined()
  })

  it('tells the log of claims that are new, and only of those: their order is nothing new', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const heard: string[] = []
    store.ended.follow(entry => heard.push(entry.kind))
    at.answer = () => ({
      kind: 'renewed',
      claims: { groups: ['b', 'a'], affiliation: ['staff'] },
      keep: { refreshToken: 'r1' },
      notAfter: null,
    })
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unchanged')
    expect(heard).toEqual([])
    expect((await recordOf(store, signed)).keep).toEqual({ refreshToken: 'r1' })
    at.answer = () => renewed('student', 'r2')
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unchanged', 'changed')
    expect(heard).toEqual(['changed'])
  })

  it('on a shared computer is not kept alive by a check', async () => {
    const at = start()
    const signed = await signIn(at.sessions, 'shared')
    const { expiresAt } = await recordOf(store, signed)
    // The period is longer than the idle limit there: a navigation now and then keeps the session.
    for (let each = 0; each < 2; each++) {
      clock.advance(9 * minute)
      await at.sessions.resume(signed.cookies, 'host:app', each === 0 ? 'navigation' : 'background')
    }
    await come(at, 'unchanged')
    expect((await recordOf(store, signed)).expiresAt).toBe(expiresAt + 9 * minute)
  })

  it('never lasts longer for a check, and ends earlier where the idp says so', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const { absoluteEnd } = await recordOf(store, signed)
    at.answer = (_identity, keep) => ({ kind: 'renewed', claims: null, keep, notAfter: absoluteEnd + minute })
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unchanged')
    expect((await recordOf(store, signed)).absoluteEnd).toBe(absoluteEnd)
    const sooner = clock.now() + every + minute
    at.answer = (_identity, keep) => ({ kind: 'renewed', claims: null, keep, notAfter: sooner })
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unchanged', 'unchanged')
    expect(await recordOf(store, signed)).toMatchObject({ absoluteEnd: sooner, expiresAt: sooner })
    clock.advance(minute)
    expect(await request(at, signed)).toBeNull()
  })

  it('ends when the idp no longer stands by it, and whoever must hear of it does', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = () => ({ kind: 'ended', why: 'invalid_grant' })
    clock.advance(every)
    expect(await request(at, signed)).not.toBeNull()
    await come(at, 'ended')
    await expect.poll(() => at.ended).toEqual(['anna'])
    expect(await request(at, signed)).toBeNull()
    expect(at.events).toContainEqual({ name: 'session.ended', reason: 'recheck', idp: 'campus' })
  })

  it('goes on where there is nothing to ask with, and asks again a period later', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = () => ({ kind: 'unable', why: 'no refresh token' })
    clock.advance(every)
    for (let each = 0; each < 5; each++) await request(at, signed)
    await come(at, 'unable')
    clock.advance(every - 1)
    expect(await affiliationOf(at, signed)).toEqual(['staff'])
    expect(at.asked).toHaveLength(1)
  })

  it('is not checked while it is provisional', async () => {
    const at = start()
    const made = await at.sessions.establish(
      { identity, issuedAt: identity.authenticatedAt, keep: {}, notAfter: null },
      { device: 'own', browser: { family: '', network: '' } },
    )
    clock.advance(59 * second)
    expect((await at.sessions.read(made?.id ?? '', 0))?.provisional).toBe(true)
    expect(at.asked).toEqual([])
  })

  it.each<[string, Refreshed]>([
    ['the end', { kind: 'ended', why: 'invalid_grant: of the old token' }],
    ['older news', renewed('student', 'r1')],
  ])('that is signed in anew while the idp is asked keeps what the sign-in brought: %s', async (_what, late) => {
    const at = start()
    const signed = await signIn(at.sessions)
    const answer = await waits(at, signed, clock.advance)
    const anew = { ...identity, claims: { affiliation: ['guest'] }, authenticatedAt: identity.authenticatedAt + 900 }
    await at.sessions.renew(
      signed.id,
      {
        identity: anew,
        issuedAt: anew.authenticatedAt,
        keep: { refreshToken: 'n0' },
        notAfter: null,
      },
      null,
    )
    answer.resolve(late)
    await at.sessions.finish(minute)
    expect(await affiliationOf(at, signed)).toEqual(['guest'])
    expect((await recordOf(store, signed)).keep).toEqual({ refreshToken: 'n0' })
  })

  it('that is ended while the idp is asked stays ended, whatever the idp says then', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const answer = await waits(at, signed, clock.advance)
    await at.sessions.end(signed.id, 'user')
    answer.resolve(renewed('student', 'r1'))
    await at.sessions.finish(minute)
    expect(await store.records.read(keysOf(hashOf(signed.id)).record)).toBeNull()
    expect(await request(at, signed)).toBeNull()
    expect(at.outcomes()).toEqual([])
  })

  it('whose claims have outgrown a record goes on with those it had, and with its new token', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = () => ({ ...renewed('student', 'r1'), claims: { groups: Array(4_000).fill('a group of its own') } })
    clock.advance(every)
    await request(at, signed)
    await come(at, 'rejected')
    expect(await affiliationOf(at, signed)).toEqual(['staff'])
    expect((await recordOf(store, signed)).keep).toEqual({ refreshToken: 'r1' })
  })
})

describe('an idp that cannot be asked', () => {
  const clock = settableClock()
  let store: Store
  function start(): Desk {
    store = createMemoryStore({ now: clock.now })
    return desk(store, clock.now)
  }
  const unreachable = () => {
    throw new GatewayError('idp.unreachable', 'nobody there')
  }

  it('is asked again after a pause that grows, and not by each request; nobody is signed out', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = unreachable
    clock.advance(every)
    const pauses: number[] = []
    let paused = 0
    for (let tick = 0; tick < 60; tick++) {
      const before = at.asked.length
      expect(await affiliationOf(at, signed)).toEqual(['staff'])
      await at.sessions.sweep()
      await expect.poll(() => at.outcomes().length).toBe(at.asked.length)
      if (at.asked.length > before) {
        pauses.push(paused)
        paused = 0
      }
      clock.advance(10 * second)
      paused += 10
    }
    expect(pauses).toEqual([0, 30, 60, 120, 240])
    expect(new Set(at.outcomes())).toEqual(new Set(['unreachable']))
  })

  it('is asked at once again after its pause once it is back, and the period begins anew', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = unreachable
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unreachable')
    at.answer = () => renewed('student', 'r1')
    clock.advance(30 * second)
    await request(at, signed)
    await come(at, 'unreachable', 'changed')
    expect(await recordOf(store, signed)).toMatchObject({ checkedAt: clock.now(), checkAfter: null })
  })

  it('an answer that fails a check is not applied', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    at.answer = () => {
      throw new GatewayError('idp.rejected', 'another sub')
    }
    clock.advance(every)
    await request(at, signed)
    await come(at, 'rejected')
    expect(await recordOf(store, signed)).toMatchObject({ identity, keep: { refreshToken: 'r0' } })
    expect(await affiliationOf(at, signed)).toEqual(['staff'])
  })

  it('what it gave before it failed is kept, and asked with next time', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const error = new GatewayError('idp.unreachable', 'userinfo')
    at.answer = () => ({ kind: 'interrupted', keep: { refreshToken: 'r1' }, error })
    clock.advance(every)
    await request(at, signed)
    await come(at, 'unreachable')
    clock.advance(30 * second)
    await request(at, signed)
    await come(at, 'unreachable', 'unreachable')
    expect(at.asked).toEqual([{ refreshToken: 'r0' }, { refreshToken: 'r1' }])
  })
})

describe('a store that takes nothing', () => {
  const clock = settableClock()
  /** Writes to records that fail from now on. */
  let failing: 'none' | 'refused' | 'carried out, and the answer lost' = 'none'
  let store: Store
  function start(): Desk {
    const memory = createMemoryStore({ now: clock.now })
    const replace: RecordStore['replace'] = async (...call) => {
      if (failing === 'carried out, and the answer lost') await memory.records.replace(...call)
      if (failing !== 'none') throw new GatewayError('session.store-down', 'it is away')
      return memory.records.replace(...call)
    }
    store = { ...memory, records: { ...memory.records, replace } }
    return desk(store, clock.now)
  }
  afterEach(() => {
    failing = 'none'
  })

  it('keeps the idp from being asked: nothing is used up that could not be written', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    failing = 'refused'
    clock.advance(every)
    for (let each = 0; each < 3; each++) {
      expect(await request(at, signed)).not.toBeNull()
      clock.advance(11 * second)
    }
    await at.sessions.sweep()
    expect(at.asked).toEqual([])
    failing = 'none'
    clock.advance(11 * second)
    await request(at, signed)
    await come(at, 'unchanged')
  })

  it.each(['refused', 'carried out, and the answer lost'] as const)(
    'when the idp has answered (%s): the answer is kept until it is written, and nobody asks with what is used up',
    async how => {
      const at = start()
      const other = desk(store, clock.now)
      const signed = await signIn(at.sessions)
      at.answer = () => {
        failing = how
        return renewed('student', 'r1')
      }
      clock.advance(every)
      await request(at, signed)
      await expect.poll(() => at.asked).toHaveLength(1)
      // Its claim still stands; another process may read, and has nothing to do.
      await request(other, signed)
      clock.advance(40 * second)
      await request(other, signed)
      await request(at, signed)
      expect(at.outcomes()).toEqual([])
      failing = 'none'
      await expect.poll(at.outcomes).toEqual(['changed'])
      expect(other.asked).toEqual([])
      expect((await recordOf(store, signed)).keep).toEqual({ refreshToken: 'r1' })
      expect(await affiliationOf(at, signed)).toEqual(['student'])
      clock.advance(every)
      at.answer = (_identity, keep) => ({ kind: 'renewed', claims: null, keep, notAfter: null })
      await request(at, signed)
      await come(at, 'changed', 'unchanged')
      expect(at.asked.at(-1)).toEqual({ refreshToken: 'r1' })
    },
  )

  it('a process that stops writes what it was given first', async () => {
    const at = start()
    const signed = await signIn(at.sessions)
    const answer = await waits(at, signed, clock.advance)
    const stopped = at.sessions.finish(minute)
    answer.resolve(renewed('student', 'r1'))
    await stopped
    expect((await recordOf(store, signed)).keep).toEqual({ refreshToken: 'r1' })
    clock.advance(every)
    await request(at, signed)
    expect(at.asked).toHaveLength(1)
  })

  it('a process that died while it asked leaves the session to others after five minutes', async () => {
    const at = start()
    const other = desk(store, clock.now)
    const signed = await signIn(at.sessions)
    at.answer = () => new Promise(() => {})
    clock.advance(every)
    await request(at, signed)
    await expect.poll(() => at.asked).toHaveLength(1)
    clock.advance(5 * minute - 1)
    await request(other, signed)
    expect(other.asked).toEqual([])
    clock.advance(40 * second)
    await request(other, signed)
    await come(other, 'unchanged')
  })
})

describe('two processes on one Redis (OI-23)', () => {
  let redis: RedisServer
  let stores: readonly Store[] = []
  beforeAll(async () => {
    redis = await startRedis()
    stores = await Promise.all([1, 2].map(() => openRedis()))
  })
  afterAll(async () => {
    for (const store of stores) await store.close()
    await redis.close()
  })
  const openRedis = () => openPatiently(serverAt(new Secret(redis.url)))

  /** As if the last check had been so much longer ago: Redis has a clock of its own. */
  async function age(store: Store, { id }: Signed, ms: number): Promise<void> {
    const change = createRecordChange({ records: store.records, keys, idleMs: () => limits.idleMs })
    await change(hashOf(id), record => ({ ...record, checkedAt: record.checkedAt - ms }), 'none')
  }

  it('ask once for twenty requests at each of them, a hundred times over, and no token twice', async () => {
    // What this process’ own clock says decides only how long copies are remembered.
    const clock = settableClock(Date.now())
    const desks = stores.map(store => desk(store, clock.now))
    const [a, b] = desks as [Desk, Desk]
    const used = new Set<string>()
    let inFlight = 0
    let rounds = 0
    for (const at of desks) {
      at.answer = async (_identity, { refreshToken = '' }) => {
        inFlight++
        expect(inFlight, 'at a time').toBe(1)
        expect(used.has(refreshToken), 'once').toBe(false)
        used.add(refreshToken)
        await new Promise(resolve => setImmediate(resolve))
        inFlight--
        return renewed('staff', `r${++rounds}`)
      }
    }
    const signed = await signIn(a.sessions)
    for (let round = 1; round <= 100; round++) {
      await age(stores[0] as Store, signed, every)
      clock.advance(31 * second)
      const requests = desks.flatMap(at => Array.from({ length: 20 }, () => request(at, signed)))
      expect((await Promise.all(requests)).every(session => session !== null)).toBe(true)
      await expect.poll(() => a.outcomes().length + b.outcomes().length).toBe(round)
    }
    expect(a.asked.length + b.asked.length).toBe(100)
    expect(used.size).toBe(100)
    // Both had their turn, else nothing was shown.
    expect(Math.min(a.asked.length, b.asked.length)).toBeGreaterThan(0)
  })
})
