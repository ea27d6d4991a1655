/** Sign-outs that an idp announces in a frame of its page, where nothing is signed and no cookie comes (FL-01 to FL-03, SESSIONS B 6). */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { atOp } from '../stand-in/at-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const clock = settableClock(Date.now())
const { signedIn, statusOf } = atOp(clock.now)

const address = (world: TwoIdps, named: Readonly<Record<string, string>>) =>
  world.portal(`/frontchannel/op?${new URLSearchParams(named)}`)

/** In a frame of the idp's page; the portal's Lax cookies do not come along, and this browser has none anyway. */
const frame = (world: TwoIdps, named: Readonly<Record<string, string>>, from = `${world.op.issuer}/logout`) =>
  new Browser({ now: clock.now }).navigate(address(world, named), { as: 'iframe', from })

/** Everything of an answer that could tell whether something happened. */
const shown = (reply: Reply) => [
  reply.status,
  reply.text,
  reply.cookiesSet,
  ...['content-type', 'content-security-policy', 'cache-control', 'retry-after', 'refresh'].map(name =>
    reply.header(name),
  ),
]

const others = (world: TwoIdps, sid: string): [string, Readonly<Record<string, string>>][] => [
  ['another session', { iss: world.op.issuer, sid: randomUUID() }],
  ['another issuer', { iss: 'https://evil.example', sid }],
  ['no issuer', { sid }],
  ['no session', { iss: world.op.issuer }],
  ['nothing', {}],
]

describe('the front channel', () => {
  let world: TwoIdps
  let sid: string
  let alice: Browser
  beforeAll(async () => {
    world = await startTwoIdps({ surroundings: { now: clock.now } })
  })
  beforeEach(async () => {
    clock.advance(300_000)
    sid = randomUUID()
    alice = await signedIn(world, sid)
  })
  afterEach(() => {
    world.invariants()
    world.op.reset()
  })
  afterAll(() => world.stop())

  const ofAlice = () => statusOf(world, alice)

  it('ends the session of a sid, without a cookie (FL-01, FL-03)', async () => {
    const elsewhere = await signedIn(world, randomUUID())
    await frame(world, { iss: world.op.issuer, sid })
    expect(await ofAlice()).toBe(401)
    expect(await statusOf(world, elsewhere)).toBe(200)
    expect(world.events.findLast(({ name }) => name === 'logout.heard')).toMatchObject({ channel: 'front', ended: 1 })
  })

  it('never asks the idp for anything: no token is revoked there', async () => {
    await frame(world, { iss: world.op.issuer, sid })
    world.op.asked.length = 0
    await frame(world, { iss: world.op.issuer, sid })
    expect(world.op.asked).toEqual([])
  })

  it('answers the same empty page whatever happened', async () => {
    const ended = shown(await frame(world, { iss: world.op.issuer, sid }))
    expect(ended.slice(0, 2)).toEqual([200, '<!doctype html><title>Passerelle</title>'])
    for (const [what, named] of others(world, sid)) expect(shown(await frame(world, named)), what).toEqual(ended)
  })

  it('has nothing to end where the sign-out began here, whose return says what is closed (conformance: rp-frontchannel-rpinitlogout)', async () => {
    const closing = await alice.submit(await alice.navigate(world.portal('/logout')), {}, '/logout')
    const button = closing.links.find(({ text }) => text.includes('Close “Other provider” too'))
    const state = new URL(button?.href ?? '').searchParams.get('state')
    // Its page of sign-outs has a frame for each that it signed the person in at, us too.
    const heard = await frame(world, { iss: world.op.issuer, sid })
    expect([heard.status, heard.text]).toEqual([200, '<!doctype html><title>Passerelle</title>'])
    const ends = world.events.filter(({ name }) => name === 'logout.heard')
    expect(ends.at(-1)).toMatchObject({ channel: 'front', ended: 0, stored: true })
    const back = await alice.navigate(world.portal(`/signed-out?state=${state}`), { from: world.op.issuer })
    expect([back.status, back.visibleText.includes('Other provider : sign-in closed')], back.story).toEqual([200, true])
    expect(await ofAlice()).toBe(401)
  })

  it('ends nothing of anybody for any of these', async () => {
    for (const [, named] of others(world, sid)) await frame(world, named)
    for (const twice of ['iss', 'sid']) {
      const doubled = `${address(world, { iss: world.op.issuer, sid })}&${twice}=x`
      await new Browser().navigate(doubled, { as: 'iframe', from: world.op.issuer })
    }
    expect(await ofAlice()).toBe(200)
  })

  it('ends nothing by HEAD, by POST, or for a browser that fetches ahead', async () => {
    const named = address(world, { iss: world.op.issuer, sid })
    expect((await new Browser().fetch(named, { method: 'HEAD' })).status).toBe(200)
    expect((await new Browser().fetch(named, { method: 'POST' })).status).toBe(404)
    expect((await new Browser().navigate(named, { as: 'prefetch' })).status).toBe(200)
    expect(await ofAlice()).toBe(200)
  })

  it('may be framed by the idp and by nobody else, and sets no cookie', async () => {
    const reply = await frame(world, { iss: world.op.issuer, sid })
    expect(reply.header('content-security-policy')).toBe(
      `default-src 'none'; frame-ancestors ${world.op.issuer}; base-uri 'none'; form-action 'none'`,
    )
    expect(reply.header('x-frame-options')).toBeNull()
    expect(reply.header('cache-control')).toBe('no-store')
    expect(reply.cookiesSet).toEqual([])
    expect((await alice.navigate(world.portal('/'))).header('content-security-policy')).toContain(
      "frame-ancestors 'none'",
    )
  })

  it('may be framed by the pages of an idp whose name is another host', async () => {
    world.op.bends.metadata = metadata => ({ ...metadata, end_session_endpoint: 'http://pages.localhost:7/logout' })
    clock.advance(60_000)
    await new Browser({ now: clock.now }).navigate(world.url('app', '/echo'))
    const reply = await frame(world, {})
    expect(reply.header('content-security-policy')).toContain(
      `frame-ancestors ${world.op.issuer} http://pages.localhost:7;`,
    )
  })

  it('does not end a session by a sid that can be guessed, nor by a subject', async () => {
    const guessable = await signedIn(world, 'alice')
    const unnamed = await signedIn(world, null)
    await frame(world, { iss: world.op.issuer, sid: 'alice' })
    expect(await Promise.all([guessable, unnamed].map(one => statusOf(world, one)))).toEqual([200, 200])
  })

  it('does not end a session by the session of another idp, and knows no idp but those that are configured', async () => {
    const named = new URLSearchParams({ iss: world.provider.issuer, sid })
    await new Browser().navigate(world.portal(`/frontchannel/campus?${named}`), { as: 'iframe', from: world.op.issuer })
    expect((await new Browser().navigate(world.portal(`/frontchannel/nobody?${named}`))).status).toBe(404)
    expect(await ofAlice()).toBe(200)
  })

  it('hears an address out no more than six hundred times a minute, and is mute about it', async () => {
    const named = () => ({ iss: world.op.issuer, sid: randomUUID() })
    const replies = []
    for (let time = 0; time < 600; time++) replies.push(await frame(world, named()))
    const late = shown(await frame(world, { iss: world.op.issuer, sid }))
    expect(late).toEqual(shown(replies[0] as Reply))
    expect(await ofAlice()).toBe(200)
    expect(world.events.filter(({ name }) => name === 'logout.limited')).toEqual([
      { name: 'logout.limited', idp: 'op', channel: 'front' },
    ])
  })
})

describe('a front channel that was opened to subjects', () => {
  let world: TwoIdps
  beforeAll(async () => {
    world = await startTwoIdps({ surroundings: { now: clock.now }, opFrontChannel: '{ sid: subject }' })
  })
  beforeEach(() => clock.advance(300_000))
  afterEach(() => {
    world.invariants()
    world.op.reset()
  })
  afterAll(() => world.stop())

  it('ends everything of the user that the sid names, and of no other, and says so in the log', async () => {
    const named = await signedIn(world, 'alice')
    const unnamed = await signedIn(world, null)
    const bob = await signedIn(world, 'bob', 'bob')
    await frame(world, { iss: world.op.issuer, sid: 'alice' })
    expect(await Promise.all([named, unnamed, bob].map(one => statusOf(world, one)))).toEqual([401, 401, 200])
    expect(world.log.findLast(line => line.includes('"logout.heard"'))).toContain('"channel":"front-subject","ended":2')
  })

  it('does not keep the user out: the next sign-in holds', async () => {
    await frame(world, { iss: world.op.issuer, sid: 'alice' })
    clock.advance(1_000)
    expect(await statusOf(world, await signedIn(world, 'alice'))).toBe(200)
  })

  it('hears an address out ten times a minute', async () => {
    const alice = await signedIn(world, 'alice')
    for (let time = 0; time < 10; time++) await frame(world, { iss: world.op.issuer, sid: `nobody-${time}` })
    await frame(world, { iss: world.op.issuer, sid: 'alice' })
    expect(await statusOf(world, alice)).toBe(200)
    clock.advance(60_000)
    await frame(world, { iss: world.op.issuer, sid: 'alice' })
    expect(await statusOf(world, alice)).toBe(401)
  })
})

describe('a front channel that is off', () => {
  it('does not exist', async () => {
    const world = await startTwoIdps({ surroundings: { now: clock.now }, opFrontChannel: '{ sid: off }' })
    const sid = randomUUID()
    const alice = await signedIn(world, sid)
    expect((await frame(world, { iss: world.op.issuer, sid })).status).toBe(404)
    expect(await statusOf(world, alice)).toBe(200)
    world.invariants()
    await world.stop()
  })
})
