/** Sign-ins that are disturbed half-way lose no target: other tabs' forms, a store that goes away, a target that is not ours. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { createClosedSessions } from '../../src/logout/closed.ts'
import { createLogout } from '../../src/logout/logout.ts'
import type { PortalRequest } from '../../src/model/exchange.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let browser: Browser
beforeAll(async () => {
  world = await startTwoIdps()
})
beforeEach(() => {
  browser = new Browser({ language: 'en' })
})
afterEach(() => {
  vi.restoreAllMocks()
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

const storeDown = () => new GatewayError('session.store-down', 'the test cut the line', { hint: 'Look at the store.' })
const tokenOf = (page: Reply) => page.forms[0]?.fields.find(([name]) => name === 'token')?.[1]

describe('choosers in tabs that were opened together', () => {
  const addresses = ['one', 'two', 'three'].map(tab => () => world.url('any', `/echo?tab=${tab}`))

  it('each made a page state, and each still leads to its own address, at worst by choosing twice', async () => {
    const tabs = await Promise.all(addresses.map(address => browser.navigate(address())))
    expect(new Set(tabs.map(tokenOf)).size).toBe(3)
    let chosenTwice = 0
    for (const [index, tab] of tabs.entries()) {
      let page = await browser.submit(tab, { idp: 'op' }, '/login')
      if (page.url.pathname === '/login') {
        chosenTwice += 1
        expect([page.status, page.visibleText.includes('Choose your account')], page.story).toEqual([200, true])
        page = await browser.submit(page, { idp: 'op' }, '/login')
      }
      expect([page.status, page.url.href], page.story).toEqual([200, addresses[index]?.()])
    }
    expect(chosenTwice).toBe(2)
  })

  it('are answered to nobody from another origin, with or without the token', async () => {
    const page = await browser.navigate(world.url('any', '/echo'))
    for (const token of [tokenOf(page) ?? '', 'wrong']) {
      const forged = await browser.navigate(world.portal('/login'), {
        from: 'http://evil.example',
        form: [
          ['idp', 'op'],
          ['token', token],
        ],
        follow: false,
      })
      expect([forged.status, forged.redirect, forged.forms.length]).toEqual([403, null, 0])
    }
  })
})

describe('a target in the chooser’s form', () => {
  it('that is nothing of ours is dropped before anything is stored', async () => {
    const page = await browser.navigate(world.portal('/login'))
    const answer = await browser.submit(page, { idp: 'op', to: 'https://evil.example/' }, '/login')
    expect(answer.url.href, answer.story).toBe(world.portal('/'))
    const wrong = await browser.submit(page, { idp: 'op', token: 'wrong', to: 'https://evil.example/' }, '/login')
    expect(wrong.text).not.toContain('evil.example')
  })

  it('is carried on as we write it, not as it was sent', async () => {
    const page = await browser.navigate(world.portal('/login'))
    const sent = world.url('any', '/a/../echo').replace('any', 'ANY')
    const again = await browser.submit(page, { idp: 'op', token: 'wrong', to: sent }, '/login')
    expect(again.forms[0]?.fields.find(([name]) => name === 'to')?.[1]).toBe(world.url('any', '/echo'))
  })
})

describe('a store that goes away half-way', () => {
  const target = () => world.url('app', '/echo?kept=yes')
  const isKept = async (page: Reply) => {
    expect([page.status, page.header('retry-after')], page.story).toEqual([503, '5'])
    const line = world.log.findLast(text => text.includes('"code":"session.store-down"'))
    expect(line).toContain('Look at the store.')
    vi.restoreAllMocks()
    const again = await browser.click(page, 'Continue to app site')
    expect([again.status, again.url.href], again.story).toEqual([200, target()])
  }

  it('after the pending sign-in was used up: the page’s button leads on to the target', async () => {
    vi.spyOn(world.gateway.sessions, 'establish').mockRejectedValueOnce(storeDown())
    const page = await browser.navigate(target())
    expect(page.url.pathname).toBe('/callback/op')
    await isKept(page)
  })

  it('before the arrival’s reference was used up: the same address again is enough', async () => {
    const callback = world.callback(await world.toProvider(browser, target()))
    const enter = (await browser.navigate(callback, { from: world.op.issuer, follow: false })).redirect ?? ''
    vi.spyOn(world.gateway.sessions, 'arriving').mockRejectedValueOnce(storeDown())
    expect((await browser.navigate(enter)).status).toBe(503)
    vi.restoreAllMocks()
    const page = await browser.navigate(enter)
    expect([page.status, page.url.href], page.story).toEqual([200, target()])
  })

  it('after the arrival’s reference was used up: the page’s button leads on to the target', async () => {
    const callback = world.callback(await world.toProvider(browser, target()))
    const enter = (await browser.navigate(callback, { from: world.op.issuer, follow: false })).redirect ?? ''
    vi.spyOn(world.gateway.sessions, 'cookieFor').mockImplementationOnce(() => {
      throw storeDown()
    })
    await isKept(await browser.navigate(enter))
  })

  it('after a sign-out was stored: the cookies go, and the last page says less', async () => {
    const { sessions } = world.gateway
    vi.spyOn(sessions, 'authentic').mockReturnValue(['S'])
    vi.spyOn(sessions, 'end').mockResolvedValue({
      identity: { idp: 'gone' },
      keep: {},
      visited: [],
      device: 'private',
    } as never)
    const providers = new Map()
    const tellParticipants = async () => ({ told: [], failed: [] })
    const singleUse = { put: () => Promise.reject(storeDown()) } as never
    const logout = createLogout({
      providers,
      resources: [],
      sessions,
      closedSessions: createClosedSessions({ portal: world.portal(''), providers, tellParticipants, singleUse }),
      leaveTokens: { tokenFor: () => '' },
      tellParticipants,
      pages: {} as never,
      now: Date.now,
    })
    const answer = await logout.fromUser({ cookies: null } as PortalRequest)
    expect(answer).toMatchObject({ kind: 'redirect', to: '/signed-out' })
    expect('cookies' in answer && answer.cookies.map(line => line.split('=', 1)[0])).toEqual([
      '__Host-Http-passerelle',
      '__Host-Http-passerelle-fresh',
    ])
  })
})

it('what an operator can do about a failed sign-in stands in the log', async () => {
  world.op.bends.wire.token = (_, response) =>
    void response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
  const page = await browser.navigate(world.url('app', '/echo'))
  expect(page.status).toBe(400)
  const line = world.log.findLast(text => text.includes('"code":"idp.rejected"') && text.includes('invalid_client'))
  expect(line).toContain('Compare oidc.clientId and oidc.clientSecret')
})
