/**
 * Whatever is brought to the callback of a CAS idp, beside one of OpenID Connect (CA-01, CA-10, CA-12, CA-15, CS-01, OI-18;
 * docs/sessions.md S4). A CAS reply has no nonce, no PKCE and no `iss`: its ticket is bound by the address that it was made for,
 * which holds the state of one sign-in, and by the cookie of the browser that began it.
 */
import { request as send } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, logoutRequest, startCasServer } from '../stand-in/cas-server.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const headers = { 'X-Remote-User': '{subject}', 'X-Idp': '{idp}', 'X-Id': '{subjectId}', 'X-Odd': '{constructor}' }
const site = (id: string, idp: string) => aSite(id, [`idps: [${idp}]`], { headers })

let cas: CasServer
let world: TwoIdps
let victim: Browser
/** The honest reply to the victim's sign-in at the CAS server. */
let reply: URL
beforeAll(async () => {
  cas = await startCasServer()
  world = await startTwoIdps({
    domain: 'univ.localhost',
    moreIdps: `
  - { id: school, label: { fr: École, en: School }, cas: { server: "${cas.server}" } }
  - { id: annex, label: { fr: Annexe, en: Annex }, cas: { server: "${cas.server}" } }`,
    resources: [site('pupils', 'school'), site('annex', 'annex'), site('app', 'op')].join(''),
  })
})
beforeEach(async () => {
  victim = new Browser({ language: 'en' })
  reply = await atTheCallback(victim)
  world.op.asked.length = 0
})
afterEach(() => {
  world.invariants()
  world.op.reset()
  world.origin.forget()
  cas.reset()
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
})

const pupils = (path = '/echo?q=1') => world.url('pupils', path)

/** Stops before our callback; its address, with a ticket. */
async function atTheCallback(browser: Browser, url = pupils()): Promise<URL> {
  const led = await browser.navigate(url, { follow: one => !one.redirect?.pathname.startsWith('/callback/') })
  if (led.redirect === null) throw new Error(led.story)
  return led.redirect
}

const bring = (to: URL | string, browser = victim) => browser.navigate(to, { from: cas.server, follow: false })
/** How often a ticket was asked about. */
const validations = () => cas.asked.filter(url => url.includes('erviceValidate?') && url.includes('ticket=')).length
const sessionsOf = (browser: Browser) =>
  browser.cookies('acces.univ.localhost').filter(({ name }) => /^__Host-Http-passerelle(?:-s-.*)?$/.test(name))

/** Nothing of the victim's sign-in is used up, and nobody was asked meanwhile. */
async function stillGood(): Promise<void> {
  expect(validations()).toBe(0)
  expect(world.op.count('token')).toBe(0)
  expect(sessionsOf(victim)).toEqual([])
  const page = await victim.navigate(reply, { from: cas.server })
  expect([page.status, page.url.href], page.story).toEqual([200, pupils()])
  expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
}

describe('the reply of one idp at the address of another (OI-18)', () => {
  it('of CAS at that of OpenID Connect is nothing, and neither is asked', async () => {
    const [, , , state = ''] = reply.pathname.split('/')
    const mixed = new URL(
      world.portal(`/callback/op?state=${state}&code=c&iss=${world.op.issuer}${reply.search.replace('?', '&')}`),
    )
    expect((await bring(mixed)).status).toBe(400)
    await stillGood()
  })

  it('of OpenID Connect at that of CAS is nothing, and neither is asked', async () => {
    const oidc = world.callback(await world.toProvider(victim, world.url('app', '/echo')))
    const state = oidc.searchParams.get('state') ?? ''
    const ticket = reply.searchParams.get('ticket') ?? ''
    for (const path of [`/callback/school/${state}`, '/callback/school']) {
      const mixed = new URL(world.portal(`${path}?${oidc.searchParams}&ticket=${ticket}`))
      expect((await bring(mixed)).status).toBe(400)
    }
    await stillGood()
    expect((await victim.navigate(oidc, { from: world.op.issuer })).url.href).toBe(world.url('app', '/echo'))
  })

  it('of one and the same server under another name is nothing (CA-01)', async () => {
    const elsewhere = new URL(reply)
    elsewhere.pathname = reply.pathname.replace('/school/', '/annex/')
    expect((await bring(elsewhere)).status).toBe(400)
    await stillGood()
  })

  it('with the ticket of another sign-in, of this browser or of the attacker’s, signs nobody in (CA-01)', async () => {
    for (const [whose, from] of [
      [victim, world.url('annex', '/echo')],
      [new Browser(), pupils('/eves-page')],
    ] as const) {
      const browser = new Browser({ language: 'en' })
      const own = await atTheCallback(browser)
      const other = await atTheCallback(whose, from)
      own.searchParams.set('ticket', other.searchParams.get('ticket') ?? '')
      expect((await bring(own, browser)).status).toBe(400)
      expect(sessionsOf(browser)).toEqual([])
    }
  })
})

describe('a reply that comes twenty times at once', () => {
  /** On one connection, in one piece: all of them look at the pending sign-in before the first can take it. */
  async function atOnce(url: URL): Promise<void> {
    const request = rawRequest({
      host: url.host,
      target: `${url.pathname}${url.search}`,
      cookie: world.cookieOf(victim, 'acces'),
      lines: ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Sec-Fetch-Site: cross-site'],
    })
    const { responses } = await rawExchange(world.port, request.repeat(20), { responses: 20 })
    const led = responses.filter(({ status }) => status === 303).map(answer => answer.header('location'))
    expect(led).toEqual([expect.stringMatching(/^\/enter\?r=/)])
    expect(responses.filter(({ status }) => status === 400)).toHaveLength(19)
  }

  it('by CAS is one question to the server, and one session (CA-04)', async () => {
    await atOnce(reply)
    expect(validations()).toBe(1)
  })

  it('by OpenID Connect redeems its code once, for one session (OI-21)', async () => {
    await atOnce(world.callback(await world.toProvider(victim, world.url('app', '/echo'))))
    expect(world.op.count('token')).toBe(1)
  })
})

describe('a callback that says a thing twice', () => {
  it.each<[string, (url: URL) => void]>([
    ['its ticket', url => url.searchParams.append('ticket', url.searchParams.get('ticket') ?? '')],
    ['another ticket', url => url.searchParams.append('ticket', 'ST-1-root')],
    ['a state beside the one in its path, twice', url => (url.search += '&state=a&state=b')],
    ['a reference', url => (url.search += '&r=a&r=b')],
  ])('%s is 400, and uses nothing up', async (_, twice) => {
    const url = new URL(reply)
    twice(url)
    expect((await bring(url)).status).toBe(400)
    await stillGood()
  })

  it.each(['ticket%00', 'ticket[]', 'TICKET', '__proto__[ticket]', 'constructor[prototype][ticket]'])(
    'under a name that only looks like it, %s, says it once: the true one counts',
    async name => {
      const url = new URL(`${reply.href}&${name}=ST-1-root`)
      const page = await victim.navigate(url, { from: cas.server })
      expect([page.status, page.url.href], page.story).toEqual([200, pupils()])
      expect(validations()).toBe(1)
      expect(cas.asked.join()).not.toContain('ST-1-root')
    },
  )
})

describe('the attacker’s ticket in the victim’s browser (CS-01)', () => {
  it.each<[string, (browser: Browser) => Promise<unknown>]>([
    ['who is signing in', async browser => atTheCallback(browser)],
    ['who is not', async () => {}],
    ['who is signed in', async browser => browser.navigate(pupils())],
  ])('signs nobody in as the attacker, and is not asked about: %s', async (_, prepare) => {
    const browser = new Browser({ language: 'en' })
    await prepare(browser)
    const before = sessionsOf(browser)
    const asked = validations()
    cas.bends.user = 'eve'
    const eve = new Browser()
    const eves = await atTheCallback(eve, pupils('/eves-page'))
    expect((await browser.navigate(eves, { from: 'http://evil.localhost:1/' })).status).toBe(400)
    expect(sessionsOf(browser)).toEqual(before)
    expect(validations()).toBe(asked)
    // It is still the attacker's own.
    expect((await eve.navigate(eves, { from: cas.server })).url.href).toBe(pupils('/eves-page'))
  })

  it('nor where a sibling host posts it, with every cookie of the victim, and then leads on', async () => {
    cas.bends.user = 'eve'
    const eves = await atTheCallback(new Browser(), pupils('/eves-page'))
    const posted = await victim.navigate(eves, {
      from: world.url('evil', '/page'),
      form: [...eves.searchParams],
      follow: true,
    })
    expect(posted.status).toBe(400)
    cas.bends.user = 'alice'
    await stillGood()
  })
})

describe('a sign-in that somebody needs', () => {
  it('does not ask it in silence: who comes back without a ticket is a page, and no second round (CA-15)', async () => {
    const browser = new Browser({ language: 'en' })
    const logins = () => cas.asked.filter(url => url.startsWith('/cas/login'))
    const before = logins().length
    const callback = await atTheCallback(browser)
    expect(logins().slice(before)).toHaveLength(1)
    // With gateway=true a server sends people back who have no session there, without a ticket, for ever (CAS 3.0 §2.1.1).
    expect(new URL(logins().at(-1) ?? '', cas.server).searchParams.has('gateway')).toBe(false)
    callback.search = ''
    const page = await browser.navigate(callback, { from: cas.server })
    expect([page.status, page.hops.length]).toEqual([400, 0])
    expect(logins().slice(before)).toHaveLength(1)
    expect(page.links.map(({ href }) => href)).toContain(`/enter?to=${encodeURIComponent(pupils())}`)
  })
})

describe('our own ticket', () => {
  it('is in no address that stays, and reaches no site (CA-10)', async () => {
    const page = await victim.navigate(reply, { from: cas.server })
    const ticket = reply.searchParams.get('ticket') ?? 'none'
    expect(page.url.href).toBe(pupils())
    const after = page.hops.slice(1).map(({ url }) => url.href)
    expect([...after, world.origin.rawBytes(), page.text].filter(text => text.includes(ticket))).toEqual([])
    expect(page.hops.every(hop => hop.header('referrer-policy') === 'no-referrer')).toBe(true)
  })

  it('leaves a ticket alone that belongs to the site, and the body of a request that waits for a sign-in (CA-10)', async () => {
    await victim.navigate(reply, { from: cas.server })
    await victim.navigate(pupils('/echo?ticket=ST-of-the-site'))
    expect(world.origin.requests.at(-1)?.url).toBe('/echo?ticket=ST-of-the-site')
    // A form is not sent again behind the person's back: without a session it is refused, not put aside.
    const stranger = await new Browser().navigate(pupils('/echo'), {
      from: pupils('/page'),
      form: { a: 'b' },
      follow: false,
    })
    expect(stranger.status).toBe(401)
    expect(world.origin.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })
})

describe('a sign-out by CAS', () => {
  /** As anybody may: to the callback, with any body. */
  function post(path: string, body: string, type = 'application/x-www-form-urlencoded'): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { host: `acces.univ.localhost:${world.port}`, 'content-type': type }
      const asking = send({ host: '127.0.0.1', port: world.port, path, method: 'POST', headers })
      asking.on('response', answer => resolve(answer.resume().statusCode ?? 0))
      asking.on('error', reject)
      asking.end(body)
    })
  }
  const open = async () => (await victim.fetch(pupils())).status === 200

  it.each<[string, (ticket: string) => string]>([
    ['with a second request behind one of nobody', ticket => `${form('ST-nobody')}&${form(ticket)}`],
    ['of its last part', ticket => form(ticket.slice(5))],
    ['of its beginning', ticket => form(ticket.slice(0, -1))],
    ['in other letters', ticket => form(ticket.toLowerCase())],
    ['in an entity', ticket => raw(`<!DOCTYPE a [<!ENTITY t "${ticket}">]>${logoutRequest('&t;')}`)],
    ['in a comment', ticket => raw(logoutRequest(`<!--${ticket}-->`))],
    ['in a processing instruction', ticket => raw(logoutRequest(`<?t ${ticket}?>`))],
    ['beside another', ticket => raw(logoutRequest(`${ticket}</samlp:SessionIndex><samlp:SessionIndex>ST-x`))],
    ['in a message of another kind', ticket => raw(logoutRequest(ticket).replaceAll('LogoutRequest', 'Response'))],
    ['in another namespace', ticket => raw(logoutRequest(ticket).replaceAll('SAML:2.0', 'SAML:9.9'))],
    ['behind a thousand open elements', ticket => raw('<a>'.repeat(1_000) + logoutRequest(ticket))],
    ['with a percent sign too many', ticket => `logoutRequest=%zz${encodeURIComponent(logoutRequest(ticket))}`],
    ['as JSON', ticket => JSON.stringify({ logoutRequest: logoutRequest(ticket) })],
    ['under a name that only looks like it', ticket => form(ticket).replace('logoutRequest', 'logoutRequest[]')],
  ])('that names the ticket %s ends nothing (CA-12)', async (_, body) => {
    await victim.navigate(reply, { from: cas.server })
    const status = await post(reply.pathname, body(reply.searchParams.get('ticket') ?? ''))
    expect([200, 400]).toContain(status)
    expect(await open()).toBe(true)
  })

  it('may have the ticket in pieces that are one text, as XML has it, and ends its session (CA-11)', async () => {
    await victim.navigate(reply, { from: cas.server })
    const ticket = reply.searchParams.get('ticket') ?? ''
    const pieces = `\n  ${ticket.slice(0, 5)}<!-- -->${ticket.slice(5, 9)}<![CDATA[${ticket.slice(9)}]]>\n`
    expect(await post('/callback/school', raw(logoutRequest(pieces)))).toBe(200)
    expect(await open()).toBe(false)
  })

  it('of as many bytes as are read is refused, and one of more is not looked at (CA-12)', async () => {
    await victim.navigate(reply, { from: cas.server })
    const signOut = logoutRequest(reply.searchParams.get('ticket') ?? '')
    expect(await post('/callback/school', raw('<a/>'.repeat(5_000) + signOut))).toBe(400)
    expect(await post('/callback/school', raw(signOut.replace('<saml:NameID>', `${'<a/>'.repeat(5_000)}$&`)))).toBe(400)
    expect(await post('/callback/school', raw('<a/>'.repeat(15_000) + signOut))).toBe(413)
    expect(await open()).toBe(true)
  })

  const raw = (xml: string) => `${new URLSearchParams({ logoutRequest: xml })}`
  const form = (ticket: string) => raw(logoutRequest(ticket))
})

describe('attributes that are called like what is ours', () => {
  const called = ['subject', 'idp', 'subjectId', 'entity', 'user', 'sub', 'constructor', 'toString', '__proto__', 'acr']

  it('are claims beside it: the person and the idp stay what they are, and objects of ours what they were', async () => {
    cas.bends.attributes = `<cas:attributes>${called.map(name => `<cas:${name}>op</cas:${name}>`).join('')}<cas:attribute name="subject" value="admin"/><cas:hasOwnProperty>x</cas:hasOwnProperty></cas:attributes>`
    await victim.navigate(reply, { from: cas.server })
    const told = world.origin.requests.at(-1)
    expect([told?.header('x-remote-user'), told?.header('x-idp'), told?.header('x-odd')]).toEqual([
      'alice',
      'school',
      'op',
    ])
    const id = told?.header('x-id')
    expect(id).toMatch(/^[\w-]{43}$/)
    expect(({} as Record<string, unknown>).op).toBeUndefined()
  })
})
