/**
 * What a sign-out leaves behind, and whom it tells: the visited hosts, the sites that keep sessions of their own, and the
 * order of it all (docs/sessions.md A8; RL-04, SE-04).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'
import { promised } from '../stand-in/measure.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

const identity = 'identity: { headers: { X-Remote-User: "{subject}" } }'
const site = (id: string, at: string, more = '') => `
  - id: ${id}
    title: Site ${id}
    at: "http://${at}"
    origin: "$ORIGIN"
    policy: signed-in
    ${identity}
    ${more}`
const told = (path: string) => `logout: { notify: { path: ${path} } }`

let origin: Origin
/** What the site does that is told. */
let bye: (request: IncomingMessage, response: ServerResponse) => void

beforeAll(async () => {
  origin = await startOrigin({
    handler(request, response, recorded) {
      if (request.url === '/bye') bye(request, response)
      // Never answered.
      else if (request.url !== '/silence') answerPath(request, response, recorded)
    },
  })
})
beforeEach(() => {
  bye = (_request, response) => void response.end()
  origin.forget()
})
afterAll(() => origin.stop())

const start = async (options: TestGatewayOptions = {}) => {
  const resources = [
    site('app', 'app.localhost:$PORT', told('/bye')),
    site('plain', 'plain.localhost:$PORT'),
    site('intranet', 'apps.localhost:$PORT/intranet/'),
    site('rooms', 'apps.localhost:$PORT/rooms/', told('/bye')),
    site('silent', 'silent.localhost:$PORT', told('/silence')),
    site('never', 'never.localhost:$PORT', told('/bye')),
  ].join('')
  return startTestGateway({ resources: resources.replaceAll('$ORIGIN', origin.url), ...options })
}

const visit = async (world: TestGateway, ...hosts: string[]): Promise<Browser> => {
  const browser = await world.signIn('alice', 'app', { language: 'en' })
  for (const host of hosts)
    await browser.navigate(host.includes('/') ? world.url(...split(host)) : world.url(host, '/echo'))
  return browser
}
const split = (host: string): [string, string] => [host.slice(0, host.indexOf('/')), host.slice(host.indexOf('/'))]
const signOut = async (world: TestGateway, browser: Browser, follow: boolean): Promise<Reply> =>
  browser.submit(await browser.navigate(world.portal('/logout')), {}, '/logout', { follow })
const frames = (page: Reply) =>
  [...page.text.matchAll(/<iframe hidden src="([^"]*)"><\/iframe>/g)].map(([, src]) => src)
/** Where a frame leads; what it proves differs each time. */
const withoutToken = (address = '') => address.replace(/\?t=[\w-]{100,300}$/, '')
const frameSources = (page: Reply) => /; frame-src ([^;]+)$/.exec(page.header('content-security-policy') ?? '')?.[1]

describe('the page after a sign-out', () => {
  let world: TestGateway
  beforeAll(async () => {
    world = await start()
  })
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  it('asks, before it, for exactly the sites that were visited', async () => {
    const browser = await visit(world, 'plain', 'apps/intranet/echo')
    const page = await browser.navigate(world.portal('/logout'))
    expect(page.visibleText).toContain('Site app, Site plain and Site intranet, visited during this session')
    expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(200)
  })

  it('has one hidden frame for each visited host, and its policy allows these and no other', async () => {
    const browser = await visit(world, 'plain', 'apps/intranet/echo', 'apps/rooms/echo')
    const page = await signOut(world, browser, true)
    expect(page.visibleText).toContain('Closing')
    const hosts = ['app', 'plain', 'apps']
    expect(frames(page).map(withoutToken)).toEqual(hosts.map(host => world.url(host, '/.passerelle/leave')))
    expect(frameSources(page)).toBe(hosts.map(host => world.url(host, '').replace(/\/$/, '')).join(' '))
    expect(page.header('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; frame-src http/,
    )
    expect(page.header('cache-control')).toBe('no-store')
    // Whoever answers on a visited host learns neither the reference nor the page.
    expect(frames(page).join()).not.toContain(page.url.searchParams.get('o') ?? '')
    expect(page.header('referrer-policy')).toBe('no-referrer')
  })

  it('has them once more after the return from the provider, for those that two seconds were too short for', async () => {
    const closing = await signOut(world, await visit(world), true)
    const browser = await world.signIn('bob')
    const back = await browser.twin().navigate(closing.url)
    expect(back.url.pathname).toBe('/')
    const fresh = new URL(closing.url)
    fresh.search = `?state=${closing.url.searchParams.get('o')}`
    const stranger = browser.twin()
    stranger.jar.clear('acces.localhost')
    const closed = await stranger.navigate(fresh)
    expect(closed.visibleText).toContain('Your session is closed')
    expect(frames(closed).map(withoutToken)).toEqual([world.url('app', '/.passerelle/leave')])
    expect(frameSources(closed)).toBe(`http://app.localhost:${world.port}`)
  })

  it.each(['/signed-out', `/signed-out?o=${'A'.repeat(43)}`, `/signed-out?state=${'A'.repeat(43)}`])(
    'has none where nothing is known, as at %s',
    async path => {
      const browser = await visit(world)
      await signOut(world, browser, false)
      const page = await browser.navigate(world.portal(path))
      expect(frames(page)).toEqual([])
      expect(page.header('content-security-policy')).not.toContain('frame-src')
    },
  )

  it('names the site that did not answer, calls it neither closed nor open, and came within three seconds', async () => {
    const browser = await visit(world, 'silent', 'plain')
    const started = performance.now()
    const closing = await signOut(world, browser, true)
    const ms = performance.now() - started
    expect(ms).toBeGreaterThan(2_900)
    expect(ms).toBeLessThan(promised(3_900))
    expect(closing.visibleText).toContain(
      'Site silent : the site did not answer. Nobody can enter it from here any more',
    )
    const confirm = await browser.click(closing, 'Close “Campus account” too')
    const closed = await browser.submit(confirm)
    expect(closed.visibleText).toContain('Site app and Site plain : closed')
    expect(closed.visibleText).toContain('Site silent : the site did not answer.')
    expect(world.events).toContainEqual(
      expect.objectContaining({
        name: 'participant.failed',
        resource: 'silent',
        detail: expect.stringContaining('3 s'),
      }),
    )
  })
})

describe('a sign-out', () => {
  let world: TestGateway
  beforeAll(async () => {
    world = await start()
  })
  afterEach(() => world.invariants())
  afterAll(() => world.stop())

  it('has ended the session before the first site is told, and before the provider is asked anything (RL-04)', async () => {
    const browser = await visit(world, 'plain')
    const thief = browser.twin()
    const asked = world.provider.requests.length
    const seen: number[] = []
    bye = async (_request, response) => {
      for (const host of ['app', 'plain']) seen.push((await thief.fetch(world.url(host, '/echo'))).status)
      seen.push(world.provider.requests.length - asked)
      response.end()
    }
    const done = await signOut(world, browser, false)
    expect(done.status).toBe(303)
    expect(seen).toEqual([401, 401, 0])
  })

  it('tells each visited site that asks for it, once, with who it was and a token that the published keys prove', async () => {
    const browser = await visit(world, 'plain', 'apps/rooms/echo')
    origin.forget()
    await signOut(world, browser, false)
    const notes = origin.requests.filter(({ url }) => url === '/bye')
    expect(notes.map(note => note.header('host')).toSorted()).toEqual([
      `app.localhost:${world.port}`,
      `apps.localhost:${world.port}`,
    ])
    const keys = await browser.fetch(world.portal('/.well-known/jwks.json'))
    expect([keys.status, keys.header('content-type'), keys.header('cache-control')]).toEqual([
      200,
      'application/jwk-set+json',
      'public, max-age=600',
    ])
    for (const note of notes) {
      expect(note.header('x-remote-user')).toBe('alice')
      expect(note.header('cookie')).toBeNull()
      const { payload } = await jwtVerify(
        note.header('x-passerelle-logout') ?? '',
        createLocalJWKSet(keys.json() as JSONWebKeySet),
        { issuer: world.portal('').replace(/\/$/, ''), typ: 'logout+jwt' },
      )
      expect(payload.aud).toBe(note.header('host')?.startsWith('apps') ? 'rooms' : 'app')
      expect(payload.sub).toMatch(/^[\w-]{43}$/)
    }
    expect(await metric(world, 'passerelle_logout_told_total{participant="rooms",result="told"}')).toBe('1')
  })

  it('of another person in the same browser tells the sites of the one before', async () => {
    const browser = await visit(world)
    world.provider.person('bob')
    origin.forget()
    browser.jar.clear('idp.localhost')
    await browser.navigate(world.portal('/login?again=1'))
    await origin.until(() => origin.requests.some(({ url }) => url === '/bye'), 'the site of alice to be told')
    expect(origin.requests.find(({ url }) => url === '/bye')?.header('x-remote-user')).toBe('alice')
  })

  it('cannot be pretended: what a client sends under our name is stripped', async () => {
    const browser = await visit(world)
    origin.forget()
    await browser.fetch(world.url('app', '/echo'), {
      headers: { 'X-Passerelle-Logout': 'root', X_Passerelle_Logout: 'root' },
    })
    expect(origin.requests[0]?.header('x-passerelle-logout')).toBeNull()
    expect(origin.rawBytes()).not.toContain('root')
  })

  it('has nothing of its reference in the log', async () => {
    const browser = await visit(world)
    const closing = await signOut(world, browser, true)
    const reference = closing.url.searchParams.get('o') ?? ''
    await browser.navigate(world.url('app', `/.passerelle/leave?o=${reference}`), { as: 'iframe', from: closing })
    await browser.navigate(world.portal(`/signed-out?state=${reference}`))
    expect(reference).toHaveLength(43)
    expect(world.log.join('')).not.toContain(reference)
    expect(world.log.join('')).not.toContain('eyJ')
  })
})

const metric = async (world: TestGateway, name: string) => {
  const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
  return text
    .split('\n')
    .find(line => line.startsWith(name))
    ?.split(' ')[1]
}

describe('leaving a host', () => {
  let redis: RedisServer
  let world: TestGateway
  beforeAll(async () => {
    redis = await startRedis()
    // Portal and sites are one site to a browser, as in an institution: else it keeps no cookie of ours in a frame, and drops none.
    world = await start({ store: `{ kind: redis, url: "${redis.url}" }`, domain: 'univ.localhost' })
  })
  afterEach(() => world.invariants())
  afterAll(async () => {
    await world.stop()
    await redis.close()
  })
  const siteCookie = '__Host-Http-passerelle-site'
  const portalPage = () => world.portal('/signed-out')
  const gone = (name: string) => `${name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`
  const framed = (browser: Browser, address: string, headers: Record<string, string> = {}) =>
    browser.navigate(address, { as: 'iframe', from: portalPage(), headers })
  const statusAt = async (browser: Browser, host = 'app') => (await browser.fetch(world.url(host, '/echo'))).status
  /** The address of the frame for the first visited host. */
  const leaving = async (browser: Browser) => frames(await signOut(world, browser, true))[0] ?? ''
  const answered = (reply: Reply) => [reply.status, reply.header('clear-site-data'), reply.cookiesSet]
  const nothing = [204, null, []]

  it('expires our cookies of that host and clears its cache, in a frame of the portal and of nobody else', async () => {
    const browser = await visit(world)
    const cookie = world.cookieOf(browser)
    const address = await leaving(browser)
    const page = await framed(browser, address, {
      cookie: `${cookie}; __Host-Http-passerelle-n-AbCdEfGh=x; PHPSESSID=1`,
    })
    expect(answered(page)).toEqual([200, '"cache"', [siteCookie, '__Host-Http-passerelle-n-AbCdEfGh'].map(gone)])
    const policy = page.header('content-security-policy')
    expect(policy).toMatch(/^sandbox /)
    expect(policy).toContain(`; frame-ancestors http://acces.univ.localhost:${world.port};`)
    expect(page.header('cache-control')).toBe('no-store')
    expect(browser.cookies('app.univ.localhost').filter(({ name }) => name.includes('passerelle'))).toEqual([])
    expect(origin.requests.some(({ url }) => url.includes('leave'))).toBe(false)
  })

  it('clears the cache for a browser that sends no cookie to a frame, as where host and portal are foreign to each other', async () => {
    const address = await leaving(await visit(world))
    expect(answered(await framed(new Browser(), address))).toEqual([200, '"cache"', [gone(siteCookie)]])
  })

  it.each(['', '?cookie=keep', '?t=', '?t=x', `?t=${'A'.repeat(200)}`])(
    'at the bare address, as a hostile page may have it in frames again and again, takes nothing from anybody: %j',
    async query => {
      const browser = await visit(world)
      for (const from of [world.url('plain', '/'), 'http://far.localhost:1/', portalPage()]) {
        const address = world.url('app', `/.passerelle/leave${query}`)
        expect(answered(await browser.navigate(address, { as: 'iframe', from }))).toEqual(nothing)
        expect(answered(await browser.navigate(address, { from }))).toEqual(nothing)
      }
      expect(await statusAt(browser)).toBe(200)
    },
  )

  it('with what somebody else’s sign-out has proved takes nothing either', async () => {
    const address = await leaving(await world.signIn('eve'))
    const browser = await visit(world)
    expect(answered(await framed(browser, address))).toEqual(nothing)
    expect(await statusAt(browser)).toBe(200)
  })

  it('once more after the same person has signed in again takes nothing of the new session', async () => {
    const browser = await visit(world)
    const address = await leaving(browser)
    await framed(browser, address)
    await browser.navigate(world.url('app', '/echo'))
    expect(await statusAt(browser)).toBe(200)
    expect(answered(await framed(browser, address))).toEqual(nothing)
    expect(await statusAt(browser)).toBe(200)
  })

  it('with what was proved for another host does nothing', async () => {
    const browser = await visit(world, 'plain')
    const cookie = world.cookieOf(browser, 'plain')
    const address = (await leaving(browser)).replace('//app.', '//plain.')
    expect(answered(await framed(browser, address, { cookie }))).toEqual(nothing)
  })

  it.each(['HEAD', 'prefetch', 'image', 'fetch'])('by %s does nothing at all', async kind => {
    const browser = await visit(world)
    const address = await leaving(browser)
    const reply =
      kind === 'HEAD'
        ? await browser.navigate(address, { method: 'HEAD' })
        : kind === 'prefetch'
          ? await browser.navigate(address, { as: 'prefetch', from: portalPage() })
          : await browser.fetch(address, {
              from: world.url('plain', '/'),
              mode: kind === 'image' ? 'no-cors' : 'cors',
              credentials: 'include',
            })
    expect(answered(reply)).toEqual(nothing)
  })

  it('by POST is 405', async () => {
    const browser = await visit(world)
    expect((await browser.fetch(world.url('app', '/.passerelle/leave'), { method: 'POST' })).status).toBe(405)
  })

  it('works while the store is away', async () => {
    const browser = await visit(world)
    const address = await leaving(browser)
    redis.freeze()
    try {
      // One question to the store would make it a 503.
      expect(answered(await framed(browser, address))).toEqual([200, '"cache"', [gone(siteCookie)]])
    } finally {
      redis.thaw()
    }
  })
})

describe('an end that the store takes late', () => {
  const down = () => new GatewayError('session.store-down', 'away')

  it.each([
    ['', (world: TestGateway) => vi.spyOn(world.gateway.store.records, 'take').mockRejectedValueOnce(down())],
    [
      ', of which only the announcement failed,',
      (world: TestGateway) => vi.spyOn(world.gateway.store.ended, 'append').mockRejectedValueOnce(down()),
    ],
  ])('%s tells the sites when it is through, though nobody waits for it any more', async (_, fails) => {
    const world = await start()
    try {
      const browser = await visit(world)
      fails(world)
      expect((await signOut(world, browser, false)).status).toBe(503)
      expect((await browser.fetch(world.url('app', '/echo'))).status).toBe(401)
      await origin.until(() => origin.requests.some(({ url }) => url === '/bye'), 'the site to be told')
      expect(world.log.find(text => text.includes('session.end-retried'))).toContain('"left":0')
      expect(world.events.filter(({ name }) => name === 'session.ended')).toHaveLength(1)
    } finally {
      vi.restoreAllMocks()
      await world.stop()
    }
  })
})

describe('on a shared computer', () => {
  it('the page between and the last one ask to close the browser, before anything else', async () => {
    const world = await start({ session: '  assume: shared' })
    try {
      const browser = await visit(world)
      const closing = await signOut(world, browser, true)
      expect(closing.visibleText).toContain('Shared computer: afterwards, close every window of the browser')
      const closed = await browser.submit(await browser.click(closing, 'Close “Campus account” too'))
      const text = closed.visibleText
      expect(text).toContain('Close every window of the browser.')
      expect(text.indexOf('Shared computer')).toBeLessThan(text.indexOf('What is closed'))
    } finally {
      await world.stop()
    }
  })
})

describe('of many hosts', () => {
  it('the first fifty are left, the page names the others, and the headers stay within what a proxy in front of us takes', async () => {
    const many = Array.from({ length: 60 }, (_, index) => site(`s${index}`, `s${index}.localhost:$PORT`)).join('')
    const world = await start({
      resources: `${site('app', 'app.localhost:$PORT')}${many}`.replaceAll('$ORIGIN', origin.url),
    })
    try {
      const browser = await visit(world)
      for (let index = 0; index < 60; index++) await browser.navigate(world.url(`s${index}`, '/echo'))
      const page = await signOut(world, browser, true)
      expect(frames(page)).toHaveLength(50)
      expect(frameSources(page)?.split(' ')).toHaveLength(50)
      expect(page.visibleText).toContain(
        'Site s49, Site s50, Site s51, Site s52, Site s53, Site s54, Site s55, Site s56, Site s57, Site s58 and Site s59 : you visited so many sites that the browser has not yet forgotten what you read there: its Back button could still show it. Close every window of the browser.',
      )
      const bytes = page.rawHeaders.join('').length
      expect(bytes).toBeLessThan(4_096)
    } finally {
      await world.stop()
    }
  })
})
