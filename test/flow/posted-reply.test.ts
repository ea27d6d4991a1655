/** An idp's answer that comes by POST (form_post, SAML): put aside, fetched again by a GET that brings the cookies (docs/sessions.md A2). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const clock = settableClock(Date.now())
let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({ surroundings: { now: clock.now } })
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

describe('a reply by POST from another site (C5 4, OI-22)', () => {
  const target = () => world.url('app', '/echo?posted=1')
  let browser: Browser
  let reply: URL
  beforeEach(async () => {
    browser = new Browser({ language: 'en' })
    reply = world.callback(await world.toProvider(browser, target()))
  })

  const post = (form: URLSearchParams, follow: boolean, address = world.portal('/callback/op')) =>
    browser.navigate(address, { from: world.op.issuer, form: [...form], follow })

  it('comes without our cookies, is fetched again with them, and ends where the person wanted to go', async () => {
    const page = await post(reply.searchParams, true)
    expect(page.status).toBe(200)
    expect(page.url.href).toBe(target())
    const [posted, fetched] = page.hops
    expect(posted?.sent.method).toBe('POST')
    expect(posted?.sent.headers.Cookie).toBeUndefined()
    expect(posted?.status).toBe(303)
    expect(posted?.redirect?.href).toMatch(new RegExp(`^${world.portal('/callback/op')}\\?r=[\\w-]{43}$`))
    expect(posted?.cookiesSet).toEqual([])
    expect(fetched?.sent.method).toBe('GET')
    expect(fetched?.sent.headers.Cookie).toContain('__Host-Http-passerelle-p-')
    expect(world.op.count('token')).toBe(1)
  })

  it('that is an error is one page, and nothing is redeemed (conformance: form-post-error)', async () => {
    reply.searchParams.delete('code')
    reply.searchParams.set('error', 'access_denied')
    reply.searchParams.set('error_description', '<b>No</b>')
    const page = await post(reply.searchParams, true)
    expect([page.status, page.url.pathname], page.story).toEqual([400, '/callback/op'])
    expect(page.visibleText).toContain('Other provider')
    expect(page.text).not.toContain('<b>No</b>')
    expect(world.log.findLast(line => line.includes('"code":"idp.rejected"'))).toContain('access_denied')
    expect(world.op.count('token')).toBe(0)
    expect((await browser.click(page, 'Continue to')).url.href).toBe(target())
  })

  it('is worth nothing in another browser, and still good in its own', async () => {
    const put = await post(reply.searchParams, false)
    const stranger = new Browser()
    const foreign = await stranger.navigate(put.redirect ?? '')
    expect(foreign.status).toBe(400)
    expect(stranger.jar.all().filter(({ name }) => name === '__Host-Http-passerelle')).toEqual([])
    expect(world.op.count('token')).toBe(0)
    const own = await post(reply.searchParams, true)
    expect(own.url.href).toBe(target())
  })

  it('can be fetched once, and for a minute', async () => {
    const first = await post(reply.searchParams, false)
    clock.advance(60_000)
    const late = await browser.navigate(first.redirect ?? '', { follow: false })
    expect(late.status).toBe(400)
    const second = await post(reply.searchParams, false)
    const done = await browser.navigate(second.redirect ?? '', { follow: false })
    expect(done.redirect?.pathname).toBe('/enter')
    const again = await browser.navigate(second.redirect ?? '', { follow: false })
    expect(again.redirect).toBeNull()
    expect(again.status).toBe(400)
    expect(world.op.count('token')).toBe(1)
  })

  it.each([
    ['no state', (form: URLSearchParams) => form.delete('state')],
    ['another state', (form: URLSearchParams) => form.set('state', 'A'.repeat(43))],
    ['its state twice', (form: URLSearchParams) => form.append('state', form.get('state') ?? '')],
    ['two codes', (form: URLSearchParams) => form.append('code', 'other')],
  ])('is not put aside with %s', async (_, bend) => {
    bend(reply.searchParams)
    const page = await post(reply.searchParams, false)
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('Let us take up the sign-in again')
    expect(page.links.map(({ href }) => href)).toContain('/login')
  })

  it('is not put aside at another idp’s address', async () => {
    const page = await post(reply.searchParams, false, world.portal('/callback/campus'))
    expect(page.status).toBe(400)
    expect(world.op.count('token')).toBe(0)
  })

  it('is put aside once for each sign-in: the same one again leads to the first, another one is refused', async () => {
    const first = await post(reply.searchParams, false)
    const twice = await post(reply.searchParams, false)
    expect(twice.redirect?.href).toBe(first.redirect?.href)
    const padded = new URLSearchParams([...reply.searchParams, ['padding', 'x']])
    const other = await post(padded, false)
    expect([other.status, other.redirect]).toEqual([400, null])
    expect(other.visibleText).toContain('Let us take up the sign-in again')
    expect((await browser.navigate(first.redirect ?? '')).url.href).toBe(target())
    expect(world.op.count('token')).toBe(1)
  })

  it('is not put aside over 256 KiB', async () => {
    const fits = new URLSearchParams([...reply.searchParams, ['padding', 'x'.repeat(250 * 1024)]])
    expect((await post(fits, false)).status).toBe(303)
    const over = new URLSearchParams([...reply.searchParams, ['padding', 'x'.repeat(257 * 1024)]])
    const page = await post(over, false)
    expect(page.status).toBe(413)
    expect(page.header('content-type')).toBe('text/html; charset=utf-8')
  })
})
