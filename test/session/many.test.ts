/** Ends of many sessions at once, and the marks by which they hold before anybody has walked the records (docs/sessions.md S6). */
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { cookieName } from '../../src/model/cookie.ts'
import type { SignIn } from '../../src/model/idp.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Store } from '../../src/model/store.ts'
import { directoryKey } from '../../src/session/directory.ts'
import { createMarks } from '../../src/session/marks.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { settableClock } from '../stand-in/clock.ts'
import { makeSession } from '../stand-in/made-session.ts'

const hour = 3_600_000
const keys = createKeys([new Secret('one of the secrets that are long enough')])
const older = createKeys([new Secret('the secret of last year, long enough too')])
const both = createKeys([
  new Secret('one of the secrets that are long enough'),
  new Secret('the secret of last year, long enough too'),
])
const alice = { idp: 'campus', subject: 'alice', claims: {}, authenticatedAt: 1, idpSession: null }
const identity = { ...alice, strength: { acr: null, amr: [] } }
const clock = settableClock()

let store: Store
let sessions: Sessions
beforeEach(() => {
  store = createMemoryStore({ now: clock.now })
  sessions = createSessions({
    store,
    keys,
    limits: { idleMs: hour, sharedIdleMs: hour, absoluteMs: 10 * hour },
    perPerson: null,
    hasIdp: () => true,
    recheck: null,
    now: clock.now,
    report: () => {},
    endedLate: () => {},
  })
})
afterEach(async () => {
  await sessions.close()
  await store.close()
})

const signIn = (subject: string): SignIn => ({
  identity: { ...identity, subject },
  keep: {},
  notAfter: null,
  issuedAt: 1,
})
const browser = { family: 'Firefox', network: '192.0.2.0/24' }
const establish = (subject: string) => sessions.establish(signIn(subject), { device: 'own', browser })

describe('an end of everybody', () => {
  it('lets everything else have its turn between small pieces, and so does a list', async () => {
    for (let index = 0; index < 3_000; index++) await establish(`reader-${index}`)
    let turns = 0
    let counting = setImmediate(function count() {
      turns++
      counting = setImmediate(count)
    })
    for await (const _ of sessions.list({ kind: 'all' }));
    const whileListing = turns
    for await (const _ of sessions.endMany({ kind: 'all' }));
    clearImmediate(counting)
    expect(whileListing).toBeGreaterThanOrEqual(60)
    expect(turns - whileListing).toBeGreaterThanOrEqual(60)
    expect(await store.records.count()).toBe(0)
  })

  it('meets nobody who signs in while it works', async () => {
    for (let index = 0; index < 200; index++) await establish(`early-${index}`)
    const late: (string | undefined)[] = []
    clock.advance(1)
    for await (const _ of sessions.endMany({ kind: 'all' })) {
      clock.advance(1)
      late.push((await establish(`late-${late.length}`))?.id)
    }
    expect(late.length).toBeGreaterThan(4)
    const alive = await Promise.all(late.map(id => sessions.read(id ?? '', 0)))
    expect(alive.filter(one => one === null)).toEqual([])
    expect(await store.records.count()).toBe(late.length)
  })
})

describe.each([
  ['everybody', { kind: 'all' }],
  ['a person', { kind: 'person', person: { idp: 'campus', subject: 'alice' } }],
] as const)('an end of %s of which the store takes only a part', (_, selection) => {
  it('hands over those who ended, so that their sites are told, and then says so', async () => {
    const made = [await makeSession(sessions, 'alice'), await makeSession(sessions, 'alice')]
    const { take } = store.records
    Object.assign(store.records, {
      take: async (...asked: Parameters<typeof take>) => {
        if (asked[0].includes(made[0]?.hash ?? '')) throw new GatewayError('session.store-down', 'as the test wants it')
        return take(...asked)
      },
    })
    const over: string[] = []
    const walk = async () => {
      for await (const { ended } of sessions.endMany(selection)) over.push(...ended.map(({ hash }) => hash))
    }
    await expect(walk()).rejects.toThrow(GatewayError)
    expect(over).toEqual([made[1]?.hash])
  })
})

describe('an end of a person', () => {
  it('that comes between a sign-in’s entry in the directory and its record is seen when the session begins to count', async () => {
    const { create } = store.records
    const person = { idp: 'campus', subject: 'alice' }
    Object.assign(store.records, {
      create: async (...asked: Parameters<typeof create>) => {
        clock.advance(1)
        for await (const { ended } of sessions.endMany({ kind: 'person', person })) expect(ended).toEqual([])
        return create(...asked)
      },
    })
    const begun = await establish('alice')
    const cookie = `${cookieName.portal}=${sessions.cookieFor('portal', begun?.id ?? '', 0)}`
    expect(await sessions.resume(cookie, 'portal', 'navigation')).toBeNull()
    expect(await store.records.count()).toBe(0)
    Object.assign(store.records, { create })
    clock.advance(1)
    const again = await establish('alice')
    const next = `${cookieName.portal}=${sessions.cookieFor('portal', again?.id ?? '', 0)}`
    expect(await sessions.resume(next, 'portal', 'navigation')).toMatchObject({ provisional: false })
  })
})

describe('the sets in which a person’s sessions are found', () => {
  it('hold no more than the living and a few of the dead, however long somebody keeps coming', async () => {
    const sets = (['person', 'sub'] as const).map(kind => directoryKey(keys, kind, 'campus', 'robot'))
    const sizes: number[] = []
    for (let visit = 0; visit < 100; visit++) {
      const begun = await establish('robot')
      const cookie = `${cookieName.portal}=${sessions.cookieFor('portal', begun?.id ?? '', 0)}`
      expect(await sessions.resume(cookie, 'portal', 'navigation')).not.toBeNull()
      // What is done once a sign-in is over.
      await turn()
      for (const set of sets) sizes.push((await store.directory.members(set)).length)
      // Never signed out: it just does not come back for an hour.
      clock.advance(hour)
    }
    expect(Math.max(...sizes)).toBeLessThan(20)
  })
})

describe('a mark', () => {
  const marksOf = (fresh: () => boolean, of = keys) =>
    createMarks({ tombstones: store.tombstones, keys: of, lifeMs: hour, fresh })

  it('is learned from the store, asked for once while every mark would be heard of', async () => {
    let asked = 0
    const counting = {
      ...store.tombstones,
      marks: (names: readonly string[]) => {
        asked++
        return store.tombstones.marks(names)
      },
    }
    const marks = createMarks({ tombstones: counting, keys, lifeMs: hour, fresh: () => true })
    expect(await marks.over(identity, 100)).toBe(false)
    const before = asked
    for (let turn = 0; turn < 5; turn++) expect(await marks.over(identity, 100)).toBe(false)
    expect(asked).toBe(before)
  })

  it('is asked for each time while one may have been missed', async () => {
    const marks = marksOf(() => false)
    expect(await marks.over(identity, 100)).toBe(false)
    await marksOf(() => true).setWide('campus', 100)
    expect(await marks.over(identity, 100)).toBe(true)
    expect(await marks.over(identity, 101)).toBe(false)
  })

  it('that was missed is learned after entries of the log were lost', async () => {
    const marks = marksOf(() => true)
    expect(await marks.over(identity, 100)).toBe(false)
    await marksOf(() => true).setWide(null, 100)
    expect(await marks.over(identity, 100)).toBe(false)
    marks.forget()
    expect(await marks.over(identity, 100)).toBe(true)
  })

  it('is found under every secret, whichever the one who set it writes with', async () => {
    const told = await marksOf(() => true, older).setWide('campus', 100)
    const rotating = marksOf(() => true, both)
    expect(await rotating.over(identity, 100)).toBe(true)
    const heard = marksOf(() => true, both)
    heard.hear(told)
    expect(heard.covers(identity, 100)).toBe(true)
    expect(heard.covers({ ...identity, idp: 'elsewhere' }, 100)).toBe(false)
  })

  it('on a person is read when a session begins to count, and is nobody else’s', async () => {
    const marks = marksOf(() => true)
    await marks.setPerson({ idp: 'campus', subject: 'alice' }, 100)
    expect(await marks.overtook(identity, 100)).toBe(true)
    expect(await marks.overtook(identity, 101)).toBe(false)
    expect(await marks.overtook({ ...identity, subject: 'bob' }, 100)).toBe(false)
    expect(await marks.overtook({ ...identity, idp: 'elsewhere' }, 100)).toBe(false)
  })

  it.each(['', 'pas:d:x', '.x', 'NaN.x', '1e9.x'])('is nothing that the log says in other words: %j', text => {
    const marks = marksOf(() => true)
    marks.hear(text)
    expect(marks.covers(identity, 0)).toBe(false)
  })
})
