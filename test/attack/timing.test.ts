/**
 * TI-01: what somebody who guesses can learn from the time of an answer. A secret that comes from outside is looked up by its hash
 * (state, references, tickets), or compared by `timingSafeEqual` over its whole length. Asserted by what is compared, and not with a
 * watch: a comparison of 43 characters that stops at the first difference is nanoseconds shorter, which no watch here tells from
 * noise, so a test with one could not fail. Access codes: access-codes.test.ts. An HMAC in the place of a signature is no token
 * to us (OI-03), so none is compared.
 */
import { timingSafeEqual } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import type { Session } from '../../src/model/session.ts'
import { pageStateOf } from '../../src/server/page-state.ts'
import { cookieFor, readCookie } from '../../src/session/cookies.ts'
import { createHandles } from '../../src/session/handles.ts'
import { createHandoff } from '../../src/session/handoff.ts'
import { createMemoryStore } from '../../src/session/memory.ts'
import { createPendingLogins } from '../../src/session/pending.ts'
import { createRememberedChoice } from '../../src/session/remembered-choice.ts'
import { createRememberedIdp } from '../../src/session/remembered-idp.ts'
import { createKeys } from '../../src/session/seal.ts'
import { createSingleUse } from '../../src/session/single-use.ts'
import { anIdentity } from '../policy/a-session.ts'

vi.mock('node:crypto', async original => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) }
})
const comparing = vi.mocked(timingSafeEqual)

const keys = createKeys([new Secret('a secret of the gateway whose bytes nobody guesses')])
const singleUse = createSingleUse(createMemoryStore({ now: Date.now }).once, keys)
const id = 'i'.repeat(43)

/** The one value that is believed, and whether this one is. */
type Guarded = readonly [value: string, isBelieved: (sent: string) => boolean]

const guarded: readonly (readonly [string, () => Promise<Guarded> | Guarded])[] = [
  [
    'a session cookie',
    () => [cookieFor(keys, 'portal', id, 1), sent => readCookie(keys, 'portal', sent) !== null] as const,
  ],
  [
    'the cookie of a sign-in that is under way',
    async () => {
      const pending = createPendingLogins(singleUse, Date.now)
      const state = pending.newState()
      const login = { idp: 'op', idpPending: {}, device: null, passive: false, to: null, n: null, attempt: 1 }
      const [line = ''] = await pending.begin(state, null, login)
      const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(line) ?? []
      const kept = await pending.peek(state)
      if (kept === null) throw new Error('nothing is pending')
      return [value, sent => pending.cookieOf(state, kept, `${name}=${sent}`) === 'matches']
    },
  ],
  [
    'the nonce of a hand-off',
    async () => {
      const handoff = createHandoff(singleUse)
      const { n, cookies } = handoff.begin(null)
      const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(cookies[0] ?? '') ?? []
      const session = { id, generation: 0 } as Session
      const ticket = await handoff.take(
        await handoff.mint(session, 'host:app.localhost', 'http://app.localhost/', n, 1),
      )
      if (ticket === null) throw new Error('the ticket is gone')
      return [value, sent => handoff.belongs(ticket, `${name}=${sent}`)]
    },
  ],
  [
    'the token of a form',
    () => {
      const page = pageStateOf({}, true, () => 'T'.repeat(43))
      return [page.token(), sent => page.tokenMatches(sent)] as const
    },
  ],
  [
    'the handle of a session that a page names',
    () => {
      const handles = createHandles(keys)
      const known = { hash: 'h'.repeat(43) }
      return [handles.handleOf(id, known.hash), sent => handles.named(sent, id, [known]) !== null] as const
    },
  ],
  [
    'the idp that a browser remembers',
    () => {
      const remembered = createRememberedIdp(keys)
      const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(remembered.remember('campus')) ?? []
      return [value, sent => remembered.read(`${name}=${sent}`) === 'campus'] as const
    },
  ],
  [
    'the choice that a browser remembers',
    () => {
      const remembered = createRememberedChoice(keys)
      // The last of what there is: whoever is right is compared with as much as whoever is wrong.
      const person = anIdentity({}, { candidates: { favourite: ['INSB', 'INEE'] } })
      const line = remembered.remember(person, { favourite: 'INEE' })
      const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(line) ?? []
      return [value, sent => remembered.read(`${name}=${sent}`, person)?.favourite === 'INEE'] as const
    },
  ],
]

describe.each(guarded)('TI-01 %s', (_, make) => {
  let value: string
  let isBelieved: (sent: string) => boolean
  beforeEach(async () => {
    ;[value, isBelieved] = await make()
  })

  /** What a try costs: how many comparisons, of how many bytes. */
  function tried(sent: string) {
    comparing.mockClear()
    const outcome = isBelieved(sent)
    return { outcome, compared: comparing.mock.calls.map(pair => pair.map(({ byteLength }) => byteLength)) }
  }

  it('is compared over its whole length, wherever a guess first goes wrong', () => {
    const right = tried(value)
    expect(right.outcome).toBe(true)
    expect(right.compared.length).toBeGreaterThan(0)
    for (const [ours, sent] of right.compared) expect([ours, ours]).toEqual([sent, expect.toSatisfy(is => is >= 32)])
    // The secret is what stands last. Of its last character some bits mean nothing, so the one before it is changed.
    const secret = value.length - Math.min(43, value.split('.').at(-1)?.length ?? 0)
    for (const at of [secret, secret + 10, value.length - 2]) {
      const guess = `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`
      expect(tried(guess), `wrong at ${at}`).toEqual({ ...right, outcome: false })
    }
  })
})
