/** An operator lists and ends sessions of running gateways (SE-07; docs/sessions.md A4, C2). */
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { BrowserSocket } from '../stand-in/browser-socket.ts'
import { startTestGateway } from '../stand-in/gateway.ts'
import { makeSession } from '../stand-in/made-session.ts'
import { patiently, tell, timed } from '../stand-in/measure.ts'
import { type Operator, operations, operatorSecret, startOperator } from '../stand-in/operator.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const status = async (at: TwoIdps, browser: Browser) => (await browser.fetch(at.url('app', '/echo'))).status

async function signedIn(at: TwoIdps, subject = 'alice'): Promise<Browser> {
  const browser = new Browser({ language: 'en' })
  at.op.bends.subject = subject
  const page = await browser.navigate(at.url('app', '/echo'))
  if (page.status !== 200) throw new Error(page.story)
  return browser
}

describe.each([
  ['two gateways on one Redis', true],
  ['a gateway with the memory store', false],
])('at %s', (_, shared) => {
  let a: TwoIdps
  let b: TwoIdps
  let operator: Operator
  let sockets: BrowserSocket[]
  beforeAll(async () => {
    const options = { operations, ...(shared ? { store: `{ kind: redis, url: "${redis.url}" }` } : {}) }
    a = await startTwoIdps(options)
    b = shared ? await startTwoIdps({ ...options, shared: a }, a.op) : a
    operator = await startOperator(a.operationsPort)
  })
  beforeEach(async () => {
    for await (const _ of a.gateway.sessions.endMany({ kind: 'all' }));
    sockets = []
    a.op.reset()
  })
  afterEach(async () => {
    for (const socket of sockets) await socket.close()
    a.invariants()
    b.invariants()
  })
  afterAll(async () => {
    await operator.close()
    if (shared) await b.stop()
    await a.stop()
  })

  /** Signed in, known to both gateways from memory, with a WebSocket open at each. */
  async function everywhere(subject: string): Promise<{ browser: Browser; sockets: BrowserSocket[] }> {
    const browser = await signedIn(a, subject)
    const open: BrowserSocket[] = []
    for (const at of [a, b]) {
      expect(await status(at, browser)).toBe(200)
      open.push(await browser.webSocket(at.url('app', '/ws')))
    }
    sockets.push(...open)
    return { browser, sockets: open }
  }

  const statuses = (browser: Browser) => Promise.all([a, b].map(at => status(at, browser)))
  const isOver = (browser: Browser) =>
    vi.waitFor(async () => expect(await statuses(browser)).toEqual([401, 401]), patiently)

  it('all sessions of a person end within a second, with or without a sid, and nobody else’s (SE-07)', async () => {
    const first = await everywhere('alice')
    a.op.bends.claims = claims => ({ ...claims, sid: undefined })
    const second = await everywhere('alice')
    const bob = await everywhere('bob')
    const { code, out } = await operator.sessions('end', '--person', 'op/alice')
    expect([code, out]).toEqual([0, '2 sessions ended\n'])
    for (const one of [first, second]) {
      await isOver(one.browser)
      for (const socket of one.sockets) expect((await socket.closed).code).toBe(1001)
    }
    expect(await statuses(bob.browser)).toEqual([200, 200])
    for (const socket of bob.sockets) {
      socket.send('still here')
      await socket.until('still here')
    }
    const ended = a.events.filter(event => event.name === 'session.ended' && event.reason === 'administrator')
    expect(ended.length).toBeGreaterThanOrEqual(2)
    const line = JSON.parse(a.log.findLast(text => text.includes('"sessions.ended"')) ?? '')
    expect(line).toMatchObject({ selected: 'person', idp: 'op', count: 2 })
    expect(JSON.stringify(line)).not.toContain('alice')
    // It is no ban.
    expect(await status(a, await signedIn(a))).toBe(200)
  })

  it.each(['--idp=op', '--all'])('%s ends everybody’s, in every process and in one that starts later', async which => {
    const people = [await everywhere('alice'), await everywhere('bob')]
    const campus = await a.signIn('alice', 'campus')
    const { code, out } = await operator.sessions('end', which)
    expect([code, out]).toEqual([0, which === '--all' ? '3 sessions ended\n' : '2 sessions ended\n'])
    for (const { browser, sockets: open } of people) {
      await isOver(browser)
      for (const socket of open) expect((await socket.closed).code).toBe(1001)
    }
    const other = await campus.fetch(a.url('campus', '/echo'))
    expect(other.status).toBe(which === '--all' ? 401 : 200)
    expect(await a.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toEqual([])
    expect(await status(b, await signedIn(a))).toBe(200)
  })

  it('an end holds from its first moment, while the records still stand', async () => {
    const people = [await everywhere('alice'), await everywhere('bob')]
    const campus = await a.signIn('alice', 'campus')
    const work = a.gateway.sessions.endMany({ kind: 'idp', idp: 'op' })
    await work.next()
    for (const { browser, sockets: open } of people) {
      await isOver(browser)
      for (const socket of open) expect((await socket.closed).code).toBe(1001)
    }
    expect((await campus.fetch(a.url('campus', '/echo'))).status).toBe(200)
    if (shared) {
      expect(await redis.admin.keys('pas:{*}:s')).toHaveLength(3)
      const late = await startTwoIdps({ operations, store: `{ kind: redis, url: "${redis.url}" }`, shared: a }, a.op)
      expect(await status(late, people[0]?.browser as Browser)).toBe(401)
      await late.stop()
    }
    // Who signs in from now on is not met by the rest of the work.
    const alice = await signedIn(a)
    let ended = 0
    for await (const piece of work) ended += piece.ended.length
    expect(ended).toBe(2)
    expect(await status(a, alice)).toBe(200)
  })

  it.each(['--person=op/alice', '--idp=op', '--all'])('%s overtakes a sign-in that is under way', async which => {
    const browser = new Browser({ language: 'en' })
    const half = await browser.navigate(a.url('app', '/echo'), {
      follow: hop => hop.redirect?.searchParams.has('r') !== true,
    })
    expect((await operator.sessions('end', which)).code).toBe(0)
    const page = await browser.navigate(half.redirect ?? '')
    expect(page.status).toBe(400)
    expect(await status(a, browser)).toBe(401)
    expect(await a.gateway.sessions.of({ idp: 'op', subject: 'alice' })).toEqual([])
    expect((await browser.click(page, 'Continue to app site')).status).toBe(200)
  })

  it('one session ends by its reference, and is listed no more', async () => {
    const one = await signedIn(a)
    const other = await signedIn(a)
    const { out } = await operator.sessions('list', '--person', 'op/alice', '--json')
    const refs = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(refs).toHaveLength(3)
    expect(Object.keys(refs[0])).toEqual([
      'session',
      'idp',
      'subject',
      'since',
      'used',
      'until',
      'device',
      'browser',
      'network',
    ])
    expect(refs[0]).toMatchObject({ idp: 'op', subject: 'alice', browser: 'Chrome on Linux', network: '127.0.0.0/24' })
    expect(refs[2]).toEqual({ done: true, listed: 2, more: false })
    expect(await operator.sessions('end', '--session', refs[0].session)).toMatchObject({
      code: 0,
      out: 'one session ended\n',
    })
    expect((await operator.sessions('end', '--session', refs[0].session)).out).toBe('0 sessions ended\n')
    await vi.waitFor(async () => {
      const both = await Promise.all([one, other].map(browser => status(b, browser)))
      expect(both.toSorted()).toEqual([200, 401])
    }, patiently)
    expect(JSON.parse((await operator.sessions('list', '--json')).out.trim().split('\n').at(-1) ?? '')).toMatchObject({
      listed: 1,
    })
  })

  it('a list is a table, and steers no terminal', async () => {
    // Not as far as a site: this one would not be let past the tests' own eyes.
    a.op.bends.subject = 'evil\u202e'
    await new Browser().navigate(a.portal('/login?idp=op'))
    await signedIn(a, 'bob')
    const { code, out, err } = await operator.sessions('list', '--idp', 'op')
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^SESSION +PERSON +SINCE \(UTC\) +USED AFTER +BROWSER +NETWORK$/)
    expect(out).toMatch(
      /^[\w-]{43} {2}op\/bob +\d{4}-\d\d-\d\d \d\d:\d\d +\S+ \S+ +Chrome on Linux +127\.0\.0\.0\/24$/m,
    )
    expect(out).toContain('op/evil\\u{202e}')
    expect(out).not.toContain('\u202e')
    expect(err).toBe('2 sessions\n')
    expect((await operator.sessions('list', '--limit', '1')).err).toBe('one session; there are more (--limit)\n')
    expect((await operator.sessions('list', '--idp', 'nobody')).err).toBe('no session\n')
  })
})

describe('the operations listener', () => {
  let world: TwoIdps
  let open: TwoIdps
  beforeAll(async () => {
    world = await startTwoIdps({ operations })
    open = await startTwoIdps()
  })
  afterAll(async () => {
    await world.stop()
    await open.stop()
  })

  interface Told {
    readonly status: number
    readonly text: string
    readonly headers: Readonly<Record<string, unknown>>
  }

  function ask(
    path: string,
    {
      at = world,
      method = 'POST',
      secret = operatorSecret as string | null,
      body = '{"all":true}',
      type = 'application/json',
      from = '127.0.0.1',
      origin = null as string | null,
    } = {},
  ): Promise<Told> {
    return new Promise((resolve, reject) => {
      const headers = {
        'Content-Type': type,
        ...(secret === null ? {} : { Authorization: `Bearer ${secret}` }),
        ...(origin === null ? {} : { Origin: origin }),
      }
      const sent = request(
        { host: '127.0.0.1', localAddress: from, port: at.operationsPort, path, method, headers, agent: false },
        async response => {
          let text = ''
          for await (const chunk of response.setEncoding('utf8')) text += chunk
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers })
        },
      )
      sent.on('error', reject)
      sent.end(method === 'GET' ? undefined : body)
    })
  }

  it('takes commands with its secret, and its other pages stay open without one', async () => {
    expect(await ask('/sessions/list')).toMatchObject({ status: 200, text: '{"done":true,"listed":0,"more":false}\n' })
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await ask(path, { method: 'GET', secret: null })).status).toBe(200)
    }
  })

  it('takes none where no secret is configured, and says so', async () => {
    for (const path of ['/sessions/list', '/sessions/end']) {
      for (const secret of [null, '', operatorSecret]) {
        const { status: code, text } = await ask(path, { at: open, secret })
        expect([code, text]).toEqual([403, '{"error":"no operations.secret is configured, so no command is taken"}\n'])
      }
    }
  })

  it.each([
    ['no secret', { secret: null }, 401],
    ['another secret', { secret: `${operatorSecret}x` }, 401],
    ['an empty one', { secret: '' }, 401],
    ['GET', { method: 'GET' }, 405],
    ['a form', { type: 'application/x-www-form-urlencoded', body: 'all=true' }, 415],
    ['no JSON', { body: '{"all":' }, 400],
    ['an array', { body: '[]' }, 400],
    ['nothing', { body: '{}' }, 400],
    ['two selections', { body: '{"all":true,"idp":"op"}' }, 400],
    ['all: false', { body: '{"all":false}' }, 400],
    ['a person without a subject', { body: '{"person":{"idp":"op"}}' }, 400],
    ['a list for a subject', { body: '{"person":{"idp":"op","subject":["alice"]}}' }, 400],
    ['a reference of another shape', { body: '{"session":"pas:{x}:s"}' }, 400],
    ['a key that there is not', { body: '{"everybody":true}' }, 400],
    ['a limit of half a session', { body: '{"all":true,"limit":0.5}' }, 400],
    ['nine kilobytes', { body: JSON.stringify({ idp: 'x'.repeat(9_000) }) }, 413],
  ])('refuses %s, and ends nothing', async (_, more, expected) => {
    const browser = await signedIn(world)
    for (const path of ['/sessions/end', '/sessions/list']) {
      const { status: code, text } = await ask(path, { from: '127.0.0.2', ...more })
      expect(code).toBe(expected)
      expect(JSON.parse(text)).toEqual({ error: expect.any(String) })
    }
    expect(await status(world, browser)).toBe(200)
    world.invariants()
  })

  it('compares ten wrong secrets of an address in a minute, and then none, not even the right one', async () => {
    const from = '127.0.0.9'
    const codes: number[] = []
    for (let attempt = 0; attempt < 12; attempt++) {
      codes.push((await ask('/sessions/list', { from, secret: `wrong ${attempt}`.replace(' ', '-') })).status)
    }
    expect(codes).toEqual([...Array(10).fill(401), 429, 429])
    const right = await ask('/sessions/list', { from })
    expect([right.status, Number(right.headers['retry-after'])]).toEqual([429, expect.closeTo(6, 0)])
    // Nobody shuts the operator out from elsewhere.
    expect((await ask('/sessions/list', { from: '127.0.0.10' })).status).toBe(200)
    const refused = world.log.filter(line => line.includes('"operations.refused"'))
    expect(JSON.parse(refused.at(-1) ?? '')).toMatchObject({ level: 'warn', client: from, status: 429 })
    expect(world.log.join('')).not.toContain(operatorSecret)
  })

  it('shuts no operator out for what a web page on the same machine sends, under its own name or another', async () => {
    const from = '127.0.0.11'
    // No-cors: a page of any origin may send this, and reads nothing.
    const blind = { from, secret: null, type: 'text/plain', origin: 'https://evil.example' }
    // Its name leads to us by now (DNS rebinding): it may send what it likes.
    const rebound = { from, secret: 'a-guess', origin: `http://evil.example:${world.operationsPort}` }
    for (let attempt = 0; attempt < 12; attempt++) {
      expect((await ask('/sessions/end', blind)).status).toBe(403)
      expect((await ask('/sessions/end', rebound)).status).toBe(403)
      expect((await ask('/sessions/end', { from, secret: null })).status).toBe(401)
    }
    expect((await ask('/sessions/list', { from })).status).toBe(200)
  })
})

describe('the command', () => {
  it('says that nobody answers, that no secret is configured, or that it is the wrong one', async () => {
    const world = await startTwoIdps({ operations })
    const none = await startOperator(1)
    expect(await none.sessions('list')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('127.0.0.1:1 does not answer'),
    })
    const unset = await startOperator(world.operationsPort, null)
    expect(await unset.sessions('list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no operations.secret'),
    })
    const wrong = await startOperator(world.operationsPort, 'what-the-operators-of-another-gateway-keep')
    expect(await wrong.sessions('end', '--all')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('operations.secret must come'),
    })
    const missing = await startOperator(world.operationsPort)
    await missing.close()
    expect(await missing.sessions('list')).toMatchObject({ code: 1, err: expect.stringContaining('passerelle.yaml') })
    for (const one of [none, unset, wrong]) await one.close()
    await world.stop()
  })

  it('says how far it came where the store goes away, and what is shut stays shut', async () => {
    await redis.admin.flushall()
    const world = await startTwoIdps({ operations, store: `{ kind: redis, url: "${redis.url}" }` })
    const operator = await startOperator(world.operationsPort)
    await signedIn(world)
    redis.freeze()
    const { code, err } = await operator.sessions('end', '--all')
    redis.thaw()
    expect(code).toBe(1)
    expect(err).toContain('session.store-down')
    await vi.waitFor(async () => expect(await world.gateway.store.reachable()).toBe(true), patiently)
    expect((await operator.sessions('end', '--all')).code).toBe(0)
    expect(await redis.admin.keys('pas:{*}:s')).toEqual([])
    await operator.close()
    await world.stop()
  })
})

describe('an end of many while a site that wants to be told is silent', () => {
  it('waits for it once, tells the others, and says to the operator what was not told', async () => {
    const heard: string[] = []
    const world = await startTestGateway({
      operations,
      origin: {
        handler(request, response) {
          const host = request.headers.host?.split('.')[0] ?? ''
          if (request.url !== '/bye') return void response.end()
          heard.push(host)
          if (host !== 'deaf') response.end()
        },
      },
      resources: ['deaf', 'well'].map(id => aSite(id, ['logout: { notify: { path: /bye } }'])).join(''),
    })
    const operator = await startOperator(world.operationsPort)
    try {
      const { sessions } = world.gateway
      for (let nth = 0; nth < 201; nth++) {
        const { id, cookieOf } = await makeSession(sessions, `person ${nth}`)
        const sites = nth === 0 ? ['deaf', 'well'] : ['well', nth === 1 ? 'well' : 'deaf']
        for (const site of new Set(sites)) {
          const resumed = await sessions.resume(cookieOf(`${site}.localhost`), `host:${site}.localhost`, 'none')
          if (resumed !== null) sessions.visit(resumed, site)
        }
        expect(new Set(await sessions.visited(id))).toEqual(new Set(sites))
      }
      const { ms, value } = await timed(() => operator.sessions('end', '--all'))
      tell('to end 201 sessions of which 200 visited a dead site', ms)
      expect([value.code, value.out]).toEqual([0, '201 sessions ended\n'])
      expect(value.err).toContain('the site deaf was not told of 200 ends in time: what it keeps of its own may last\n')
      expect(value.err).not.toContain('well')
      expect(heard.filter(host => host === 'well')).toHaveLength(201)
      // One round of what a site is asked at a time: each further one would have taken three seconds more.
      expect(heard.filter(host => host === 'deaf').length).toBeLessThanOrEqual(20)
    } finally {
      await operator.close()
      await world.stop()
    }
  })
})
