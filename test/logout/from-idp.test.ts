/** What a message of an idp does, and does once (BL-07, BL-11). */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { createEndFromIdp } from '../../src/logout/from-idp.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { LogoutNotice, TellParticipants } from '../../src/model/logout.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndedSession } from '../../src/model/session.ts'
import type { EndedAll } from '../../src/session/end-all.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSeen } from '../../src/session/seen.ts'
import { anIdentity } from '../policy/a-session.ts'
import { settableClock } from '../stand-in/clock.ts'

const clock = settableClock()
const secrets = ['one secret of at least 32 bytes, one', 'two secrets of at least 32 bytes, two'].map(
  text => new Secret(text),
)
const notice = (id: string | null, idp = 'campus'): LogoutNotice => ({
  idp,
  subject: 'anna',
  idpSession: null,
  issuedAt: clock.now() / 1000,
  message: id === null ? null : { id, notAfter: clock.now() + 120_000 },
})

let asked: LogoutNotice[]
let events: GatewayEvent[]
let failure: GatewayError | null
let store: ReturnType<typeof createMemoryStore>
let ended: EndedSession[]
let tellParticipants: TellParticipants
beforeEach(() => {
  asked = []
  events = []
  failure = null
  ended = []
  tellParticipants = async () => ({ told: [], failed: [] })
  store = createMemoryStore({ now: clock.now })
})

const gateway = (keys = createKeys(secrets)) =>
  createEndFromIdp({
    sessions: {
      async endAll(notice: LogoutNotice): Promise<EndedAll> {
        asked.push(notice)
        return { ended, failure }
      },
    },
    seen: createSeen(store.once, keys, clock.now),
    tellParticipants: (one, options) => tellParticipants(one, options),
    monotonic: clock.now,
    report: event => events.push(event),
  })

describe('a message of an idp (BL-07)', () => {
  it('is carried out once, and said to be done the second time', async () => {
    const end = gateway()
    for (let time = 0; time < 2; time++) expect(await end('back', [notice('m-1')])).toMatchObject({ stored: true })
    expect(asked).toHaveLength(1)
  })

  it('is another one with another name, from another idp, or without a name', async () => {
    const end = gateway()
    for (const one of [notice('m-1'), notice('m-2'), notice('m-1', 'janus'), notice(null), notice(null)]) {
      await end('back', [one])
    }
    expect(asked).toHaveLength(5)
  })

  it('is known again by a replica whose first secret is another one', async () => {
    await gateway()('back', [notice('m-1')])
    await gateway(createKeys(secrets.toReversed()))('back', [notice('m-1')])
    expect(asked).toHaveLength(1)
  })

  it('is remembered until it would be refused as too old, and a little longer', async () => {
    const end = gateway()
    const message = notice('m-1')
    await end('back', [message])
    clock.advance(179_000)
    await end('back', [message])
    expect(asked).toHaveLength(1)
    clock.advance(1_000)
    await end('back', [message])
    expect(asked).toHaveLength(2)
  })

  it('whose end could not be stored is carried out once more', async () => {
    const end = gateway()
    failure = new GatewayError('logout.not-stored', 'the store is away')
    expect(await end('back', [notice('m-1')])).toMatchObject({ stored: false, failure })
    failure = null
    expect(await end('back', [notice('m-1')])).toMatchObject({ stored: true, failure: null })
    expect(asked).toHaveLength(2)
    expect(events.map(event => 'stored' in event && event.stored)).toEqual([false, true])
  })

  it('of several notices is done only when all of them are', async () => {
    const end = gateway()
    failure = new GatewayError('session.store-down', 'away')
    expect(await end('callback', [notice(null), notice(null)])).toMatchObject({ stored: false })
    expect(asked).toHaveLength(2)
  })
})

describe('the sites of the sessions that ended', () => {
  const endedSession = (hash: string): EndedSession => ({
    hash,
    identity: anIdentity({}),
    keep: {},
    device: 'own',
    visited: ['courses'],
  })

  it('are told, of every session, also where another end could not be stored', async () => {
    const told: string[] = []
    tellParticipants = async ({ hash }) => {
      told.push(hash)
      return { told: [], failed: [] }
    }
    ended = Array.from({ length: 50 }, (_, index) => endedSession(`h-${index}`))
    failure = new GatewayError('logout.not-stored', 'one of them')
    expect(await gateway()('back', [notice('m-1')])).toMatchObject({ ended: 50, stored: false })
    expect(told).toEqual(ended.map(({ hash }) => hash))
  })

  it('do not keep the idp waiting for longer than three seconds, and are told all the same', async () => {
    vi.useFakeTimers()
    try {
      const slow: (() => void)[] = []
      tellParticipants = () => new Promise(resolve => slow.push(() => resolve({ told: [], failed: [] })))
      ended = Array.from({ length: 30 }, (_, index) => endedSession(`h-${index}`))
      let answered = false
      const answer = gateway()('back', [notice('m-1')]).then(() => {
        answered = true
      })
      await vi.advanceTimersByTimeAsync(2_999)
      expect([slow.length, answered]).toEqual([20, false])
      // And the turn of the loop in which what has come is read.
      await vi.advanceTimersByTimeAsync(10)
      await answer
      for (const finish of slow.splice(0)) finish()
      await vi.advanceTimersByTimeAsync(0)
      expect(slow).toHaveLength(10)
    } finally {
      vi.useRealTimers()
    }
  })
})
