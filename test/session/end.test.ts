/** Ends that the store did not take at once, and a process that stops before it does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndedSession } from '../../src/model/session.ts'
import type { EndEntry, Store } from '../../src/model/store.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { hashOf } from '../../src/session/record.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { anIdentity } from '../policy/a-session.ts'
import { settableClock } from '../stand-in/clock.ts'

const clock = settableClock()
const keys = createKeys([new Secret('the secret of the test, which is long enough')])

describe('a process that stops while the store takes no ends', () => {
  let store: Store
  let sessions: Sessions
  let takes: 'all' | 'nothing' | 'silent'
  let told: EndedSession[]
  let lines: EndEntry[]
  let events: GatewayEvent[]
  let id: string
  beforeEach(async () => {
    store = createMemoryStore({ now: clock.now })
    ;[takes, told, lines, events] = ['all', [], [], []]
    store.ended.follow(line => lines.push(line))
    const take: Store['records']['take'] = async (...given) => {
      if (takes === 'silent') await new Promise(() => {})
      if (takes === 'nothing') throw new GatewayError('session.store-down', 'full')
      return store.records.take(...given)
    }
    sessions = createSessions({
      store: { ...store, records: { ...store.records, take } },
      keys,
      limits: { idleMs: 3_600_000, sharedIdleMs: 3_600_000, absoluteMs: 36_000_000 },
      perPerson: null,
      hasIdp: () => true,
      recheck: null,
      now: clock.now,
      report: event => events.push(event),
      endedLate: ended => told.push(ended),
    })
    const signIn = { identity: anIdentity({}), keep: {}, issuedAt: 1_800_000_000, notAfter: null }
    const made = await sessions.establish(signIn, { device: 'own', browser: { family: 'other', network: '' } })
    id = made?.id ?? ''
    takes = 'nothing'
    await expect(sessions.end(id, 'user')).rejects.toMatchObject({ code: 'logout.not-stored' })
    expect(lines).toEqual([])
  })
  afterEach(async () => {
    await sessions.close()
    await store.close()
  })

  const left = () => events.findLast(({ name }) => name === 'session.end-retried')

  it('tries once more before it goes: every other process and every site hears of the end', async () => {
    takes = 'all'
    await sessions.finish(60_000)
    expect(await store.records.read(`pas:{${hashOf(id)}}:s`)).toBeNull()
    expect(lines).toEqual([{ kind: 'session', key: hashOf(id), reason: 'user' }])
    expect(told.map(({ hash }) => hash)).toEqual([hashOf(id)])
    expect(left()).toEqual({ name: 'session.end-retried', left: 0 })
  })

  it('says how many ends it forgets, where even that is in vain', async () => {
    await sessions.finish(60_000)
    expect(told).toEqual([])
    expect(left()).toEqual({ name: 'session.end-retried', left: 1 })
  })

  it('does not wait for a store that never answers', async () => {
    takes = 'silent'
    await sessions.finish(10)
    expect(lines).toEqual([])
  })
})
