/**
 * SESSIONS A7. Besides the campus, guests may sign in, at a provider that anybody can register with. Whoever controls what
 * it asserts must not be the auditor, whose page is opened by an address, nor the site's admin, who is known by a subject.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { subjectId } from '../../src/model/identity.ts'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const auditor = 'alice@campus.example'

const site = (id: string, more: string) => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    ${more}`

const clock = settableClock()

let op: AdversarialOp
let world: TwoIdps
beforeAll(async () => {
  op = await startAdversarialOp()
  world = await startTwoIdps(
    {
      // The providers live in our time; only the limits of sessions have the test’s.
      surroundings: { now: clock.now, wall: Date.now },
      session: '  recheck: 15m',
      idps: `
    asserts: { email: "*@campus.example", affiliation: any, acr: [mfa] }
  - id: guests
    label: Guests
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }
    asserts: { email: "*@guests.example", nick: any }`,
      more: `
claims:
  email: { from: [email, mail], split: ";" }
  nick: { from: [nickname] }`,
      resources: [
        site('audit', `policy: [{ email: "${auditor}" }]\n    identity: { headers: { X-Remote-User: "{subjectId}" } }`),
        site(
          'guest',
          'policy: [{ email: "*@guests.example" }]\n    identity: { headers: { X-Remote-User: "{subjectId}", X-Mail: "{email}" } }',
        ),
        site(
          'legacy',
          'policy: signed-in\n    idps: [campus]\n    identity: { headers: { X-Remote-User: "{subject}" } }',
        ),
        site('known', 'policy: signed-in\n    identity: { headers: { X-Remote-User: "{subjectId}", X-Idp: "{idp}" } }'),
      ].join(''),
    },
    op,
  )
})
afterEach(() => {
  world.op.reset()
  world.origin.forget()
})
afterAll(async () => {
  await world.stop()
  await op.stop()
})

/** A browser that came to this site and chose the guests' provider, which says this. */
async function asGuest(says: Record<string, unknown>, subject = 'mallory', host = 'audit') {
  op.bends.subject = subject
  op.bends.claims = honest => ({ ...honest, ...says })
  op.bends.userinfo = honest => ({ ...honest, ...says })
  const browser = new Browser()
  await browser.navigate(world.portal('/login?idp=guests'))
  const reply = await browser.navigate(world.url(host, '/echo'))
  return { browser, reply }
}

const heard = () => world.events.filter(event => event.name === 'claim.disbelieved')

describe('A7 the auditors’ page', () => {
  it('is open to the auditor, whom the campus vouches for', async () => {
    world.provider.person('alice')
    const browser = new Browser()
    await browser.navigate(world.portal('/login?idp=campus'))
    expect((await browser.navigate(world.url('audit', '/echo'))).status).toBe(200)
  })

  it.each([
    ['as the address', { email: auditor, email_verified: true }],
    ['among others', { email: ['mallory@guests.example', auditor] }],
    ['within another value', { email: `mallory@guests.example; ${auditor}` }],
    ['under another name of it', { mail: auditor, email: null }],
    ['with its own address around it', { email: `${auditor}@guests.example` }],
    ['in other letters', { email: 'ALICE@campus.example' }],
  ])('is denied to a guest whose provider asserts it %s', async (_, says) => {
    const before = heard().length
    const { reply } = await asGuest(says)
    expect(reply.status).toBe(403)
    expect(world.origin.requests).toHaveLength(0)
    expect(heard().slice(before)).toContainEqual({
      name: 'claim.disbelieved',
      idp: 'guests',
      claim: 'email',
      values: 1,
    })
    expect(world.log.join('')).not.toContain(auditor)
  })

  it('is one thing, and what the guests’ provider may say another', async () => {
    const { reply } = await asGuest({ email: ['mallory@guests.example', auditor] }, 'mallory', 'guest')
    expect(reply.status).toBe(200)
    expect(world.origin.requests.at(-1)?.headers('x-mail')).toEqual(['mallory@guests.example'])
  })

  it('leaves a count behind, by idp and claim, that no idp can lengthen', async () => {
    await asGuest({ email: auditor, ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, 'x'])) })
    const metrics = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
    const lines = metrics.split('\n').filter(line => line.startsWith('passerelle_claims_disbelieved_total{'))
    expect(lines.map(line => line.replace(/ \d+$/, '')).sort()).toEqual([
      'passerelle_claims_disbelieved_total{idp="campus",claim="*"}',
      'passerelle_claims_disbelieved_total{idp="guests",claim="*"}',
      'passerelle_claims_disbelieved_total{idp="guests",claim="email"}',
    ])
  })
})

describe('A7 the subject of one idp', () => {
  it('is nobody at a site that knows the subjects of another', async () => {
    const { reply } = await asGuest({ nickname: 'admin' }, 'admin', 'legacy')
    expect(reply.status).toBe(403)
    expect(world.origin.requests).toHaveLength(0)
  })

  it('is another person than the same subject of another idp, where sites know both', async () => {
    await asGuest({}, 'alice', 'known')
    world.provider.person('alice')
    const browser = new Browser()
    await browser.navigate(world.portal('/login?idp=campus'))
    await browser.navigate(world.url('known', '/echo'))
    const told = world.origin.requests.map(seen => [seen.header('x-idp'), seen.header('x-remote-user')])
    expect(told).toEqual([
      ['guests', subjectId({ idp: 'guests', subject: 'alice' })],
      ['campus', subjectId({ idp: 'campus', subject: 'alice' })],
    ])
    expect(told[0]?.[1]).not.toBe(told[1]?.[1])
  })
})

describe('A7 a second factor', () => {
  it('that an idp asserts without being believed about it is none', async () => {
    const { browser } = await asGuest({ acr: 'mfa', amr: ['pwd', 'otp'] }, 'mallory', 'known')
    const cookies = browser.cookies('acces.localhost').map(({ name, value }) => `${name}=${value}`)
    const resumed = await world.gateway.sessions.resume(cookies.join('; '), 'portal', 'navigation')
    expect(resumed?.session.identity.strength).toEqual({ acr: null, amr: [] })
    expect(resumed?.session.strength).toEqual({ acr: null, amr: [] })
  })
})

describe('A7 a check during the session', () => {
  it('believes the guests’ provider no more than the sign-in did', async () => {
    op.bends.refreshTokens = true
    const { browser, reply } = await asGuest({ email: 'mallory@guests.example' }, 'mallory', 'guest')
    expect(reply.status).toBe(200)
    op.bends.userinfo = honest => ({ ...honest, email: [auditor, 'renamed@guests.example'], email_verified: true })
    clock.advance(15 * 60_000)
    await browser.navigate(world.url('guest', '/echo'))
    await expect
      .poll(() => world.events.flatMap(event => (event.name === 'session.rechecked' ? [event.outcome] : [])))
      .toEqual(['changed'])
    expect((await browser.navigate(world.url('audit', '/echo'))).status).toBe(403)
    expect((await browser.navigate(world.url('guest', '/echo'))).status).toBe(200)
    expect(world.origin.requests.at(-1)?.headers('x-mail')).toEqual(['renamed@guests.example'])
  })
})
