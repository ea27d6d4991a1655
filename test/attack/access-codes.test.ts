/** Attacks on access codes: by the time of an answer (TI-01), and by using one more often than it may be (docs/sessions.md B 16). */
import { scrypt, timingSafeEqual } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readCodeFile } from '../../src/config/access-codes.ts'
import { GatewayError } from '../../src/errors.ts'
import { createCodeProvider } from '../../src/idp/code/provider.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { IdentityProvider } from '../../src/model/idp.ts'
import { textOf } from '../../src/model/text.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { noCodes } from '../stand-in/no-codes.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

vi.mock('node:crypto', async original => {
  const crypto = await original<typeof import('node:crypto')>()
  return { ...crypto, scrypt: vi.fn(crypto.scrypt), timingSafeEqual: vi.fn(crypto.timingSafeEqual) }
})

describe('the time of a try (TI-01)', () => {
  const derived = vi.mocked(scrypt)
  const compared = vi.mocked(timingSafeEqual)
  let file: CodeFile
  let provider: IdentityProvider
  let code: string
  let expired: string

  beforeAll(async () => {
    file = await makeCodeFile()
    code = await file.add()
    expired = await file.add({ until: '2020-01-01' })
    provider = createCodeProvider(
      { id: 'codes', label: textOf('Codes'), codes: { file: file.path, state: null } },
      {
        now: Date.now,
        report: () => {},
        codes: { ...noCodes, read: ({ file: path }) => readCodeFile(path, { mayCountUses: true }) },
      },
    )
  })
  afterAll(() => file.remove())

  /** What came of it, and all that it cost: each scrypt by its cost and salt, each comparison by what was compared. */
  async function tried(typed: string) {
    derived.mockClear()
    compared.mockClear()
    const message = { method: 'POST', callback: new URL('https://acces.example.org/callback/codes') } as const
    const parameters = new URLSearchParams({ code: typed })
    const heard = provider.hear({ ...message, parameters, address: '192.0.2.1', passive: false }, async () => ({
      idpPending: {},
      state: 's',
      begunAt: 0,
    }))
    const outcome = await heard.then(
      ({ kind }) => kind as string,
      (error: GatewayError) => error.code as string,
    )
    return {
      outcome,
      derived: derived.mock.calls.map(([secret, salt, bytes, cost]) => [
        String(secret) === '' ? 'nothing' : 'a code',
        Buffer.from(salt as Buffer).length,
        bytes,
        JSON.stringify(cost),
      ]),
      compared: compared.mock.calls.map(pair => pair.map(one => one.byteLength)),
    }
  }

  it('is one scrypt of one cost and one comparison of all bytes, whatever is right of the code, or wrong, or unknown', async () => {
    const right = await tried(code)
    expect(right.outcome).toBe('sign-in')
    expect([right.derived.length, right.compared]).toEqual([1, [[32, 32]]])
    const last = code.endsWith('0') ? '1' : '0'
    const tries: readonly (readonly [string, string])[] = [
      ['code.wrong', `${code.slice(0, -1)}${last}`],
      ['code.wrong', `${code.slice(0, 5)}ZZZZ-ZZZZ-ZZZZ-ZZZZ`],
      ['code.wrong', '0000-0000-0000-0000-0000'],
      ['code.expired', expired],
    ]
    for (const [outcome, typed] of tries) expect(await tried(typed)).toEqual({ ...right, outcome })
    // What is no code at all costs the same.
    const none = await tried('what is this?')
    expect([none.outcome, none.derived.length, none.compared]).toEqual(['code.wrong', 1, [[32, 32]]])
  })
})

it('a try that cannot be counted is none: nothing is derived for it', async () => {
  const derived = vi.mocked(scrypt)
  const down = () => Promise.reject(new GatewayError('session.store-down', 'gone'))
  for (const failures of [
    { ...noCodes.failures, wait: down },
    { ...noCodes.failures, count: down },
  ]) {
    const provider = createCodeProvider(
      { id: 'codes', label: textOf('Codes'), codes: { file: 'none', state: null } },
      { now: Date.now, report: () => {}, codes: { ...noCodes, failures } },
    )
    derived.mockClear()
    const message = { method: 'POST', callback: new URL('https://acces.example.org/callback/codes') } as const
    const parameters = new URLSearchParams({ code: '7K3M-2222-3333-4444-5555' })
    const heard = provider.hear({ ...message, parameters, address: '192.0.2.1', passive: false }, async () => {
      throw new Error('not to be taken')
    })
    await expect(heard).rejects.toMatchObject({ code: 'session.store-down', status: 503 })
    expect(derived).not.toHaveBeenCalled()
  }
})

describe('a flood of guesses', () => {
  const derived = vi.mocked(scrypt)
  let file: CodeFile
  let provider: IdentityProvider
  const told: GatewayEvent[] = []

  beforeAll(async () => {
    file = await makeCodeFile()
    await file.add()
    provider = createCodeProvider(
      { id: 'codes', label: textOf('Codes'), codes: { file: file.path, state: null } },
      {
        now: Date.now,
        report: event => told.push(event),
        codes: { ...noCodes, read: ({ file: path }) => readCodeFile(path, { mayCountUses: true }) },
      },
    )
  })
  afterAll(() => file.remove())

  const guess = (nth: number) => {
    const message = { method: 'POST', callback: new URL('https://acces.example.org/callback/codes') } as const
    const parameters = new URLSearchParams({ code: `${1000 + nth}-2222-3333-4444-5555` })
    return provider.hear({ ...message, parameters, address: '192.0.2.1', passive: false }, async () => {
      throw new Error('not to be taken')
    })
  }

  it('is two at once and fifty that wait; the others are told to come back, and files and names are read meanwhile', async () => {
    let over = 0
    derived.mockClear()
    const outcomes = Array.from({ length: 60 }, (_, nth) =>
      guess(nth).then(
        () => 'in',
        (error: GatewayError) => {
          over += error.code === 'login.busy' ? 0 : 1
          return `${error.code} ${error.status} ${error.retryAfterS}`
        },
      ),
    )
    await expect.poll(() => derived.mock.calls.length).toBeGreaterThanOrEqual(2)
    // Each of these takes a thread of the four, one after the other.
    for (let i = 0; i < 3; i++) await Promise.all([readFile(file.path), lookup('localhost')])
    // Behind all of them it would be fifty, or nearly; two may be over for each thread that is waited for.
    expect(over).toBeLessThan(45)
    const counted = Map.groupBy(await Promise.all(outcomes), outcome => outcome)
    expect([...counted].map(([outcome, all]) => [outcome, all.length]).toSorted()).toEqual([
      ['code.wrong 401 null', 52],
      ['login.busy 503 5', 8],
    ])
    const tried = told.flatMap(event => (event.name === 'code.tried' ? [event.outcome] : []))
    expect(tried.filter(outcome => outcome === 'busy')).toHaveLength(8)
  }, 60_000)
})

describe('a code that is good for three uses, at two gateways', () => {
  let redis: RedisServer
  let file: CodeFile
  let worlds: readonly TestGateway[]

  beforeAll(async () => {
    redis = await startRedis()
    file = await makeCodeFile()
    const options = {
      store: `{ kind: redis, url: "redis://127.0.0.1:${redis.port}" }`,
      idps: `
  - id: guests
    label: Code
    codes: { file: "${file.path}" }`,
      files: { [file.path]: '' },
      resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [guests]`,
    }
    const first = await startTestGateway(options)
    worlds = [first, await startTestGateway({ ...options, shared: first })]
  })
  afterAll(async () => {
    for (const world of [...worlds].reverse()) await world.stop()
    await redis.stop()
    await file.remove()
  })

  const enter = async (world: TestGateway | undefined, code: string) => {
    const browser = new Browser()
    const form = await browser.navigate(world?.url('app', '/echo') ?? '')
    return (await browser.submit(form, { code })).status
  }

  it('lets three in, whichever they come to at the same moment, and no fourth; nor after the count is looked for again', async () => {
    const code = await file.add({ uses: 3 })
    const other = await file.add({ uses: 1 })
    const all = await Promise.all(Array.from({ length: 4 }, (_, index) => enter(worlds[index % 2], code)))
    expect(all.toSorted()).toEqual([200, 200, 200, 403])
    // Another entry of the file is written: what was counted stays counted.
    await file.add()
    expect(await enter(worlds[1], code)).toBe(403)
    expect(await enter(worlds[1], other)).toBe(200)
  })

  it('leave whoever reads a site alone while sixty people guess at once', async () => {
    const [world] = worlds
    const reader = new Browser()
    expect(
      (await reader.submit(await reader.navigate(world?.url('app', '/echo') ?? ''), { code: await file.add() })).status,
    ).toBe(200)
    const guesser = new Browser()
    const form = await guesser.navigate(world?.url('app', '/echo') ?? '')
    const token = form.forms[0]?.fields.find(([name]) => name === 'token')?.[1] ?? ''
    let over = 0
    const guesses = Array.from({ length: 60 }, (_, nth) =>
      guesser
        .navigate(form.url, { form: { code: `${1000 + nth}-2222-3333-4444-5555`, token }, from: form, follow: false })
        .then(reply => {
          over += reply.status === 401 ? 1 : 0
          return reply.status
        }),
    )
    for (let i = 0; i < 5; i++) expect((await reader.fetch(world?.url('app', '/echo') ?? '')).status).toBe(200)
    expect(over).toBeLessThan(52)
    const statuses = await Promise.all(guesses)
    expect(statuses.filter(status => status !== 401 && status !== 503)).toEqual([])
    expect(statuses.filter(status => status === 401).length).toBeGreaterThanOrEqual(52)
  })
})
