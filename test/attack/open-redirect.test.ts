/**
 * OR-01, 02, 06, 07, 09, 12, 14, 15: no address that somebody hands us leads a person away. The large list of strings is
 * other people's work and stays where it lies, beside the repository; without it the strings below still run.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const corpus = join(import.meta.dirname, '../../../shared/corpus/attacks/open-redirects.json')
const listed: readonly string[] = existsSync(corpus)
  ? (JSON.parse(readFileSync(corpus, 'utf8')) as { payloads: { p: string }[] }).payloads.map(({ p }) => p)
  : []

/** SITE stands for host and port of a site of ours. */
const ownStrings = [
  'https://evil.test/',
  '//evil.test/',
  '///evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/\t/evil.test',
  '/%09/evil.test',
  'http:evil.test',
  'http:/evil.test',
  'http:\\\\evil.test',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'http://SITE@evil.test/',
  'http://SITE:80@evil.test/',
  'http://evil.test\\@SITE/',
  'http://evil.test#@SITE/',
  'http://evil.test?@SITE/',
  'http://SITE.evil.test/',
  'http://SITE%2eevil.test/',
  'http://SITE%00.evil.test/',
  'http://SITE\u3002evil.test/',
  'http://evil.test/http://SITE/',
  'http://SITE//evil.test/',
  'http://SITE/\\evil.test',
  'http://SITE/..//evil.test',
  'http://SITE/%2F%2Fevil.test',
  'http://user:pass@SITE/',
  'https://SITE/',
  'ftp://SITE/',
  'ws://SITE/',
  'blob:http://SITE/x',
  ' http://SITE/',
  'http://SITE /',
]

let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps()
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

/** Every string as it is, behind a site of ours, and with one of our hosts where it names a trusted one. */
function strings(): readonly string[] {
  const site = `app.localhost:${world.port}`
  const all = [...ownStrings, ...listed].flatMap(text => [
    text.replaceAll('SITE', site),
    `http://${site}${text}`,
    text.replaceAll(/www\.whitelisteddomain\.tld|whitelisteddomain\.tld/g, site),
  ])
  return [...new Set(all)]
}

/** What a browser would do next must stay with us or the idp. */
function staysHere(reply: Reply, from: string): void {
  const ours = new RegExp(`^http://(acces|app|plain|any|campus)\\.localhost:${world.port}/`)
  for (const hop of [...reply.hops, reply]) {
    if (hop.redirect === null) continue
    const fine = ours.test(hop.redirect.href) || hop.redirect.origin === world.op.issuer
    expect(fine, `${JSON.stringify(from)} led to ${hop.redirect.href}`).toBe(true)
  }
  if (!reply.header('content-type')?.includes('text/html')) return
  for (const { href } of reply.links) {
    const target = new URL(href, reply.url)
    const fine = ours.test(target.href) || target.hostname === 'help.example.org'
    expect(fine, `${JSON.stringify(from)} made a link to ${target.href}`).toBe(true)
  }
}

describe(`an address to go to after sign-in (${listed.length === 0 ? 'the list of the corpus is absent' : `${listed.length} of the corpus`})`, () => {
  it('leads nobody away who signs in for it (OR-01)', async () => {
    let signedIn = 0
    for (const to of strings()) {
      const browser = new Browser()
      const reply = await browser.navigate(world.portal(`/enter?to=${encodeURIComponent(to)}`))
      staysHere(reply, to)
      if (reply.hops.length > 0) {
        signedIn += 1
        expect(reply.url.host, to).toBe(`app.localhost:${world.port}`)
      } else {
        expect(reply.status, to).toBe(404)
        expect(
          reply.links.map(({ href }) => href),
          to,
        ).toContain('/')
      }
    }
    // Some do name our site: a test in which nothing is ever let through would prove nothing.
    expect(signedIn).toBeGreaterThan(listed.length === 0 ? 3 : 10)
  })

  it('leads nobody away who is signed in (OR-01)', async () => {
    const browser = new Browser()
    await browser.navigate(world.url('app', '/echo'))
    const n = 'A'.repeat(43)
    for (const to of strings()) {
      const encoded = encodeURIComponent(to)
      staysHere(await browser.navigate(world.portal(`/enter?to=${encoded}&n=${n}&a=1`), { follow: false }), to)
      staysHere(await browser.navigate(world.portal(`/login?to=${encoded}&rd=${encoded}`), { follow: false }), to)
      const begun = await browser.navigate(world.url('app', `/.passerelle/begin?to=${encoded}`), { follow: false })
      staysHere(begun, to)
      expect(new URL(begun.redirect?.searchParams.get('to') ?? '').host, to).toBe(`app.localhost:${world.port}`)
      staysHere(await browser.navigate(world.url('app', `/.passerelle/framed?to=${encoded}`), { as: 'iframe' }), to)
    }
  })

  it('leads nobody away who signs out (OR-02)', async () => {
    const browser = new Browser()
    for (const to of strings()) {
      const encoded = encodeURIComponent(to)
      for (const path of [`/signed-out?state=${encoded}&o=${encoded}`, `/logout?rd=${encoded}&to=${encoded}`]) {
        const reply = await browser.navigate(world.portal(path), { follow: false })
        staysHere(reply, to)
        expect(reply.redirect).toBeNull()
        expect(reply.header('refresh')).toBeNull()
      }
    }
  })
})

describe('an address of a site of ours', () => {
  it.each([
    ['in capitals', (port: number) => `HTTP://APP.LOCALHOST:${port}/a?b=C`],
    ['with a final dot', (port: number) => `http://app.localhost.:${port}/a?b=C`],
    ['with dots in its path', (port: number) => `http://app.localhost:${port}/x/../a?b=C`],
  ])('%s is written anew, never echoed (OR-09)', async (_, to) => {
    const page = await new Browser().navigate(world.portal(`/enter?to=${encodeURIComponent(to(world.port))}`))
    expect(page.url.href).toBe(world.url('app', '/a?b=C'))
    const begin = page.hops.find(({ redirect }) => redirect?.pathname === '/.passerelle/begin')?.redirect
    expect(begin?.href).toBe(
      world.url('app', `/.passerelle/begin?to=${encodeURIComponent(world.url('app', '/a?b=C'))}`),
    )
  })

  it('on the wrong port or scheme is none', async () => {
    for (const to of ['http://app.localhost/', 'http://app.localhost:1/', `https://app.localhost:${world.port}/`]) {
      expect((await new Browser().navigate(world.portal(`/enter?to=${encodeURIComponent(to)}`))).status, to).toBe(404)
    }
  })

  it('over 2,048 bytes is dropped for the site’s front page by the site, and is none to the portal', async () => {
    const long = world.url('app', `/echo?${'x'.repeat(2048)}`)
    expect((await new Browser().navigate(world.portal(`/enter?to=${encodeURIComponent(long)}`))).status).toBe(404)
    expect((await new Browser().navigate(long)).url.href).toBe(world.url('app', '/'))
  })
})

describe('headers of a proxy that nobody trusts', () => {
  it.each([
    ['X-Forwarded-Host', 'evil.test'],
    ['X-Forwarded-Host', 'app.localhost'],
    ['X-Forwarded-Prefix', '//evil.test'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Port', '4711'],
    ['Forwarded', 'host=evil.test;proto=https'],
    ['X-Original-URL', '//evil.test/'],
    ['X-Rewrite-URL', '//evil.test/'],
  ])('%s: %s changes no address of ours (OR-06, OR-07)', async (name, value) => {
    const options = { headers: { [name]: value }, follow: false } as const
    const browser = new Browser()
    const challenged = await browser.navigate(world.url('app', '/echo'), options)
    expect(challenged.redirect?.origin).toBe(new URL(world.portal()).origin)
    expect(challenged.redirect?.searchParams.get('to')).toBe(world.url('app', '/echo'))
    const begun = await browser.navigate(challenged.redirect ?? '', options)
    expect(begun.redirect?.origin).toBe(world.op.issuer)
    expect(begun.redirect?.searchParams.get('redirect_uri')).toBe(world.portal('/callback/op'))
  })
})

describe('a starting point of zones, which this version does not have (OR-12)', () => {
  it.each([
    '/login?url=https://evil.test/',
    '/login?url=$APP',
    '/login?qurl=https%3A%2F%2Fevil.test%2F',
    '/login/LABEL',
  ])('%s is a page that is not found, whether or not somebody is signed in', async path => {
    const url = world.portal(path.replace('$APP', world.url('app', '/')))
    const reader = new Browser()
    await reader.navigate(world.url('app', '/echo'))
    world.op.asked.length = 0
    for (const browser of [new Browser(), reader]) {
      const page = await browser.navigate(url)
      expect(page.status).toBe(404)
      expect(page.hops).toEqual([])
      staysHere(page, path)
    }
    expect(world.op.asked).toEqual([])
  })
})

describe('line ends in an address (OR-14)', () => {
  it.each([
    '%0d%0aSet-Cookie:%20x=y',
    '%0aSet-Cookie:%20x=y',
    '%E5%98%8A%E5%98%8DSet-Cookie:%20x=y',
    '%250d%250aSet-Cookie: x=y',
  ])('%s add no header', async text => {
    const site = encodeURIComponent(world.url('app', '/'))
    const targets = [
      [`acces.localhost:${world.port}`, `/enter?to=${site}${text}`],
      [`acces.localhost:${world.port}`, `/login?idp=op&again=1&to=${site}${text}`],
      [`app.localhost:${world.port}`, `/.passerelle/begin?to=${site}${text}`],
      [`app.localhost:${world.port}`, `/${text}`],
    ] as const
    for (const [host, target] of targets) {
      const lines = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Connection: close']
      const request = rawRequest({ host, target: target.replaceAll(' ', '%20'), lines })
      const { responses } = await rawExchange(world.port, request)
      expect(responses).toHaveLength(1)
      expect(responses[0]?.headers('set-cookie').filter(line => line.startsWith('x='))).toEqual([])
      expect(responses[0]?.header('location') ?? '').not.toMatch(/[\r\n]/)
    }
  })
})

describe('an address of our own (OR-15)', () => {
  it('is no target: no loop, no logout, a page', async () => {
    const reader = new Browser()
    await reader.navigate(world.url('app', '/echo'))
    const own = [
      ...['/', '/logout', '/login', '/enter', '/callback/op?code=x&state=y', '/signed-out'].map(path =>
        world.portal(path),
      ),
      ...['/.passerelle/enter?t=x', '/.passerelle/begin', '/.passerelle/framed'].map(path => world.url('app', path)),
      world.url('app', '/%2epasserelle/begin'),
    ]
    for (const to of own) {
      for (const browser of [new Browser(), reader]) {
        const page = await browser.navigate(world.portal(`/enter?to=${encodeURIComponent(to)}`))
        expect(page.status, to).toBe(404)
        expect(page.hops, to).toEqual([])
      }
    }
    expect((await reader.fetch(world.url('app', '/echo'))).status).toBe(200)
  })
})
