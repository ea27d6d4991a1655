/** OI-16, OI-18, OI-19, OI-21, OI-22, OI-28, OI-30: whatever is brought to the callback, in the order of docs/sessions.md S4. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let victim: Browser
let answer: Reply
/** The honest reply to the victim's sign-in. */
let reply: URL
beforeAll(async () => {
  world = await startTwoIdps()
})
beforeEach(async () => {
  victim = new Browser({ language: 'en' })
  answer = await world.toProvider(victim, world.url('app', '/echo?q=1'))
  reply = world.callback(answer)
  world.op.asked.length = 0
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

const bring = (to: URL, browser = victim) => browser.navigate(to, { from: world.op.issuer, follow: false })

function bent(change: (parameters: URLSearchParams) => void): URL {
  const url = new URL(reply)
  change(url.searchParams)
  return url
}

const sessionOf = (browser: Browser) => browser.jar.all().find(({ name }) => name === '__Host-Http-passerelle')

async function stillGood(): Promise<void> {
  const page = await victim.navigate(reply, { from: world.op.issuer })
  expect(page.url.href).toBe(world.url('app', '/echo?q=1'))
  expect(world.op.count('token')).toBe(1)
}

describe('a callback with', () => {
  it.each([
    ['no state', (to: URLSearchParams) => to.delete('state')],
    ['an empty state', (to: URLSearchParams) => to.set('state', '')],
    ['another state', (to: URLSearchParams) => to.set('state', 'A'.repeat(43))],
    ['a state of a megabyte’s beginning', (to: URLSearchParams) => to.set('state', 'A'.repeat(8_000))],
    ['a state that looks like a key', (to: URLSearchParams) => to.set('state', '\r\nDEL pas:*\r\n')],
    ['its state twice', (to: URLSearchParams) => to.append('state', to.get('state') ?? '')],
    ['a second state', (to: URLSearchParams) => to.append('state', 'x')],
    ['two codes', (to: URLSearchParams) => to.append('code', 'x')],
    ['two issuers', (to: URLSearchParams) => to.append('iss', 'x')],
    [
      'an error twice',
      (to: URLSearchParams) => {
        to.append('error', 'x')
        to.append('error', 'y')
      },
    ],
  ])('%s is 400 with a way on, asks the idp nothing, and leaves the sign-in as it was (OI-16)', async (_, change) => {
    const page = await bring(bent(change))
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('Let us take up the sign-in again')
    expect(page.links.map(({ href }) => href)).toContain('/login')
    expect(page.cookiesSet.filter(line => line.includes('passerelle-p-'))).toEqual([])
    expect(world.op.count('token')).toBe(0)
    await stillGood()
  })

  it.each([
    ['both a code and an error', (to: URLSearchParams) => to.set('error', 'access_denied')],
    ['neither', (to: URLSearchParams) => to.delete('code')],
    ['a token', (to: URLSearchParams) => to.set('id_token', 'e30.e30.')],
    ['another issuer (OI-17)', (to: URLSearchParams) => to.set('iss', 'https://evil.test')],
    ['no issuer, although the idp announces one', (to: URLSearchParams) => to.delete('iss')],
  ])('%s is refused before anything is consumed or asked', async (_, change) => {
    const page = await bring(bent(change))
    expect(page.status).toBe(400)
    expect(world.op.count('token')).toBe(0)
    await stillGood()
  })

  it('an error in HTML is a page of ours that repeats none of it', async () => {
    const markup = '<img src=x onerror=alert(1)>"\'</script>'
    const page = await bring(
      bent(to => {
        to.delete('code')
        to.set('error', markup)
        to.set('error_description', markup)
      }),
    )
    expect(page.status).toBe(400)
    expect(page.text).not.toMatch(/<img|onerror|alert|<.script/)
    expect(page.header('content-security-policy')).toContain("default-src 'none'")
    expect(page.links.map(({ href }) => href)).toContain(
      `/enter?to=${encodeURIComponent(world.url('app', '/echo?q=1'))}`,
    )
  })

  it('login_required is one page and no loop (OI-28)', async () => {
    world.op.bends.callback = parameters => {
      parameters.delete('code')
      parameters.set('error', 'login_required')
    }
    const page = await new Browser().navigate(world.url('app', '/echo'))
    expect(page.status).toBe(400)
    expect(page.hops).toHaveLength(3)
    expect(world.op.count('authorize')).toBe(1)
  })
})

describe('the reply of one idp', () => {
  it('is nothing at the address of another, and asks neither (OI-18)', async () => {
    const asked = world.provider.requests.length
    const mixed = new URL(world.portal('/callback/campus'))
    mixed.search = reply.search
    const page = await bring(mixed)
    expect(page.status).toBe(400)
    expect(world.op.count('token')).toBe(0)
    expect(world.provider.requests.length).toBe(asked)
    await stillGood()
  })

  it('is nothing at an address that is no idp’s', async () => {
    const nowhere = new URL(world.portal('/callback/evil'))
    nowhere.search = reply.search
    expect((await bring(nowhere)).status).toBe(400)
    await stillGood()
  })
})

describe('an attacker', () => {
  it('who puts his own code into the victim’s reply is stopped by PKCE (OI-19)', async () => {
    const eve = new Browser()
    const stolen = world.callback(await world.toProvider(eve, world.url('app', '/')), 'eve')
    const page = await bring(bent(to => to.set('code', stolen.searchParams.get('code') ?? '')))
    expect(page.status).toBe(400)
    expect(sessionOf(victim)).toBeUndefined()
  })

  it('who steals the victim’s reply can do nothing with it, and does not use it up', async () => {
    const eve = new Browser()
    await world.toProvider(eve, world.url('app', '/'))
    const page = await bring(reply, eve)
    expect(page.status).toBe(400)
    expect(sessionOf(eve)).toBeUndefined()
    const bare = await bring(reply, new Browser())
    expect(bare.status).toBe(400)
    expect(world.op.count('token')).toBe(0)
    await stillGood()
  })
})

describe('a reply that comes again (OI-21)', () => {
  it('leads a person who is signed in to the front page, without a second request to the idp', async () => {
    await stillGood()
    for (const how of ['reload', 'back']) {
      const page = await bring(reply)
      expect(page.status, how).toBe(303)
      expect(page.redirect?.href).toBe(world.portal('/'))
    }
    expect(world.op.count('token')).toBe(1)
  })

  it('is 400 with a way on for a person who is not', async () => {
    await stillGood()
    victim.jar.clear()
    const page = await bring(reply)
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('Let us take up the sign-in again')
    expect(world.op.count('token')).toBe(1)
  })

  it('ten times at once makes one request to the idp and one session', async () => {
    const before = (await world.gateway.sessions.count()) ?? 0
    const answers = await Promise.all(Array.from({ length: 10 }, () => bring(reply)))
    expect(world.op.count('token')).toBe(1)
    expect(answers.filter(({ redirect }) => redirect?.pathname === '/enter')).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(9)
    expect(await world.gateway.sessions.count()).toBe(before + 1)
  })
})

describe('a reply that nobody opens (OI-22)', () => {
  it.each([
    ['HEAD', { method: 'HEAD' } as const, 204],
    ['a prefetch', { as: 'prefetch' } as const, 204],
    ['a frame', { as: 'iframe' } as const, 400],
  ])('%s consumes nothing', async (_, how, status) => {
    const looked = await victim.navigate(reply, { from: world.op.issuer, follow: false, ...how })
    expect(looked.status).toBe(status)
    expect(looked.cookiesSet.filter(line => line.includes('passerelle-p-'))).toEqual([])
    await stillGood()
  })

  it('a script and an image consume nothing', async () => {
    for (const how of [{ mode: 'cors' }, { mode: 'no-cors', dest: 'image' }] as const) {
      expect((await victim.fetch(reply, { ...how, follow: false })).status).toBe(400)
    }
    await stillGood()
  })

  it('the reference to /enter is not used up by HEAD or a prefetch either', async () => {
    const landed = await bring(reply)
    const enter = landed.redirect as URL
    expect((await victim.navigate(enter, { method: 'HEAD', follow: false })).redirect).toBeNull()
    expect((await victim.navigate(enter, { as: 'prefetch', follow: false })).redirect).toBeNull()
    const page = await victim.navigate(enter)
    expect(page.url.href).toBe(world.url('app', '/echo?q=1'))
  })

  it('nor is the ticket', async () => {
    const last = await victim.navigate(reply, { follow: hop => hop.redirect?.pathname !== '/.passerelle/enter' })
    const ticket = last.redirect as URL
    expect((await victim.navigate(ticket, { method: 'HEAD', follow: false })).status).toBe(204)
    expect((await victim.navigate(ticket, { as: 'prefetch', follow: false })).status).toBe(204)
    expect((await victim.navigate(ticket)).url.href).toBe(world.url('app', '/echo?q=1'))
  })
})

describe('a sign-in that somebody else begins (OI-29; OpenID Connect Core §4)', () => {
  const parameters = new URLSearchParams({
    iss: 'https://evil.test',
    login_hint: 'eve',
    target_link_uri: 'https://evil.test/',
    scope: 'openid admin',
    redirect_uri: 'https://evil.test/',
  })

  it('is one of ours, at the idp that is chosen here, with our scope, and ends on our own page', async () => {
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(world.portal(`/login?${parameters}`), { from: 'https://evil.test' })
    expect([page.status, page.url.origin], page.story).toEqual([200, new URL(world.portal()).origin])
    expect(page.text.replace(/href="[^"]*lang=[^"]*"/, '')).not.toContain('evil.test')
    const led = await browser.submit(page, { idp: 'op' }, '/login', { follow: false })
    expect(led.redirect?.origin).toBe(world.op.issuer)
    expect(led.redirect?.searchParams.get('scope')).toBe('openid profile email')
    expect(led.redirect?.href).not.toContain('evil.test')
    const back = await browser.navigate(world.callback(led), { from: world.op.issuer })
    expect(back.url.href, back.story).toBe(world.portal('/'))
  })

  it('is refused where an address to go to is named in the old way', async () => {
    const page = await new Browser().navigate(world.portal('/login?url=https://evil.test/'), { follow: false })
    expect([page.status, page.redirect]).toEqual([404, null])
    expect(page.text.replace(/href="[^"]*lang=[^"]*"/, '')).not.toContain('evil.test')
  })
})

describe('a storm of sign-ins (OI-30)', () => {
  it('costs one transaction cookie each and nothing of the idp but its address', async () => {
    const asked = world.provider.requests.length
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => world.toProvider(new Browser(), world.url('app', `/echo?page=1`))),
      )
      for (const hop of answers) {
        expect(hop.cookiesSet).toHaveLength(1)
        expect(hop.hops[0]?.cookiesSet).toHaveLength(1)
      }
    }
    expect(world.op.asked.filter(({ endpoint }) => endpoint !== 'metadata')).toEqual([])
    expect(world.op.count('metadata')).toBeLessThanOrEqual(2)
    expect(world.provider.requests.length).toBe(asked)
    await stillGood()
  })
})
