/** The stand-ins judge everything else, so they are judged first: the cookie rules, the raw client, the recording origin. */
import { afterEach, describe, expect, it } from 'vitest'
import { brokenAnswers, goodAnswer, neverAnswer } from '../stand-in/broken-answers.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { RefusedUpgrade } from '../stand-in/browser-socket.ts'
import { settableClock } from '../stand-in/clock.ts'
import { CookieJar } from '../stand-in/cookie-jar.ts'
import { type Origin, type OriginOptions, startOrigin } from '../stand-in/origin.ts'
import { patternBytes } from '../stand-in/origin-paths.ts'
import { RawConnection, rawExchange } from '../stand-in/raw-client.ts'

const running: Origin[] = []

async function origin(options: OriginOptions = {}): Promise<Origin> {
  const started = await startOrigin(options)
  running.push(started)
  return started
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(started => started.stop()))
})

const at = (url: string) => new URL(url)

describe('the cookie jar', () => {
  const jarWith = (url: string, ...lines: string[]) => {
    const jar = new CookieJar()
    for (const line of lines) jar.receive(at(url), line)
    return jar
  }

  it('keeps a cookie without Domain for its very host (RFC 6265bis §5.7)', () => {
    const jar = jarWith('http://univ.localhost:1/', 'a=1')
    expect(jar.headerFor(at('http://univ.localhost:2/x'), 'same-site')).toBe('a=1')
    expect(jar.headerFor(at('http://www.univ.localhost:1/'), 'same-site')).toBeNull()
  })

  it('sends a Domain cookie to the host and everything under it', () => {
    const jar = jarWith('http://www.univ.localhost/', 'a=1; Domain=.univ.localhost')
    expect(jar.headerFor(at('http://other.univ.localhost/'), 'same-site')).toBe('a=1')
    expect(jar.headerFor(at('http://univ.localhost/'), 'same-site')).toBe('a=1')
    expect(jar.headerFor(at('http://notuniv.localhost/'), 'same-site')).toBeNull()
  })

  it('refuses a Domain that is foreign, and one that is a public suffix', () => {
    const jar = jarWith('http://a.localhost/', 'x=1; Domain=b.localhost', 'y=1; Domain=localhost')
    expect(jar.all()).toEqual([])
    expect(jar.refused.map(({ reason }) => reason)).toEqual([
      'Domain is not this host or above it',
      'Domain is a public suffix',
    ])
  })

  it('accepts Secure on http://*.localhost and nowhere else on http', () => {
    expect(jarWith('http://a.localhost/', 's=1; Secure').all()).toHaveLength(1)
    expect(jarWith('http://127.0.0.1/', 's=1; Secure').all()).toHaveLength(1)
    expect(jarWith('http://site.example/', 's=1; Secure').all()).toHaveLength(0)
  })

  it('deletes by Max-Age=0, and expires by the clock, Max-Age before Expires', () => {
    const clock = settableClock()
    const jar = new CookieJar(clock.now)
    const url = at('http://a.localhost/')
    jar.receive(url, 'short=1; Max-Age=60; Expires=Fri, 01 Jan 2038 00:00:00 GMT')
    jar.receive(url, 'gone=1')
    jar.receive(url, 'gone=; Max-Age=0')
    expect(jar.headerFor(url, 'same-site')).toBe('short=1')
    clock.advance(60_000)
    expect(jar.headerFor(url, 'same-site')).toBeNull()
  })

  it('deletes only a cookie of the same name, domain and path', () => {
    const jar = jarWith('http://a.localhost/x/y', 'a=1; Path=/x', 'a=; Path=/; Max-Age=0')
    expect(jar.all()).toHaveLength(1)
  })

  it('sends the longer path first, then the older cookie (§5.8.3)', () => {
    const jar = jarWith('http://a.localhost/', 'root=1; Path=/', 'deep=1; Path=/x/', 'later=1; Path=/')
    expect(jar.headerFor(at('http://a.localhost/x/y'), 'same-site')).toBe('deep=1; root=1; later=1')
    expect(jar.headerFor(at('http://a.localhost/xy'), 'same-site')).toBe('root=1; later=1')
  })

  it('holds the prefixes to their rules, in any spelling (§4.1.3)', () => {
    const good = jarWith(
      'http://a.localhost/',
      '__Host-a=1; Secure; Path=/',
      '__Http-b=1; Secure; HttpOnly; Path=/; Domain=a.localhost',
      '__Host-Http-c=1; Secure; HttpOnly; Path=/; SameSite=Lax',
      '__Secure-d=1; Secure',
    )
    expect(good.refused).toEqual([])
    const bad = jarWith(
      'http://a.localhost/x/',
      '__Host-a=1; Secure',
      '__host-a=1; Path=/',
      '__Host-a=1; Secure; Path=/; Domain=a.localhost',
      '__Host-Http-c=1; Secure; Path=/',
      '__Http-b=1; Secure',
      '__Secure-d=1',
    )
    expect(bad.all()).toEqual([])
  })

  it('sends Lax with a cross-site navigation by GET, Strict not, and neither with another cross-site request', () => {
    const jar = jarWith('http://a.localhost/', 'lax=1', 'strict=1; SameSite=Strict', 'any=1; SameSite=None; Secure')
    expect(jar.headerFor(at('http://a.localhost/'), 'lax')).toBe('lax=1; any=1')
    expect(jar.headerFor(at('http://a.localhost/'), 'cross-site')).toBe('any=1')
  })
})

describe('the test browser', () => {
  it('follows redirects across hosts, keeps each host to its own cookies, and records every hop', async () => {
    const site = await origin()
    const browser = new Browser()
    const there = `http://b.localhost:${site.port}/cookies?set=${encodeURIComponent('b=2; Secure; Path=/')}`
    await browser.navigate(`http://a.localhost:${site.port}/cookies?set=${encodeURIComponent('a=1; Path=/')}`)
    const reply = await browser.navigate(`http://a.localhost:${site.port}/redirect?to=${encodeURIComponent(there)}`)
    expect(reply.hops.map(hop => hop.status)).toEqual([302])
    expect(reply.url.hostname).toBe('b.localhost')
    expect(site.requests.map(request => request.header('cookie'))).toEqual([null, 'a=1', null])
    expect(browser.cookies('b.localhost')).toMatchObject([{ name: 'b', value: '2', hostOnly: true }])
  })

  it('says no more than its origin after a redirect to another site, and nothing with a body that was passed on', async () => {
    const site = await origin()
    const [a, b] = ['a', 'b'].map(host => `http://${host}.localhost:${site.port}`)
    const over = (to: string, status: number) => `${b}/redirect?status=${status}&to=${encodeURIComponent(to)}`
    const browser = new Browser()
    await browser.navigate(over(`${a}/echo`, 302), { from: `${a}/secret?x=1` })
    await browser.navigate(over(`${a}/echo`, 307), { from: `${a}/secret?x=1`, form: { x: '1' } })
    expect(site.requests.map(request => request.header('referer'))).toEqual(Array(4).fill(`${a}/`))
    expect(site.requests.map(request => request.header('origin'))).toEqual([null, null, a, 'null'])
  })

  it('says what a typed address, a link of another site, a frame and a script are (Fetch Metadata)', async () => {
    const site = await origin()
    const url = `http://a.localhost:${site.port}/echo`
    const browser = new Browser()
    await browser.navigate(url)
    await browser.navigate(url, { from: 'http://b.localhost:1/' })
    await browser.navigate(url, { from: 'http://b.localhost:1/', as: 'iframe' })
    await browser.navigate(url, { as: 'prefetch' })
    await browser.fetch(url)
    const told = site.requests.map(request =>
      ['mode', 'dest', 'site'].map(name => request.header(`sec-fetch-${name}`)).join(' '),
    )
    expect(told).toEqual([
      'navigate document none',
      'navigate document cross-site',
      'navigate iframe cross-site',
      'navigate document none',
      'cors empty same-origin',
    ])
    expect(site.requests[3]?.header('sec-purpose')).toBe('prefetch')
  })

  it('posts a form with Origin, turns 303 into GET, and sends no Lax cookie with a cross-site POST', async () => {
    const site = await origin()
    const base = `http://a.localhost:${site.port}`
    const browser = new Browser()
    browser.jar.plant({ name: 'mine', value: '1', domain: 'a.localhost' })
    const from = 'http://b.localhost:1/page'
    await browser.navigate(`${base}/redirect?status=303&to=/echo`, { form: { x: '1 é' }, from })
    const [post, get] = site.requests
    expect(post).toMatchObject({ method: 'POST', text: 'x=1+%C3%A9' })
    expect(post?.header('origin')).toBe('http://b.localhost:1')
    expect(post?.header('cookie')).toBeNull()
    expect(get).toMatchObject({ method: 'GET', bodyBytes: 0 })
    expect(get?.header('cookie')).toBe('mine=1')
  })

  it('posts Origin: null from a page that says no-referrer', async () => {
    const site = await origin({
      handler: (request, response) => {
        response.setHeader('Referrer-Policy', 'no-referrer')
        response.end(
          request.method === 'GET' ? '<form method="post"><input name="a" value="&lt;1&gt;"></form>' : 'done',
        )
      },
    })
    const browser = new Browser()
    const page = await browser.navigate(`http://a.localhost:${site.port}/form?x=1`)
    const done = await browser.submit(page, { b: '2' })
    expect(done.text).toBe('done')
    expect(site.requests[1]).toMatchObject({ method: 'POST', url: '/form?x=1', text: 'a=%3C1%3E&b=2' })
    expect(site.requests[1]?.header('origin')).toBe('null')
    expect(site.requests[1]?.header('referer')).toBeNull()
  })

  it('sends the button that was pressed, in the form that holds it', async () => {
    const page = `<form action="/one" method="post"><button name="go" value="first">One</button></form>
      <form action="/two" method="post"><input type="hidden" name="t" value="tok"><input type="checkbox" name="c">
      <button name="go" value="second">Two</button><button name="go" value="third">Three</button></form>`
    const site = await origin({ handler: (_request, response) => response.end(page) })
    const browser = new Browser()
    const shown = await browser.navigate(`http://a.localhost:${site.port}/`)
    await browser.submit(shown, {}, 'Three')
    expect(site.requests[1]).toMatchObject({ url: '/two', text: 't=tok&go=third' })
  })

  it('holds a WebSocket with cookies and Origin, and shows an answer that was not 101', async () => {
    const site = await origin()
    const browser = new Browser()
    browser.jar.plant({ name: 'mine', value: '1', domain: 'a.localhost' })
    const socket = await browser.webSocket(`http://a.localhost:${site.port}/ws`)
    socket.send('hello')
    await socket.until('hello')
    await socket.close()
    expect(await socket.closed).toMatchObject({ code: 1000 })
    expect(site.requests[0]?.header('cookie')).toBe('mine=1')
    expect(site.requests[0]?.header('origin')).toBe(`http://a.localhost:${site.port}`)
    const refused = await browser.webSocket(`http://a.localhost:${site.port}/ws?refuse=403`).catch(error => error)
    expect(refused).toBeInstanceOf(RefusedUpgrade)
    expect(refused.reply).toMatchObject({ status: 403, text: 'refused with 403' })
  })

  it('reads an event stream while it lasts, and leaves it', async () => {
    const site = await origin()
    const stream = await new Browser().open(`http://a.localhost:${site.port}/sse?ms=5`)
    await stream.until('data: 2')
    stream.leave()
    expect(await stream.closed).toBe('cut')
    expect((await site.exchange(1)).aborted).toBe(true)
  })

  it('never leaves this machine', async () => {
    await expect(new Browser().navigate('http://example.org/')).rejects.toThrow('stay on loopback')
  })
})

describe('the raw client', () => {
  it('reads pipelined answers in order, and what came before them', async () => {
    const site = await origin()
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    const bytes = `${get('/early-hints')}HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n${get('/stream?pieces=2&ms=1')}`
    const { responses } = await rawExchange(site.port, bytes, { responses: 3, methods: ['GET', 'HEAD', 'GET'] })
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(responses[0]?.interim.map(({ status }) => status)).toEqual([103])
    expect(responses[1]).toMatchObject({ complete: true, body: Buffer.alloc(0) })
    expect(responses[2]).toMatchObject({ text: 'piece 1\npiece 2\n', trailers: ['X-Pieces', '2'] })
  })

  it('sends bytes that no client would, and sees the connection close', async () => {
    const site = await origin()
    const { responses, closed } = await rawExchange(site.port, 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: 1\r\n\r\n')
    expect(responses.map(({ status }) => status)).toEqual([400])
    expect(closed).toBe(true)
    expect(site.rawBytes()).toContain('Bad Name: 1')
  })

  it('tells a short body from a whole one', async () => {
    const short = await origin({ answers: brokenAnswers['a body shorter than its Content-Length'] })
    const { responses } = await rawExchange(short.port, 'GET / HTTP/1.1\r\n\r\n')
    expect(responses[0]).toMatchObject({ complete: false, text: 'seven b' })
  })

  it('returns at the time-out with what it has', async () => {
    const silent = await origin({ answers: neverAnswer })
    const exchange = await rawExchange(silent.port, 'GET / HTTP/1.1\r\n\r\n', { timeoutMs: 20 })
    expect(exchange).toMatchObject({ responses: [], timedOut: true, closed: false })
  })
})

describe('the recording origin', () => {
  it('keeps header lines in their order, spelling and number', async () => {
    const site = await origin()
    const lines = 'Host: a\r\nX-Remote-User: one\r\nx-remote-user: two\r\nX_Remote_User: three'
    await rawExchange(site.port, `GET /a?b HTTP/1.1\r\n${lines}\r\n\r\n`, { responses: 1 })
    const [request] = site.requests
    expect(request?.headers('X-Remote-User')).toEqual(['one', 'two'])
    expect(request?.headerNames()).toEqual(['Host', 'X-Remote-User', 'x-remote-user', 'X_Remote_User'])
  })

  it('hashes the whole body and keeps its beginning; trailers too', async () => {
    const site = await origin({ keepBytes: 4 })
    const head = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    await rawExchange(site.port, `${head}6\r\nabcdef\r\n0\r\nX-Late: 1\r\n\r\n`, { responses: 1 })
    const request = await site.request(1)
    expect(request).toMatchObject({ text: 'abcd', bodyBytes: 6, complete: true, trailers: ['X-Late', '1'] })
    expect(request.bodySha256).toBe('bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721')
  })

  it('notices a client that leaves in its upload', async () => {
    const site = await origin()
    const connection = await RawConnection.open(site.port)
    await connection.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    await site.until(() => site.requests[0]?.bodyBytes === 3)
    connection.reset()
    expect(await site.request(1)).toMatchObject({ aborted: true, complete: false, text: 'abc' })
  })

  it('gives parts of a file (RFC 9110 §14)', async () => {
    const site = await origin()
    const browser = new Browser()
    const url = `http://a.localhost:${site.port}/range?bytes=1000`
    const part = await browser.fetch(url, { headers: { Range: 'bytes=100-199' } })
    expect(part.status).toBe(206)
    expect(part.header('content-range')).toBe('bytes 100-199/1000')
    expect(part.body.equals(patternBytes(100, 200))).toBe(true)
    const end = await browser.fetch(url, { headers: { Range: 'bytes=-10' } })
    expect(end.body.equals(patternBytes(990, 1000))).toBe(true)
    expect((await browser.fetch(url, { headers: { Range: 'bytes=2000-' } })).status).toBe(416)
  })

  it('answers each request of a connection in raw mode, bodies included', async () => {
    const seen: string[] = []
    const site = await origin({
      answers: (socket, request, nth) => {
        seen.push(`${nth} ${request.length}`)
        goodAnswer(socket, request, nth)
      },
    })
    const post = 'POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc'
    const { responses } = await rawExchange(site.port, [post + post.slice(0, 20), post.slice(20)], { responses: 2 })
    expect(responses.map(({ text }) => text)).toEqual(['ok', 'ok'])
    expect(seen).toEqual([`1 ${post.length}`, `2 ${post.length}`])
    expect(site.requests.map(({ text }) => text)).toEqual(['abc', 'abc'])
    expect(site.connections).toHaveLength(1)
  })
})
