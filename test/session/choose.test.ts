/** What a person chooses stands in the record: whatever else is written at the same moment, and never after its end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Store } from '../../src/model/store.ts'
import { choiceHandle } from '../../src/session/choose.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { hashOf, keysOf, openRecord } from '../../src/session/record.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { anIdentity } from '../policy/a-session.ts'
import { settableClock } from '../stand-in/clock.ts'

const keys = createKeys([new Secret('x'.repeat(32))])
const identity = anIdentity(
  { domain: ['INSB', 'INEE'], favourite: ['INSB'], school: ['A'] },
  { candidates: { favourite: ['INSB', 'INEE'], school: ['A', 'B'] } },
)
const claims = ['favourite', 'school']
const handle = (claim: string, value: string) => choiceHandle(claim, value)

let store: Store
let events: GatewayEvent[]
let sessions: Sessions
const clock = settableClock()
beforeEach(() => {
  store = createMemoryStore({ now: clock.now })
  events = []
  sessions = createSessions({
    store,
    keys,
    limits: { idleMs: 3_600_000, sharedIdleMs: 600_000, absoluteMs: 36_000_000 },
    perPerson: null,
    hasIdp: () => true,
    now: clock.now,
    report: event => events.push(event),
    endedLate: () => {},
    recheck: null,
  })
})
afterEach(() => sessions.close())

async function signIn(chosen: Readonly<Record<string, string>> | null = null) {
  const signed = { identity, issuedAt: identity.authenticatedAt, keep: {}, notAfter: null }
  const made = await sessions.establish(signed, { device: 'own', browser: { family: '', network: '' }, chosen })
  if (made === null) throw new Error('overtaken')
  const cookies = `__Host-Http-passerelle=${sessions.cookieFor('portal', made.id, 0)}`
  const held = async () => (await sessions.resume(cookies, 'portal', 'navigation'))?.session.identity.claims
  await held()
  return { id: made.id, held }
}
async function record(id: string) {
  const at = keysOf(hashOf(id))
  const stored = await store.records.read(at.record)
  return stored === null ? null : openRecord(keys, at, stored.value)?.record
}

describe('a choice', () => {
  it('is what the session says from then on, and what the idp said stays beside it', async () => {
    const { id, held } = await signIn()
    expect(await held()).toMatchObject({ favourite: ['INSB'], school: ['A'] })
    expect(await sessions.choose(id, claims, handle('favourite', 'INEE'))).toEqual({
      kind: 'chosen',
      chosen: { favourite: 'INEE' },
    })
    expect(await held()).toEqual({ domain: ['INSB', 'INEE'], favourite: ['INEE'], school: ['A'] })
    expect((await record(id))?.identity).toEqual(identity)
    expect(await sessions.choose(id, claims, handle('school', 'B'))).toEqual({
      kind: 'chosen',
      chosen: { favourite: 'INEE', school: 'B' },
    })
    expect(await held()).toMatchObject({ favourite: ['INEE'], school: ['B'] })
    expect(events.filter(({ name }) => name === 'session.claim-chosen')).toHaveLength(2)
  })

  it('is only of claims that the configuration has people choose, and of values that are theirs', async () => {
    const { id, held } = await signIn()
    const before = await record(id)
    for (const [among, sent] of [
      [claims, handle('favourite', 'INSMI')],
      [claims, 'INEE'],
      [claims, ''],
      [['school'], handle('favourite', 'INEE')],
      [['__proto__', 'constructor'], handle('constructor', 'x')],
    ] as const)
      expect(await sessions.choose(id, among, sent)).toEqual({ kind: 'not-theirs' })
    expect(await record(id)).toEqual(before)
    expect(await held()).toMatchObject({ favourite: ['INSB'] })
  })

  it('of two claims at the same moment loses neither', async () => {
    const { id, held } = await signIn()
    await Promise.all([
      sessions.choose(id, claims, handle('favourite', 'INEE')),
      sessions.choose(id, claims, handle('school', 'B')),
      sessions.leave(id, 'site'),
    ])
    expect(await held()).toMatchObject({ favourite: ['INEE'], school: ['B'] })
    expect(await record(id)).toMatchObject({ left: ['site'] })
  })

  it('begins a session with what the browser remembered, as far as it is theirs', async () => {
    const { held } = await signIn({ favourite: 'INEE', school: 'gone', domain: 'INSB' })
    expect(await held()).toEqual({ domain: ['INSB', 'INEE'], favourite: ['INEE'], school: ['A'] })
  })

  it('stays when the same person signs in once more in this browser', async () => {
    const { id, held } = await signIn()
    await sessions.choose(id, claims, handle('favourite', 'INEE'))
    const again = { ...identity, candidates: { favourite: ['INSHS', 'INEE'] }, claims: { favourite: ['INSHS'] } }
    expect(await sessions.renew(id, { identity: again, issuedAt: 1, keep: {}, notAfter: null }, null)).toBe(true)
    expect(await held()).toEqual({ favourite: ['INEE'] })
  })

  it('comes too late for a session that is over, and revives nothing', async () => {
    const { id } = await signIn()
    await sessions.choose(id, claims, handle('favourite', 'INEE'))
    const ended = await sessions.end(id, 'user')
    expect(ended?.identity.claims).toMatchObject({ favourite: ['INEE'] })
    expect(await sessions.choose(id, claims, handle('favourite', 'INSB'))).toEqual({ kind: 'over' })
    expect(await record(id)).toBeNull()
  })
})
