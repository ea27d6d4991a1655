/**
 * An idp that fails, when the gateway starts and later. Whoever is signed in notices nothing; whoever wants to sign in reads
 * what happened and has a link that tries again; nobody restarts anything.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AdversarialOp, startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { promised, tell, timed } from '../stand-in/measure.ts'
import { startOpenidProvider } from '../stand-in/openid-provider.ts'
import { startOrigin } from '../stand-in/origin.ts'
import { startRedis } from '../stand-in/redis.ts'
import { timesOf, visit } from '../stand-in/visits.ts'

interface Fault {
  /** Also the name of the idp that has it, and of the site whose people come from there. */
  readonly id: string
  readonly does: string
  readonly begin: (op: AdversarialOp) => unknown
  /** How a new sign-in ends: null, well. */
  readonly ends: { readonly status: number; readonly code: string; readonly log: string } | null
  /** Milliseconds that the fault itself makes a person wait. */
  readonly waitMs: number
}

const faults: readonly Fault[] = [
  {
    id: 'refused',
    does: 'refuses connections',
    begin: op => op.goDown(),
    ends: { status: 503, code: 'idp.unreachable', log: 'ECONNREFUSED' },
    waitMs: 0,
  },
  {
    id: 'silent',
    does: 'takes the request and says nothing',
    begin: op => {
      op.bends.wire.metadata = () => {}
    },
    ends: { status: 503, code: 'idp.unreachable', log: 'no whole answer within 10 s' },
    waitMs: 10_000,
  },
  {
    id: 'broken',
    does: 'answers 500',
    begin: op => {
      op.bends.wire.metadata = (_, response) => void response.writeHead(500).end('<h1>Internal error</h1>')
    },
    ends: { status: 503, code: 'idp.unreachable', log: 'answered 500' },
    waitMs: 0,
  },
  {
    id: 'html',
    does: 'answers 200 with a page about maintenance',
    begin: op => {
      op.bends.wire.metadata = (_, response) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>Back soon</h1>')
    },
    ends: { status: 502, code: 'idp.invalid-answer', log: 'the metadata is not JSON' },
    waitMs: 0,
  },
  {
    id: 'slow',
    does: 'needs two seconds for each answer',
    begin: op => {
      op.bends.lateMs = { metadata: 2_000, token: 2_000, userinfo: 2_000, keys: 2_000 }
    },
    ends: null,
    waitMs: 8_000,
  },
]

/** On top of what a fault costs. */
const spareMs = promised(1_500)

const site = (id: string) => `
  - id: ${id}
    title: { fr: Revue ${id}, en: Journal ${id} }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    idps: [${id}]
    identity: { headers: { X-Remote-User: "{subject}" } }`

const idp = (id: string, op: AdversarialOp) => `
  - id: ${id}
    label: { fr: Service ${id}, en: The ${id} service }
    oidc: { issuer: "${op.issuer}", clientId: ${op.clientId}, clientSecret: "${op.clientSecret}" }`

/** Alice's browser at each site, signed in by its idp. */
type Readers = ReadonlyMap<string, Browser>

const page = '/echo?article=12&view=full'

/** Time passes at both ends at once, and only where a test lets it: cool-downs last, however busy the machine is. */
let offsetMs = 0
/** While it is not null, no time passes. */
let heldAt: number | null = null
const now = () => heldAt ?? performance.timeOrigin + performance.now() + offsetMs

async function startOps(): Promise<ReadonlyMap<string, AdversarialOp>> {
  const started = await Promise.all(faults.map(({ id }) => startAdversarialOp(now).then(op => [id, op] as const)))
  for (const [, op] of started) op.bends.subject = 'alice'
  return new Map(started)
}

async function signInEverywhere(world: TestGateway): Promise<Readers> {
  const readers = new Map<string, Browser>()
  for (const { id } of faults) readers.set(id, await world.signIn('alice', id))
  return readers
}

/** In the order in which they were begun: every idp fails at once. */
const beginAll = (ops: ReadonlyMap<string, AdversarialOp>) =>
  Promise.all(faults.map(({ id, begin }) => begin(ops.get(id) as AdversarialOp)))

async function mend(op: AdversarialOp): Promise<void> {
  op.reset()
  op.bends.subject = 'alice'
  await op.comeUp()
}

/** The page of a sign-in that could not begin, as a person and as an operator see it. */
function expectPage(world: TestGateway, fault: Fault, answer: Reply, language: 'fr' | 'en'): void {
  expect(fault.ends, answer.story).not.toBeNull()
  const { status, code, log } = fault.ends as NonNullable<Fault['ends']>
  expect(answer.status, answer.story).toBe(status)
  expect(answer.url.hostname).toBe('acces.localhost')
  expect(answer.header('cache-control')).toBe('no-store')
  expect(answer.text).toContain(`<html lang="${language}"`)
  expect(answer.visibleText).toContain(language === 'fr' ? `Service ${fault.id}` : `The ${fault.id} service`)
  expect(answer.visibleText).toContain(
    language === 'fr' ? 'La page que vous demandiez est gardée' : 'We have kept the page',
  )
  // It stands still: two redirects led here, and nothing leads on by itself.
  expect(answer.hops.map(hop => hop.status)).toEqual([303])
  expect([answer.header('refresh'), answer.header('location')]).toEqual([null, null])
  expect(answer.cookiesSet.join()).not.toContain('__Host-Http-passerelle=')
  const reference = /<b>([0-9A-HJKMNP-TV-Z]{6})<\/b>/.exec(answer.text)?.[1]
  const line = world.log.find(one => one.includes(`"ref":"${reference}"`))
  expect(line, `the reference ${reference} in the log`).toContain(`"code":"${code}"`)
  expect(line).toContain(log)
  expect(answer.visibleText).not.toContain(log)
}

interface Shown {
  readonly fault: Fault
  readonly browser: Browser
  readonly answer: Reply
}

/** Facts that hold whenever the faults began. */
function facts(given: () => { world: TestGateway; ops: ReadonlyMap<string, AdversarialOp>; readers: Readers }): void {
  const opOf = (fault: Fault) => given().ops.get(fault.id) as AdversarialOp
  /** Pages that people have before them. */
  const shown: Shown[] = []

  describe.concurrent.each(faults)('an idp that $does', fault => {
    it('leaves those alone who are signed in', async () => {
      const { world, readers } = given()
      const answer = await (readers.get(fault.id) as Browser).navigate(world.url(fault.id, '/echo'))
      expect([answer.status, answer.hops.length], answer.story).toEqual([200, 0])
    })

    it.runIf(fault.ends !== null)('is a page for whoever wants to sign in, in French and in English', async () => {
      const { world } = given()
      const first = await timed(() => signIn('fr'))
      expectPage(world, fault, first.value.answer, 'fr')
      tell(`a sign-in at an idp that ${fault.does}: until the page`, first.ms)
      expect(first.ms).toBeLessThan(fault.waitMs + spareMs)
      // While the back-off lasts, nobody waits for the same silence again.
      const second = await timed(() => signIn('en'))
      expectPage(world, fault, second.value.answer, 'en')
      tell(`a sign-in at an idp that ${fault.does}: the next person`, second.ms)
      expect(second.ms).toBeLessThan(spareMs)
      shown.push(second.value)
    })

    it.runIf(fault.ends === null)('takes its time, and signs people in', async () => {
      const { ms, value } = await timed(() => signIn('fr'))
      expect(value.answer.status, value.answer.story).toBe(200)
      expect(ms).toBeGreaterThan(2_000)
      tell(`a sign-in at an idp that ${fault.does}`, ms)
    })

    async function signIn(language: 'fr' | 'en'): Promise<Shown> {
      const browser = new Browser({ language })
      return { fault, browser, answer: await browser.navigate(given().world.url(fault.id, page)) }
    }
  })

  it('is asked once, however many people come while it is down', async () => {
    const { world } = given()
    const fault = faults.find(({ id }) => id === 'broken') as Fault
    offsetMs += 11_000
    const before = opOf(fault).count('metadata')
    // On a busy machine fifty people may take longer than the gateway waits until it asks anew.
    heldAt = now()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => new Browser().navigate(world.url(fault.id, page))),
    )
    heldAt = null
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(503))
    tell('questions to the idp for 50 people', String(opOf(fault).count('metadata') - before))
    expect(opOf(fault).count('metadata') - before).toBe(1)
  })

  it('signs in again as soon as it is back, by the link on that page, at the address that was asked for', async () => {
    const { world, ops } = given()
    expect(shown.map(({ fault }) => fault.id).toSorted()).toEqual(['broken', 'html', 'refused', 'silent'])
    await Promise.all([...ops.values()].map(mend))
    // The longest back-off.
    offsetMs += 10_001
    for (const { fault, browser, answer } of shown) {
      const arrived = await browser.click(answer, 'Try again')
      expect([arrived.status, arrived.url.href], arrived.story).toEqual([200, world.url(fault.id, page)])
    }
  })

  it('let nobody through to a site meanwhile', () => {
    const { world } = given()
    world.invariants()
    expect(world.origin.requests.length).toBeGreaterThan(0)
  })
}

describe('every idp down when the gateway starts', () => {
  let world: TestGateway
  let ops: ReadonlyMap<string, AdversarialOp>
  let readers: Readers
  const cleanups: (() => unknown)[] = []

  /** The store outlives the gateway, and with it the sessions. */
  beforeAll(async () => {
    const redis = await startRedis()
    const provider = await startOpenidProvider({ host: 'idp.localhost', clients: [], accounts: [], login: 'auto' })
    const origin = await startOrigin()
    ops = await startOps()
    cleanups.push(...[...ops.values()].map(op => op.stop), origin.stop, provider.stop, redis.close)
    const options = {
      store: `{ kind: redis, url: "${redis.url}" }`,
      idps: [...ops].map(([id, op]) => idp(id, op)).join(''),
      resources: faults.map(({ id }) => site(id)).join(''),
      shared: { provider, origin },
      surroundings: { now },
    }
    const before = await startTestGateway(options)
    readers = await signInEverywhere(before)
    await before.stop()
    await beginAll(ops)
    const started = await timed(() => startTestGateway(options))
    world = started.value
    tell('a start while every idp fails', started.ms)
    expect(started.ms).toBeLessThan(promised(2_000))
  })
  afterAll(async () => {
    await world?.stop()
    for (const cleanup of cleanups) await cleanup()
  })

  facts(() => ({ world, ops, readers }))
})

describe('every idp down later', () => {
  let world: TestGateway
  let ops: ReadonlyMap<string, AdversarialOp>
  let readers: Readers
  let knocking: Promise<readonly Reply[]> = Promise.resolve([])

  beforeAll(async () => {
    ops = await startOps()
    world = await startTestGateway({
      idps: [...ops].map(([id, op]) => idp(id, op)).join(''),
      resources: faults.map(({ id }) => site(id)).join(''),
      surroundings: { now },
    })
    readers = await signInEverywhere(world)
    await beginAll(ops)
    // Metadata are believed for ten seconds.
    offsetMs += 11_000
  })
  afterAll(async () => {
    await world?.stop()
    for (const op of ops.values()) await op.stop()
  })

  it('makes nobody who is signed in wait, while a hundred people try to sign in', async () => {
    const visitors = {
      port: world.port,
      host: `refused.localhost:${world.port}`,
      path: '/echo',
      cookie: world.cookieOf(readers.get('refused') as Browser, 'refused'),
    }
    const calm = timesOf(await visit(visitors, 400, 4))
    knocking = Promise.all(
      Array.from({ length: 100 }, (_, nth) => {
        const { id } = faults[nth % faults.length] as Fault
        return new Browser().navigate(world.url(id, page))
      }),
    )
    const during = await visit(visitors, 400, 4)
    expect(new Set(during.map(({ status }) => status))).toEqual(new Set([200]))
    tell('p99 of a signed-in reader, before', calm.p99)
    tell('p99 of a signed-in reader, while a hundred sign-ins fail', timesOf(during).p99)
    expect(timesOf(during).p99).toBeLessThan(spareMs)
  })

  facts(() => ({ world, ops, readers }))

  it('ended those hundred sign-ins in no other way', async () => {
    const ends = (await knocking).map(({ status }) => status)
    expect(ends).toEqual(ends.map((_, nth) => (faults[nth % faults.length] as Fault).ends?.status ?? 200))
  })
})
