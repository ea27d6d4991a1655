/**
 * LG-01: what a whole life of sessions leaves in the log, in the metrics and in what is reported holds no secret. LG-02: nobody
 * writes lines into the log, or moves the cursor of whoever reads it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { settableClock } from '../stand-in/clock.ts'
import { notedSecrets } from '../stand-in/noted-secrets.ts'
import { rawExchange } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const password = 'the password of the store, in no log line'
const clock = settableClock(Date.now())
let redis: RedisServer
let world: TwoIdps
beforeAll(async () => {
  redis = await startRedis({ password })
  world = await startTwoIdps({
    surroundings: { now: clock.now },
    store: `{ kind: redis, url: "${redis.url}", password: "${password}" }`,
    more: 'log: { level: info }',
  })
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

describe('a life of sessions (LG-01)', () => {
  const secrets = notedSecrets()
  const { note, noteAll } = secrets

  it('leaves no code, token, cookie, ticket, state or secret in log, metrics or events', async () => {
    world.op.bends.tokenAnswer = honest => {
      for (const name of ['access_token', 'id_token', 'refresh_token']) note(`an ${name}`, honest[name])
      return honest
    }
    const answers = world.op.bends.tokenAnswer
    const refused = async (bend: () => void) => {
      bend()
      const reply = noteAll(await new Browser({ language: 'en' }).navigate(app()))
      expect(reply.status).toBeGreaterThanOrEqual(400)
      noteAsked()
      world.op.reset()
      world.op.bends.tokenAnswer = answers
      clock.advance(60_000)
    }
    const noteAsked = () => {
      for (const { form, headers } of world.op.asked) {
        for (const name of ['code', 'code_verifier', 'client_secret'])
          note(`the ${name} sent to the idp`, form.get(name))
        note('credentials sent to the idp', headers.authorization?.split(' ')[1])
      }
    }

    // In, about, out.
    const browser = new Browser({ language: 'en' })
    noteAll(await browser.navigate(app('/echo?token=in-a-query-of-the-site')))
    note('a query of the site', 'in-a-query-of-the-site')
    noteAll(await browser.navigate(world.url('plain', '/echo')))
    const headers = { Authorization: 'Bearer of-the-site-itself', 'X-Api-Key': 'key-of-the-site-itself' }
    await browser.fetch(app(), { headers })
    note('the site’s own credentials', 'of-the-site-itself')
    await browser.webSocket(app('/ws')).then(socket => socket.close())
    const asked = noteAll(await browser.navigate(world.portal('/logout')))
    noteAll(await browser.submit(asked, {}, '/logout'))
    noteAll(await browser.submit(asked, {}, '/logout'))
    noteAsked()

    // By a chooser, with another idp.
    const other = new Browser({ language: 'en' })
    const chooser = noteAll(await other.navigate(world.url('any', '/echo')))
    noteAll(await other.submit(chooser, {}, 'campus'))

    // Refused and failed, each in its way: by what the idp says, and by what it does.
    await refused(() => {
      world.op.bends.claims = claims => ({ ...claims, nonce: 'another' })
    })
    await refused(() => {
      world.op.bends.idToken = async (header, payload) => `${await world.op.sign(header, payload)}x`
    })
    await refused(() => {
      // The idp repeats what it was sent, as some do in their errors.
      world.op.bends.wire.token = (_, response) => {
        const form = world.op.asked.findLast(({ endpoint }) => endpoint === 'token')?.form
        const error_description = `code ${form?.get('code')} with verifier ${form?.get('code_verifier')}`
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ error: 'invalid_grant', error_description }))
      }
    })
    await refused(() => {
      world.op.bends.userinfo = () => ({ sub: 'somebody else' })
    })
    await refused(() => {
      world.op.bends.wire.userinfo = (_, response) => void response.writeHead(500).end('no')
    })
    const stranger = new Browser({ language: 'en' })
    const callback = world.callback(await world.toProvider(new Browser(), app()))
    note('a code', callback.searchParams.get('code'))
    for (const url of [
      callback,
      world.portal('/enter?r=a-reference-that-is-unknown'),
      app('/.passerelle/enter?t=a-ticket'),
    ])
      noteAll(await stranger.navigate(url))
    note('an unknown reference', 'a-reference-that-is-unknown')
    noteAll(await stranger.fetch(app(), { method: 'POST', body: 'password=typed-into-a-form' }))
    note('a form', 'typed-into-a-form')

    // A cookie that was altered, two at once, a page of another, too many.
    const eve = new Browser({ language: 'en' })
    noteAll(await eve.navigate(app()))
    const cookie = world.cookieOf(eve)
    note('a cookie', cookie.split('=')[1])
    await stranger.fetch(app(), { headers: { Cookie: `${cookie.slice(0, -2)}AA` } })
    await stranger.fetch(app(), { headers: { Cookie: `${cookie}; ${world.cookieOf(other, 'any')}` } })
    await rawExchange(
      world.port,
      rawRequest({ host: `app.localhost:${world.port}`, cookie: `${cookie}; ${'x'.repeat(17_000)}` }),
      { responses: 1 },
    )
    await eve.fetch(app(), { method: 'POST', from: 'http://evil.localhost:1/?secret=of-another-page' })
    note('another page’s query', 'of-another-page')

    // Without the store, and with it again.
    await redis.stop()
    clock.advance(31_000)
    noteAll(await eve.navigate(app()))
    noteAll(await eve.navigate(world.portal('/logout')))
    await redis.start()
    await world.gateway.store.reachable()
    noteAsked()

    for (const [what, value] of [
      ['the client secret', world.op.clientSecret],
      ['the store’s password', password],
    ] as const)
      note(what, value)
    expect(secrets.count().kinds).toBeGreaterThan(18)
    expect(secrets.count().secrets).toBeGreaterThan(100)
    expect(world.log.length).toBeGreaterThan(60)
    expect(await secrets.found(world)).toEqual([])
  })
})

describe('what a stranger writes (LG-02)', () => {
  const hostile = '\u001b[2J\u009b2J\n{"level":"error","msg":"forged"}\r\n"},{"msg":"forged"\u2028\u202e\u0000'

  /** Every line that came meanwhile is one JSON object with our own fields, and shows nothing that a terminal would obey. */
  async function linesOf(act: () => Promise<unknown>): Promise<readonly Record<string, unknown>[]> {
    const before = world.log.length
    await act()
    const text = world.log.slice(before).join('')
    expect(text).not.toMatch(/[^\n\x20-\x7e\u00a0-\u1fff\u2010-\u2027\u2030-\u205f\u2070-\ufefe]/)
    const lines = text.split('\n').slice(0, -1)
    expect(lines.length).toBeGreaterThan(0)
    const parsed = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    for (const line of parsed) {
      expect(line.msg).not.toBe('forged')
      expect(['info', 'warn', 'error']).toContain(line.level)
    }
    return parsed
  }

  const raw = (options: Parameters<typeof rawRequest>[0]) =>
    rawExchange(world.port, rawRequest({ ...options, lines: [...(options.lines ?? []), 'Connection: close'] }))
  const host = () => `app.localhost:${world.port}`

  it.each([
    '/%0a{"level":"error","msg":"forged"}',
    '/%0d%0a%1b[2J',
    '/pub/%1b%5b2J%0aforged',
    '/pub/"},{"msg":"forged"',
    '/pub/\u001b[2J',
    '/pub/\u009b2J',
    '/pub/\nforged',
    `/pub/${'a'.repeat(5_000)}`,
  ])('in a path is one line: %j', async target => {
    await linesOf(() => raw({ host: host(), target }))
  })

  it.each([
    'Origin',
    'User-Agent',
    'Referer',
    'X-Forwarded-For',
    'Expect',
    'Upgrade',
    'Accept-Language',
    'Cookie',
    'Host',
  ])('in %s is one line, or none', async name => {
    const browser = new Browser()
    await browser.navigate(app())
    const cookie = world.cookieOf(browser)
    for (const value of [
      '\u009b2J \u0085 "},{"msg":"forged"',
      '"\\u000a{"msg":"forged"}',
      'x\ty',
      hostile.slice(4, 8),
    ]) {
      const lines = [`${name}: ${value}`]
      const named = name === 'Host' ? null : host()
      await linesOf(() => raw({ method: 'POST', host: named, cookie, lines, body: '', target: '/echo' }))
    }
  })

  it('in a claim, a name or a subject is one line, whatever becomes of the sign-in', async () => {
    for (const claims of [
      { name: hostile },
      { sub: `alice${hostile}` },
      { email: hostile },
      { acr: hostile },
      { aud: hostile },
      { iss: hostile },
      { nonce: hostile },
    ]) {
      world.op.bends.claims = honest => ({ ...honest, ...claims })
      world.op.bends.userinfo = honest => ({ ...honest, ...('sub' in claims ? { sub: claims.sub } : {}) })
      await linesOf(async () => {
        const page = await new Browser({ language: 'en' }).navigate(app())
        if (page.status === 200) world.origin.forget()
      })
      world.op.reset()
    }
  })

  it('in an idp’s words is one line', async () => {
    for (const name of ['error', 'error_description', 'error_uri', 'iss']) {
      const there = await world.toProvider(new Browser(), app())
      const state = there.redirect?.searchParams.get('state') ?? ''
      const browser = new Browser({ language: 'en' })
      const mine = await world.toProvider(browser, app())
      const own = mine.redirect?.searchParams.get('state') ?? ''
      for (const [who, which] of [
        [new Browser(), state],
        [browser, own],
      ] as const) {
        const query = new URLSearchParams({ state: which, error: 'access_denied', [name]: hostile })
        await linesOf(() => who.navigate(world.portal(`/callback/op?${query}`)))
      }
    }
    world.op.bends.wire.token = (_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: 'invalid_grant', error_description: hostile }))
    }
    await linesOf(() => new Browser().navigate(app()))
  })
})
