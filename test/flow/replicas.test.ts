/** Two replicas behind a balancer that asks them in turn: no step of a sign-in may need the one that took the step before (SE-09). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Balancer, startBalancer } from '../stand-in/balancer.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let redis: RedisServer
let balancer: Balancer
let a: TwoIdps
let b: TwoIdps
beforeAll(async () => {
  redis = await startRedis()
  balancer = await startBalancer()
  const options = { store: `{ kind: redis, url: "${redis.url}" }`, publicPort: balancer.port }
  a = await startTwoIdps(options)
  b = await startTwoIdps({ ...options, shared: a }, a.op)
  balancer.between([a.ownPort, b.ownPort])
})
afterEach(() => {
  a.invariants()
  b.invariants()
})
afterAll(async () => {
  balancer.close()
  await b.stop()
  await a.stop()
  await redis.close()
})

const sessions = () => redis.admin.keys('pas:{*}:s')

describe('behind a balancer', () => {
  it('a person signs in, reads, and signs out, each step at another replica', async () => {
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(a.url('app', '/echo?q=1'))
    expect(page.status).toBe(200)
    expect(page.url.href).toBe(a.url('app', '/echo?q=1'))
    expect((await browser.navigate(a.url('plain', '/echo'))).status).toBe(200)
    const asked = await browser.navigate(a.portal('/logout'))
    const out = await browser.submit(asked, {}, '/logout', { follow: false })
    expect(out.redirect?.pathname).toBe('/signed-out')
    expect(await sessions()).toEqual([])
  })

  it('the chooser’s form is understood by the replica that did not write it', async () => {
    for (let attempt = 0; attempt < 4; attempt++) {
      const browser = new Browser()
      const chooser = await browser.navigate(a.url('any', '/echo'))
      expect((await browser.submit(chooser, {}, 'op')).status).toBe(200)
    }
  })

  it('twenty tabs opened at once all arrive, with one session', async () => {
    for (let round = 0; round < 5; round++) {
      await redis.admin.flushall()
      const browser = new Browser()
      const address = (tab: number) => a.url(tab % 2 === 0 ? 'app' : 'plain', `/echo?tab=${tab}`)
      const pages = await Promise.all(Array.from({ length: 20 }, (_, tab) => browser.navigate(address(tab))))
      expect(pages.map(page => `${page.status} ${page.url.href}`)).toEqual(pages.map((_, tab) => `200 ${address(tab)}`))
      for (const page of pages) expect(page.hops.length + 1, page.story).toBeLessThanOrEqual(10)
      expect(await sessions()).toHaveLength(1)
    }
  })
})
