/**
 * What people do beside the way by an access code, as back-to-cas.test.ts has it for the other protocols: Back, bookmarks, two tabs,
 * cookies that are refused; and codes whose claims are as unusual as people's.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, codeForm } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { expectOnePage, pressButton } from '../stand-in/one-page.ts'

let file: CodeFile
let world: TestGateway

beforeAll(async () => {
  file = await makeCodeFile()
  world = await startTestGateway({
    idps: aCodeIdp(file, 'codes', { label: '{ fr: Code d’accès, en: Access code }' }),
    resources: `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    idps: [codes]
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}", X-Name: "{givenName}", X-Groups: "{groups}" } }
  - id: closed
    title: Closed
    at: "http://closed.localhost:$PORT"
    origin: "$ORIGIN"
    idps: [codes]
    policy: [{ groups: nobody-is }]
`,
    more: 'front: { groupBy: groups }',
    files: { [file.path]: '' },
  })
})
afterEach(() => world.origin.forget())
afterAll(async () => {
  await world?.stop()
  await file?.remove()
})

const wanted = (path = '/echo?article=12') => world.url('app', path)
const languages = ['fr', 'en'] as const
const subject = (code: string) => `code:${code.slice(0, 4)}`
const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')
const told = (name: string) => world.origin.requests.at(-1)?.headers(name).map(utf8) ?? []

/** The form for that page, in this browser. */
const formIn = (browser: Browser, address = wanted()) => codeForm(browser, address)

function isThere(page: Reply, code: string, address = wanted()): void {
  expect([page.status, page.url.href], page.story).toEqual([200, address])
  expect(told('x-remote-user')).toEqual([subject(code)])
}

describe('by access code', () => {
  it('two tabs with two codes end as the one that came last, each on the page that it wanted', async () => {
    const [first, second] = [await file.add(), await file.add()]
    const browser = new Browser()
    const [one, other] = [await formIn(browser, wanted('/echo?1')), await formIn(browser, wanted('/echo?2'))]
    isThere(await browser.submit(one, { code: first }), first, wanted('/echo?1'))
    isThere(await browser.submit(other, { code: second }), second, wanted('/echo?2'))
    isThere(await browser.navigate(wanted('/echo?1')), second, wanted('/echo?1'))
  })

  it.each(languages)('a form that is used, made up or bare is one page, whose button signs in (%s)', async language => {
    const code = await file.add()
    const used = await formIn(new Browser())
    const browser = new Browser({ language })
    const form = await formIn(browser)
    isThere(await browser.submit(form, { code }), code)
    for (const address of [
      form.url,
      world.portal(`/callback/codes/${'A'.repeat(43)}`),
      world.portal('/callback/codes'),
    ]) {
      const stranger = new Browser({ language })
      const page = await stranger.navigate(address, { follow: false })
      expectOnePage(page, 'stale', language, world.portal())
      const next = await pressButton(stranger, page)
      expect([next.status, next.url.pathname], next.story).toEqual([200, '/login'])
      // No form stands there: no page of ours has this address.
      if (!/\/codes\/./.test(String(address))) continue
      // Whoever is signed in is led on.
      const front = await browser.navigate(address)
      expect([front.status, front.url.href], front.story).toEqual([200, world.portal('/')])
    }
    // One that another browser began, and which is still good there.
    const other = new Browser({ language })
    await formIn(other, wanted('/echo?mine'))
    const page = await other.navigate(used.url, { follow: false })
    expectOnePage(page, 'foreign', language, world.portal())
    const again = await pressButton(other, page)
    isThere(await other.submit(again, { code }), code)
  })

  it.each(languages)('a browser that refuses cookies reads one page, and no code is tried (%s)', async language => {
    const code = await file.add()
    const browser = new Browser({ language, cookies: false })
    const tries = () => world.events.filter(({ name }) => name === 'code.tried').length
    const before = tries()
    const page = await browser.navigate(wanted())
    expectOnePage(page, 'cookies', language, world.portal())
    expectOnePage(await pressButton(browser, page), 'cookies', language, world.portal())
    // Taken away between the form and the answer.
    const forgetful = new Browser({ language })
    const form = await formIn(forgetful)
    forgetful.jar.clear()
    expectOnePage(
      await forgetful.submit(form, { code }, undefined, { follow: false }),
      'cookies',
      language,
      world.portal(),
    )
    expect(tries()).toBe(before)
  })

  it('claims are data: none, markup, line breaks and three hundred values reach the site whole, and no page breaks', async () => {
    const groups = Array.from({ length: 300 }, (_, index) => `group-${index}`)
    const name = '<b>Zoé</b> “𝔘”\r\nSet-Cookie: a=b'
    for (const claims of [{}, { givenName: [name], groups: ['a\r\nb', '<img src=x>'] }, { groups }]) {
      const code = await file.add({ claims })
      const browser = new Browser({ language: 'fr' })
      isThere(await browser.submit(await formIn(browser), { code }), code)
      const of = { givenName: [], groups: [], ...claims }
      expect(told('x-name').join()).toBe(of.givenName.join().replace('\r\n', '%0D%0A'))
      expect(told('x-groups').join()).toBe(of.groups.join(';').replace('\r\n', '%0D%0A'))
      const front = await browser.navigate(world.portal('/'))
      const refused = await browser.navigate(world.url('closed', '/x'))
      expect([front.status, refused.status]).toEqual([200, 403])
      for (const page of [front, refused]) {
        expect(page.text).not.toMatch(/<b>Zoé|<img/)
        expect(page.text.length).toBeLessThan(20_000)
        expect(page.cookiesSet.join()).not.toContain('a=b')
      }
      if (of.givenName.length > 0) expect(front.visibleText).toContain('<b>Zoé</b> “𝔘”')
    }
  })
})
