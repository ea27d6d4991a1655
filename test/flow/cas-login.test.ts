/** Signing in by CAS at the assembled gateway, and what a CAS server may do wrong (docs/sessions.md A2, S4; attack cases CA). */
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, logoutRequest, postLogout, startCasServer } from '../stand-in/cas-server.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

/** Of the gateway's waiting between two looks at a server. */
const clock = settableClock(Date.now())
let cas: CasServer
let world: TestGateway
/** It answers as a CAS server would, with a certificate that nobody vouches for. */
let shady: Server
let shadyAsked = 0

beforeAll(async () => {
  cas = await startCasServer()
  const { certificate: cert, key } = selfSigned(['shady.localhost'])
  shady = createServer({ cert, key }, (_, response) => {
    shadyAsked++
    response.end(
      '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="X"/></cas:serviceResponse>',
    )
  })
  await new Promise<void>(resolve => shady.listen(0, '127.0.0.1', resolve))
  world = await startTestGateway({
    surroundings: { wall: clock.now },
    idps: `
  - id: pial
    label: { fr: Académie de Nancy-Metz, en: Nancy-Metz }
    cas: { server: "${cas.server}" }
  - id: old
    label: { fr: Vieux serveur, en: Old server }
    cas: { server: "${cas.server}/", version: 2 }
  - id: shady
    label: Shady
    cas: { server: "https://shady.localhost:${(shady.address() as AddressInfo).port}/cas" }`,
    resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ ENTPersonProfils: [National_ENS] }]
    idps: [pial]
    identity: { headers: { X-Remote-User: "{subject}", X-Profile: "{ENTPersonProfils}" } }
  - id: open
    title: Open
    at: "http://open.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [pial]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: old
    title: Old
    at: "http://old.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [old]
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
  })
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
  shady.closeAllConnections()
  shady.close()
})
afterEach(() => {
  world.invariants()
  cas.reset()
})

const cutAnswer: CasServer['bends']['validation'] = (_, response) => {
  response.writeHead(200, { 'Content-Length': '900' }).write('<cas:')
  response.destroy()
}
const teacher = '<cas:attributes><cas:ENTPersonProfils>National_ENS</cas:ENTPersonProfils></cas:attributes>'
const open = (path = '/echo') => world.url('open', path)
const validations = () => cas.asked.filter(url => url.includes('serviceValidate') && url.includes('ticket='))
/** What the site was told last. */
const told = (name: string) => world.origin.requests.at(-1)?.header(name) ?? null

async function signIn(): Promise<Browser> {
  const browser = new Browser()
  const reply = await browser.navigate(open())
  if (reply.status !== 200) throw new Error(`${reply.story}\n${reply.visibleText}`)
  return browser
}

/** Stops before our callback; its address. */
async function atTheCallback(browser: Browser, url = open()): Promise<URL> {
  const reply = await browser.navigate(url, { follow: one => !one.redirect?.pathname.startsWith('/callback/') })
  if (reply.redirect === null) throw new Error(reply.story)
  return reply.redirect
}

describe('a sign-in by CAS', () => {
  it('ends at the page that was asked for, and the site knows who it is', async () => {
    cas.bends.attributes = teacher
    const reply = await new Browser().navigate(world.url('app', '/echo?page=7'))
    expect(reply.status).toBe(200)
    expect(reply.url.href).toBe(world.url('app', '/echo?page=7'))
    expect([told('x-remote-user'), told('x-profile')]).toEqual(['alice', 'National_ENS'])
    expect(validations()).toHaveLength(1)
    expect(validations()[0]).toContain('/p3/serviceValidate')
  })

  it('names our callback by the configuration, with the state as its last segment', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    expect(callback.origin).toBe(new URL(world.portal()).origin)
    expect(callback.pathname).toMatch(/^\/callback\/pial\/[\w-]{43}$/)
    expect((await browser.navigate(callback)).status).toBe(200)
    expect(new URL(cas.tickets[0]?.service ?? '').pathname).toBe(callback.pathname)
  })

  it('asks an old server where old servers answer', async () => {
    await new Browser().navigate(world.url('old', '/echo'))
    expect(told('x-remote-user')).toBe('alice')
    expect(validations()[0]).toMatch(/^\/cas\/serviceValidate\?/)
  })

  it('is refused by the policy where the attribute is missing, and the page says which', async () => {
    const reply = await new Browser().navigate(world.url('app', '/echo'))
    expect(reply.status).toBe(403)
    expect(reply.visibleText).toContain('National_ENS')
  })

  it('after a sign-out asks the server to ask the person again, and believes nothing older', async () => {
    const browser = await signIn()
    const ask = await browser.navigate(world.portal('/logout'))
    await browser.submit(ask)
    const begun = cas.asked.length
    expect((await browser.navigate(open())).status).toBe(200)
    expect(cas.asked.slice(begun).find(url => url.startsWith('/cas/login'))).toContain('renew=true')
    expect(validations().at(-1)).toContain('renew=true')
  })

  it('signs out at the server too, and comes back to a page that says so', async () => {
    const browser = await signIn()
    const ask = await browser.navigate(world.portal('/logout'))
    const closing = await browser.submit(ask)
    const next = closing.links.find(({ href }) => href.startsWith(`${cas.server}/logout`))?.href ?? ''
    expect(new URL(next).searchParams.get('service')).toMatch(
      new RegExp(`^${world.portal('/signed-out')}\\?state=[\\w-]{43}$`),
    )
    const back = await browser.navigate(next)
    expect(back.url.pathname).toBe('/signed-out')
    expect(back.visibleText).toContain('Nancy-Metz')
  })
})

describe('a ticket', () => {
  it('CA-01: for another service is denied', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    const other = cas.signIn(
      new URL(`${cas.server}/login?${new URLSearchParams({ service: 'https://other.example.org/' })}`),
    )
    callback.searchParams.set('ticket', other.searchParams.get('ticket') ?? '')
    const reply = await browser.navigate(callback)
    expect(reply.status).toBe(400)
    expect((await browser.navigate(open(), { follow: false })).status).toBe(303)
  })

  it.each(['ST-1%26service%3Dhttp://evil', 'ST-1&service=http://evil', 'ST-1#x', 'ST-1/../../logout', 'ST-1%3Fx'])(
    'CA-02: %s stays one parameter of the question',
    async ticket => {
      const browser = new Browser()
      const callback = await atTheCallback(browser)
      callback.search = ''
      await browser.navigate(`${callback.href}?ticket=${ticket}`)
      for (const asked of validations()) {
        const url = new URL(asked, cas.server)
        expect(url.pathname).toBe('/cas/p3/serviceValidate')
        expect(url.searchParams.getAll('service')).toEqual([callback.href])
        expect(url.searchParams.getAll('ticket')).toHaveLength(1)
      }
    },
  )

  it.each(['', 'PT-1-abc', 'PGT-1-abc', 'TGT-1', 'ST-1%0d%0aX:y', `ST-${'a'.repeat(1_100)}`, 'ST-%C3%A9'])(
    'CA-02, CA-08: %.20s is not even asked about',
    async ticket => {
      const browser = new Browser()
      const callback = await atTheCallback(browser)
      callback.search = ''
      const reply = await browser.navigate(`${callback.href}?ticket=${ticket}`)
      expect(reply.status).toBe(400)
      expect(validations()).toHaveLength(0)
    },
  )

  it('that comes twice is refused before anything is used up', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    expect((await browser.navigate(`${callback.href}&ticket=ST-2`)).status).toBe(400)
    expect((await browser.navigate(callback)).status).toBe(200)
  })

  it('CA-04: is sent to the server once, whoever brings it how often', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    const foreign = await new Browser().navigate(callback)
    expect(foreign.status).toBe(400)
    expect((await browser.navigate(callback)).status).toBe(200)
    const again = await browser.navigate(callback)
    expect(again.url.href).toBe(world.portal('/'))
    await new Browser().navigate(callback)
    expect(validations()).toHaveLength(1)
  })

  it('CA-10: on a path that is not the callback is the site’s own business, and signs nobody in', async () => {
    const reply = await new Browser().navigate(open('/echo?ticket=ST-1'), { follow: false })
    expect(reply.status).toBe(303)
    expect(validations()).toHaveLength(0)
  })

  it('without a ticket the person can begin again with one button', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    callback.search = ''
    const reply = await browser.navigate(callback)
    expect(reply.status).toBe(400)
    const again = reply.links.find(({ href }) => href.includes('/enter?'))
    expect((await browser.navigate(new URL(again?.href ?? '', reply.url))).url.href).toBe(open())
  })
})

describe('CA-09: a server', () => {
  it('that is down is a page of ours, before anybody is sent there', async () => {
    // What was seen in the last ten seconds is believed.
    clock.advance(11_000)
    await cas.goDown()
    try {
      const reply = await new Browser().navigate(open())
      expect(reply.status).toBe(503)
      expect(reply.url.origin).toBe(new URL(world.portal()).origin)
      expect(reply.visibleText).toContain('Nancy-Metz')
    } finally {
      await cas.comeUp()
    }
    clock.advance(11_000)
    expect((await new Browser().navigate(open())).status).toBe(200)
  })

  it('that cannot prove its name is a page of ours: nobody is sent there, and no ticket', async () => {
    const reply = await new Browser().navigate(world.portal('/login?idp=shady'))
    expect([reply.status, reply.url.origin]).toEqual([503, new URL(world.portal()).origin])
    expect(reply.visibleText).toContain('Shady')
    expect(world.log.findLast(line => line.includes('idp.unreachable'))).toMatch(/self.signed certificate/)
    expect(shadyAsked).toBe(0)
  })

  it.each<[string, CasServer['bends']['validation'], number]>([
    ['that redirects', (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(), 502],
    ['that answers HTML', (_, response) => response.end('<html><body>hello<br></body></html>'), 502],
    ['that answers nothing', (_, response) => response.end(), 502],
    ['that has lost the page', (_, response) => response.writeHead(404).end('no'), 502],
    ['that fails', (_, response) => response.writeHead(500).end('oops'), 503],
    ['that cuts the answer', cutAnswer, 503],
    ['that answers two megabytes', (_, response) => response.end(' '.repeat(2 * 1024 * 1024)), 502],
  ])('%s is a page that says so', async (_, validation, status) => {
    cas.bends.validation = validation
    const reply = await new Browser().navigate(open())
    expect(reply.status).toBe(status)
    expect(reply.visibleText).toContain('Nancy-Metz')
  })

  it('that fails leaves open sessions alone', async () => {
    const browser = await signIn()
    cas.bends.validation = (_, response) => response.writeHead(500).end()
    await new Browser().navigate(open())
    expect((await browser.navigate(open())).status).toBe(200)
  })
})

describe('single logout from the server', () => {
  it('CA-11: ends the session of the ticket, on every site, and no other', async () => {
    const alice = await signIn()
    cas.bends.user = 'bob'
    const bob = await signIn()
    const [first] = cas.tickets
    expect(await postLogout(first?.service ?? '', logoutRequest(first?.ticket ?? ''))).toBe(200)
    expect((await alice.fetch(open())).status).toBe(401)
    expect((await bob.fetch(open())).status).toBe(200)
  })

  it('is taken at every service that the server knows, and ends everybody whom it names', async () => {
    const browsers = [await signIn(), await signIn()]
    expect(await cas.singleLogout()).toEqual([200, 200])
    for (const browser of browsers) expect((await browser.fetch(open())).status).toBe(401)
  })

  it('CA-14: that comes before the session is stored ends the sign-in', async () => {
    const browser = new Browser()
    const callback = await atTheCallback(browser)
    const [ticket] = cas.tickets
    cas.bends.lateMs = 0
    expect(await postLogout(ticket?.service ?? '', logoutRequest(ticket?.ticket ?? ''))).toBe(200)
    const reply = await browser.navigate(callback)
    expect(reply.status).toBe(400)
    expect((await browser.fetch(open())).status).toBe(401)
  })

  it.each([
    ['an unknown ticket', logoutRequest('ST-never-made')],
    ['no XML', 'logout please'],
    ['an entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['nothing', ''],
  ])('CA-12: with %s has no effect', async (_, request) => {
    const browser = await signIn()
    expect([200, 400]).toContain(await postLogout(cas.tickets[0]?.service ?? '', request))
    expect((await browser.fetch(open())).status).toBe(200)
  })

  it('CA-12: of a megabyte, or by GET, has no effect', async () => {
    const browser = await signIn()
    const { service = '', ticket = '' } = cas.tickets[0] ?? {}
    expect(await postLogout(service, ' '.repeat(1024 * 1024) + logoutRequest(ticket))).toBeGreaterThanOrEqual(400)
    await new Browser().navigate(`${service}?${new URLSearchParams({ logoutRequest: logoutRequest(ticket) })}`)
    expect((await browser.fetch(open())).status).toBe(200)
  })

  it('CA-13: names another idp’s ticket in vain', async () => {
    const browser = await signIn()
    const { service = '', ticket = '' } = cas.tickets[0] ?? {}
    await postLogout(service.replace('/callback/pial/', '/callback/old/'), logoutRequest(ticket))
    expect((await browser.fetch(open())).status).toBe(200)
  })
})
