/** A first visit, step by step, as docs/sessions.md C1, S2 to S5 and "One cold tab" have it. */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps()
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
const attributes = '; Path=/; Secure; HttpOnly; SameSite=Lax'
const fifteenMinutes = '; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax'
const expired = '; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax'

describe('a first visit to a site', () => {
  const path = '/echo?q=caf%C3%A9&plus=a+b&empty=&q=2'
  let browser: Browser
  let hops: readonly Reply[]
  beforeEach(async () => {
    browser = new Browser()
    const page = await browser.navigate(world.url('app', path))
    hops = [...page.hops, page]
  })

  const step = (index: number) => hops[index] as Reply
  const location = (index: number) => step(index).redirect as URL

  it('takes six steps of ours and one of the provider’s', () => {
    expect(hops.map(({ sent, url, status }) => `${sent.method} ${url.host}${url.pathname} ${status}`)).toEqual([
      `GET app.localhost:${world.port}/echo 303`,
      `GET acces.localhost:${world.port}/enter 303`,
      `GET ${new URL(world.op.issuer).host}/authorize 303`,
      `GET acces.localhost:${world.port}/callback/op 303`,
      `GET acces.localhost:${world.port}/enter 303`,
      `GET app.localhost:${world.port}/.passerelle/enter 303`,
      `GET app.localhost:${world.port}/echo 200`,
    ])
  })

  it('1. leaves a nonce on the site and takes only its hash to the portal (S2)', () => {
    const { searchParams } = location(0)
    expect([...searchParams.keys()]).toEqual(['to', 'n', 'a'])
    expect(searchParams.get('to')).toBe(world.url('app', path))
    expect(searchParams.get('a')).toBe('1')
    const n = searchParams.get('n') ?? ''
    expect(n).toMatch(/^[\w-]{43}$/)
    const nonce = valueIn(step(0).cookiesSet[0])
    expect(step(0).cookiesSet).toEqual([`__Host-Http-passerelle-n-${n.slice(0, 8)}=${nonce}${fifteenMinutes}`])
    expect(nonce).toMatch(/^[\w-]{22}$/)
    expect(digest(`n\0${nonce}`)).toBe(n)
  })

  it('2. goes to the provider with state, nonce and PKCE, and leaves the transaction’s own cookie (S3)', () => {
    const { searchParams } = location(1)
    const state = searchParams.get('state') ?? ''
    expect(state).toMatch(/^[\w-]{43}$/)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      client_id: world.op.clientId,
      redirect_uri: world.portal('/callback/op'),
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(searchParams.has('prompt')).toBe(false)
    const value = valueIn(step(1).cookiesSet[0])
    expect(value).toMatch(/^[\w-]{22}$/)
    expect(step(1).cookiesSet).toEqual([
      `__Host-Http-passerelle-p-${digest(state).slice(0, 8)}=${value}${fifteenMinutes}`,
    ])
  })

  it('3. comes back to a cookie of this very sign-in and to a reference, never to a ticket (S4)', () => {
    const state = location(1).searchParams.get('state') ?? ''
    const tag = digest(state).slice(0, 8)
    expect(location(3).href).toMatch(new RegExp(`^${world.portal('/enter')}\\?r=[\\w-]{43}$`))
    const [session, pending, ...others] = step(3).cookiesSet
    expect(session).toMatch(/^__Host-Http-passerelle-s-[\w-]{8}=v1\.[0-9a-f]{8}\.[\w-]{43}\.0\.[\w-]{43};/)
    expect(session?.slice(0, 33)).toBe(`__Host-Http-passerelle-s-${tag}`)
    expect(session?.replace(/^[^;]*/, '')).toBe('; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax')
    expect(pending).toBe(`__Host-Http-passerelle-p-${tag}=${expired}`)
    expect(others.map(line => line.split('=')[0])).toEqual(['__Host-Http-passerelle-form'])
    expect(others[0]?.replace(/^[^;]*/, '')).toBe('; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(valueIn(others[0]).length).toBeLessThanOrEqual(120)
  })

  it('4. becomes the portal’s cookie, which ends with the browser, and changes the reference for a ticket (S3)', () => {
    expect(location(4).href).toMatch(new RegExp(`^${world.url('app', '/.passerelle/enter')}\\?t=[\\w-]{43}$`))
    const [portal, left, ...others] = step(4).cookiesSet
    expect(portal).toBe(`__Host-Http-passerelle=${valueIn(step(3).cookiesSet[0])}${attributes}`)
    expect(valueIn(portal).length).toBeLessThanOrEqual(110)
    expect(left).toBe(`${step(3).cookiesSet[0]?.split('=', 1)[0]}=${expired}`)
    expect(others).toEqual([])
  })

  it('5. changes the ticket for the site’s own cookie and leads to the address that was asked for (S5)', () => {
    const n = location(0).searchParams.get('n') ?? ''
    expect(location(5).href).toBe(world.url('app', path))
    const [site, nonce, ...others] = step(5).cookiesSet
    expect(site).toMatch(/^__Host-Http-passerelle-site=v1\.[0-9a-f]{8}\.[\w-]{43}\.0\.[\w-]{43};/)
    expect(site?.replace(/^[^;]*/, '')).toBe(attributes)
    expect(nonce).toBe(`__Host-Http-passerelle-n-${n.slice(0, 8)}=${expired}`)
    expect(others).toEqual([])
    const [, , portalId, , portalMac] = valueIn(step(3).cookiesSet[0]).split('.')
    const [, , siteId, , siteMac] = valueIn(site).split('.')
    expect(siteId).toBe(portalId)
    expect(siteMac).not.toBe(portalMac)
  })

  it('6. reaches the site under the person’s name, without our cookies, and with nothing more of ours', async () => {
    expect(step(6).cookiesSet).toEqual([])
    expect(step(6).header('content-security-policy')).toBeNull()
    const request = world.origin.requests.at(-1)
    expect(request?.url).toBe(path)
    expect(request?.header('x-remote-user')).toBe('alice')
    expect(request?.header('cookie')).toBeNull()
  })

  it('leaves three cookies in the browser, and no trace of the transactions', () => {
    expect(browser.jar.all().map(({ domain, name }) => `${domain} ${name}`)).toEqual([
      'acces.localhost __Host-Http-passerelle-form',
      'acces.localhost __Host-Http-passerelle',
      'app.localhost __Host-Http-passerelle-site',
    ])
    expect(browser.jar.refused).toEqual([])
  })

  it('has no step that a cache may keep, that tells its address to the next, or whose head is over 4 KB', () => {
    for (const hop of [...hops.slice(0, 2), ...hops.slice(3, 6)]) {
      expect(hop.header('cache-control')).toBe('no-store')
      expect(hop.header('referrer-policy')).toBe('no-referrer')
      expect(hop.text).toBe('')
      expect(hop.cookiesSet.join('\r\n').length).toBeLessThan(1024)
      expect(hop.rawHeaders.join(': ').length).toBeLessThan(4096)
    }
    for (const hop of [step(0), step(5)]) {
      expect(hop.header('content-security-policy')).toMatch(/^sandbox allow-popups /)
      expect(hop.header('vary')).toBe('Cookie, Sec-Fetch-Mode, Sec-Fetch-Dest, Origin')
    }
  })

  it('is in the log without a single query', () => {
    const paths = world.log.map(line => JSON.parse(line).path).filter(one => typeof one === 'string')
    expect(paths.length).toBeGreaterThan(0)
    expect(paths.join(' ')).not.toMatch(/[?]/)
  })
})

describe('a site that everybody may enter', () => {
  let browser: Browser
  let chooser: Reply
  beforeEach(async () => {
    browser = new Browser({ language: 'en' })
    chooser = await browser.navigate(world.url('any', '/echo?a=1'))
  })

  it('is reached by a page that asks which account, and begins no sign-in by itself', () => {
    expect(chooser.status).toBe(200)
    expect(chooser.url.pathname).toBe('/enter')
    expect(chooser.visibleText).toContain('You are going to any site')
    expect(chooser.forms[0]?.buttons.map(({ name, value, text }) => `${name}=${value} ${text}`)).toEqual([
      'idp=campus Campus account',
      'idp=op Other provider',
    ])
    expect(chooser.links.map(({ href }) => href)).toContain('https://help.example.org/')
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).toEqual(['__Host-Http-passerelle-form'])
  })

  it('is reached by each of its idps', async () => {
    world.provider.person('bob')
    const page = await browser.submit(chooser, {}, 'campus')
    expect(page.url.href).toBe(world.url('any', '/echo?a=1'))
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('bob')

    const other = new Browser()
    const again = await other.submit(await other.navigate(world.url('any', '/echo?a=2')), {}, 'op')
    expect(again.url.href).toBe(world.url('any', '/echo?a=2'))
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
  })

  it('may lead from the chooser’s form to any address, because a form-action would forbid the idp’s redirects', () => {
    const policy = chooser.header('content-security-policy')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('form-action')
    expect(chooser.header('referrer-policy')).toBe('same-origin')
  })

  it('asks again where the answer names no idp', async () => {
    const form = Object.fromEntries(chooser.forms[0]?.fields ?? [])
    const asked = await browser.navigate(world.portal('/login'), { from: chooser, form: { ...form, idp: 'nobody' } })
    expect(asked.status).toBe(200)
    expect(asked.forms[0]?.buttons).toHaveLength(2)
  })

  it('takes no answer without the form’s token, and none with another browser’s', async () => {
    const other = new Browser()
    const theirs = (await other.navigate(world.url('any', '/'))).forms[0]?.fields ?? []
    for (const form of [{ idp: 'op' }, { idp: 'op', token: '' }, { ...Object.fromEntries(theirs), idp: 'op' }]) {
      const page = await browser.navigate(world.portal('/login'), { from: chooser, form, follow: false })
      // Asked again, with a form that is this browser's own.
      expect([page.status, page.forms[0]?.buttons.length], page.story).toEqual([200, 2])
      expect(page.redirect).toBeNull()
    }
    expect(world.op.count('authorize')).toBe(0)
  })
})

describe('somebody who is signed in', () => {
  it('is handed over to the next site without the idp, and without a new session', async () => {
    const browser = new Browser()
    await browser.navigate(world.url('app', '/echo'))
    const asked = world.op.asked.length
    const page = await browser.navigate(world.url('plain', '/echo'))
    expect(page.hops.map(({ url }) => url.pathname)).toEqual(['/echo', '/enter', '/.passerelle/enter'])
    expect(page.status).toBe(200)
    expect(world.op.asked.length).toBe(asked)
    const ids = browser.jar.all().flatMap(({ value }) => /^v1\.\w+\.([\w-]{43})/.exec(value)?.[1] ?? [])
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(1)
  })

  it('keeps session and cookie when the same person signs in once more, and has the new claims at once', async () => {
    const browser = new Browser()
    world.op.bends.claims = claims => ({ ...claims, name: 'Alice Before' })
    await browser.navigate(world.url('app', '/echo'))
    const held = () => browser.cookies('acces.localhost').find(({ name }) => name === '__Host-Http-passerelle')?.value
    const before = held()
    expect(before).toMatch(/^v1\./)
    expect((await browser.navigate(world.portal('/'))).visibleText).toContain('Alice Before')
    world.op.bends.claims = claims => ({ ...claims, name: 'Alice After' })
    const page = await browser.navigate(world.portal('/login?again=1&idp=op'))
    expect(page.visibleText).toContain('Alice After')
    expect(held()).toBe(before)
    expect(world.events.at(-1)).toEqual({ name: 'session.kept', idp: 'op' })
  })

  it('ends the session of another person who was signed in here before', async () => {
    const browser = new Browser()
    await browser.navigate(world.url('app', '/echo'))
    const thief = browser.twin()
    world.op.bends.subject = 'bob'
    await browser.navigate(world.portal('/login?again=1&idp=op'))
    const page = await browser.navigate(world.url('app', '/echo'))
    expect(page.hops).toHaveLength(3)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('bob')
    const replayed = await thief.fetch(world.url('app', '/echo'))
    expect(replayed.status).toBe(401)
  })
})

function valueIn(line: string | undefined): string {
  return /^[^=]*=([^;]*)/.exec(line ?? '')?.[1] ?? ''
}
