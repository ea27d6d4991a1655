/** What a reload leaves alone, what it changes from the next request on, and what it refuses to change (docs/sessions.md B 7). */
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import type { BrowserSocket } from '../stand-in/browser-socket.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'
import { startOrigin } from '../stand-in/origin.ts'
import { answerPath, echoWebSocket } from '../stand-in/origin-paths.ts'
import { RawConnection } from '../stand-in/raw-client.ts'
import { rawRequest } from '../stand-in/raw-request.ts'
import { startRedis } from '../stand-in/redis.ts'

/** What is open is judged anew so often by itself. */
const sweptAfterMs = 15_000
const stopping: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stopping.splice(0).toReversed()) await stop()
})

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const world = await startTestGateway(options)
  stopping.push(world.stop)
  return world
}

/** A change of one text for another, which must be there. */
const change = (from: string | RegExp, to: string) => (yaml: string) => yaml.replace(from, to)

/** Two identity providers, which by the word of the operator name nobody alike. */
const twoIdps: TestGatewayOptions = {
  idps: `
  - id: other
    label: Other
    oidc: { issuer: "http://127.0.0.1:9", clientId: passerelle, clientSecret: "\${env:CLIENT_SECRET}" }
`,
  resources: ['app', 'plain', 'maybe']
    .map(
      id => `
  - id: ${id}
    title: ${id}
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    sharedSubjects: yes
    defaultIdp: campus
    policy: ${id === 'maybe' ? 'optional' : 'signed-in'}
    identity: { headers: { X-Remote-User: "{subject}" } }
`,
    )
    .join(''),
}

const campusGoes = change(/(- id: |defaultIdp: )campus$/gm, '$1campus2')
const campusComes = change(/(- id: |defaultIdp: )campus2$/gm, '$1campus')

/** The section of one resource, from its id to the next one's. */
function within(id: string, edit: (section: string) => string) {
  return (yaml: string) => yaml.replace(new RegExp(`  - id: ${id}\\n(?:    .*\\n)+`), edit)
}

async function adopted(world: TestGateway, edit: (yaml: string) => string): Promise<void> {
  const outcome = await world.reload(edit)
  expect(outcome, world.said.join('')).toBe('adopted')
}

const openHere = async (browser: Browser, world: TestGateway, host: string) =>
  (await browser.navigate(world.url(host, '/echo'), { follow: false })).status

async function answers(socket: BrowserSocket, text: string): Promise<void> {
  socket.send(text)
  await socket.until(text)
}

describe('a reload leaves as they were', () => {
  it('sessions of the memory store, page state, a sign-in half-way, and what was counted', async () => {
    const world = await start()
    world.provider.person('alice')
    const early = new Browser()
    const atProvider = await early.navigate(world.url('app', '/echo?deep=link'), {
      follow: answer => !answer.header('location')?.includes('idp.localhost'),
    })
    const onward = new URL(atProvider.header('location') ?? '')
    const counted = async () => {
      const text = await (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()
      return Number(/^passerelle_sign_ins_total\{idp="campus",result="begun"\} (\d+)$/m.exec(text)?.[1])
    }
    expect(await counted()).toBe(1)

    await adopted(world, change('title: Plain', 'title: Plainer'))
    const arrived = await early.navigate(onward)
    expect(arrived.status).toBe(200)
    expect(arrived.url.href).toBe(world.url('app', '/echo?deep=link'))
    expect(await counted()).toBe(1)

    const page = await early.navigate(world.portal('/logout'))
    await adopted(world, change('title: Plainer', 'title: Plain'))
    expect(await openHere(early, world, 'plain')).toBeLessThan(400)
    // The form token of a page that was made before.
    expect((await early.submit(page, {}, '/logout')).visibleText).not.toContain('form')
    expect(await openHere(early, world, 'app')).toBe(303)
    world.invariants()
  })

  it("a browser's connection, whose next request sees the new configuration", async () => {
    const world = await start()
    const connection = await RawConnection.open(world.port)
    stopping.push(async () => connection.destroy())
    const host = `open.localhost:${world.port}`
    await connection.write(rawRequest({ host, target: '/status' }))
    await connection.until(() => connection.responses.length === 1, 5_000)
    await adopted(
      world,
      within('open', section => section.replace('policy: public', 'policy: signed-in')),
    )
    await connection.write(rawRequest({ host, target: '/status' }))
    await connection.until(() => connection.responses.length === 2, 5_000)
    expect(connection.responses.map(({ status }) => status)).toEqual([200, 401])
    world.invariants()
  })

  it('a request under way: it is finished as it was begun, with the headers and by the limits of then', async () => {
    const second = await startOrigin()
    stopping.push(second.stop)
    let release = () => {}
    const world = await start({
      origin: {
        handler(request, response, recorded) {
          if (request.url !== '/held') return answerPath(request, response, recorded)
          response.write('begun ')
          release = () => response.end(String(request.headers['x-remote-user']))
        },
      },
    })
    const browser = await world.signIn('alice', 'plain')
    const held = await browser.open(world.url('plain', '/held'))
    await held.until('begun')
    await adopted(
      world,
      within('plain', section =>
        section.replace(world.origin.url, second.url).replace('policy: signed-in', 'policy: admins'),
      ),
    )
    release()
    expect(await held.closed).toBe('whole')
    expect(held.text).toBe('begun alice')
    expect((await browser.navigate(world.url('plain', '/echo'))).status).toBe(200)
    expect(second.requests.length).toBe(1)
    world.invariants()
  })

  it('WebSockets and event streams that the new rules allow as well', async () => {
    const world = await start({ origin: { upgrade: echoWebSocket() } })
    const browser = await world.signIn('alice', 'staff')
    await browser.navigate(world.url('app', '/echo'))
    const [socket, visitor] = [
      await browser.webSocket(world.url('staff', '/ws')),
      await new Browser().webSocket(world.url('open', '/ws')),
    ]
    const stream = await browser.open(world.url('app', '/sse?ms=5'))
    for (let round = 0; round < 3; round++) {
      await adopted(world, change(/title: Plain.*/, `title: Plain ${round}`))
      await answers(socket, `round ${round}`)
      await answers(visitor, `round ${round}`)
      const next = `data: ${stream.text.split('data:').length + 2}`
      await stream.until(next)
    }
    await Promise.all([socket.close(), visitor.close()])
    world.invariants()
  })

  it('everything, where it is refused', async () => {
    const world = await start({ origin: { upgrade: echoWebSocket() } })
    const browser = await world.signIn()
    const socket = await browser.webSocket(world.url('app', '/ws'))
    const settings = world.gateway.settings()
    expect(await world.reload(change('policy: admins', 'policy: admin'))).toBe('refused')
    expect(world.gateway.settings()).toBe(settings)
    await answers(socket, 'still here')
    await socket.close()
  })
})

describe('a reload closes', () => {
  const streams: TestGatewayOptions = { origin: { upgrade: echoWebSocket() } }

  it.each<[string, (world: TestGateway, elsewhere: string) => (yaml: string) => string]>([
    [
      'whose site has another policy',
      () => within('plain', section => section.replace('policy: signed-in', 'policy: [{ admin: nobody }]')),
    ],
    [
      'whose path has a rule now',
      () => within('plain', section => `${section}    paths: [{ match: /, policy: [{ admin: nobody }] }]\n`),
    ],
    [
      'whose site admits other identity providers only',
      () => within('plain', section => `${section.replace(/ +defaultIdp.*\n/, '')}    idps: [other]\n`),
    ],
    ['whose site is gone', () => within('plain', () => '')],
    ['whose site is another one', () => within('plain', section => section.replace('- id: plain', '- id: simple'))],
    [
      'whose site moved to another origin',
      (_, elsewhere) => within('plain', section => section.replace(/origin: .*/, `origin: "${elsewhere}"`)),
    ],
    ['whose person signed in at an identity provider that is gone', () => campusGoes],
  ])('at once, a WebSocket and an event stream %s', async (_, edit) => {
    const world = await start({ ...streams, ...twoIdps })
    const browser = await world.signIn('alice', 'plain')
    await browser.navigate(world.url('app', '/echo'))
    const socket = await browser.webSocket(world.url('plain', '/ws'))
    const stream = await browser.open(world.url('plain', '/sse?ms=20'))
    await stream.until('data:')
    const begun = performance.now()
    await adopted(world, edit(world, 'http://127.0.0.1:9'))
    expect(await socket.closed).toMatchObject({ code: 1001 })
    expect(await stream.closed).toBe('cut')
    expect(performance.now() - begun, 'long before the sweep').toBeLessThan(sweptAfterMs / 2)
    world.invariants()
  })

  it.each([
    ['is protected now', within('open', section => section.replace('policy: public', 'policy: signed-in'))],
    ['is gone', within('open', () => '')],
  ])('at once, a WebSocket and an event stream that needed no session, where the site %s', async (_, edit) => {
    const world = await start(streams)
    const socket = await new Browser().webSocket(world.url('open', '/ws'))
    const other = await new Browser().webSocket(world.url('app', '/pub/ws'))
    const stream = await new Browser().open(world.url('open', '/sse?ms=20'))
    await stream.until('data:')
    await adopted(world, edit)
    expect(await socket.closed).toMatchObject({ code: 1001 })
    expect(await stream.closed).toBe('cut')
    await answers(other, 'still here')
    await other.close()
  })

  it('a WebSocket that its site agrees to only after the rules have changed', async () => {
    let agree = () => {}
    const upgrade = echoWebSocket()
    const world = await start({
      origin: {
        upgrade: (request, socket, head, recorded) => {
          agree = () => upgrade(request, socket, head, recorded)
        },
      },
    })
    const browser = await world.signIn('alice', 'plain')
    const opening = browser.webSocket(world.url('plain', '/ws'))
    await world.origin.until(() => world.origin.requests.some(({ upgrade }) => upgrade), 'the handshake')
    await adopted(
      world,
      within('plain', section => section.replace('policy: signed-in', 'policy: [{ admin: nobody }]')),
    )
    agree()
    expect(await (await opening).closed).toMatchObject({ code: 1001 })
  })
})

describe('from the next request on', () => {
  it('a decision that was remembered is made anew, and so are the headers that tell who somebody is', async () => {
    const world = await start()
    const browser = await world.signIn('alice', 'plain')
    for (let i = 0; i < 3; i++) expect(await openHere(browser, world, 'plain')).toBe(200)
    await adopted(
      world,
      within('plain', section =>
        section.replace('X-Remote-User: "{subject}"', 'X-Remote-User: "{subject}", X-Mail: "{email}"'),
      ),
    )
    world.origin.forget()
    expect(await openHere(browser, world, 'plain')).toBe(200)
    expect(world.origin.requests[0]?.header('x-mail')).toBe('alice@campus.example')
    await adopted(world, change('admins: [{ admin: "yes" }]', 'admins: [{ admin: "no" }]'))
    expect((await browser.navigate(world.url('app', '/adm/'))).status).toBe(403)
    await adopted(world, change('admins: [{ admin: "no" }]', 'admins: [{ admin: "yes" }]'))
    expect((await browser.navigate(world.url('app', '/adm/'))).status).toBe(200)
    world.invariants()
  })

  it('a person of an identity provider that is gone is a stranger, and is known again when it is back', async () => {
    const world = await start(twoIdps)
    const browser = await world.signIn('alice', 'app')
    await adopted(world, campusGoes)
    expect(await openHere(browser, world, 'app')).toBe(303)
    expect(await openHere(browser, world, 'maybe')).toBe(200)
    expect(world.origin.requests.at(-1)?.header('x-remote-user')).toBeNull()
    expect((await browser.navigate(world.portal())).text).not.toContain('Alice')
    await adopted(world, campusComes)
    expect(await openHere(browser, world, 'app')).toBe(200)
    // Whoever signs out meanwhile stays signed out.
    const page = await browser.navigate(world.portal('/logout'))
    await adopted(world, campusGoes)
    await browser.submit(page, {}, '/logout')
    await adopted(world, campusComes)
    expect(await openHere(browser, world, 'app')).toBe(303)
    world.invariants()
  })

  it('our own pages are on another host, where the configuration says so, and nowhere else', async () => {
    const world = await start()
    const browser = await world.signIn()
    await adopted(world, yaml => yaml.replaceAll('acces.localhost', 'entree.localhost'))
    expect((await browser.navigate(world.portal())).status).toBe(404)
    const moved = world.portal().replace('acces.', 'entree.')
    expect((await browser.navigate(moved)).status).toBe(200)
    expect(await openHere(browser, world, 'app')).toBe(200)
    const stranger = await new Browser().navigate(world.url('app', '/'), { follow: false })
    expect(stranger.header('location')).toMatch(new RegExp(`^${moved}`))
  })

  it('sessions end as soon as the shorter limit says, and one more fits in the store', async () => {
    const clock = settableClock(Date.now())
    const world = await start({
      surroundings: { now: clock.now, monotonic: clock.now, wall: Date.now },
      store: '{ kind: memory, limit: 1 }',
      session: '  idleTimeout: 60m',
    })
    const browser = await world.signIn()
    await expect(world.signIn('bob')).rejects.toThrow(/503/)
    await adopted(world, change('limit: 1 }', 'limit: 2 }'))
    await world.signIn('bob')
    await adopted(world, change('idleTimeout: 60m', 'idleTimeout: 5m'))
    expect(await openHere(browser, world, 'app')).toBe(200)
    clock.advance(6 * 60_000)
    expect(await openHere(browser, world, 'app')).toBe(303)
  })

  it('secrets that are new sign, those that are gone open nothing', async () => {
    const world = await start({ olderSecrets: ['another secret of the gateway, in no log line either'] })
    const browser = await world.signIn()
    const secrets = (...which: number[]) => `[${which.map(one => `"\${env:SECRET_${one}}"`).join(', ')}]`
    await adopted(world, change(secrets(0, 1), secrets(1, 0)))
    expect(await openHere(browser, world, 'app')).toBe(200)
    const later = await world.signIn('bob')
    await adopted(world, change(secrets(1, 0), secrets(1)))
    expect(await openHere(later, world, 'app')).toBe(200)
    expect(await openHere(browser, world, 'app')).toBe(303)
    world.invariants()
  })

  it('a line for each request is written or not, and less is written at all', async () => {
    const world = await start()
    const lines = () => world.log.filter(line => line.includes('"msg":"request"')).length
    await new Browser().fetch(world.url('open', '/status'))
    const before = lines()
    expect(before).toBeGreaterThan(0)
    await adopted(world, yaml => `${yaml}log: { requests: no, level: error }\n`)
    await new Browser().fetch(world.url('open', '/status'))
    expect(lines()).toBe(before)
    const all = world.log.length
    await adopted(world, change('level: error', 'level: info'))
    expect(world.log.length).toBeGreaterThan(all)
  })

  it('others are reached from another address, by sites and at sign-ins alike', async () => {
    const world = await start({
      more: 'outbound: { localAddress: 127.0.0.1 }',
      origin: { handler: (request, response) => response.end(request.socket.remoteAddress) },
    })
    const visitor = new Browser()
    expect((await visitor.fetch(world.url('open', '/x'))).text).toBe('127.0.0.1')
    await adopted(world, change('localAddress: 127.0.0.1', 'localAddress: 127.0.0.2'))
    expect((await visitor.fetch(world.url('open', '/x'))).text).toBe('127.0.0.2')
    expect((await world.signIn()).cookies('app.localhost')).not.toEqual([])
  })

  it('an operator proves themselves with another secret', async () => {
    const [old, renewed] = ['gJ4mN8pQ2rS6tV9wX3yZ7aB1cD5eF0kH', 'hJ4mN8pQ2rS6tV9wX3yZ7aB1cD5eF0kH']
    const world = await start({ operations: `secret: ${old}` })
    const asks = async (secret: string) =>
      (
        await fetch(`http://127.0.0.1:${world.operationsPort}/sessions/list`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${secret}` },
          body: JSON.stringify({ all: true }),
        })
      ).status
    const before = await asks(old)
    expect([before, await asks(renewed)]).toEqual([before, 401])
    expect(before).not.toBe(401)
    await adopted(world, change(old, renewed))
    expect([await asks(old), await asks(renewed)]).toEqual([401, before])
  })

  it('TLS has the new certificate, and connections that stand go on', async () => {
    const [old, renewed] = [selfSigned(['app.localhost']), selfSigned(['app.localhost'])]
    const files: Record<string, string> = { 'c.pem': old.certificate, 'k.pem': old.key }
    const world = await start({ files, listen: 'tls: { certificate: c.pem, key: k.pem }' })
    const open = () =>
      new Promise<TLSSocket>((resolve, reject) => {
        const socket = connectTls({ port: world.ownPort, servername: 'app.localhost', rejectUnauthorized: false })
        stopping.push(async () => void socket.destroy())
        socket.once('secureConnect', () => resolve(socket))
        socket.once('error', reject)
      })
    const ask = (socket: TLSSocket) =>
      new Promise<string>(resolve => {
        socket.once('data', bytes => resolve(String(bytes).split('\r\n')[0] ?? ''))
        socket.write(`GET /pub/x HTTP/1.1\r\nHost: app.localhost:${world.port}\r\n\r\n`)
      })
    const standing = await open()
    expect(await ask(standing)).toBe('HTTP/1.1 200 OK')
    // One alone does not fit the other.
    files['c.pem'] = renewed.certificate
    expect(await world.reload(yaml => `${yaml}# again\n`)).toBe('refused')
    expect(world.said.at(-1)).toContain('the private key of another certificate')
    expect((await open()).getPeerX509Certificate()?.toString()).toBe(old.certificate)
    files['k.pem'] = renewed.key
    await adopted(world, yaml => `${yaml}# and again\n`)
    expect((await open()).getPeerX509Certificate()?.toString()).toBe(renewed.certificate)
    expect(await ask(standing)).toBe('HTTP/1.1 200 OK')
  })
})

describe('over the Redis store', () => {
  it('sessions go on, and another Redis is refused without a word of its password', async () => {
    const redis = await startRedis()
    stopping.push(redis.stop)
    const world = await start({ store: `{ kind: redis, url: "${redis.url}" }` })
    const browser = await world.signIn()
    await adopted(world, change('title: Plain', 'title: Plainer'))
    expect(await openHere(browser, world, 'app')).toBe(200)
    const password = 'of-the-other-redis'
    expect(await world.reload(change(redis.url, `redis://:${password}@127.0.0.1:9`))).toBe('refused')
    expect(world.said.at(-1)).toMatch(/test\.yaml:\d+:\d+ {2}session\.store\n/)
    expect(world.said.join('') + world.log.join('')).not.toContain(password)
    expect(await openHere(browser, world, 'app')).toBe(200)
  })
})

describe('a reload is refused whole', () => {
  it.each<[string, (yaml: string) => string, string]>([
    [
      'listen.address',
      change(/listen: \{ address: "127.0.0.1:\d+"/, 'listen: { address: "127.0.0.1:1"'),
      'it listens on 127.0.0.1:',
    ],
    [
      'operations.address',
      change(/operations: \{ address: "127.0.0.1:\d+"/, 'operations: { address: "127.0.0.1:1"'),
      'it listens on 127.0.0.1:',
    ],
    [
      'listen.tls',
      change(/listen: \{ (.*) \}/, 'listen: { $1, tls: { certificate: c.pem, key: k.pem } }'),
      'without TLS',
    ],
    [
      'session.store.kind',
      change('kind: memory', 'kind: redis, url: "redis://127.0.0.1:9"'),
      'everybody signs in again',
    ],
  ])('where %s would change, with the line of the key', async (key, edit, says) => {
    const { certificate, key: secret } = selfSigned(['app.localhost'])
    const world = await start({ files: { 'c.pem': certificate, 'k.pem': secret } })
    const settings = world.gateway.settings()
    expect(await world.reload(yaml => edit(yaml).replace('title: Plain', 'title: Other'))).toBe('refused')
    expect(world.said.at(-1)).toMatch(
      new RegExp(`test\\.yaml:[3-9]:\\d+  ${key.replaceAll('.', '\\.')}\\n    cannot change while the gateway runs: `),
    )
    expect(world.said.at(-1)).toContain(says)
    expect(world.said.at(-1)).toContain('one problem')
    expect(world.gateway.settings()).toBe(settings)
  })
})

describe('reloads', () => {
  it('that are asked for while one is under way share the next one, which sees what was written before', async () => {
    const world = await start()
    const before = world.events.filter(({ name }) => name === 'configuration.adopted').length
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => world.reload(change(/title: Plain.*/, `title: Plain ${index}`))),
    )
    expect(outcomes).toEqual(Array(20).fill('adopted'))
    expect(world.events.filter(({ name }) => name === 'configuration.adopted').length - before).toBe(2)
    expect(world.gateway.settings().resources.find(({ id }) => id === 'plain')?.title.en).toBe('Plain 19')
  })

  it('do nothing once the gateway stops', async () => {
    const world = await start()
    const drained = world.gateway.drain()
    const settings = world.gateway.settings()
    expect(await world.reload(change('title: Plain', 'title: Other'))).toBe('stopping')
    expect(world.gateway.settings()).toBe(settings)
    await drained
  })

  it('say nothing of an idp that stays, which is known to be there, keys and all', async () => {
    const world = await start()
    await world.signIn()
    const asked = () => world.events.filter(({ name }) => name === 'idp.up').length
    expect(asked()).toBe(1)
    await adopted(world, change('title: Plain', 'title: Other'))
    await world.signIn('bob')
    expect(asked()).toBe(1)
  })
})
