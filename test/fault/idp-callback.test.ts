/** An idp that fails while a sign-in is under way: the person is back already, and the tokens or the keys do not come. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AdversarialOp, WireAnswer } from '../stand-in/adversarial-op.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { promised, tell, timed } from '../stand-in/measure.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const page = '/echo?article=12'

/** Time passes only where a test lets it: cool-downs last, however busy the machine is. */
let offsetMs = 0
const begunAt = Date.now()
const now = () => begunAt + offsetMs

let world: TwoIdps
/** Waits for its tokens while the other tests run. */
let silent: TwoIdps
let waiting: Promise<{ readonly ms: number; readonly value: Reply }>
beforeAll(async () => {
  world = await startTwoIdps({ surroundings: { now } })
  silent = await startTwoIdps()
  silent.op.bends.wire.token = () => {}
  waiting = timed(() => new Browser({ language: 'en' }).navigate(silent.url('app', page)))
})
beforeEach(() => world.op.reset())
afterEach(() => world.invariants())
afterAll(async () => {
  await world?.stop()
  await silent?.stop()
})

/** Metadata and keys of the last test are forgotten, and every back-off is over. */
const later = (ms: number) => {
  offsetMs += ms
}

describe.each<[string, AdversarialOp['bends']['wire']]>([
  ['the token endpoint cuts the line', { token: request => void request.socket.destroy() }],
  ['the token endpoint breaks off in its answer', { token: half }],
  ['the token endpoint answers 500', { token: (_, response) => void response.writeHead(500).end('{}') }],
  ['the userinfo endpoint cuts the line', { userinfo: request => void request.socket.destroy() }],
  ['the key endpoint cuts the line, and no key is known', { keys: request => void request.socket.destroy() }],
])('%s', (what, wire) => {
  it('is a page that says so and leads back to the address that was asked for; nobody is signed in', async () => {
    later(2 * 3_600_000)
    world.op.bends.wire = wire
    const browser = new Browser({ language: 'en' })
    const { ms, value: answer } = await timed(() => browser.navigate(world.url('app', page)))
    tell(`${what}: until the page`, ms)
    expect(ms).toBeLessThan(promised(1_500))
    expect([answer.status, answer.url.pathname], answer.story).toEqual([503, '/callback/op'])
    expect(answer.visibleText).toContain('The service “Other provider” does not answer')
    expect(referenceIn(answer)).toMatch(/"code":"idp.unreachable"/)
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).toEqual([])

    world.op.reset()
    later(31_000)
    const again = await browser.click(answer, 'Continue to app site')
    expect([again.status, again.url.href], again.story).toEqual([200, world.url('app', page)])
  })
})

describe('the keys of an idp', () => {
  it('are asked for once in a cool-down, under a thousand forged tokens', async () => {
    later(31_000)
    await signedIn()
    const known = world.op.count('keys')
    world.op.bends.idToken = (header, payload) => forged(header, payload)
    const begun = performance.now()
    const statuses = await Promise.all(Array.from({ length: 20 }, () => forge(50)))
    const seconds = (performance.now() - begun) / 1_000
    expect(statuses.flat()).toEqual(Array(1_000).fill(400))
    const asked = world.op.count('keys') - known
    tell('questions for keys under 1,000 forged tokens', `${asked}, in ${seconds.toFixed(1)} s`)
    expect(asked).toBe(1)

    later(30_001)
    expect(new Set(await forge(20))).toEqual(new Set([400]))
    expect(world.op.count('keys') - known).toBe(2)
  })

  it('serve on while they cannot be fetched; they are asked for once in a cool-down', async () => {
    later(31_000)
    await signedIn()
    const known = world.op.count('keys')
    // Ten minutes later they would be looked at again.
    later(11 * 60_000)
    world.op.bends.wire.keys = request => void request.socket.destroy()
    for (let person = 0; person < 20; person++) await signedIn()
    expect(world.op.count('keys') - known).toBe(1)
    tell('sign-ins with kept keys while the key endpoint is down', '20 of 20')
  })

  it('that were never had cost one question in five seconds while their endpoint is down', async () => {
    later(2 * 3_600_000)
    world.op.bends.wire.keys = request => void request.socket.destroy()
    const statuses = await Promise.all(Array.from({ length: 10 }, () => forge(10)))
    expect(statuses.flat()).toEqual(Array(100).fill(503))
    const asked = world.op.count('keys')
    tell('questions for keys in 100 sign-ins without any', String(asked))
    expect(asked).toBeLessThanOrEqual(2)
  })
})

describe('a token endpoint that says nothing', () => {
  it('is given up after ten seconds, with the same page', async () => {
    const { ms, value: answer } = await waiting
    tell('the token endpoint says nothing: until the page', ms)
    expect(ms).toBeGreaterThan(9_900)
    expect(ms).toBeLessThan(promised(11_500))
    expect([answer.status, answer.url.pathname], answer.story).toEqual([503, '/callback/op'])
    expect(answer.links.map(({ text }) => text)).toContain('Continue to app site')
  })
})

async function signedIn(): Promise<void> {
  const answer = await new Browser().navigate(world.url('app', page))
  expect(answer.status, answer.story).toBe(200)
}

/** Sign-ins one after the other, each up to its callback's answer. */
async function forge(count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) {
    const browser = new Browser()
    const atProvider = await browser.navigate(world.portal('/login?idp=op'), { follow: false })
    statuses.push((await browser.navigate(world.callback(atProvider), { follow: false })).status)
  }
  return statuses
}

/** Right in everything but its signature, and by a key that nobody has heard of. */
function forged(header: Readonly<Record<string, unknown>>, payload: string): string {
  const parts = [JSON.stringify({ ...header, kid: randomUUID() }), payload, 'x'.repeat(256)]
  return parts.map(part => Buffer.from(part).toString('base64url')).join('.')
}

function half(...[, response]: Parameters<WireAnswer>): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"access_token":"', () => response.destroy())
}

/** The line of the log with the reference that the page shows. */
function referenceIn(answer: Reply): string {
  const reference = /<b>([0-9A-HJKMNP-TV-Z]{6})<\/b>/.exec(answer.text)?.[1]
  return world.log.find(line => line.includes(`"ref":"${reference}"`)) ?? `no line with ${reference}`
}
