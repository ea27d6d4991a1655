/** The portal's own pages, hosts that are nobody's, and TLS (docs/sessions.md C0; PA-10, PA-11). */
import { request as httpsRequest } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startTwoIdps } from '../stand-in/two-idps.ts'

let world: TestGateway
beforeAll(async () => {
  world = await startTestGateway()
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

describe('the front page', () => {
  it('shows a stranger the sites and where to sign in, and makes no session for looking', async () => {
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(world.portal())
    expect(page.status).toBe(200)
    expect(page.links.map(({ href }) => href)).toEqual(
      expect.arrayContaining(['/login', world.url('app'), world.url('open')]),
    )
    expect(page.visibleText).not.toContain('Sign out')
    expect(page.cookiesSet).toEqual([])
    expect(browser.jar.all()).toEqual([])
  })

  it('shows a person who they are, what is open to them and what is not, and the way out', async () => {
    const browser = await world.signIn('bob', 'app', { language: 'en' })
    const page = await browser.navigate(world.portal())
    expect(page.visibleText).toContain('Hello Bob Noël')
    const [open = '', closed = ''] = page.visibleText.split('Closed to this account')
    for (const title of ['Application', 'Plain', 'Open', 'Maybe', 'Intranet']) expect(open).toContain(title)
    expect(closed).toContain('Staff')
    expect(open).not.toContain('Staff')
    expect((await browser.click(page, 'Sign out')).url.pathname).toBe('/logout')
  })

  it('is protected from frames, sniffers and referrers', async () => {
    const page = await new Browser().navigate(world.portal())
    expect(page.header('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(page.header('x-content-type-options')).toBe('nosniff')
    expect(page.header('referrer-policy')).toBe('no-referrer')
    expect(page.header('cache-control')).toBe('no-store')
    expect(page.header('cross-origin-opener-policy')).toBe('same-origin')
    expect(page.header('x-powered-by')).toBeNull()
    expect(page.header('strict-transport-security')).toBeNull()
  })

  it('speaks the language that was chosen, and keeps to it', async () => {
    const browser = new Browser()
    const french = await browser.navigate(world.portal())
    expect(french.text).toContain('<html lang="fr">')
    const english = await browser.click(french, 'English')
    expect(english.text).toContain('<html lang="en">')
    expect((await browser.navigate(world.portal())).text).toContain('<html lang="en">')
    expect((await browser.navigate(world.portal('/nowhere'))).text).toContain('<html lang="en">')
    const odd = await new Browser().navigate(world.portal('/?lang=de&lang=en'))
    expect(odd.text).toContain('<html lang="fr">')
  })
})

describe('/login', () => {
  it('leads a person who is signed in to the front page', async () => {
    const browser = await world.signIn('alice')
    const page = await browser.navigate(world.portal('/login'), { follow: false })
    expect(page.redirect?.href).toBe(world.portal('/'))
  })

  it('signs in a person who is not, and ends at the front page', async () => {
    world.provider.person('eve')
    const page = await new Browser({ language: 'en' }).navigate(world.portal('/login'))
    expect(page.url.href).toBe(world.portal('/'))
    expect(page.visibleText).toContain('Hello Eve')
  })

  it('again=1 asks the provider to ask', async () => {
    const browser = await world.signIn('alice')
    const page = await browser.navigate(world.portal('/login?again=1'), { follow: false })
    expect(page.redirect?.searchParams.get('prompt')).toBe('login')
  })

  it('idp= skips the question, and asks it where there is no such idp', async () => {
    const two = await startTwoIdps()
    const browser = new Browser({ language: 'en' })
    const asked = await browser.navigate(two.portal('/login'))
    expect(asked.forms[0]?.buttons).toHaveLength(2)
    const unknown = await browser.navigate(two.portal('/login?idp=nobody'))
    expect(unknown.forms[0]?.buttons).toHaveLength(2)
    const skipped = await browser.navigate(two.portal('/login?idp=op'), { follow: false })
    expect(skipped.redirect?.origin).toBe(two.op.issuer)
    two.invariants()
    await two.stop()
  })

  it('is not begun by a prefetch, a script or HEAD', async () => {
    const asked = world.provider.requests.length
    const begun = world.events.length
    const replies = [
      await new Browser().navigate(world.portal('/login'), { as: 'prefetch', follow: false }),
      await new Browser().fetch(world.portal('/login'), { follow: false }),
      await new Browser().navigate(world.portal('/login'), { method: 'HEAD', follow: false }),
    ]
    for (const reply of replies) {
      expect(reply.redirect).toBeNull()
      expect(reply.cookiesSet.filter(line => line.includes('-p-'))).toEqual([])
    }
    expect(world.provider.requests.length).toBe(asked)
    expect(world.events.length).toBe(begun)
  })
})

describe('a path of the portal that', () => {
  it.each([
    '/nowhere',
    '/Login',
    '/login/',
    '/LOGOUT',
    '/logout/now',
    '//login',
    '/login;x',
    '/%6cogin',
    '/callback',
    '/metrics',
    '/livez',
    '/readyz',
    '/health',
    '/.passerelle/begin',
    '/.passerelle/enter?t=x',
    '/.git/config',
  ])('is not ours is a page, and no redirect: %s', async path => {
    const browser = new Browser({ language: 'en' })
    const page = await browser.navigate(`${world.portal('')}${path}`, { follow: false })
    expect(page.status).toBe(404)
    expect(page.visibleText).toContain('This page does not exist')
    expect(page.redirect).toBeNull()
    expect(page.cookiesSet).toEqual([])
  })

  it.each([
    ['DELETE', '/'],
    ['PUT', '/login'],
    ['POST', '/'],
    ['POST', '/enter'],
    ['OPTIONS', '/logout'],
    ['TRACE', '/'],
  ])('has no such method does nothing: %s %s', async (method, path) => {
    const raw = rawRequest({ method, target: path, host: `acces.localhost:${world.port}` })
    const { responses } = await rawExchange(world.port, raw, { responses: 1 })
    expect([200, 204, 404, 405]).toContain(responses[0]?.status)
    expect(responses[0]?.headers('set-cookie')).toEqual([])
    if (responses[0]?.status === 200) expect(responses[0].text).not.toContain('<form')
  })
})

describe('a host that', () => {
  it.each(['unknown.localhost', 'localhost', '127.0.0.1', 'app.localhost.evil.test', '[::1]', 'xn--app-0ra.localhost'])(
    'is nobody’s is a page that names it, and no redirect: %s',
    async host => {
      const lines = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
      const { responses } = await rawExchange(
        world.port,
        rawRequest({ host: `${host}:${world.port}`, target: '/', lines }),
        {
          responses: 1,
        },
      )
      expect(responses[0]?.status).toBe(404)
      expect(responses[0]?.header('location')).toBeNull()
      expect(responses[0]?.headers('set-cookie')).toEqual([])
      expect(responses[0]?.text).toContain(host)
    },
  )

  it.each(['APP.localhost', 'app.localhost.', 'App.LocalHost:4711'])(
    'is ours in another spelling is ours: %s',
    async host => {
      const { responses } = await rawExchange(world.port, rawRequest({ host, target: '/pub/x' }), { responses: 1 })
      expect(responses[0]?.status).toBe(200)
    },
  )
})

describe('with TLS', () => {
  let secure: TestGateway
  const { certificate, key } = selfSigned(['acces.localhost', 'app.localhost', 'plain.localhost'])
  beforeAll(async () => {
    secure = await startTestGateway({
      listen: 'tls: { certificate: cert.pem, key: key.pem }',
      files: { 'cert.pem': certificate, 'key.pem': key },
    })
  })
  afterAll(() => secure.stop())

  const ask = (servername: string | undefined, host: string) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port: secure.port,
          path: '/pub/x',
          headers: { Host: `${host}:${secure.port}` },
          ca: certificate,
          checkServerIdentity: () => undefined,
          agent: false,
          ...(servername === undefined ? { servername: '' } : { servername }),
        },
        answer => {
          answer.resume()
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers })
        },
      )
      request.on('error', reject)
      request.end()
    })

  it('a request for the name that the connection was made for is served', async () => {
    expect((await ask('app.localhost', 'app.localhost')).status).toBe(200)
    expect((await ask('APP.localhost', 'app.localhost.')).status).toBe(200)
  })

  it('a request for another of our names on it is 421, whatever that name is', async () => {
    expect((await ask('app.localhost', 'plain.localhost')).status).toBe(421)
    expect((await ask('app.localhost', 'acces.localhost')).status).toBe(421)
    expect((await ask('acces.localhost', 'app.localhost')).status).toBe(421)
  })

  it('a connection that names nobody, as health checks make, is judged by its Host alone', async () => {
    expect((await ask(undefined, 'app.localhost')).status).toBe(200)
  })

  it('HTTP/2 is not offered', async () => {
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const made = connect(
        {
          host: '127.0.0.1',
          port: secure.port,
          servername: 'app.localhost',
          ca: certificate,
          ALPNProtocols: ['h2', 'http/1.1'],
        },
        () => resolve(made),
      )
      made.on('error', reject)
    })
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
  })

  it('plain HTTP on that port gets no answer of anybody’s', async () => {
    const { responses } = await rawExchange(secure.port, rawRequest({ host: 'app.localhost', target: '/pub/x' }))
    expect(responses.map(({ status }) => status)).toEqual([])
    expect(secure.origin.requests.filter(({ url }) => url !== '/pub/x')).toEqual([])
  })
})
