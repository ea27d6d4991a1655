/**
 * A configuration that changes while requests come, without pause and from both sides. PA-16: a path that is closed by a reload is
 * closed to every request that comes after it, and none in between meets half of each. CF-02: a file with a problem changes nothing.
 */
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { percentile, tell, until } from '../stand-in/measure.ts'

/** Two sites of one origin: the path of one, and the header that the other one's site is told, change together. */
const resources = `
  - id: app
    title: Application
    at: "http://app.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { headers: { X-Remote-User: "{subject}", X-Rules: "lax" } }
    paths: [{ match: /adm/, policy: signed-in }]
`
const lax = (yaml: string) => yaml.replace('policy: admins }]', 'policy: signed-in }]').replace('"strict"', '"lax"')
const strict = (yaml: string) => yaml.replace('policy: signed-in }]', 'policy: admins }]').replace('"lax"', '"strict"')

let world: TestGateway
let cookie: string
let agent: Agent
const readers: Reader[] = []
beforeAll(async () => {
  const handler = (asked: IncomingMessage, answer: ServerResponse) => answer.end(String(asked.headers['x-rules']))
  world = await startTestGateway({ resources, origin: { keepBytes: 0, handler } })
  // No admin: what the strict rules keep out.
  cookie = world.cookieOf(await world.signIn('bob'))
  agent = new Agent({ keepAlive: true })
})
afterEach(async () => {
  await Promise.all(readers.splice(0).map(reader => reader.stop()))
})
afterAll(async () => {
  agent?.destroy()
  await world?.stop()
})

interface Asked {
  readonly path: string
  readonly sentAt: number
  readonly answeredAt: number
  /** 0: no whole answer. */
  readonly status: number
  /** By which rules the origin was told that it came; null: it was not asked. */
  readonly rules: string | null
}

interface Reader {
  readonly asked: readonly Asked[]
  readonly stop: () => Promise<void>
}

/** So many at a time, each on its next as soon as it has an answer. */
function read(path: string, atATime: number): Reader {
  const asked: Asked[] = []
  let stopped = false
  const all = Array.from({ length: atATime }, async () => {
    while (!stopped) asked.push(await ask(path))
  })
  const reader = {
    asked,
    async stop() {
      stopped = true
      await Promise.all(all)
    },
  }
  readers.push(reader)
  return reader
}

function ask(path: string): Promise<Asked> {
  const sentAt = performance.now()
  const headers = { Host: `app.localhost:${world.port}`, Cookie: cookie }
  return new Promise(resolve => {
    let text = ''
    const over = (status: number) => {
      const rules = status === 200 ? text : null
      resolve({ path, sentAt, answeredAt: performance.now(), status, rules })
    }
    const sent = request({ port: world.port, host: '127.0.0.1', path, headers, agent }, answer => {
      answer.on('data', piece => (text += String(piece)))
      answer.on('error', () => {})
      answer.on('close', () => over(answer.complete ? (answer.statusCode ?? 0) : 0))
    })
    sent.on('error', () => over(0))
    sent.end()
  })
}

const many = 200

describe('PA-16: a path that becomes stricter under 1,000 requests a second', () => {
  it('is closed to every request that comes when the reload is done; none fails, and none meets half of the rules', async () => {
    const closing = read('/adm/echo', 8)
    const open = read('/echo', 8)
    const switches: { readonly begun: number; readonly done: number; readonly strict: boolean }[] = []
    for (let round = 0; round < 6; round++) {
      const before = closing.asked.length
      await until('traffic', () => closing.asked.length > before + many && open.asked.length > many, 20_000, 2)
      const begun = performance.now()
      expect(await world.reload(round % 2 === 0 ? strict : lax)).toBe('adopted')
      switches.push({ begun, done: performance.now(), strict: round % 2 === 0 })
    }
    const before = closing.asked.length
    await until('traffic after the last reload', () => closing.asked.length > before + many, 20_000, 2)
    await Promise.all([closing.stop(), open.stop()])

    const all = [...closing.asked, ...open.asked]
    const seconds = (Math.max(...all.map(one => one.answeredAt)) - Math.min(...all.map(one => one.sentAt))) / 1000
    tell('requests during six reloads', `${all.length}, ${(all.length / seconds).toFixed(0)} a second`)
    tell(
      'slowest reload',
      percentile(
        switches.map(({ begun, done }) => done - begun),
        1,
      ),
    )
    // The open path is never refused, the closing one is let through or refused: nothing else.
    expect(open.asked.filter(one => one.status !== 200)).toEqual([])
    expect(closing.asked.filter(one => one.status !== 200 && one.status !== 403)).toEqual([])
    // Under the strict rules nobody is let through, so the site hears of lax ones only.
    expect(closing.asked.filter(one => one.rules !== null && one.rules !== 'lax')).toEqual([])
    for (const [index, { done, strict }] of switches.entries()) {
      const next = switches[index + 1]?.begun ?? Number.POSITIVE_INFINITY
      const within = (one: Asked) => one.sentAt > done && one.answeredAt < next
      const came = closing.asked.filter(within)
      expect(came.length).toBeGreaterThan(many / 2)
      expect(came.filter(one => one.status !== (strict ? 403 : 200))).toEqual([])
      expect(open.asked.filter(one => within(one) && one.rules !== (strict ? 'strict' : 'lax'))).toEqual([])
    }
    world.invariants()
  })
})

describe('CF-02: a reload of a file with a problem', () => {
  it('changes nothing: every request is served by the good one, the problems are told, and an event and a metric say so', async () => {
    const traffic = read('/echo', 4)
    await until('traffic', () => traffic.asked.length > many, 20_000, 2)
    const rules = traffic.asked.at(-1)?.rules
    const metric = async (name: string) => {
      const answer = await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)
      return Number(new RegExp(`^passerelle_${name} (\\S+)$`, 'm').exec(await answer.text())?.[1])
    }
    const checksum = await metric('config_checksum')
    expect(await metric('config_last_reload_successful')).toBe(1)
    const whole = world.said.length

    // Each is broken in a way of its own, and would let in somebody else if half of it were taken.
    const broken: readonly [string, (yaml: string) => string, (yaml: string) => string, RegExp][] = [
      [
        'a key that is unknown',
        y => `${y}polices: {}\n`,
        y => y.replace('polices: {}\n', ''),
        /test\.yaml:\d+:\d+ {2}polices\n/,
      ],
      [
        'a policy that nobody has',
        y => y.replace('policy: signed-in\n', 'policy: sined-in\n'),
        y => y.replace('sined-in', 'signed-in'),
        /resources\[0\]\.policy\n.*sined-in/,
      ],
      ['half a file', y => `${y}site: { name: "half`, y => y.replace('site: { name: "half', ''), /test\.yaml:\d+:\d+/],
      [
        'two resources with one host',
        y => y.replace('policies:', 'x-policies:').replace('x-policies:', 'policies:') + second,
        y => y.replace(second, ''),
        /resources/,
      ],
      [
        'a secret that is not there',
        y => y.replace('env:SECRET_0', 'env:SECRET_9'),
        y => y.replace('env:SECRET_9', 'env:SECRET_0'),
        /SECRET_9 is not set/,
      ],
    ]
    for (const [what, breaks, mends, says] of broken) {
      const events = world.events.length
      const readAt = await metric('config_last_reload_success_timestamp_seconds')
      expect(await world.reload(breaks), what).toBe('refused')
      expect(world.said.at(-1), what).toMatch(says)
      expect(world.events.slice(events), what).toContainEqual(
        expect.objectContaining({ name: 'configuration.refused', detail: expect.stringMatching(/^test\.yaml:\d+/) }),
      )
      expect(await metric('config_last_reload_successful'), what).toBe(0)
      expect(await metric('config_checksum'), what).toBe(checksum)
      expect(await metric('config_last_reload_success_timestamp_seconds'), what).toBe(readAt)
      expect(await world.reload(mends), what).toBe('adopted')
      expect(await metric('config_last_reload_successful'), what).toBe(1)
      expect(await metric('config_checksum'), 'the same configuration has the same number').toBe(checksum)
    }
    expect(world.said.length).toBeGreaterThan(whole)
    await traffic.stop()
    expect(traffic.asked.filter(one => one.status !== 200 || one.rules !== rules)).toEqual([])
    world.invariants()
  })
})

const second = `
  - id: twin
    title: Twin
    at: "http://app.localhost:1"
    origin: "http://127.0.0.1:9"
    policy: public
`
