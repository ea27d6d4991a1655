/** docs/sessions.md C5 1, in Chromium: a browser that is started with the tabs of yesterday, while nobody is signed in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { launchOnDisk } from '../stand-in/chromium.ts'
import { tell, until } from '../stand-in/measure.ts'
import { answerPath } from '../stand-in/origin-paths.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const tabs = 20

/** Half of them are tabs of one site, the others of a site each. */
const hosts = Array.from({ length: tabs }, (_, tab) => (tab % 2 === 0 ? 'app' : `app-${tab}`))

let world: TwoIdps
let folder: string
let browser: BrowserContext | null = null
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-tabs-'))
  world = await startTwoIdps({
    domain: 'univ.localhost',
    resources: [...new Set(hosts)].map(id => aSite(id, ['idps: [op]'])).join(''),
    more: 'log: { level: info }',
    openPaths: /^\/favicon/,
    origin: {
      handler(request, response, recorded) {
        // Else the browser shows what it kept, and asks nobody.
        response.setHeader('Cache-Control', 'no-store')
        answerPath(request, response, recorded)
      },
    },
  })
})
afterAll(async () => {
  await browser?.close()
  await world?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('twenty tabs that a browser restores at once', () => {
  it('all arrive where they were, with one session, at most ten requests each, and no trace of the transactions', async () => {
    const addresses = hosts.map((host, tab) => world.url(host, `/tab?${tab}`))
    const shown = (of: BrowserContext) => of.pages().flatMap(page => (page.url() === 'about:blank' ? [] : [page.url()]))
    const heard = () => world.origin.requests.map(({ url }) => url).filter(url => url.startsWith('/tab'))

    browser = await launchOnDisk(folder)
    for (const address of addresses) await (await browser.newPage()).goto(address)
    expect(shown(browser).toSorted()).toEqual(addresses.toSorted())
    await browser.clearCookies()
    await browser.close()

    const lines = world.log.length
    const sessions = (await world.gateway.sessions.count()) ?? 0
    world.origin.forget()
    const restored = await launchOnDisk(folder, true)
    browser = restored
    await until('every tab at its site', () => new Set(heard()).size === tabs, 120_000)
    await until('every tab’s page', () => shown(restored).toSorted().join() === addresses.toSorted().join(), 60_000)
    const asked = world.log.slice(lines).map(line => JSON.parse(line))
    const requests = asked.filter(({ msg, path }) => msg === 'request' && !/favicon|\.css|\.svg/.test(path))
    expect(requests.filter(({ status }) => status >= 400)).toEqual([])
    tell('requests of twenty restored tabs', `${requests.length}`)
    expect(requests.length).toBeGreaterThan(3 * tabs)
    expect(requests.length).toBeLessThanOrEqual(10 * tabs)
    expect(await world.gateway.sessions.count()).toBe(sessions + 1)
    const left = await restored.cookies(world.portal('/'))
    expect(left.map(({ name }) => name).toSorted()).toEqual(['__Host-Http-passerelle', '__Host-Http-passerelle-form'])
    world.invariants()
  })
})
