/** XS-01, XS-02, XS-03, HO-03: what strangers, idps and people’s claims say is text on our pages, whoever asks for them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type RawResponse, rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const hostile = [
  '<xss onload=alert(1)>',
  '"><xss a="',
  "'><xss a='",
  '</title></script><xss>',
  '{{xss}}<%xss%>',
  'javascript:xss(1)',
  '\u2028<xss>\u2029',
  '&lt;xss&gt;<xss',
]

let world: TwoIdps
beforeAll(async () => {
  world = await startTwoIdps({
    resources: `
  - id: app
    title: '<xss title>'
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: [{ email: "nobody@example.org", name: '"><xss rule' }]
    idps: [op]
    identity: { headers: { X-Remote-User: "{subject}" } }`,
    more: `site: { name: '<xss site>', contact: { address: help@example.org } }`,
  })
})
afterEach(() => {
  world.invariants()
  world.op.reset()
})
afterAll(() => world.stop())

/** A page of ours: nothing in it is markup, script, style or address that we did not write, and nothing inline would run. */
function isHarmless(page: Pick<Reply | RawResponse, 'text' | 'header'>, what: string): void {
  expect(page.header('content-type'), what).toBe('text/html; charset=utf-8')
  expect(page.header('x-content-type-options'), what).toBe('nosniff')
  expect(page.header('cache-control'), what).toBe('no-store')
  const policy = page.header('content-security-policy') ?? ''
  expect(policy, what).toContain("default-src 'none'")
  expect(policy, what).not.toMatch(/unsafe|script-src|\*(?!;)/)
  for (const [tag = ''] of page.text.matchAll(/<[^>]*>/g)) {
    // What stands in quotes is a value; a quote that somebody smuggled in would end it too early and be seen here.
    const bare = tag.replaceAll(/"[^"]*"/g, '""')
    expect(bare, what).toMatch(/^<(!doctype html|\/?[a-z][a-z0-9]*( [a-zA-Z0-9-]+(="")?)*\/?)>$/)
    expect(bare, what).not.toMatch(/ (style|on\w+|src|srcdoc|formaction)=/)
    expect(tag, what).not.toMatch(/^<\/?(xss|script|style|iframe|object|embed|base)\b/i)
    expect(tag, what).not.toMatch(/ (href|action)="(?!https?:|mailto:|[/#?])/)
  }
}

const line = encodeURIComponent

describe('what an address says', () => {
  it('is text on the pages of the portal (XS-01)', async () => {
    for (const text of hostile) {
      const paths = [
        `/${line(text)}`,
        `/?lang=${line(text)}`,
        `/login?idp=${line(text)}&to=${line(text)}&again=${line(text)}`,
        `/login?url=${line(text)}`,
        `/enter?to=${line(text)}&n=${line(text)}&a=${line(text)}`,
        `/enter?r=${line(text)}`,
        `/callback/${line(text)}?code=${line(text)}`,
        `/callback/op?code=${line(text)}&state=${line(text)}`,
        `/callback/op?error=${line(text)}&error_description=${line(text)}&state=${line(text)}`,
        `/signed-out?o=${line(text)}&state=${line(text)}`,
        `/logout?${line(text)}=${line(text)}`,
      ]
      for (const path of paths) isHarmless(await new Browser().navigate(world.portal(path)), path)
    }
  })

  it('is text on our pages of a site', async () => {
    for (const text of hostile) {
      const paths = [
        `/.passerelle/${line(text)}`,
        `/.passerelle/enter?t=${line(text)}`,
        `/.passerelle/framed?to=${line(text)}`,
        `/.passerelle/framed?to=${line(world.url('app', `/${text}`))}`,
        `/%00${line(text)}`,
      ]
      for (const path of paths) {
        const page = await new Browser().navigate(world.url('app', path))
        const policy = page.header('content-security-policy') ?? ''
        if (path.startsWith('/.passerelle/framed')) {
          expect(policy).toContain('frame-ancestors *')
          expect(page.text).not.toMatch(/<xss/)
        } else isHarmless(page, path)
      }
      const posted = await new Browser().navigate(world.url('app', `/x?${line(text)}`), { form: { [text]: text } })
      isHarmless(posted, text)
    }
  })
})

describe('what a request says of itself', () => {
  const lines = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Connection: close']

  it('is text: a host that we do not know, and what cannot be a host (HO-03)', async () => {
    for (const host of ['evil.test', 'acces.localhost.evil.test', '"><xss>', 'a b', '<xss>.test', "'><xss a='"]) {
      const { responses } = await rawExchange(world.port, rawRequest({ host, target: '/<xss>', lines }))
      const proper = await rawExchange(world.port, rawRequest({ host, target: '/', lines }))
      for (const answer of [...responses, ...proper.responses]) {
        expect([400, 404]).toContain(answer.status)
        isHarmless(answer, host)
        expect(answer.header('location')).toBeNull()
        expect(answer.text).not.toMatch(new RegExp(`(href|src|action)="[^"]*${host.replaceAll(/[^\w.]/g, '\\$&')}`))
      }
    }
  })

  it('is nowhere: languages, browsers, referrers, methods', async () => {
    for (const text of hostile.filter(one => !/[^\x20-\x7e]/.test(one))) {
      const headers = {
        'Accept-Language': text,
        'User-Agent': text,
        Referer: text,
        'X-Forwarded-For': text,
        Cookie: text,
      }
      const page = await new Browser().navigate(world.portal('/nowhere'), { headers })
      isHarmless(page, text)
      expect(page.text).not.toContain('xss(1)')
    }
    const { responses } = await rawExchange(
      world.port,
      rawRequest({ method: 'PROPFIND', host: `acces.localhost:${world.port}`, lines }),
    )
    isHarmless(responses[0] as RawResponse, 'PROPFIND')
  })
})

describe('what an idp says', () => {
  it('about a person is text wherever the person is named', async () => {
    for (const text of hostile) {
      world.op.bends.claims = claims => ({ ...claims, name: text, given_name: text, family_name: text })
      world.op.bends.userinfo = told => ({ ...told, name: text, email: `${text}@example.org` })
      const browser = new Browser()
      const refused = await browser.navigate(world.url('app', '/'))
      expect(refused.status).toBe(403)
      isHarmless(refused, text)
      const front = await browser.navigate(world.portal('/'))
      isHarmless(front, text)
      expect(front.visibleText).toContain('xss')
      isHarmless(await browser.navigate(world.portal('/logout')), text)
    }
  })

  it('about its failure is on no page at all', async () => {
    for (const text of hostile) {
      world.op.bends.callback = parameters => {
        parameters.delete('code')
        parameters.set('error', 'access_denied')
        parameters.set('error_description', text)
      }
      const page = await new Browser().navigate(world.url('app', '/'))
      isHarmless(page, text)
      expect(page.text).not.toContain('xss(1)')
      expect(page.text).not.toContain('access_denied')
    }
  })
})

describe('an answer without a page', () => {
  it('that redirects has no body at all (XS-02)', async () => {
    for (const text of hostile) {
      const challenged = await new Browser().navigate(world.url('app', `/x?${line(text)}`), { follow: false })
      const begun = await new Browser().navigate(challenged.redirect ?? '', { follow: false })
      for (const hop of [challenged, begun]) {
        expect(hop.status).toBe(303)
        expect(hop.body.length).toBe(0)
        expect(hop.header('location')).not.toMatch(/[<>"'\s]/)
      }
    }
  })

  it('that is JSON says so, and nothing of the request (XS-03)', async () => {
    for (const text of hostile) {
      const replies = [
        await new Browser().fetch(world.url('app', `/x?${line(text)}`)),
        await new Browser().fetch(world.portal(`/${line(text)}`)),
        await new Browser().fetch(world.portal('/logout'), { body: text }),
      ]
      for (const reply of replies) {
        expect(reply.header('content-type')).toBe('application/json; charset=utf-8')
        expect(reply.header('x-content-type-options')).toBe('nosniff')
        expect(reply.text).not.toContain('xss')
      }
    }
  })

  it('that comes from our own files has its type and no sniffing', async () => {
    const own = [
      [world.portal('/passerelle.css'), 'text/css; charset=utf-8'],
      [world.portal('/passerelle.svg'), 'image/svg+xml'],
      [world.url('app', '/.passerelle/passerelle.css'), 'text/css; charset=utf-8'],
    ] as const
    for (const [url, type] of own) {
      const reply = await new Browser().fetch(url)
      expect(reply.status).toBe(200)
      expect(reply.header('content-type')).toBe(type)
      expect(reply.header('x-content-type-options')).toBe('nosniff')
    }
  })
})
