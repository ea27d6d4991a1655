/** One act that ends several sessions, of which the store takes some: the sites hear of these, although the act failed (SESSIONS A8 (3)). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { hashOf } from '../../src/session/record.ts'
import type { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let world: TestGateway
let alice: Browser
let others: readonly Browser[]
beforeAll(async () => {
  world = await startTestGateway({
    resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}" } }
    logout: { notify: { path: /bye } }`,
  })
})
beforeEach(async () => {
  alice = await world.signIn('alice', 'app', { language: 'en' })
  others = [await world.signIn('alice'), await world.signIn('alice')]
})
afterEach(() => {
  vi.restoreAllMocks()
  world.invariants()
})
afterAll(() => world.stop())

const hashIn = (browser: Browser) => {
  const value = browser.cookies('acces.localhost').find(({ name }) => name === '__Host-Http-passerelle')?.value ?? ''
  return hashOf(value.split('.')[2] ?? '')
}
const status = async (browser: Browser) => (await browser.fetch(world.url('app', '/echo'))).status
const told = () => world.origin.requests.filter(({ url }) => url === '/bye').length

/** The store takes every end but this session's. */
function refuseEndOf(hash: string): void {
  const { records } = world.gateway.store
  const { take } = records
  vi.spyOn(records, 'take').mockImplementation(async (record, visits) => {
    if (record.includes(hash)) throw new GatewayError('session.store-down', 'as the test wants it')
    return take(record, visits)
  })
}

describe('a store that takes one of two ends', () => {
  it('has the site hear of it where a person closes all other sessions, and of the second as soon as it is stored', async () => {
    const [first = alice, second = alice] = others
    const before = told()
    const page = await alice.navigate(world.portal('/sessions'))
    refuseEndOf(hashIn(first))
    expect((await alice.submit(page, {}, 'others')).status).toBe(503)
    await expect.poll(told).toBe(before + 1)
    expect([await status(first), await status(second)]).toEqual([401, 401])
    vi.restoreAllMocks()
    await expect.poll(told).toBe(before + 2)
  })

  it('has the site hear of it where a browser holds two of them and signs out', async () => {
    const [first = alice] = others
    const before = told()
    const page = await alice.navigate(world.portal('/logout'))
    const planted = first.cookies('acces.localhost').find(({ name }) => name === '__Host-Http-passerelle')
    // As a callback leaves it that another tab is coming back from.
    const line = `__Host-Http-passerelle-s-12345678=${planted?.value}; Path=/; Secure; HttpOnly; SameSite=Lax`
    alice.jar.receive(new URL(world.portal('/')), line)
    refuseEndOf(hashIn(first))
    expect((await alice.submit(page, {}, '/logout')).status).toBe(503)
    await expect.poll(told).toBe(before + 1)
  })
})
