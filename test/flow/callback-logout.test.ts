/**
 * Sign-outs that come to the callback, as CAS and SAML send them, through a stand-in for such a protocol: the provider `op`, whose
 * sessions are called by tickets, and which ends them by a `logoutRequest` (docs/sessions.md S4 3, B 24).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { HeardLogout, IdentityProvider } from '../../src/model/idp.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { postToBackChannel } from '../stand-in/logout-token.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

vi.mock('../../src/idp/build.ts', async original => {
  const real = (await original()) as typeof import('../../src/idp/build.ts')
  const { buildProviders } = real
  const build: typeof buildProviders = (settings, needs) =>
    buildProviders(settings, needs).map(provider => (provider.id === 'op' ? withTickets(provider) : provider))
  return { ...real, buildProviders: build }
})

let tickets = 0

function withTickets(provider: IdentityProvider): IdentityProvider {
  return {
    ...provider,
    saysLogout: ({ parameters }) => parameters.has('logoutRequest'),
    async hear(message, takePending) {
      const named = message.parameters.get('logoutRequest')
      if (named !== null) return logoutOf(named, message.method)
      const heard = await provider.hear(message, takePending)
      if (heard.kind !== 'sign-in') return heard
      const idpSession = { kind: 'ticket' as const, value: `ST-${tickets}` }
      return { ...heard, signIn: { ...heard.signIn, identity: { ...heard.signIn.identity, idpSession } } }
    },
  }
}

function logoutOf(named: string, method: string): HeardLogout {
  if (named.startsWith('forged')) throw new GatewayError('logout.token-rejected', 'the stand-in does not believe it')
  return {
    kind: 'logout',
    notices: named.split(' ').map(value => ({
      idp: 'op',
      subject: null,
      idpSession: { kinds: ['ticket'], value },
      issuedAt: Math.floor(Date.now() / 1000),
      message: null,
    })),
    answer: ({ ended, stored }) => {
      if (!stored) return { kind: 'json', status: 503, body: { again: true } }
      if (method === 'GET') return { kind: 'redirect', to: 'https://sso.example.org/done', cookies: [] }
      return { kind: 'json', status: 200, body: { ended } }
    },
  }
}

const toldSite = `
  - id: app
    title: App
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }
    logout: { notify: { path: /site-logout } }
`

describe('a sign-out at the callback', () => {
  let world: TwoIdps
  let redis: RedisServer
  let alice: Browser
  let ticket: string
  beforeAll(async () => {
    redis = await startRedis()
    world = await startTwoIdps({ store: `{ kind: redis, url: "${redis.url}" }`, resources: toldSite })
  })
  beforeEach(async () => {
    tickets++
    ticket = `ST-${tickets}`
    alice = new Browser()
    expect((await alice.navigate(world.url('app', '/echo'))).status).toBe(200)
  })
  afterEach(() => {
    redis.thaw()
    world.invariants()
    world.op.reset()
  })
  afterAll(async () => {
    await world.stop()
    await redis.close()
  })

  const status = async () => (await alice.fetch(world.url('app', '/echo'))).status
  const post = (form: Readonly<Record<string, string>>) =>
    postToBackChannel(world.portal('/callback/op'), new URLSearchParams(form).toString())

  it('by POST ends the session that it names, closes what is open, tells the sites, and is answered as its protocol answers', async () => {
    const socket = await alice.webSocket(world.url('app', '/ws'))
    const reply = await post({ logoutRequest: ticket })
    expect([reply.status, reply.text]).toEqual([200, '{"ended":1}'])
    expect(await socket.closed).toEqual({ code: 1001, reason: '' })
    expect(await status()).toBe(401)
    expect(world.origin.requests.filter(({ url }) => url === '/site-logout')).toHaveLength(1)
    expect(world.events.findLast(({ name }) => name === 'logout.heard')).toMatchObject({
      channel: 'callback',
      ended: 1,
    })
  })

  it('by GET, in a frame or as a page, does the same', async () => {
    const address = world.portal(`/callback/op?logoutRequest=${ticket}`)
    const reply = await new Browser().navigate(address, { as: 'iframe', from: world.op.issuer, follow: false })
    expect(reply.redirect?.href).toBe('https://sso.example.org/done')
    expect(await status()).toBe(401)
  })

  it('ends each of the sessions that it names', async () => {
    tickets++
    const second = new Browser()
    await second.navigate(world.url('app', '/echo'))
    expect((await post({ logoutRequest: `${ticket} ST-${tickets} ST-unknown` })).text).toBe('{"ended":2}')
    expect([await status(), (await second.fetch(world.url('app', '/echo'))).status]).toEqual([401, 401])
  })

  it('uses up no sign-in that is pending, whatever state it says', async () => {
    const browser = new Browser()
    const begun = await world.toProvider(browser, world.url('app', '/echo'))
    const state = begun.redirect?.searchParams.get('state') ?? ''
    expect((await post({ logoutRequest: ticket, state })).status).toBe(200)
    tickets++
    expect((await browser.navigate(world.callback(begun), { from: world.op.issuer })).status).toBe(200)
  })

  it('that proves nothing ends nothing', async () => {
    const reply = await post({ logoutRequest: `forged ${ticket}` })
    expect([reply.status, JSON.parse(reply.text).error]).toEqual([400, 'logout.token-rejected'])
    expect(await status()).toBe(200)
  })

  it('of more than 64 KiB is not read, nor one for an idp that has no such sign-outs', async () => {
    expect((await post({ logoutRequest: ticket, filling: 'f'.repeat(65 * 1024) })).status).toBe(413)
    const campus = world.portal('/callback/campus')
    expect((await postToBackChannel(campus, `logoutRequest=${ticket}`)).status).toBe(400)
    expect(await status()).toBe(200)
  })

  it('by HEAD, or fetched ahead of time, is none', async () => {
    const address = world.portal(`/callback/op?logoutRequest=${ticket}`)
    expect((await new Browser().fetch(address, { method: 'HEAD' })).status).toBe(204)
    expect((await new Browser().navigate(address, { as: 'prefetch' })).status).toBe(204)
    expect(await status()).toBe(200)
  })

  it('that cannot be stored lets the protocol ask for another try, which works', async () => {
    redis.freeze()
    expect((await post({ logoutRequest: ticket })).status).toBe(503)
    redis.thaw()
    await expect.poll(async () => (await post({ logoutRequest: ticket })).status).toBe(200)
    expect(await status()).toBe(401)
  })
})
