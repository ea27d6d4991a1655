/**
 * CS-01, CS-02, CS-05 and docs/sessions.md A6: what pages of other sites can make a browser do. Hosts under one registrable
 * domain are same-site to a browser, which then sends its cookies along: SameSite protects nothing between them.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type BrowserSocket, RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let browser: Browser
beforeAll(async () => {
  world = await startTwoIdps({
    domain: 'univ.localhost',
    resources: `
  - id: app
    title: App
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    allowOrigins: ["http://friend.localhost:$PORT"]
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }`,
  })
})
beforeEach(async () => {
  browser = new Browser({ language: 'en' })
  await browser.navigate(app())
  world.origin.forget()
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

const app = (path = '/echo') => world.url('app', path)
const sibling = () => world.url('evil', '/page')
const farAway = 'http://evil.localhost:1/page'

/** The page's form as a browser would send it. */
function bodyOf(page: Reply): string {
  return new URLSearchParams(Object.fromEntries(page.forms[0]?.fields ?? [])).toString()
}

async function signedIn(): Promise<boolean> {
  return (await browser.fetch(app('/echo?still'))).status === 200
}

describe('a reply to the attacker’s own sign-in, opened in the victim’s browser (CS-01)', () => {
  it.each([
    ['who is signing in', async (victim: Browser) => void (await world.toProvider(victim, app()))],
    ['who is not', async () => {}],
    ['who is signed in', async (victim: Browser) => void (await victim.navigate(app()))],
  ])('signs nobody in as the attacker: %s', async (_, prepare) => {
    const victim = new Browser({ language: 'en' })
    await prepare(victim)
    const before = victim.cookies('acces.univ.localhost').find(({ name }) => name === '__Host-Http-passerelle')?.value
    const eve = new Browser()
    const callback = world.callback(await world.toProvider(eve, app('/eves-page')), 'eve')
    const page = await victim.navigate(callback, { from: farAway })
    expect(page.status).toBe(400)
    const after = victim.cookies('acces.univ.localhost').find(({ name }) => name === '__Host-Http-passerelle')?.value
    expect(after).toBe(before)
    expect(
      world.op.asked.filter(
        ({ endpoint, form }) => endpoint === 'token' && form.get('code') === callback.searchParams.get('code'),
      ),
    ).toEqual([])

    const own = await eve.navigate(callback, { from: world.op.issuer })
    expect(own.url.href).toBe(app('/eves-page'))
  })

  it('nor where a sibling host posts it, with every cookie of the victim', async () => {
    // A sign-in of the victim's own is under way, so that a cookie of one comes along.
    await browser.navigate(world.portal('/login?again=1&idp=op'), { follow: false })
    const eve = new Browser()
    const callback = world.callback(await world.toProvider(eve, app('/eves-page')), 'eve')
    const form = [...callback.searchParams]
    const page = await browser.navigate(world.portal('/callback/op'), { from: sibling(), form })
    expect(page.hops[0]?.sent.headers.Cookie).toContain('__Host-Http-passerelle=')
    expect(page.status).toBe(400)
    expect(await signedIn()).toBe(true)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
    const codes = world.op.asked.map(({ form: asked }) => asked.get('code'))
    expect(codes).not.toContain(callback.searchParams.get('code'))
  })

  it('nor do the reference and the ticket that follow it', async () => {
    const eve = new Browser()
    world.op.bends.subject = 'eve'
    const toEnter = await eve.navigate(app('/eves-page'), {
      follow: hop => hop.redirect?.searchParams.has('r') !== true,
    })
    const victim = new Browser()
    expect((await victim.navigate(toEnter.redirect ?? '', { from: farAway })).status).toBe(200)
    expect(victim.jar.all().filter(({ name }) => /passerelle(-site)?$/.test(name))).toEqual([])

    const other = new Browser()
    const toTicket = await other.navigate(app('/eves-page'), {
      follow: hop => hop.redirect?.searchParams.has('t') !== true,
    })
    world.op.bends.subject = 'bob'
    const heard = world.events.length
    const page = await victim.navigate(toTicket.redirect ?? '', { from: farAway })
    expect(world.events.slice(heard)).toContainEqual({ name: 'handoff.foreign' })
    expect(page.status).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('bob')
  })
})

describe('closing one’s sessions', () => {
  it('is not done by another host, though it be a sibling that knows the token and the handle', async () => {
    await new Browser().navigate(app())
    const open = async () => (await world.gateway.sessions.of({ idp: 'op', subject: 'alice' })).length
    const before = await open()
    const page = await browser.navigate(world.portal('/sessions'))
    const form = page.forms.find(({ buttons }) => buttons.some(({ name }) => name === 'end'))
    const pressed = form?.buttons.map(({ name, value }) => [name ?? '', value] as const) ?? []
    const fields = [...(form?.fields ?? []), ...pressed]
    expect(fields.map(([name]) => name).toSorted()).toEqual(['end', 'token'])
    for (const from of [sibling(), app('/'), farAway]) {
      const answer = await browser.navigate(world.portal('/sessions'), { from, form: fields, follow: false })
      expect([answer.status, answer.cookiesSet]).toEqual([403, []])
    }
    const body = new URLSearchParams(Object.fromEntries(fields)).toString()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const script = await browser.fetch(world.portal('/sessions'), { body, headers, from: sibling(), mode: 'no-cors' })
    expect(script.sent.headers.Cookie).toContain('__Host-Http-passerelle=')
    expect([script.status, script.json()]).toMatchObject([403, { error: 'request.cross-origin' }])
    for (const method of ['GET', 'HEAD']) {
      await browser.navigate(`${world.portal('/sessions')}?${body}`, { method, from: page })
    }
    expect(await open()).toBe(before)
    // From our own page it is.
    await browser.navigate(world.portal('/sessions'), { from: page, form: fields })
    expect(await open()).toBe(before - 1)
  })
})

describe('signing out (CS-02)', () => {
  it.each(['GET', 'HEAD'])('is not done by %s, whoever asks', async method => {
    await browser.fetch(world.portal('/logout'), { method, from: sibling(), mode: 'no-cors', dest: 'image' })
    await browser.navigate(world.portal('/logout'), { method, from: farAway })
    expect(await signedIn()).toBe(true)
  })

  it('is not done by a form of another site, though its host be a sibling that knows the token', async () => {
    const asked = await browser.navigate(world.portal('/logout'))
    const form = asked.forms[0]?.fields ?? []
    expect(form.map(([name]) => name)).toContain('token')
    for (const from of [sibling(), app('/'), farAway]) {
      const page = await browser.navigate(world.portal('/logout'), { from, form, follow: false })
      expect(page.status).toBe(403)
      expect(page.header('content-type')).toContain('text/html')
      expect(page.cookiesSet).toEqual([])
    }
    const body = bodyOf(asked)
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const script = await browser.fetch(world.portal('/logout'), { body, headers, from: sibling(), mode: 'no-cors' })
    expect(script.sent.headers.Cookie).toContain('__Host-Http-passerelle=')
    expect(script.status).toBe(403)
    expect(script.json()).toMatchObject({ error: 'request.cross-origin' })
    expect(await signedIn()).toBe(true)
  })

  it('is not done without the token, or with another browser’s, from our own page', async () => {
    const asked = await browser.navigate(world.portal('/logout'))
    const other = new Browser()
    await other.navigate(app())
    const theirs = (await other.navigate(world.portal('/logout'))).forms[0]?.fields ?? []
    for (const form of [{}, { token: '' }, theirs]) {
      const page = await browser.navigate(world.portal('/logout'), { from: asked, form, follow: false })
      expect(page.status).toBe(403)
    }
    expect(await signedIn()).toBe(true)
  })

  it.each([
    ['the portal’s own', (own: string) => own, 303],
    ['a sibling’s', () => 'http://evil.univ.localhost', 403],
    ['null', () => 'null', 403],
    ['none', () => null, 403],
  ])('asks a browser without Fetch Metadata for an Origin: %s', async (_, originOf, status) => {
    const old = new Browser({ fetchMetadata: false, jar: browser.jar })
    const asked = await old.navigate(world.portal('/logout'))
    const origin = originOf(world.portal('').replace(/\/$/, ''))
    const body = bodyOf(asked)
    const reply = await old.fetch(world.portal('/logout'), {
      method: 'POST',
      body,
      mode: 'no-cors',
      follow: false,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        // An empty list of values: the line is left out.
        Origin: origin === null ? [] : origin,
      },
    })
    expect(reply.status).toBe(status)
  })
})

describe('pages of ours in a frame of another site (CS-05)', () => {
  it('are none of them to be had: callback, sign-in, sign-out, refusal', async () => {
    const callback = world.callback(await world.toProvider(new Browser(), app()))
    for (const url of [callback.href, '/login', '/logout', '/signed-out', '/'].map(
      one => new URL(one, world.portal('/')),
    )) {
      const page = await browser.navigate(url, { as: 'iframe', from: farAway, follow: false })
      if (page.redirect !== null) continue
      expect(page.header('content-security-policy'), url.pathname).toContain("frame-ancestors 'none'")
    }
  })
})

describe('a script of a sibling host, with the cookie of a site (A6, C5 12)', () => {
  const isRefused = (reply: Reply) => {
    expect(reply.status).toBe(403)
    expect(reply.json()).toMatchObject({ error: 'request.cross-origin' })
    expect(reply.header('access-control-allow-origin')).toBeNull()
    expect(world.origin.requests).toEqual([])
    expect(world.events.at(-1)).toEqual({ name: 'request.cross-origin', resource: 'app' })
  }

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    '%s is refused, and the origin hears nothing',
    async method => {
      const reply = await browser.fetch(app(), { method, from: sibling(), credentials: 'include' })
      expect(reply.sent.headers.Cookie).toContain('__Host-Http-passerelle-site=')
      isRefused(reply)
    },
  )

  it('a beacon is refused', async () => {
    isRefused(await browser.fetch(app(), { method: 'POST', body: 'x', from: sibling(), mode: 'no-cors' }))
  })

  it('a form is refused with a page', async () => {
    const page = await browser.navigate(app(), { from: sibling(), form: { transfer: 'all' } })
    expect(page.status).toBe(403)
    expect(page.header('content-type')).toContain('text/html')
    expect(page.sandboxed).toBe(true)
    expect(world.origin.requests).toEqual([])
  })

  it.each(['null', 'http://app.univ.localhost', 'https://app.univ.localhost', 'http://app.univ.localhost.evil.test'])(
    'an unsafe request with Origin: %s is refused',
    async origin => {
      isRefused(
        await browser.fetch(app(), {
          method: 'POST',
          from: sibling(),
          headers: { Origin: origin },
          credentials: 'include',
        }),
      )
    },
  )

  it('what only reads passes, as links and images must', async () => {
    const reply = await browser.fetch(app(), { from: sibling(), mode: 'no-cors', dest: 'image' })
    expect(reply.status).toBe(200)
  })

  it('a WebSocket is refused, whatever it says of itself', async () => {
    for (const from of [sibling(), farAway]) {
      const refused: unknown = await browser.webSocket(app('/ws'), { from }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(RefusedUpgrade)
      expect((refused as RefusedUpgrade).reply.status).toBe(from === farAway ? 401 : 403)
    }
    const headers = { Origin: sibling(), 'Sec-Fetch-Site': 'same-origin' }
    const lies: unknown = await browser.webSocket(app('/ws'), { headers }).catch((error: unknown) => error)
    expect((lies as RefusedUpgrade).reply.status).toBe(403)
    expect(world.origin.requests).toEqual([])
  })
})

describe('the site’s own pages, and those that the operator admits', () => {
  it.each([
    ['its own', () => app('/')],
    ['an admitted origin’s', () => world.url('friend', '/')],
  ])('%s may write and open WebSockets', async (_, from) => {
    const written = await browser.fetch(app(), { method: 'PUT', body: 'x', from: from(), credentials: 'include' })
    expect(written.status).toBe(200)
    const socket: BrowserSocket = await browser.webSocket(app('/ws'), { from: from() })
    socket.send('hello')
    await socket.until('hello')
    await socket.close()
    const posted = await browser.navigate(app(), { from: from(), form: { a: 'b' } })
    expect(posted.status).toBe(200)
    expect(world.origin.requests.map(({ method }) => method)).toEqual(['PUT', 'GET', 'POST'])
  })

  it('a person who sends a form again after a restart may do so (Sec-Fetch-Site: none)', async () => {
    expect((await browser.navigate(app(), { form: { a: 'b' }, headers: { Origin: 'null' } })).status).toBe(200)
  })

  it('a client that is no browser, with neither header, may write', async () => {
    const old = new Browser({ fetchMetadata: false, jar: browser.jar })
    const reply = await old.fetch(app(), { method: 'PUT', body: 'x', headers: { Origin: [] } })
    expect(reply.status).toBe(200)
  })
})

describe('a service worker of a site (A1)', () => {
  it('is answered with one that only removes itself, with and without a session', async () => {
    for (const one of [browser, new Browser()]) {
      const reply = await one.fetch(app('/sw.js'), { headers: { 'Service-Worker': 'script' }, dest: 'serviceworker' })
      expect(reply.status).toBe(200)
      expect(reply.header('content-type')).toContain('text/javascript')
      expect(reply.text).toContain('registration.unregister()')
    }
    expect(world.origin.requests).toEqual([])
  })
})
