/** A browser that opens its tabs of yesterday all at once (docs/sessions.md A2, C5.1; CK-11 of the attack cases). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const tabs = 20
const hosts = ['one', 'two', 'three', 'four', 'five', ...Array.from({ length: 15 }, (_, index) => `more-${index}`)]

let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({
    resources: [...hosts.map(id => aSite(id, ['idps: [op]'])), aSite('campus', ['idps: [campus]'])].join(''),
  })
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

/** Opens an address in each tab, tab after tab without waiting. */
function openAll(browser: Browser, addresses: readonly string[]): Promise<readonly Reply[]> {
  return Promise.all(addresses.map(address => browser.navigate(address)))
}

function longestCookie(pages: readonly Reply[]): number {
  const sent = pages.flatMap(page => [...page.hops, page]).map(({ sent }) => String(sent.headers.Cookie ?? '').length)
  return Math.max(...sent)
}

describe.each([
  ['one site', (tab: number) => world.url('one', `/echo?tab=${tab}`)],
  ['five sites', (tab: number) => world.url(hosts[tab % 5] as string, `/echo?tab=${tab}`)],
  ['twenty sites', (tab: number) => world.url(hosts[tab] as string, `/echo?tab=${tab}`)],
  ['one site and ten others', (tab: number) => world.url(hosts[tab % 2 === 0 ? 0 : tab] as string, `/echo?tab=${tab}`)],
  ['one site whose provider takes three steps', (tab: number) => world.url('campus', `/echo?tab=${tab}`)],
])('twenty tabs of %s, opened at once and not signed in (CK-11, C5 1)', (_, address) => {
  it('all arrive, each at its own address, with one session, short cookies and few requests', async () => {
    const before = (await world.gateway.sessions.count()) ?? 0
    const browser = new Browser()
    const addresses = Array.from({ length: tabs }, (_, tab) => address(tab))
    const pages = await openAll(browser, addresses)

    expect(pages.map(page => `${page.status} ${page.url.href}`)).toEqual(addresses.map(one => `200 ${one}`))
    expect(await world.gateway.sessions.count()).toBe(before + 1)
    expect(longestCookie(pages)).toBeLessThan(4096)
    for (const page of pages) expect(page.hops.length + 1, page.story).toBeLessThanOrEqual(10)
    const left = browser.jar.all().filter(({ name }) => /-[pn]-/.test(name))
    expect(left).toEqual([])
  })
})

describe('a tab that is opened while others come back from the idp', () => {
  it('needs no sign-in of its own, and all end with one session', async () => {
    const before = (await world.gateway.sessions.count()) ?? 0
    const browser = new Browser()
    // The page state that counts sign-ins, against loops, is there already.
    await browser.navigate(world.portal('/?lang=en'))
    const early = await Promise.all(
      hosts.map(host =>
        browser.navigate(world.url(host, '/echo'), { follow: hop => hop.redirect?.searchParams.has('r') !== true }),
      ),
    )
    const asked = world.op.count('authorize')
    const late = await browser.navigate(world.url('one', '/echo?late'))
    expect(late.url.href, late.story).toBe(world.url('one', '/echo?late'))
    expect(world.op.count('authorize')).toBe(asked)
    const pages = await Promise.all(early.map(hop => browser.navigate(hop.redirect ?? '')))
    expect(pages.map(page => `${page.status} ${page.url.href}`)).toEqual(
      hosts.map(host => `200 ${world.url(host, '/echo')}`),
    )
    expect(await world.gateway.sessions.count()).toBe(before + 1)
  })
})
