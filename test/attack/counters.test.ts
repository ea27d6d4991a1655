/** docs/sessions.md B 31: what is tried against sessions is counted, under names that nobody outside can choose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const siteCookie = '__Host-Http-passerelle-site'

let redis: RedisServer
let world: TwoIdps
beforeAll(async () => {
  redis = await startRedis()
  world = await startTwoIdps({ store: `{ kind: redis, url: "${redis.url}" }` })
})
afterAll(async () => {
  world.invariants()
  await world.stop()
  await redis.close()
})

const app = (path = '/echo') => world.url('app', path)

async function come(subject: string): Promise<Browser> {
  world.op.bends.subject = subject
  const browser = new Browser()
  await browser.navigate(app())
  return browser
}

const cookieOf = (browser: Browser) =>
  `${siteCookie}=${browser.cookies('app.localhost').find(({ name }) => name === siteCookie)?.value}`

/** Of `passerelle_events_total`. */
async function counted(): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
  const lines = text.matchAll(/^passerelle_events_total\{event="([^"]*)"\} (\d+)$/gm)
  return Object.fromEntries(Array.from(lines, ([, event = '', count]) => [event, Number(count)]))
}

const attempts: readonly (readonly [event: string, attempt: () => Promise<unknown>])[] = [
  [
    'handoff.foreign',
    async () => {
      world.op.bends.subject = 'eve'
      const toTicket = await new Browser().navigate(app(), {
        follow: hop => hop.redirect?.searchParams.has('t') !== true,
      })
      await new Browser().navigate(toTicket.redirect ?? '', { follow: false })
    },
  ],
  [
    'callback.foreign',
    async () => {
      const reply = world.callback(await world.toProvider(new Browser(), app()), 'eve')
      const victim = new Browser()
      await world.toProvider(victim, app())
      await victim.navigate(reply)
    },
  ],
  [
    'cookie.ambiguous',
    async () => {
      const cookies = [cookieOf(await come('alice')), cookieOf(await come('eve'))].join('; ')
      await new Browser().fetch(app(), { headers: { Cookie: cookies } })
    },
  ],
  [
    'session.undecryptable',
    async () => {
      await redis.admin.flushall()
      const browser = await come('alice')
      const [key = ''] = await redis.admin.keys('pas:{*}:s')
      await redis.admin.set(key, 'x'.repeat(200), 'KEEPTTL')
      // A ticket is redeemed with what the store has, whatever this process remembers.
      await browser.navigate(world.url('plain', '/echo'))
    },
  ],
  [
    'request.cross-origin',
    async () => {
      const browser = await come('alice')
      const asking = { method: 'POST', from: 'http://evil.localhost:1/', mode: 'no-cors' } as const
      await browser.fetch(app(), { ...asking, headers: { Cookie: cookieOf(browser) } })
      await browser.fetch(world.portal('/logout'), asking)
    },
  ],
]

describe('an attempt is counted', () => {
  it.each(attempts)('as %s', async (event, attempt) => {
    const before = (await counted())[event] ?? 0
    const told = world.events.length
    await attempt()
    const times = world.events.slice(told).filter(({ name }) => name === event).length
    expect(times).toBeGreaterThan(0)
    expect((await counted())[event]).toBe(before + times)
  })

  it('under no name but those of our list', async () => {
    for (const name of Object.keys(await counted())) expect(name).toMatch(/^[a-z-]+\.[a-z-]+$/)
    const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
    const labels = new Set(
      Array.from(
        text.matchAll(/^passerelle_\w*(?:events|failures|access|requests)_total\{([^}]*)\}/gm),
        ([, one]) => one,
      ),
    )
    expect([...labels].filter(one => /"[^"]*(alice|\beve\b|evil|v1\.|http)/.test(one ?? ''))).toEqual([])
    // Both sides of one attempt: at the site, and at the portal.
    expect(world.events).toContainEqual({ name: 'request.cross-origin', resource: 'app' })
    expect(world.events).toContainEqual({ name: 'request.cross-origin', resource: null })
  })
})
