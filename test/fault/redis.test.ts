/**
 * A Redis that is gone: refused, frozen, or too slow to be of use. Nothing is let through unverified, nobody is signed out by
 * it, what needs no session goes on, and when Redis is back so is everybody.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { type CuttingProxy, startCuttingProxy } from '../stand-in/cutting-proxy.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, timed, until } from '../stand-in/measure.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { timesOf, visit } from '../stand-in/visits.ts'

/** Until an answer, and until a session works again, ms. */
const answerWithinMs = promised(1_000)
const backWithinMs = promised(2_000)

/** Time passes for the gateway alone: nothing that it remembers of a session is believed for more than 30 seconds, come what may. */
let offsetMs = 0
const now = () => performance.timeOrigin + performance.now() + offsetMs
const forgetCached = () => {
  offsetMs += 31_000
}

let redis: RedisServer
let between: CuttingProxy
let world: TestGateway

beforeAll(async () => {
  redis = await startRedis()
  between = await startCuttingProxy(redis.port)
  world = await startTestGateway({
    store: `{ kind: redis, url: "redis://127.0.0.1:${between.port}" }`,
    surroundings: { now },
  })
})
afterAll(async () => {
  await world?.stop()
  between?.close()
  await redis?.close()
})

interface Fault {
  readonly what: string
  readonly begin: () => unknown
  readonly end: () => unknown
  /** What Redis held is gone with it. */
  readonly forgets?: boolean
}

const faults: readonly Fault[] = [
  { what: 'refuses connections', begin: () => redis.stop(), end: () => redis.start(), forgets: true },
  { what: 'is frozen', begin: () => redis.freeze(), end: () => redis.thaw() },
  { what: 'needs two seconds for an answer', begin: () => between.delay(2_000), end: () => between.delay(0) },
]

describe.each(faults)('a Redis that $what', fault => {
  let reader: Browser
  /** Of a person who is about to sign out, with the page that asks. */
  let leaver: Browser
  let asking: Reply
  /** Of a person who is back from the idp as the fault begins. */
  let comer: Browser
  let callback: URL
  let endedAt = 0
  let eventsBefore = 0

  beforeAll(async () => {
    reader = await world.signIn('alice')
    leaver = await world.signIn('bob')
    asking = await leaver.navigate(world.portal('/logout'))
    comer = new Browser({ language: 'en' })
    const back = await comer.navigate(world.url('app', '/echo?begun=before'), {
      follow: reply => reply.redirect?.pathname !== '/callback/campus',
    })
    callback = back.redirect as URL
    world.origin.forget()
    forgetCached()
    eventsBefore = world.events.length
    await fault.begin()
    // A connection that is given up is the state that lasts; the first moments are measured as well.
    const { ms, value } = await timed(() => reader.navigate(world.url('app', '/echo')))
    tell('the first answer', ms)
    expect([value.status, ms < answerWithinMs]).toEqual([503, true])
  })
  afterAll(async () => {
    await fault.end()
    await until('Redis is back', async () => (await operations('/readyz')).status === 200)
    world.invariants()
  })

  it('is 503 on a protected page: no redirect, no cookie touched, a page with a reference and a link', async () => {
    for (const language of ['fr', 'en'] as const) {
      const browser = new Browser({ language, jar: reader.jar.copy() })
      const page = await browser.navigate(world.url('app', '/echo?article=12'))
      expect(page.hops).toEqual([])
      expectUnavailable(page)
      expect(page.text).toContain(`<html lang="${language}"`)
      expect(page.links.map(({ text, href }) => [text, href])).toContainEqual([
        language === 'fr' ? 'Réessayer' : 'Try again',
        '/echo?article=12',
      ])
      expect(lineOf(page)).toContain('"code":"session.store-down"')
      expect(lineOf(page)).toContain(`redis://127.0.0.1:${between.port}`)
    }
  })

  it('is 503 for scripts, forms and WebSockets of a signed-in person', async () => {
    const script = await reader.fetch(world.url('app', '/echo'))
    expectUnavailable(script)
    expect(script.json()).toMatchObject({ error: 'session.store-down' })
    const form = await reader.navigate(world.url('app', '/echo'), { form: { a: '1' }, from: world.url('app', '/') })
    expectUnavailable(form)
    const refused = await reader.webSocket(world.url('app', '/ws')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
    expectUnavailable((refused as RefusedUpgrade).reply)
  })

  it('is 503 on an optional page for whoever has a cookie, and nothing to whoever has none', async () => {
    const maybe = world.cookieOf(reader, 'app')
    const nobody = await new Browser().navigate(world.url('maybe', '/echo'))
    expect(nobody.status).toBe(200)
    expect(maybe).not.toBe('')
  })

  it('is answered within a second, by ninety-nine of a hundred', async () => {
    const visits = await visit(
      { port: world.port, host: `app.localhost:${world.port}`, path: '/echo', cookie: world.cookieOf(reader) },
      300,
      30,
    )
    expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([503]))
    tell(`p99 of 300 protected requests while Redis ${fault.what}`, timesOf(visits).p99)
    expect(timesOf(visits).p99).toBeLessThan(answerWithinMs)
  })

  it('does not touch public paths and sites', async () => {
    const visits = [
      ...(await visit(
        { port: world.port, host: `app.localhost:${world.port}`, path: '/pub/page', cookie: world.cookieOf(reader) },
        100,
        10,
      )),
      ...(await visit({ port: world.port, host: `open.localhost:${world.port}` }, 100, 10)),
    ]
    expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([200]))
    tell(`p99 of 200 public requests while Redis ${fault.what}`, timesOf(visits).p99)
  })

  it('is told at /readyz, and not at /livez', async () => {
    const [ready, live] = [await operations('/readyz'), await operations('/livez')]
    expect([ready.status, live.status]).toEqual([503, 200])
    expect(ready.text).toContain('session store')
    tell('/readyz', ready.ms)
    expect(ready.ms).toBeLessThan(answerWithinMs)
  })

  it('leads no sign-in to an idp, and keeps none half done', async () => {
    const browser = new Browser({ language: 'en' })
    const { ms, value: page } = await timed(() => browser.navigate(world.url('app', '/echo?new')))
    expect(page.url.pathname, page.story).toBe('/enter')
    expectUnavailable(page)
    expect(browser.cookies('acces.localhost')).toEqual([])
    tell('a sign-in, until the page', ms)
    expect(ms).toBeLessThan(2 * answerWithinMs)
  })

  it('leaves a person who is back from the idp with a page that tries again', async () => {
    const { ms, value: page } = await timed(() => comer.navigate(callback))
    expect([page.url.pathname, page.status], page.story).toEqual(['/callback/campus', 503])
    expectUnavailable(page)
    expect(page.links.map(({ text }) => text)).toContain('Try again')
    expect(comer.cookies('acces.localhost').map(({ name }) => name)).not.toContain('__Host-Http-passerelle')
    tell('a callback, until the page', ms)
    expect(ms).toBeLessThan(2 * answerWithinMs)
  })

  it('has nobody signed out by another site, although no form token can be compared', async () => {
    // A sibling host is same-site: its form brings every cookie of the portal along.
    const host = `acces.localhost:${world.port}`
    const lines = [`Origin: ${world.url('app', '')}`, 'Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: navigate']
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const request = {
      method: 'POST',
      host,
      target: '/logout',
      cookie: world.cookieOf(leaver, 'acces'),
      body: 'token=x',
    }
    for (const sent of [[...lines, form], [`Origin: ${world.url('app', '')}`, form], [form]]) {
      const { responses } = await rawExchange(world.port, rawRequest({ ...request, lines: sent }), { responses: 1 })
      expect([responses[0]?.status, responses[0]?.headers('set-cookie')]).toEqual([403, []])
    }
  })

  it('has a sign-out shut the session here, and say that it is not closed yet', async () => {
    const cookie = world.cookieOf(leaver)
    const { ms, value: page } = await timed(() => leaver.submit(asking))
    expect([page.url.pathname, page.status], page.visibleText).toEqual(['/logout', 503])
    expect(page.visibleText).toContain('Votre session n’est pas encore fermée')
    expect(lineOf(page)).toContain('"code":"logout.not-stored"')
    expect(leaver.cookies('acces.localhost').map(({ name }) => name)).not.toContain('__Host-Http-passerelle')
    tell('a sign-out, until the page', ms)
    expect(ms).toBeLessThan(2 * answerWithinMs)
    // Whoever has a copy of the cookie of a site: the door is shut, whatever Redis would say.
    const visits = await visit({ port: world.port, host: `app.localhost:${world.port}`, path: '/echo', cookie }, 20, 5)
    expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([401]))
  })

  it('lets nothing through that was not verified', () => {
    const protectedOnes = world.origin.requests.filter(
      request => request.header('host')?.startsWith('app.') && !request.url.startsWith('/pub/'),
    )
    expect(protectedOnes).toEqual([])
    tell('protected requests that reached the origin', String(protectedOnes.length))
  })

  it('has the same session work again within two seconds of its return', async () => {
    await fault.end()
    endedAt = performance.now()
    const wanted = fault.forgets ? 303 : 200
    const attempt = () => reader.navigate(world.url('app', '/echo'), { follow: false })
    await until('the session', async () => (await attempt()).status === wanted, backWithinMs)
    tell(
      `until ${fault.forgets ? 'the next sign-in (what Redis held is gone)' : 'the same session works again'}`,
      performance.now() - endedAt,
    )
    expect(performance.now() - endedAt).toBeLessThan(backWithinMs)
    const steady = await visit(
      { port: world.port, host: `app.localhost:${world.port}`, path: '/echo', cookie: world.cookieOf(reader) },
      100,
      10,
    )
    expect(new Set(steady.map(({ status }) => status))).toEqual(new Set([fault.forgets ? 401 : 200]))
    if (fault.forgets) expect((await reader.navigate(world.url('app', '/echo'))).status).toBe(200)
  })

  it('has the person who was back from the idp signed in by that link', async () => {
    const page = await comer.navigate(callback)
    if (fault.forgets) {
      expect([page.status, page.visibleText.includes('Sign in again')]).toEqual([400, true])
      return
    }
    expect([page.status, page.url.href], page.story).toEqual([200, world.url('app', '/echo?begun=before')])
  })

  it.skipIf(fault.forgets)('has the session that was signed out end in Redis, for every other process', async () => {
    const stored = () =>
      world.events.slice(eventsBefore).some(each => each.name === 'session.end-retried' && each.left === 0)
    await until('the end in the store', stored)
    tell('from the return of Redis until the sign-out is stored', performance.now() - endedAt)
    const other = await startTestGateway({
      store: `{ kind: redis, url: "${redis.url}" }`,
      shared: world,
    })
    const cookie = world.cookieOf(leaver)
    const visits = await visit({ port: other.port, host: `app.localhost:${other.port}`, path: '/echo', cookie }, 1, 1)
    const alive = await visit(
      { port: other.port, host: `app.localhost:${other.port}`, path: '/echo', cookie: world.cookieOf(reader) },
      1,
      1,
    )
    await other.stop()
    expect([visits[0]?.status, alive[0]?.status]).toEqual([401, 200])
  })
})

function expectUnavailable(answer: Reply): void {
  expect(answer.status, answer.story).toBe(503)
  expect(answer.header('retry-after')).toBe('5')
  expect(answer.header('cache-control')).toBe('no-store')
  expect(answer.header('location')).toBeNull()
  expect(answer.cookiesSet).toEqual([])
}

/** The line of the log with the reference that the page shows. */
function lineOf(page: Reply): string {
  const reference = /<b>([0-9A-HJKMNP-TV-Z]{6})<\/b>/.exec(page.text)?.[1]
  return world.log.find(line => line.includes(`"ref":"${reference}"`)) ?? `no line with ${reference}`
}

async function operations(path: string): Promise<{ status: number; text: string; ms: number }> {
  const { ms, value } = await timed(() => fetch(`http://127.0.0.1:${world.operationsPort}${path}`))
  return { status: value.status, text: await value.text(), ms }
}
