/** Sessions at the assembled gateway, the same over both stores (docs/sessions.md A4, A5, C5). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SignIn } from '../../src/model/idp.ts'
import { hashOf, keysOf } from '../../src/session/record.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const minute = 60_000
const second = 1_000
const siteCookie = '__Host-Http-passerelle-site'

/** Requests to /gate wait here until the test lets them go. */
const waiting: (() => void)[] = []

describe.each(['memory', 'Redis'] as const)('over the %s store', kind => {
  const clock = settableClock(Date.now())
  let redis: RedisServer | null = null
  let world: TwoIdps
  let browser: Browser

  const start = (session: string) =>
    startTwoIdps({
      surroundings: { now: clock.now },
      session,
      ...(redis === null ? {} : { store: `{ kind: redis, url: "${redis.url}" }` }),
      origin: {
        handler: (request, response, recorded) => {
          if (request.url === '/gate') waiting.push(() => response.end('let through'))
          else answerPath(request, response, recorded)
        },
      },
    })

  /** For the gateway's clock and for the store's. */
  async function pass(ms: number): Promise<void> {
    clock.advance(ms)
    await redis?.lapse(ms)
  }

  const app = (path = '/echo') => world.url('app', path)
  /** Looks without being there: a prefetch is no activity. */
  const lives = async (one = browser) => (await one.navigate(app(), { as: 'prefetch', follow: false })).status === 200
  const idOf = (one: Browser) =>
    one
      .cookies('app.localhost')
      .find(({ name }) => name === siteCookie)
      ?.value.split('.')[2] ?? ''

  async function signIn(subject = 'alice'): Promise<Browser> {
    world.op.bends.subject = subject
    const one = new Browser()
    await one.navigate(app())
    return one
  }

  beforeAll(async () => {
    if (kind === 'Redis') redis = await startRedis()
    world = await start('  idleTimeout: 60m')
  })
  beforeEach(async () => {
    browser = await signIn()
  })
  afterEach(() => world.invariants())
  afterAll(async () => {
    await world.stop()
    await redis?.close()
  })

  it('a session ends an hour after it was last seen to be used, which is noted every sixth minute', async () => {
    await pass(6 * minute - second)
    expect((await browser.navigate(app())).status).toBe(200)
    // Used 54 minutes and a second ago, which is over 0.9 of the limit; noted an hour ago.
    await pass(54 * minute - second)
    expect(await lives()).toBe(true)
    await pass(2 * second)
    expect(await lives()).toBe(false)
  })

  it('a session that is used goes on, and an hour after its last use it is over (SE-02)', async () => {
    for (let hour = 0; hour < 5; hour++) {
      await pass(55 * minute)
      expect((await browser.navigate(app())).status).toBe(200)
    }
    await pass(60 * minute - second)
    expect(await lives()).toBe(true)
    await pass(2 * second)
    expect(await lives()).toBe(false)
  })

  // The clock of Redis cannot be moved: sessions-shared.test.ts looks at what is written there.
  if (kind === 'memory')
    it('a session that is used is over ten hours after the sign-in in any case (SE-02)', async () => {
      for (let use = 0; use < 11; use++) {
        await pass(54 * minute)
        expect((await browser.navigate(app())).status).toBe(200)
      }
      await pass(6 * minute - second)
      expect(await lives()).toBe(true)
      await pass(second)
      expect(await lives()).toBe(false)
    })

  it('looking ahead is no use', async () => {
    for (let quarter = 0; quarter < 4; quarter++) {
      await pass(15 * minute - second)
      expect(await lives()).toBe(true)
    }
    await pass(5 * second)
    expect(await lives()).toBe(false)
  })

  it('an end during a request lets the request finish, and nothing of the request brings the session back (SE-05)', async () => {
    const { record, visits } = keysOf(hashOf(idOf(browser)))
    // So that this very request has to note that the session is used.
    await pass(7 * minute)
    const answer = browser.fetch(app('/gate'))
    await world.origin.until(() => waiting.length > 0, 'the request at the origin')
    await world.gateway.sessions.end(idOf(browser), 'administrator')
    waiting.shift()?.()
    expect((await answer).text).toBe('let through')
    expect(await world.gateway.store.records.read(record)).toBeNull()
    expect((await redis?.admin.exists(record, visits)) ?? 0).toBe(0)
    expect((await browser.fetch(app())).status).toBe(401)
  })

  it('an end is heard by every request that comes after it, in 3,000 races of a request and an end', async () => {
    const { sessions } = world.gateway
    const scope = 'host:app.localhost' as const
    let alive = 0
    let inFlight = 0
    for (let round = 0; round < 30; round++) {
      const races = Array.from({ length: 100 }, async (_, index) => {
        const made = await sessions.establish(signInOf(`${round}-${index}`, clock.now()), newcomer)
        const id = made?.id ?? ''
        await sessions.resume(`__Host-Http-passerelle=${sessions.cookieFor('portal', id, 0)}`, 'portal', 'none')
        const cookie = `${siteCookie}=${sessions.cookieFor(scope, id, 0)}`
        let over = false
        const read = Promise.resolve(sessions.resume(cookie, scope, 'background')).finally(() => {
          over = true
        })
        // The end begins at every step that the read can be at.
        for (let step = 0; step < index % 12; step++) await Promise.resolve()
        if (!over) inFlight += 1
        await Promise.all([read, sessions.end(id, 'user')])
        if ((await sessions.resume(cookie, scope, 'background')) !== null) alive += 1
      })
      await Promise.all(races)
    }
    expect(alive).toBe(0)
    // Else there was no race.
    expect(inFlight).toBeGreaterThan(1_000)
  })

  it('one person’s record under another’s key opens nothing, and is counted', async () => {
    const bob = await signIn('bob')
    const { records } = world.gateway.store
    const of = (one: Browser) => keysOf(hashOf(idOf(one)))
    const hers = await records.read(of(browser).record)
    const his = await records.take(of(bob).record, of(bob).visits)
    await records.create(of(bob).record, hers?.value ?? Buffer.alloc(0), 60 * minute)
    await pass(31 * second)
    expect((await bob.fetch(app())).status).toBe(401)
    expect(world.events.at(-1)).toEqual({ name: 'session.undecryptable' })
    expect((await browser.fetch(app())).status).toBe(200)

    await records.take(of(bob).record, of(bob).visits)
    await records.create(of(bob).record, his?.value ?? Buffer.alloc(0), 60 * minute)
    expect((await bob.fetch(app())).status).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('bob')
  })

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['rubbish', () => Buffer.from('{"identity":{"subject":"root"}}')],
    ['cut short', (value: Buffer) => value.subarray(0, -1)],
    [
      'changed in one bit',
      (value: Buffer) => Buffer.from(value).fill((value.at(-30) ?? 0) ^ 1, value.length - 30, value.length - 29),
    ],
    ['of a format to come', (value: Buffer) => Buffer.from(value).fill(9, 0, 1)],
    ['of another version', (value: Buffer) => Buffer.from(value).fill(7, 8, 9)],
  ])('a record that is %s is no session, and no failure', async (_, bend) => {
    const { records } = world.gateway.store
    const { record, visits } = keysOf(hashOf(idOf(browser)))
    const taken = await records.take(record, visits)
    await records.create(record, bend(taken?.value ?? Buffer.alloc(0)), 60 * minute)
    await pass(31 * second)
    expect((await browser.fetch(app())).status).toBe(401)
    const page = await browser.navigate(app())
    expect(page.status).toBe(200)
    expect(page.hops.length).toBeGreaterThan(3)
  })

  it('the cookie of one host opens no other, however lately its session was used there (C5 10)', async () => {
    const cookies = browser.jar.all()
    const site = cookies.find(({ name }) => name === siteCookie)?.value ?? ''
    const portal = cookies.find(({ name }) => name === '__Host-Http-passerelle')?.value ?? ''
    const status = async (host: string, name: string, value: string) =>
      (await new Browser().fetch(world.url(host, '/echo'), { headers: { Cookie: `${name}=${value}` } })).status
    expect(await status('app', siteCookie, site)).toBe(200)
    expect(await status('plain', siteCookie, site)).toBe(401)
    expect(await status('app', siteCookie, portal)).toBe(401)
    expect(await status('app', '__Host-Http-passerelle', portal)).toBe(401)
    const front = await new Browser({ language: 'en' }).navigate(world.portal('/'), {
      headers: { Cookie: `__Host-Http-passerelle=${site}` },
    })
    expect(front.visibleText).toContain('Sign in')
  })

  describe('on a shared computer', () => {
    let shared: TwoIdps
    beforeAll(async () => {
      shared = await start('  assume: shared\n  idleTimeout: 8h\n  sharedComputer: { idleTimeout: 10m }')
    })
    afterAll(() => shared.stop())
    const come = async () => {
      const one = new Browser()
      await one.navigate(shared.url('app', '/echo'))
      return one
    }
    const at = () => shared.url('app', '/echo')

    it('a page that asks by itself does not keep the session alive (SE-02)', async () => {
      const one = await come()
      for (let asked = 0; asked < 9; asked++) {
        await pass(minute)
        expect((await one.fetch(at())).status).toBe(200)
      }
      await pass(minute + second)
      expect((await one.fetch(at())).status).toBe(401)
    })

    it.each([
      ['opens pages', (one: Browser) => one.navigate(at(), { follow: false })],
      ['writes', (one: Browser) => one.fetch(at(), { method: 'PUT', body: 'x' })],
    ])('a person who %s does', async (_, act) => {
      const one = await come()
      for (let acted = 0; acted < 4; acted++) {
        await pass(8 * minute)
        expect((await act(one)).status).toBe(200)
      }
      await pass(10 * minute + second)
      expect((await one.fetch(at())).status).toBe(401)
    })
  })
})

const newcomer = { device: 'own', browser: { family: 'other', network: '127.0.0.0/24' } } as const

function signInOf(subject: string, now: number): SignIn {
  const strength = { acr: null, amr: [] }
  const identity = {
    idp: 'op',
    subject,
    claims: {},
    authenticatedAt: Math.floor(now / 1000),
    strength,
    idpSession: null,
  }
  return { identity, keep: {}, issuedAt: identity.authenticatedAt, notAfter: null }
}
