/**
 * CS-04: guessing at access codes, by one client, from a thousand networks, through made-up proxies, and at two gateways; and a flood of
 * guesses, which must cost nobody else anything (docs/sessions.md B 16, 17). A guess costs next to nothing here, so that there can be many.
 */
import { scrypt } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, codeForm } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

vi.mock('node:crypto', async original => {
  const crypto = await original<typeof import('node:crypto')>()
  type Done = (error: Error | null, key: Buffer) => void
  const cheap = (secret: string, salt: Buffer, bytes: number, _cost: unknown, done: Done) =>
    crypto.scrypt(secret, salt, bytes, { N: 2 }, done)
  return { ...crypto, scrypt: vi.fn(cheap) }
})

const clock = settableClock(Date.parse('2026-11-20T12:00:00Z'))
const minute = 60_000
let file: CodeFile
let code: string
const worlds: TestGateway[] = []
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
beforeEach(async () => {
  file = await makeCodeFile()
  code = await file.add()
})
afterEach(async () => {
  for (const world of worlds) world.invariants()
  for (const world of worlds.splice(0).reverse()) await world.stop()
  await file.remove()
})
afterAll(() => redis.close())

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const world = await startTestGateway({
    surroundings: { now: clock.now, wall: clock.now },
    alsoKnown: /^code:\w{4}$/,
    idps: aCodeIdp(file, 'guests'),
    files: { [file.path]: '' },
    resources: aSite('guest', ['idps: [guests]']),
    ...(worlds[0] === undefined ? {} : { shared: worlds[0] }),
    ...options,
  })
  worlds.push(world)
  return world
}

const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Each another selector, none of them the code's. */
function guess(nth: number): string {
  const selector = [nth >> 10, (nth >> 5) & 31, nth & 31].map(digit => letters[digit & 31]).join('')
  return `0${selector}-2222-3333-4444-5555`
}
const formOf = (world: TestGateway, browser: Browser) => codeForm(browser, world.url('guest', '/echo'))

/** One after the other, on one form: what somebody with a program does. */
async function guesses(
  world: TestGateway,
  count: number,
  typed: (nth: number) => string,
  headers: (nth: number) => Record<string, string> = () => ({}),
): Promise<readonly Reply[]> {
  const browser = new Browser({ language: 'en' })
  const form = await formOf(world, browser)
  const token = form.forms[0]?.fields.find(([name]) => name === 'token')?.[1] ?? ''
  const replies: Reply[] = []
  for (let nth = 0; nth < count; nth++) {
    const options = { form: { code: typed(nth), token }, from: form, headers: headers(nth), follow: false }
    replies.push(await browser.navigate(form.url, options))
  }
  return replies
}
const statuses = (replies: readonly Reply[]) => {
  const counts: Record<number, number> = {}
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
const derived = vi.mocked(scrypt)

describe('a thousand guesses of one client (CS-04)', () => {
  it('at one code are five, then a pause that says how long; nothing is derived for the others', async () => {
    const world = await start()
    derived.mockClear()
    const replies = await guesses(world, 1_000, nth => `${code.slice(0, 5)}${guess(nth).slice(5)}`)
    expect(statuses(replies)).toEqual({ 401: 5, 429: 995 })
    expect(derived).toHaveBeenCalledTimes(5)
    expect(Number(replies.at(-1)?.header('retry-after'))).toBe(180)
    // One page for all of them, whatever was right of the code.
    expect(replies.at(-1)?.visibleText).toContain('Too many tries')
  })

  it('at a thousand codes are a hundred', async () => {
    const world = await start()
    derived.mockClear()
    expect(statuses(await guesses(world, 1_000, guess))).toEqual({ 401: 100, 429: 900 })
    expect(derived).toHaveBeenCalledTimes(100)
  })

  it('who makes up an address of their own are no more', async () => {
    const world = await start()
    const madeUp = (nth: number) => ({
      'X-Forwarded-For': `10.${nth >> 8}.${nth & 255}.1`,
      'X-Real-IP': `10.${nth >> 8}.${nth & 255}.1`,
      Forwarded: `for=10.${nth >> 8}.${nth & 255}.1`,
    })
    expect(statuses(await guesses(world, 200, () => `${code.slice(0, 4)}-2222-3333-4444-5555`, madeUp))).toEqual({
      401: 5,
      429: 195,
    })
  })

  it('what is no code at all is counted likewise', async () => {
    const world = await start()
    expect(statuses(await guesses(world, 50, nth => `what is ${nth}?`))).toEqual({ 401: 5, 429: 45 })
  })
})

describe('guesses from a thousand networks (CS-04)', () => {
  const behindProxy = { listen: 'trustedProxies: [127.0.0.1]' }
  const from = (nth: number) => ({ 'X-Forwarded-For': `10.${nth >> 8}.${nth & 255}.1` })

  it('at one code are a hundred, then it rests everywhere for a while; other codes and open sessions go on', async () => {
    const world = await start(behindProxy)
    const inside = new Browser()
    await inside.submit(await formOf(world, inside), { code })
    const replies = await guesses(world, 1_000, () => `${code.slice(0, 4)}-2222-3333-4444-5555`, from)
    expect(statuses(replies)).toEqual({ 401: 100, 429: 900 })
    expect((await inside.fetch(world.url('guest', '/echo'))).status).toBe(200)
    const other = await file.add()
    const friend = new Browser()
    expect((await friend.submit(await formOf(world, friend), { code: other })).status).toBe(200)
    // Who has the right one waits as well, and no longer than it says.
    expect(Number(replies.at(-1)?.header('retry-after'))).toBeLessThanOrEqual(9)
    clock.advance(15 * minute)
    const patient = new Browser()
    expect((await patient.submit(await formOf(world, patient), { code })).status).toBe(200)
  })

  it('of a school whose network is named are as many as it says', async () => {
    const world = await start({ ...behindProxy, more: 'networks: [{ address: 10.0.0.0/8, failedCodes: 250 }]' })
    expect(statuses(await guesses(world, 300, guess, from))).toEqual({ 401: 250, 429: 50 })
    const elsewhere = { 'X-Forwarded-For': '192.0.2.1' }
    const guest = new Browser()
    const form = await guest.navigate(world.url('guest', '/echo'), { headers: elsewhere })
    expect((await guest.submit(form, { code }, null, { headers: elsewhere })).status).toBe(200)
  })
})

describe('guesses at two gateways that share a store (CS-04)', () => {
  const store = () => `{ kind: redis, url: "${redis.url}" }`

  it('are counted together', async () => {
    const both = [await start({ store: store() }), await start({ store: store() })]
    const wrong = (nth: number) => `${code.slice(0, 5)}${guess(nth).slice(5)}`
    const replies = await Promise.all(both.map(world => guesses(world, 10, wrong)))
    expect(statuses(replies.flat())).toEqual({ 401: 5, 429: 15 })
    // No address and no selector stands in the store.
    const keys = await redis.admin.keys('pas:m:*')
    expect(keys.length).toBe(3)
    for (const key of keys) expect(key).toMatch(/^pas:m:[\w-]{43}$/)
  })

  it('are not heard while nothing can count them: a page says so, and the right code is not tried either', async () => {
    const world = await start({ store: store() })
    const browser = new Browser({ language: 'en' })
    const form = await formOf(world, browser)
    derived.mockClear()
    await redis.stop()
    try {
      const refused = await browser.submit(form, { code })
      expect(refused.status).toBe(503)
      expect(refused.header('content-type')).toContain('text/html')
      expect(Number(refused.header('retry-after'))).toBeGreaterThan(0)
      expect(derived).not.toHaveBeenCalled()
    } finally {
      await redis.start()
    }
  })
})
