/** A memory store that holds as many sessions as it may (docs/sessions.md C2): nobody is signed out for somebody else. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

let world: TestGateway
beforeAll(async () => {
  world = await startTestGateway({ store: '{ kind: memory, limit: 2 }' })
})
afterAll(() => world.stop())

it('answers a sign-in beyond its limit with a page that says so, keeps everybody, and takes the next when there is room', async () => {
  const first = await world.signIn('alice')
  const second = await world.signIn('bob')
  const third = new Browser()
  const refused = await third.navigate(world.url('app', '/echo'))
  expect(refused.status).toBe(503)
  const reference = /\b[0-9A-HJKMNP-TV-Z]{6}\b/.exec(refused.visibleText)?.[0]
  expect(world.log.some(line => line.includes('session.store-full') && line.includes(reference ?? '?'))).toBe(true)
  for (const browser of [first, second]) expect((await browser.navigate(world.url('app', '/echo'))).status).toBe(200)

  await world.gateway.sessions.end(world.cookieOf(first).split('.')[2] ?? '', 'administrator')
  expect((await third.navigate(world.url('app', '/echo'))).status).toBe(200)
  expect((await second.navigate(world.url('app', '/echo'))).status).toBe(200)
})
