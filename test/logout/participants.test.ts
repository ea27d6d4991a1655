/** Sites that keep sessions of their own are told of the end of ours (SESSIONS A8, 3), on real sockets. */
import type { ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createTellParticipants, logoutHeader } from '../../src/logout/participants.ts'
import { createUnanswered } from '../../src/logout/unanswered.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import { subjectId } from '../../src/model/identity.ts'
import type { TellOptions } from '../../src/model/logout.ts'
import { Secret } from '../../src/model/secret.ts'
import type { EndedSession } from '../../src/model/session.ts'
import { createOutbound } from '../../src/outbound/outbound.ts'
import { createAssertionKeys } from '../../src/session/assertion-keys.ts'
import { anIdentity } from '../policy/a-session.ts'
import { theResources } from '../resource/a-resource.ts'
import { selfSigned } from '../stand-in/certificate.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type Origin, type OriginOptions, startOrigin } from '../stand-in/origin.ts'
import { serverElsewhere, standStill } from '../stand-in/standstill.ts'

const portal = 'https://acces.example.org'
const { published, sign } = createAssertionKeys([new Secret('the secret of the test, which is long enough')])
const identity = anIdentity({ name: ['Anna'] })
const opened: { stop(): Promise<unknown> }[] = []
let events: GatewayEvent[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map(one => one.stop()))
})

async function site(options: OriginOptions = {}): Promise<Origin> {
  const origin = await startOrigin(options)
  opened.push(origin)
  return origin
}

/** @param written resources as in the file, each on a host of its own; all of them want to be told unless they say otherwise */
function telling(written: readonly Record<string, unknown>[], ca: string | null = null) {
  const outbound = createOutbound({ ca, localAddress: null, refused: [] })
  opened.push({ stop: outbound.close })
  const resources = theResources(
    written.map((one, index) => ({
      id: `r${index}`,
      at: `https://r${index}.example.org`,
      logout: { notify: { path: '/bye' } },
      ...one,
    })),
  )
  // Of this test alone: what an earlier one has left in its queues fails when its connections are closed.
  const heard: GatewayEvent[] = []
  events = heard
  const tell = createTellParticipants({
    portal,
    resources,
    tell: outbound.tell,
    sign,
    now: Date.now,
    report: event => heard.push(event),
  })
  return (visited = resources.map(({ id }) => id), options?: TellOptions) =>
    tell({ hash: 'h', identity, keep: {}, device: 'own', visited } satisfies EndedSession, options)
}

const answering = (status: number): OriginOptions => ({
  handler: (_request, response) => void response.writeHead(status, { location: '/elsewhere' }).end(),
})
const silent: OriginOptions = { handler: () => {} }

async function took<Value>(work: Promise<Value>): Promise<{ value: Value; ms: number }> {
  const started = performance.now()
  return { value: await work, ms: performance.now() - started }
}

describe('a site that is told', () => {
  it('hears on its origin, by the configured method and path, who it was, and nothing of anybody’s browser', async () => {
    const origin = await site()
    const tell = telling([
      {
        id: 'courses',
        origin: `${origin.url}/app/`,
        identity: { headers: { 'X-Remote-User': '{subject}', 'X-Name': '{name}', 'X-Missing': '{missing}' } },
        logout: { notify: { path: '/logout.php', method: 'GET' } },
      },
    ])
    expect(await tell()).toEqual({ told: ['courses'], failed: [] })
    const { method, url, rawHeaders, bodyBytes } = await origin.exchange(1)
    expect([method, url, bodyBytes]).toEqual(['GET', '/logout.php', 0])
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase())
    expect(names.toSorted()).toEqual([
      'connection',
      'host',
      'x-forwarded-host',
      'x-forwarded-port',
      'x-forwarded-proto',
      'x-name',
      'x-passerelle-logout',
      'x-remote-user',
    ])
    const [request] = origin.requests
    expect(request?.header('host')).toBe('r0.example.org')
    expect(request?.header('x-remote-user')).toBe('anna')
    expect(request?.header('x-forwarded-proto')).toBe('https')
    expect(request?.header('connection')).toBe('close')
  })

  it('can prove it: a logout token for this site alone, good for two minutes (Back-Channel Logout 1.0 §2.4)', async () => {
    const origin = await site()
    const tell = telling([{ id: 'courses', origin: origin.url }])
    await tell()
    await tell()
    const tokens = origin.requests.map(request => request.header(logoutHeader) ?? '')
    const { payload } = await jwtVerify(tokens[0] ?? '', createLocalJWKSet(JSON.parse(published)), {
      issuer: portal,
      audience: 'courses',
      typ: 'logout+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iat', 'exp', 'jti', 'events', 'sub'],
    })
    expect(payload).toEqual({
      iss: portal,
      aud: 'courses',
      sub: subjectId(identity),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 120,
      jti: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(decodeJwt(tokens[1] ?? '').jti).not.toBe(payload.jti)
    expect(origin.requests[0]?.method).toBe('POST')
    expect(origin.requests[0]?.header('content-length')).toBe('0')
  })

  it('is one that was visited, wants to hear, and is not where the person has just signed out', async () => {
    const origin = await site()
    const tell = telling([
      { origin: `${origin.url}/` },
      { origin: `${origin.url}/` },
      { origin: `${origin.url}/`, logout: {} },
      { origin: `${origin.url}/` },
    ])
    expect(await tell(['r0', 'r1', 'r2', 'gone'], { except: 'r1' })).toEqual({ told: ['r0'], failed: [] })
    expect(origin.requests.map(request => request.header('host'))).toEqual(['r0.example.org'])
    expect(await tell([])).toEqual({ told: [], failed: [] })
    expect(events).toEqual([{ name: 'participant.told', resource: 'r0' }])
  })

  it.each([200, 204, 302, 303])('by an answer of %d counts as told, and no redirect is followed', async status => {
    const origin = await site(answering(status))
    expect(await telling([{ origin: origin.url }])()).toEqual({ told: ['r0'], failed: [] })
    await origin.exchange(1)
    expect(origin.requests).toHaveLength(1)
  })

  it('is reached by its own name where it has TLS, and only with a certificate for that name', async () => {
    const { certificate, key } = selfSigned(['site.localhost'])
    const asked: string[] = []
    const server = createTlsServer({ cert: certificate, key }, (request, response) => {
      asked.push(request.headers.host ?? '')
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    opened.push({ stop: async () => server.close() })
    const { port } = server.address() as AddressInfo
    const tell = telling(
      [{ origin: `https://site.localhost:${port}` }, { origin: `https://other.localhost:${port}` }],
      certificate,
    )
    expect(await tell()).toEqual({ told: ['r0'], failed: ['r1'] })
    expect(asked).toEqual(['r0.example.org'])
    expect(events).toContainEqual(expect.objectContaining({ detail: expect.stringContaining('ALTNAME') }))
  })
})

describe('a gateway that stands still for longer than it waits', () => {
  it('counts those as told that answered meanwhile', async () => {
    const server = await serverElsewhere()
    opened.push(server)
    const outcome = telling(['a', 'b'].map(name => ({ origin: `http://${name}.localhost:${server.port}` })))()
    await server.asked(2)
    server.answer()
    standStill(3_300, server)
    expect(await outcome).toEqual({ told: ['r0', 'r1'], failed: [] })
  })
})

describe('a site that is not told', () => {
  it.each([400, 404, 500, 503])('because it answers %d is named, to the caller and to the operator', async status => {
    const origin = await site(answering(status))
    expect(await telling([{ origin: origin.url }])()).toEqual({ told: [], failed: ['r0'] })
    expect(events).toEqual([
      { name: 'participant.failed', resource: 'r0', detail: `POST ${origin.url}/bye: ${status}` },
    ])
  })

  it('because it is not there, or says what is no HTTP, holds nobody up', async () => {
    const gone = await startOrigin()
    await gone.stop()
    const broken = await site({ answers: socket => socket.end('nonsense\r\n\r\n') })
    const well = await site()
    const { value, ms } = await took(telling([{ origin: gone.url }, { origin: broken.url }, { origin: well.url }])())
    expect(value).toEqual({ told: ['r2'], failed: ['r0', 'r1'] })
    expect(ms).toBeLessThan(2_900)
    const failed = events.flatMap(event => (event.name === 'participant.failed' ? [event.detail] : []))
    expect(failed.toSorted()).toEqual(
      [
        expect.stringMatching(/^POST http:\S+\/bye: .*(ECONNREFUSED|does not match)/),
        expect.stringMatching(/^POST http:\S+\/bye: .*(ECONNREFUSED|does not match)/),
      ].toSorted(),
    )
  })

  it('because it is silent costs three seconds, once, however many there are', async () => {
    const dead = await site(silent)
    const well = await site()
    const written = Array.from({ length: 60 }, (_, index) => ({ origin: index % 2 === 0 ? dead.url : well.url }))
    const { value, ms } = await took(telling(written)())
    expect(ms).toBeGreaterThan(2_900)
    // Two rounds of them, one after the other, would be six.
    expect(ms).toBeLessThan(5_900)
    expect(value.failed).toEqual(
      expect.arrayContaining(written.flatMap((_, index) => (index % 2 === 0 ? [`r${index}`] : []))),
    )
    // Those whose turn has not come are told all the same, later, and in nobody's way.
    await well.until(() => well.requests.length === 30, 'the last of those that answer', 10_000)
  })

  it('because it answers too late is let go after three seconds', async () => {
    const dead = await site(silent)
    await telling([{ origin: dead.url }])()
    await dead.until(() => dead.connections.every(({ open }) => !open), 'the connection to be let go')
    expect(events).toEqual([
      { name: 'participant.failed', resource: 'r0', detail: expect.stringMatching(/no whole answer within 3 s$/) },
    ])
  })
})

describe('many sites', () => {
  it('are told twenty at a time', async () => {
    const waiting: ServerResponse[] = []
    let most = 0
    const origin = await site({
      handler: (_request, response) => {
        waiting.push(response)
        most = Math.max(most, waiting.length)
        // All of a round are there, and whoever comes beyond them has a moment to.
        if (waiting.length === 20)
          setTimeout(() => {
            for (const one of waiting.splice(0)) one.end()
          }, 50)
      },
    })
    const { told } = await telling(Array.from({ length: 60 }, () => ({ origin: origin.url })))()
    expect(told).toHaveLength(60)
    expect(most).toBe(20)
  })

  it('of which one is silent through very many sign-outs are not remembered without end', async () => {
    const dead = await site(silent)
    const tell = telling([{ origin: dead.url }])
    for (let end = 0; end < 1_100; end++) void tell()
    const refused = () =>
      events.filter(event => event.name === 'participant.failed' && /1000 ends wait/.test(event.detail))
    await expect.poll(() => refused().length).toBe(80)
  })

  // Behind the silent one, five times three seconds would pass.
  it('of which one is silent through a hundred sign-outs hear of each at once', async () => {
    const dead = await site(silent)
    const well = await site()
    const tell = telling([{ origin: dead.url }, { origin: well.url }])
    const all = Array.from({ length: 100 }, () => tell())
    const { ms } = await took(well.until(() => well.requests.length === 100, 'every sign-out at the site that answers'))
    expect(ms).toBeLessThan(12_000)
    expect(dead.requests.length).toBeLessThanOrEqual(20)
    await Promise.all(all)
  })
})

describe('a piece of work that ends many sessions', () => {
  const fifty = (tell: ReturnType<typeof telling>, unanswered: ReturnType<typeof createUnanswered>) =>
    Promise.all(Array.from({ length: 50 }, () => tell(undefined, { unanswered })))

  it('waits for a silent site once, however often it comes back to it, and says of each end that it was not told', async () => {
    const [dead, well] = [await site(silent), await site()]
    const tell = telling([{ origin: dead.url }, { origin: well.url }])
    const unanswered = createUnanswered(() => performance.now())
    for (let round = 0; round < 6; round++) {
      const all = await fifty(tell, unanswered)
      for (const { told, failed } of all) expect([told, failed]).toEqual([['r1'], ['r0']])
    }
    // What a site is asked at a time, once: each further round would have taken three seconds more.
    expect(dead.requests.length).toBeLessThanOrEqual(20)
    expect(well.requests).toHaveLength(300)
    const failed = () => events.filter(({ name }) => name === 'participant.failed').length
    await expect.poll(failed).toBe(300)
  })

  it('asks it again after half a minute', async () => {
    const clock = settableClock()
    const gone = await startOrigin()
    await gone.stop()
    const unanswered = createUnanswered(clock.now)
    const tell = telling([{ origin: gone.url }])
    const asked = () =>
      events.filter(event => event.name === 'participant.failed' && !/was not asked/.test(event.detail)).length
    await tell(undefined, { unanswered })
    await tell(undefined, { unanswered })
    clock.advance(29_999)
    await tell(undefined, { unanswered })
    expect(asked()).toBe(1)
    clock.advance(1)
    await tell(undefined, { unanswered })
    expect(asked()).toBe(2)
  })

  it('goes on asking a site that answers, whatever it answers, and one that another piece of work found silent', async () => {
    const unwell = await site(answering(500))
    const tell = telling([{ origin: unwell.url }])
    await fifty(
      tell,
      createUnanswered(() => performance.now()),
    )
    expect(unwell.requests).toHaveLength(50)
    const other = createUnanswered(() => performance.now())
    other.add('r0')
    await tell()
    expect(unwell.requests).toHaveLength(51)
    expect(await tell(undefined, { unanswered: other })).toEqual({ told: [], failed: ['r0'] })
    expect(unwell.requests).toHaveLength(51)
  })
})

describe('an answer without end', () => {
  it('is read to 64 KiB and cut', async () => {
    const origin = await site({
      handler: (_request, response) => {
        const more = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 5)
        response.on('close', () => clearInterval(more))
      },
    })
    const { ms } = await took(
      (async () => {
        expect((await telling([{ origin: origin.url }])()).told).toEqual(['r0'])
        await origin.until(() => origin.connections.every(({ open }) => !open), 'the connection to be cut')
      })(),
    )
    // Before three seconds are over, which would be the end of it in any case.
    expect(ms).toBeLessThan(2_900)
  })
})
