/**
 * Sign-outs that nobody signs, by CAS and by the front channel: each may leave a mark for twenty minutes, so all addresses
 * together may leave only so many. A flood from many addresses uses that up, and still keeps nobody from being signed out.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, logoutRequest, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

/** It stands still: nothing of a limit comes back during the flood. */
const clock = settableClock(Date.now())
let cas: CasServer
let world: TwoIdps
beforeAll(async () => {
  cas = await startCasServer()
  world = await startTwoIdps({
    listen: 'trustedProxies: [127.0.0.0/8]',
    surroundings: { now: clock.now },
    opFrontChannel: `{}
  - { id: school, label: School, cas: { server: "${cas.server}" } }`,
    resources: `
  - id: app
    title: App
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }
  - id: pupils
    title: Pupils
    at: "http://pupils.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [school]
    identity: { headers: { X-Remote-User: "{subject}" } }`,
  })
})
afterAll(async () => {
  world.invariants()
  await world.stop()
  await cas.stop()
})

const random = () => randomBytes(18).toString('base64url')

/** From so many addresses, as a proxy in front saw them, that each keeps within its own share. */
async function flood(count: number, perAddress: number, request: (at: number) => { line: string; body: string }) {
  for (let from = 0; from < count; from += 100) {
    const bytes = Array.from({ length: 100 }, (_, index) => {
      const { line, body } = request(from + index)
      const address = `192.0.2.${Math.floor((from + index) / perAddress)}`
      const type = 'Content-Type: application/x-www-form-urlencoded'
      return `${line} HTTP/1.1\r\nHost: acces.localhost:${world.port}\r\nX-Forwarded-For: ${address}\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    })
    const { responses } = await rawExchange(world.port, bytes.join(''), { responses: 100 })
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
  }
}

const statusOf = async (browser: Browser, host: string) => (await browser.fetch(world.url(host, '/echo'))).status

it('by the front channel', async () => {
  const sid = random()
  world.op.bends.claims = claims => ({ ...claims, sid })
  const browser = new Browser({ now: clock.now })
  await browser.navigate(world.url('app', '/echo'))
  expect(await statusOf(browser, 'app')).toBe(200)
  const said = (one: string) => `/frontchannel/op?${new URLSearchParams({ iss: world.op.issuer, sid: one })}`
  await flood(3_200, 500, () => ({ line: `GET ${said(random())}`, body: '' }))
  expect(world.events.some(({ name }) => name === 'logout.limited')).toBe(true)
  await new Browser().navigate(world.portal(said(sid)), { as: 'iframe', from: world.op.issuer })
  expect(await statusOf(browser, 'app')).toBe(401)
})

it('by CAS', async () => {
  const browser = new Browser({ now: clock.now })
  await browser.navigate(world.url('pupils', '/echo'))
  expect(await statusOf(browser, 'pupils')).toBe(200)
  const body = (ticket: string) => `${new URLSearchParams({ logoutRequest: logoutRequest(ticket) })}`
  await flood(6_200, 2_500, () => ({ line: 'POST /callback/school/x', body: body(`ST-1-${random()}`) }))
  expect(await cas.singleLogout()).toEqual([200])
  expect(await statusOf(browser, 'pupils')).toBe(401)
})
