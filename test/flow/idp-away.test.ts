/**
 * An idp that is down, slow, or whose keys changed, by each protocol: sessions that are open go on, the sign-in says so and offers
 * the access code where that is configured; a sign-out that cannot be stored is asked for again.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, logoutRequest, postLogout, startCasServer } from '../stand-in/cas-server.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { logoutClaims, logoutToken, postLogoutToken } from '../stand-in/logout-token.ts'
import { promised, timed } from '../stand-in/measure.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'

let offsetMs = 0
const now = () => performance.timeOrigin + performance.now() + offsetMs
/** What was last seen of an idp counts for ten seconds. */
const later = (ms = 11_000) => {
  offsetMs += ms
}

let op: AdversarialOp
let cas: CasServer
let redis: RedisServer
let file: CodeFile
let world: TestGateway
/** The idp's name for the session that was opened last. */
let sid = ''

interface Way {
  readonly id: 'op' | 'cas'
  readonly goDown: () => Promise<void>
  readonly comeUp: () => Promise<void>
  /** Each answer comes so much later. */
  readonly beLate: (ms: number) => void
  /** It takes the question whether it is there, and says nothing. */
  readonly fallSilent: () => void
  /** Posts a sign-out of that session, the same each time. @returns the status */
  readonly signOut: () => Promise<() => Promise<number>>
}

const ways: readonly (readonly [string, Way])[] = [
  [
    'OpenID Connect',
    {
      id: 'op',
      goDown: () => op.goDown(),
      comeUp: () => op.comeUp(),
      beLate(ms) {
        op.bends.lateMs = { metadata: ms, token: ms, userinfo: ms, keys: ms }
      },
      fallSilent() {
        op.bends.wire.metadata = () => {}
      },
      async signOut() {
        const token = await logoutToken(op, logoutClaims(op, now(), { sid }))
        return async () => (await postLogoutToken(world.portal('/backchannel/op'), token)).status
      },
    },
  ],
  [
    'CAS',
    {
      id: 'cas',
      goDown: () => cas.goDown(),
      comeUp: () => cas.comeUp(),
      beLate(ms) {
        cas.bends.lateMs = ms
      },
      fallSilent() {
        cas.bends.look = () => {}
      },
      async signOut() {
        const { ticket = '', service = '' } = cas.tickets.at(-1) ?? {}
        return () => postLogout(service, logoutRequest(ticket))
      },
    },
  ],
]

const site = (id: string, idps: string) => `
  - id: ${id}
    title: { fr: Site ${id}, en: Site ${id} }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [${idps}]
    sharedSubjects: yes
    identity: { headers: { X-Remote-User: "{subject}" } }`

beforeAll(async () => {
  ;[op, cas, redis, file] = await Promise.all([startAdversarialOp(now), startCasServer(), startRedis(), makeCodeFile()])
  const codes = (of: string) =>
    aCodeIdp(file, `codes-${of}`, {
      label: '{ fr: Code de secours, en: Spare code }',
      offered: `{ when: unavailable, of: ${of} }`,
    })
  world = await startTestGateway({
    store: `{ kind: redis, url: "${redis.url}" }`,
    surroundings: { now },
    idps: `
  - { id: op, label: Janus, oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" } }
  - { id: cas, label: Janus, cas: { server: "${cas.server}" } }${codes('op')}${codes('cas')}`,
    resources: ['op', 'cas'].map(id => site(id, `${id}, codes-${id}`) + site(`${id}-only`, id)).join(''),
    files: { [file.path]: '' },
  })
})
beforeEach(() => {
  op.bends.subject = 'alice'
  sid = randomUUID()
  op.bends.claims = claims => ({ ...claims, sid })
})
/** Each look that fails puts the next one off. */
async function arrivesAt(id: string): Promise<number> {
  later()
  return (await new Browser().navigate(world.url(`${id}-only`, '/'))).status
}

afterEach(async () => {
  redis.thaw()
  op.reset()
  cas.reset()
  await Promise.all([op.comeUp(), cas.comeUp().catch(() => {})])
  // Longer than anything that is remembered of a failure; and somebody finds out that both are back.
  later(3_600_000)
  for (const { id } of ways.map(([, way]) => way)) await expect.poll(() => arrivesAt(id)).toBe(200)
})
afterAll(async () => {
  await world?.stop()
  await Promise.all([op?.stop(), cas?.stop(), redis?.close(), file?.remove()])
})

describe.each(ways)('by %s', (_, way) => {
  const wanted = '/echo?article=12'
  const url = (path = wanted) => world.url(way.id, path)
  const newBrowser = () => new Browser({ language: 'fr' })

  async function signedIn(): Promise<Browser> {
    const browser = newBrowser()
    const reply = await browser.navigate(url('/first'))
    expect([reply.status, reply.url.href], reply.story).toEqual([200, url('/first')])
    return browser
  }

  async function goesOn(browser: Browser): Promise<void> {
    const { ms, value } = await timed(() => browser.navigate(url('/more')))
    expect([value.status, value.hops.length], value.story).toEqual([200, 0])
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
    expect(ms).toBeLessThan(promised(1_500))
  }

  /** The page says what happened, and its other button leads by the code to the page that was wanted. */
  async function saysSoAndOffersTheCode(browser: Browser, page: Reply): Promise<void> {
    expect([page.status, page.url.hostname], page.story).toEqual([503, 'acces.localhost'])
    expect(page.text).toContain('<html lang="fr"')
    expect(page.visibleText).toMatch(/Le service «\sJanus\s» ne répond pas/)
    expect(page.visibleText).toContain('Les sessions déjà ouvertes continuent')
    const code = await file.add()
    const form = await browser.click(page, 'Entrer par')
    const arrived = await browser.submit(form, { code })
    expect([arrived.status, arrived.url.href], arrived.story).toEqual([200, url()])
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe(`code:${code.slice(0, 4)}`)
  }

  it('an idp that is down leaves open sessions alone; the sign-in says so, and offers the access code', async () => {
    const open = await signedIn()
    await way.goDown()
    later()
    await goesOn(open)
    const browser = newBrowser()
    await saysSoAndOffersTheCode(browser, await browser.navigate(url()))
  })

  it('an idp that is down has no code stand in for it at a site that takes none', async () => {
    await way.goDown()
    later()
    const page = await newBrowser().navigate(world.url(`${way.id}-only`, wanted))
    expect(page.status).toBe(503)
    expect(page.visibleText).not.toContain('Code de secours')
    expect(page.visibleText).toContain('Réessayer')
  })

  it('an idp that is slow takes its time and signs people in; open sessions do not wait for it', async () => {
    const open = await signedIn()
    way.beLate(700)
    later()
    const coming = timed(() => newBrowser().navigate(url()))
    await goesOn(open)
    const { ms, value } = await coming
    expect([value.status, value.url.href], value.story).toEqual([200, url()])
    expect(ms).toBeGreaterThan(700)
  })

  it('an idp that says nothing is given up after ten seconds: says so, and offers the access code', async () => {
    const open = await signedIn()
    way.fallSilent()
    later()
    const browser = newBrowser()
    const coming = timed(() => browser.navigate(url()))
    await goesOn(open)
    const { ms, value } = await coming
    expect(ms).toBeGreaterThan(9_000)
    expect(ms).toBeLessThan(promised(13_000))
    await saysSoAndOffersTheCode(browser, value)
  })

  it('a sign-out at the idp that cannot be stored is answered 5xx, and ends the session when it comes again', async () => {
    const open = await signedIn()
    const again = await way.signOut()
    redis.freeze()
    expect(await again()).toBe(503)
    redis.thaw()
    await expect.poll(again).toBe(200)
    expect((await open.fetch(url('/more'))).status).toBe(401)
  })
})

/** CAS has no keys: its answers come from the server that is asked. */
describe('the keys of an OpenID provider', () => {
  const url = () => world.url('op', '/echo?article=12')

  it('that changed are fetched at the next sign-in; open sessions go on', async () => {
    const open = new Browser()
    expect((await open.navigate(url())).status).toBe(200)
    await op.rotate()
    expect((await open.navigate(url())).hops).toEqual([])
    const next = await new Browser().navigate(url())
    expect([next.status, next.url.href], next.story).toEqual([200, url()])
  })

  it('that changed and cannot be fetched: open sessions go on, the sign-in says so, and offers the access code', async () => {
    const open = new Browser()
    expect((await open.navigate(url())).status).toBe(200)
    await op.rotate()
    op.bends.wire.keys = request => void request.socket.destroy()
    later(31_000)
    const browser = new Browser({ language: 'fr' })
    const page = await browser.navigate(url())
    expect([page.status, page.url.pathname], page.story).toEqual([503, '/callback/op'])
    expect(page.visibleText).toContain('ne répond pas')
    const arrived = await browser.submit(await browser.click(page, 'Entrer par'), {
      code: await file.add(),
    })
    expect([arrived.status, arrived.url.href], arrived.story).toEqual([200, url()])
    expect((await open.navigate(url())).hops).toEqual([])
  })
})
