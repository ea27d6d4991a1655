import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

describe('a person who opens a protected page', () => {
  let world: TestGateway
  beforeAll(async () => {
    world = await startTestGateway()
  })
  afterAll(() => world.stop())

  it('signs in once and lands on the page they asked for, query included', async () => {
    world.provider.person('alice')
    const browser = new Browser()
    const reply = await browser.navigate(world.url('app', '/echo?article=12&view=full'))
    expect(reply.status).toBe(200)
    expect(reply.url.href).toBe(world.url('app', '/echo?article=12&view=full'))
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
    world.invariants()
  })

  it('is not asked again on another site', async () => {
    const browser = await world.signIn('bob')
    const asked = world.provider.requests.length
    const reply = await browser.navigate(world.url('apps', '/intranet/echo'))
    expect(reply.status).toBe(200)
    expect(world.provider.requests.length).toBe(asked)
    world.invariants()
  })
})
