/** Who is led to the sign-in and who is told 401, on a site's own host (docs/sessions.md S2, A9, B 22). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({
    resources: `
  - id: app
    title: App
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    allowOrigins: ["http://friend.localhost:$PORT"]
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: friend
    title: Friend
    at: "http://friend.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }`,
  })
})
afterEach(() => {
  world.invariants()
  expect(world.origin.requests.filter(request => request.header('x-remote-user') === null)).toEqual([])
})
afterAll(() => world.stop())

const app = (path = '/echo') => world.url('app', path)

function isToldInJson(reply: Reply): void {
  expect(reply.status).toBe(401)
  expect(reply.json()).toEqual({ error: 'login.required' })
  expect(reply.header('www-authenticate')).toBe('Passerelle')
  expect(reply.header('cache-control')).toBe('no-store')
  expect(reply.header('content-type')).toBe('application/json; charset=utf-8')
  expect(reply.header('vary')).toMatch(/\bCookie\b.*\bOrigin\b/)
  expect(reply.cookiesSet).toEqual([])
}

describe('without a session', () => {
  it('a navigation is led to the sign-in', async () => {
    const reply = await new Browser().navigate(app(), { follow: false })
    expect(reply.status).toBe(303)
    expect(reply.redirect?.href).toMatch(new RegExp(`^${world.portal('/enter')}\\?to=`))
    expect(reply.cookiesSet).toHaveLength(1)
  })

  it('HEAD gets the status of the navigation, and leaves no cookie and no body', async () => {
    const reply = await new Browser().navigate(app(), { method: 'HEAD', follow: false })
    expect(reply.status).toBe(303)
    expect(reply.cookiesSet).toEqual([])
    expect(reply.body.length).toBe(0)
  })

  it('a prefetch gets 401, no cookie, and begins nothing', async () => {
    isToldInJson(await new Browser().navigate(app(), { as: 'prefetch', follow: false }))
  })

  it.each([
    ['a script of the site', { dest: 'empty' }],
    ['an image', { dest: 'image', mode: 'no-cors' }],
    ['a worker', { dest: 'worker', mode: 'same-origin' }],
    ['a PUT of a script', { method: 'PUT', body: 'x' }],
    ['a DELETE of a script', { method: 'DELETE' }],
  ] as const)('%s gets 401 in JSON', async (_, how) => {
    isToldInJson(await new Browser().fetch(app(), how))
  })

  it('a client that is no browser gets 401 in JSON', async () => {
    const { responses } = await rawExchange(
      world.port,
      rawRequest({ host: `app.localhost:${world.port}`, target: '/' }),
      {
        responses: 1,
      },
    )
    expect(responses[0]?.status).toBe(401)
    expect(JSON.parse(responses[0]?.text ?? '')).toEqual({ error: 'login.required' })
  })

  it('an event stream gets 401', async () => {
    const reply = await new Browser().fetch(app('/sse'), { headers: { Accept: 'text/event-stream' } })
    isToldInJson(reply)
  })

  it('a WebSocket gets 401, and the origin hears nothing', async () => {
    const before = world.origin.requests.length
    const refused = await new Browser().webSocket(app('/ws')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
    isToldInJson((refused as RefusedUpgrade).reply)
    expect(world.origin.requests.length).toBe(before)
  })

  it('a form that was sent gets a page that says so, the origin nothing, and a link opens the page anew', async () => {
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(app('/echo?form=1'), { from: app('/'), form: { text: 'three hours of work' } })
    expect(page.status).toBe(401)
    expect(page.header('www-authenticate')).toBe('Passerelle')
    expect(page.cookiesSet).toEqual([])
    expect(page.visibleText).toContain('What you sent was not passed on')
    expect(page.text).not.toContain('three hours')
    expect(page.sandboxed).toBe(true)
    expect(page.forms).toEqual([])
    const opened = await browser.click(page, 'Open the page again')
    expect(opened.url.href).toBe(app('/echo?form=1'))
    expect(world.origin.requests.at(-1)?.method).toBe('GET')
  })
})

describe('a script of another origin, without a session', () => {
  it('may read the 401 where the operator admits its origin', async () => {
    const reply = await new Browser().fetch(app(), { from: world.url('friend'), credentials: 'include' })
    isToldInJson(reply)
    expect(reply.header('access-control-allow-origin')).toBe(`http://friend.localhost:${world.port}`)
    expect(reply.header('access-control-allow-credentials')).toBe('true')
  })

  it.each(['http://evil.localhost:1', 'null'])('may read nothing from %s', async origin => {
    const reply = await new Browser().fetch(app(), { headers: { Origin: origin } })
    isToldInJson(reply)
    expect(reply.header('access-control-allow-origin')).toBeNull()
    expect(reply.header('access-control-allow-credentials')).toBeNull()
  })

  it('gets its preflight answered by us where it is admitted, and 401 where not', async () => {
    const asks = (origin: string) =>
      new Browser().fetch(app(), {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'PUT',
          'Access-Control-Request-Headers': 'content-type',
        },
      })
    const admitted = await asks(`http://friend.localhost:${world.port}`)
    expect(admitted.status).toBe(204)
    expect(admitted.header('access-control-allow-methods')).toBe('PUT')
    expect(admitted.header('access-control-allow-headers')).toBe('content-type')
    const foreign = await asks('http://evil.localhost:1')
    expect(foreign.status).toBe(401)
    expect(foreign.header('access-control-allow-origin')).toBeNull()
  })
})

describe('a frame of another page', () => {
  it('that is not signed in shows a small page with one link to a new window, and never an idp', async () => {
    const browser = new Browser({ language: 'en' })
    const asked = world.op.asked.length
    const page = await browser.navigate(app('/echo?in=frame'), { as: 'iframe', from: 'http://lms.localhost:1/course' })
    expect(page.hops.map(({ url, status }) => `${status} ${url.pathname}`)).toEqual(['303 /echo', '303 /enter'])
    expect(page.url.href).toBe(app(`/.passerelle/framed?to=${encodeURIComponent(app('/echo?in=frame'))}`))
    expect(page.status).toBe(200)
    expect(page.header('content-security-policy')).toContain('frame-ancestors *')
    expect(page.header('content-security-policy')).toMatch(/^sandbox /)
    // The text stands there twice, once folded, in the other language.
    expect(new Set(page.links.map(({ href }) => href)).size).toBe(1)
    expect(page.text).toContain('target="_blank" rel="noopener"')
    expect(world.op.asked.length).toBe(asked)

    const opened = await browser.click(page, 'Open')
    expect(opened.url.href).toBe(app('/echo?in=frame'))
    expect(opened.status).toBe(200)
  })

  it('is handed over silently where the portal’s cookie comes along', async () => {
    const one = await startTwoIdps({ domain: 'univ.localhost' })
    const browser = new Browser()
    await browser.navigate(one.url('app', '/echo'))
    const asked = one.op.asked.length
    const page = await browser.navigate(one.url('plain', '/echo'), { as: 'iframe', from: one.url('app', '/') })
    expect(page.status).toBe(200)
    expect(page.url.href).toBe(one.url('plain', '/echo'))
    expect(one.op.asked.length).toBe(asked)
    one.invariants()
    await one.stop()
  })

  it('cannot show any other page of ours', async () => {
    const browser = new Browser()
    const from = { as: 'iframe', from: 'http://lms.localhost:1/course' } as const
    const pages = [
      await browser.navigate(world.portal('/'), from),
      await browser.navigate(world.portal('/login'), from),
      await browser.navigate(world.portal('/logout'), from),
      await browser.navigate(world.portal('/nowhere'), from),
      await browser.navigate(app('/.passerelle/enter?t=unknown'), from),
    ]
    for (const page of pages) expect(page.header('content-security-policy')).toContain("frame-ancestors 'none'")
  })
})

describe('a browser from before Fetch Metadata', () => {
  const old = () => new Browser({ fetchMetadata: false, language: 'en' })

  it('signs in all the same', async () => {
    const page = await old().navigate(app('/echo?old=1'))
    expect(page.status).toBe(200)
    expect(page.url.href).toBe(app('/echo?old=1'))
  })

  it('is told 401 for what is no page', async () => {
    isToldInJson(await old().fetch(app()))
    const ajax = await old().fetch(app(), { headers: { Accept: 'text/html', 'X-Requested-With': 'XMLHttpRequest' } })
    isToldInJson(ajax)
    isToldInJson(await old().fetch(app(), { headers: { Accept: 'text/html', Origin: app('').slice(0, -1) } }))
  })

  it('reads the page about a form that was sent', async () => {
    const page = await old().navigate(app('/echo'), { from: app('/'), form: { a: 'b' } })
    expect(page.status).toBe(401)
    expect(page.visibleText).toContain('What you sent was not passed on')
  })
})

describe('with a session', () => {
  it('a prefetch is served, and sets nothing', async () => {
    const browser = new Browser()
    await browser.navigate(app())
    const reply = await browser.navigate(app('/echo?ahead'), { as: 'prefetch' })
    expect(reply.status).toBe(200)
    expect(reply.cookiesSet).toEqual([])
  })

  it('HEAD goes to the origin as HEAD', async () => {
    const browser = new Browser()
    await browser.navigate(app())
    const reply = await browser.navigate(app('/page'), { method: 'HEAD' })
    expect(reply.status).toBe(200)
    expect(world.origin.requests.at(-1)?.method).toBe('HEAD')
  })
})
