/** CK-01, 02, 04, 06, 08 (CK-11 is test/flow/sign-in-tabs.test.ts): cookies that were altered, planted, doubled, or are too many. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const portalCookie = '__Host-Http-passerelle'
const siteCookie = '__Host-Http-passerelle-site'

let redis: RedisServer
let world: TwoIdps
let browser: Browser
beforeAll(async () => {
  redis = await startRedis()
  world = await startTwoIdps({ store: `{ kind: redis, url: "${redis.url}" }` })
})
beforeEach(async () => {
  browser = await signIn('alice')
  world.origin.forget()
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(async () => {
  await world.stop()
  await redis.close()
})

const app = (path = '/echo') => world.url('app', path)

async function signIn(subject: string): Promise<Browser> {
  world.op.bends.subject = subject
  const one = new Browser({ language: 'en' })
  await one.navigate(app())
  world.op.reset()
  return one
}

function cookie(of: Browser, host: 'app' | 'acces', name: string): string {
  const found = of.cookies(`${host}.localhost`).find(one => one.name === name)
  if (found === undefined) throw new Error(`no ${name} on ${host}`)
  return found.value
}

/** Whom the origin saw; null: it was not asked. */
async function seenBy(header: string | readonly string[]): Promise<{ status: number; user: string | null }> {
  const before = world.origin.requests.length
  const cookies = typeof header === 'string' ? [header] : header
  const request = rawRequest({
    host: `app.localhost:${world.port}`,
    target: '/echo',
    lines: [...cookies.map(line => `Cookie: ${line}`), 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Site: same-origin'],
  })
  const { responses } = await rawExchange(world.port, request, { responses: 1 })
  const asked = world.origin.requests[before]
  return { status: responses[0]?.status ?? 0, user: asked === undefined ? null : asked.header('x-remote-user') }
}

describe('every cookie that we set (CK-01)', () => {
  it('is Secure, HttpOnly, Lax, for one host and the whole of it', async () => {
    const page = await new Browser().navigate(app())
    const asked = await browser.navigate(world.portal('/logout'))
    const out = await browser.submit(asked, {}, '/logout', { follow: false })
    const lines = [...page.hops, page, asked, out].flatMap(hop => hop.cookiesSet)
    expect(lines.length).toBeGreaterThan(7)
    for (const line of lines) {
      expect(line).toMatch(/^__Host-Http-passerelle(-site|-fresh|-form|-[a-z]-[\w-]{8})?=/)
      const attributes = line.split('; ').slice(1)
      expect(attributes).toEqual(expect.arrayContaining(['Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax']))
      expect(attributes.filter(one => !/^(Path=\/|Secure|HttpOnly|SameSite=Lax|Max-Age=\d+)$/.test(one))).toEqual([])
    }
    const lasting = lines.filter(line => /Max-Age=[1-9]/.test(line)).map(line => line.split('=', 1)[0])
    expect(lasting.filter(name => !/-([a-z]-[\w-]{8}|fresh)$/.test(name ?? ''))).toEqual([])
  })
})

describe('another person’s session planted beside one’s own (CK-02)', () => {
  let eve: Browser
  beforeEach(async () => {
    eve = await signIn('eve')
    world.origin.forget()
  })
  const own = () => `${siteCookie}=${cookie(browser, 'app', siteCookie)}`
  const planted = () => `${siteCookie}=${cookie(eve, 'app', siteCookie)}`

  it.each([
    ['in front', () => `${planted()}; ${own()}`],
    ['behind', () => `${own()}; ${planted()}`],
    ['on a line of its own', () => [planted(), own()]],
    ['between copies of one’s own', () => `${own()}; ${planted()}; ${own()}`],
  ])('is 400 on a site, %s; nobody’s identity goes anywhere', async (_, header) => {
    expect(await seenBy(header())).toEqual({ status: 400, user: null })
    expect(world.events.at(-1)).toEqual({ name: 'cookie.ambiguous' })
  })

  it('comes to a page on the site that drops the site’s cookie and opens it anew', async () => {
    browser.jar.plant({ name: siteCookie, value: cookie(eve, 'app', siteCookie), domain: 'app.localhost' })
    const page = await browser.navigate(app('/echo?once'))
    expect(page.status).toBe(400)
    expect(page.visibleText).toContain('Two sessions in this browser')
    expect(page.cookiesSet).toEqual([`${siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`])
    const again = await browser.click(page, 'Try again')
    expect(again.status).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('alice')
  })

  it('comes to a page on the portal whose button ends both', async () => {
    browser.jar.plant({ name: portalCookie, value: cookie(eve, 'acces', portalCookie), domain: 'acces.localhost' })
    for (const path of ['/', '/login', '/logout', `/enter?to=${encodeURIComponent(app())}`]) {
      expect((await browser.navigate(world.portal(path), { follow: false })).status, path).toBe(400)
    }
    const page = await browser.navigate(world.portal('/'))
    expect(page.visibleText).toContain('Two sessions in this browser')
    expect(page.forms[0]?.buttons[0]?.text).toBe('Close both and start again')
    const done = await browser.submit(page, {}, '/logout', { follow: false })
    expect(done.status).toBe(303)
    for (const one of [browser, eve]) expect((await one.fetch(app())).status).toBe(401)
  })

  it.each([
    ['an altered one', (value: string) => `${value.slice(0, -2)}AA`],
    ['one of the portal’s', () => cookie(eve, 'acces', portalCookie)],
    ['rubbish', () => 'v1.x'],
    ['a second copy', () => cookie(browser, 'app', siteCookie)],
  ])('is nothing where it is %s', async (_, value) => {
    const other = `${siteCookie}=${value(cookie(eve, 'app', siteCookie))}`
    for (const header of [`${other}; ${own()}`, `${own()}; ${other}`]) {
      expect(await seenBy(header)).toEqual({ status: 200, user: 'alice' })
    }
  })

  it('is nothing once it is over', async () => {
    const header = `${planted()}; ${own()}`
    await eve.submit(await eve.navigate(world.portal('/logout')), {}, '/logout', { follow: false })
    expect(await seenBy(header)).toEqual({ status: 200, user: 'alice' })
  })
})

describe('a Cookie header (CK-04)', () => {
  const hosts = ['app', 'acces'] as const
  const headers = (bytes: number) => {
    const one = (index: number) => `c${index}=${'x'.repeat(90)}`
    const many = Array.from({ length: Math.ceil(bytes / 90) + 1 }, (_, index) => one(index)).join('; ')
    return `${many.slice(0, bytes - 1)}y`
  }
  const ask = (host: string, cookies: string) =>
    rawExchange(
      world.port,
      rawRequest({
        host: `${host}.localhost:${world.port}`,
        target: host === 'acces' ? '/' : '/echo',
        cookie: cookies,
        lines: ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
      }),
      { responses: 1 },
    )

  it('of 200 cookies is read, and ours found among them', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `c${index}=${index}`).join('; ')
    expect(await seenBy(`${many}; ${siteCookie}=${cookie(browser, 'app', siteCookie)}`)).toEqual({
      status: 200,
      user: 'alice',
    })
  })

  it.each(hosts)('of 16 KiB is read on %s, and one byte more is a page that drops our cookies', async host => {
    const fits = await ask(host, headers(16_384))
    expect(fits.responses[0]?.status).toBe(host === 'acces' ? 200 : 303)
    const over = await ask(host, headers(16_385))
    const [answer] = over.responses
    expect(answer?.status).toBe(431)
    expect(answer?.text).toContain('Trop de cookies')
    expect(answer?.header('content-security-policy')).toMatch(/^sandbox /)
    expect(answer?.headers('set-cookie')).toContain(
      `${host === 'acces' ? portalCookie : siteCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`,
    )
  })

  it.each(hosts)('of 64 KiB is the same page on %s, although no request was ever read', async host => {
    const { responses, closed } = await ask(host, headers(65_536))
    expect(responses[0]?.status).toBe(431)
    expect(responses[0]?.header('content-security-policy')).toMatch(/^sandbox /)
    const dropped = responses[0]?.headers('set-cookie').map(line => line.split('=', 1)[0])
    expect(dropped).toEqual(expect.arrayContaining([portalCookie, siteCookie]))
    expect(closed || responses[0]?.header('connection') === 'close').toBe(true)
  })

  it('that is too long at a ticket’s address does not use the ticket up, and its page cannot be read by its opener', async () => {
    const one = new Browser()
    const last = await one.navigate(app(), { follow: hop => hop.redirect?.searchParams.has('t') !== true })
    const ticket = last.redirect as URL
    const bombed = await one.navigate(ticket, { headers: { Cookie: headers(20_000) }, follow: false })
    expect(bombed.status).toBe(431)
    expect(bombed.sandboxed).toBe(true)
    expect((await one.navigate(ticket)).status).toBe(200)
  })
})

describe('signing in as somebody else in the same browser (CK-06)', () => {
  it('makes another id, and nothing of the first session is left', async () => {
    const before = browser.twin()
    const [, , firstId] = cookie(browser, 'acces', portalCookie).split('.')
    world.op.bends.subject = 'bob'
    await browser.navigate(world.portal('/login?again=1&idp=op'))
    const [, , secondId] = cookie(browser, 'acces', portalCookie).split('.')
    expect(secondId).not.toBe(firstId)
    expect((await before.fetch(app())).status).toBe(401)
    const left = await redis.admin.keys('pas:{*}:s')
    expect(left).toHaveLength(new Set(left).size)
    expect((await browser.navigate(app())).status).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBe('bob')
  })
})

describe('what stands in a cookie or a reference (CK-08, RD-01)', () => {
  const commands: string[][] = []
  let monitor: Awaited<ReturnType<RedisServer['admin']['monitor']>>
  beforeAll(async () => {
    monitor = await redis.admin.monitor()
    monitor.on('monitor', (_time: string, args: string[]) => commands.push(args))
  })
  afterAll(() => monitor.disconnect())

  /** Everything that Redis was asked while this ran. */
  async function askedOfRedis(act: () => Promise<unknown>): Promise<readonly string[][]> {
    await seen()
    commands.length = 0
    await act()
    await seen()
    // The log of ends is followed all the time, and looked at for /readyz, whoever comes.
    return commands.filter(([name, ...more]) => name !== 'ping' && name !== 'echo' && !more.includes('pas:ended'))
  }

  /** Whatever the gateway has asked so far is carried out, and the monitor has told of it. */
  async function seen(): Promise<void> {
    await world.gateway.store.reachable()
    const mark = `mark ${Math.random()}`
    const marked = new Promise<void>(resolve => {
      monitor.on('monitor', function look(_time: string, args: string[]) {
        if (args[1] !== mark) return
        monitor.off('monitor', look)
        resolve()
      })
    })
    await redis.admin.echo(mark)
    await marked
  }

  const rubbish = [
    '',
    'v1',
    'x'.repeat(4_096),
    '*',
    ':',
    '../../etc/passwd',
    'a%0d%0aFLUSHALL%0d%0a',
    'pas:ended',
    '{"identity":{"subject":"root"}}',
    '__proto__',
  ]

  it('of a site or of the portal costs no command where it is not authentic', async () => {
    const value = cookie(browser, 'app', siteCookie)
    const [version, kid, id, generation, mac] = value.split('.') as [string, string, string, string, string]
    const altered = [
      ...rubbish,
      `${version}.${kid}.${'A'.repeat(43)}.${generation}.${mac}`,
      `${version}.${kid}.${id}.1.${mac}`,
      `${version}.00000000.${id}.${generation}.${mac}`,
      `${version}.${kid}.${id}.${generation}.${'A'.repeat(43)}`,
      `${version}.${kid}.${id}.${generation}.`,
      `${version}.${kid}.${id}.${generation}`,
      `v2.${kid}.${id}.${generation}.${mac}`,
      `${value} `.repeat(2),
    ]
    for (const one of altered) {
      const headers = { Cookie: [`${siteCookie}=${one}`, `${portalCookie}=${one}`].join('; ') }
      const asked = await askedOfRedis(async () => {
        expect((await new Browser().fetch(app(), { headers })).status, one).toBe(401)
        const front = await new Browser().navigate(world.portal('/'), { headers })
        expect(front.visibleText, one).toContain('Se connecter')
      })
      expect(asked, one).toEqual([])
    }
  })

  it('of express-session costs no command where it is not signed', async () => {
    const signed = cookie(browser, 'acces', '__Host-Http-passerelle-form')
    for (const one of [...rubbish, signed.replace(/\..*/, ''), `${signed.slice(0, -3)}AAA`, 's:x.y', 's%3Ax.y']) {
      const headers = { Cookie: `__Host-Http-passerelle-form=${one}` }
      const asked = await askedOfRedis(() => new Browser().navigate(world.portal('/'), { headers }))
      expect(asked, one).toEqual([])
    }
  })

  it('of a reference, ticket or state costs one command at most, with a key that we made', async () => {
    const line = (text: string) => encodeURIComponent(text)
    for (const text of [...rubbish, '\r\nFLUSHALL\r\n', '\0', '💥'.repeat(100), 'A'.repeat(43)]) {
      const paths = [
        world.portal(`/enter?r=${line(text)}`),
        world.portal(`/callback/op?code=x&state=${line(text)}`),
        world.portal(`/callback/op?r=${line(text)}`),
        world.portal(`/signed-out?o=${line(text)}`),
        app(`/.passerelle/enter?t=${line(text)}`),
      ]
      for (const path of paths) {
        const asked = await askedOfRedis(() => new Browser().navigate(path, { follow: false }))
        expect(asked.length, path).toBeLessThanOrEqual(1)
        for (const [command, key, ...more] of asked) {
          expect(command?.toLowerCase()).toMatch(/^get(del)?$/)
          expect(key).toMatch(/^pas:[artpo]:[\w-]{43}$/)
          expect(more).toEqual([])
        }
      }
    }
    expect(await redis.admin.dbsize()).toBeGreaterThan(0)
  })
})
