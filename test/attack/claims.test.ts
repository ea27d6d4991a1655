/**
 * HD-11 to HD-13: what an idp says of a person becomes a header of the site. Whoever chooses their own display name must
 * not be able to end the header, add another one, or be somebody else.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from '../stand-in/browser-client.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'
import { type OpenidProvider, startOpenidProvider } from '../stand-in/openid-provider.ts'
import { type Origin, startOrigin } from '../stand-in/origin.ts'

const encodings = ['utf-8', 'latin1', 'percent'] as const

const site = (encoding: string) => `
  - id: ${encoding}
    title: ${encoding}
    at: "http://${encoding}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: signed-in
    identity: { encoding: ${encoding}, headers: { X-Remote-User: "{subject}", X-Name: "{odd}", X-Label: "<{odd}> at {idp}" } }
`

/** Of alice; a test says what the provider asserts from now on. */
const claims: Record<string, unknown> = { odd: '', email: 'alice@campus.example' }

let world: TestGateway
let provider: OpenidProvider
let origin: Origin
beforeAll(async () => {
  provider = await startOpenidProvider({
    host: 'idp.localhost',
    clients: [],
    accounts: [{ name: 'alice', password: 'alice', claims }],
    login: 'auto',
  })
  origin = await startOrigin()
  world = await startTestGateway({ resources: encodings.map(site).join(''), shared: { provider, origin } })
})
beforeEach(() => world.origin.forget())
afterEach(() => world.invariants())
afterAll(async () => {
  await world.stop()
  await Promise.all([provider.stop(), origin.stop()])
})

async function signInWith(value: unknown): Promise<Browser> {
  claims.odd = value
  return world.signIn('alice', 'utf-8')
}

/** What the origin of that site is told; the lines of X-Name, then those of X-Label. */
async function told(browser: Browser, host: (typeof encodings)[number]) {
  const reply = await browser.navigate(world.url(host, '/echo'))
  const seen = world.origin.requests.at(-1)
  return { reply, names: seen?.headers('x-name') ?? [], labels: seen?.headers('x-label') ?? [] }
}

const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8')

describe('HD-11 a hostile claim', () => {
  it.each([
    ['CR LF', 'alice\r\nX-Admin: 1', 'alice%0D%0AX-Admin: 1'],
    ['LF alone', 'alice\nX-Admin: 1', 'alice%0AX-Admin: 1'],
    ['NUL', 'alice\0', 'alice%00'],
    ['escape sequences of a terminal', '\x1b[31malice', '%1B[31malice'],
    ['C1 controls', 'a\x85b', 'a%C2%85b'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a%E2%80%A8b%E2%80%A9c'],
    ['spaces at both ends', '  admin ', '%20%20admin%20'],
    ['a tab at its end', 'admin\t', 'admin%09'],
    ['letters beyond latin1', 'Łukasz 王 😀', 'Łukasz 王 😀'],
    ['a latin1 letter', 'Noël', 'Noël'],
    ['comma and quotes', '"alice", root', '"alice", root'],
  ])('with %s stays one header line, and never raw', async (_, value, shown) => {
    const browser = await signInWith(value)
    const plain = await told(browser, 'utf-8')
    expect(plain.names.map(utf8)).toEqual([shown])
    expect(plain.labels.map(utf8)).toEqual([
      `<${shown.replace(/^(%20)+|(%20)+$/g, run => ' '.repeat(run.length / 3))}> at campus`,
    ])
    const latin1 = await told(browser, 'latin1')
    expect(latin1.names).toHaveLength(1)
    expect(latin1.names[0]).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
    const percent = await told(browser, 'percent')
    expect(percent.names.map(decodeURIComponent)).toEqual([value])
    // Nothing of the claim became a header of its own.
    for (const seen of world.origin.requests) {
      expect(seen.headers('x-remote-user')).toEqual(['alice'])
      expect(seen.header('x-admin')).toBeNull()
    }
  })

  it('of 9 KB is a failure that names the header, not half a value, and the origin is not asked', async () => {
    claims.odd = 'n'.repeat(9_000)
    await expect(world.signIn('alice', 'utf-8')).rejects.toThrow(/502/)
    expect(world.origin.requests).toHaveLength(0)
    expect(world.log.join('')).toContain('identity.unsendable')
    expect(world.log.join('')).toContain('header X-Name would be 9000 bytes')
  })

  it.each([
    ['empty', ''],
    ['a list of nothing', ['', '']],
    ['20 KB long', 'n'.repeat(20_000)],
  ])('that is %s is no header', async (_, value) => {
    const browser = await signInWith(value)
    expect((await told(browser, 'utf-8')).names).toEqual([])
  })
})

describe('HD-12 a claim that is missing', () => {
  it('leaves its headers out, and what the client sent under their names too', async () => {
    const browser = await signInWith(undefined)
    const headers = { 'X-Name': 'root', 'x-label': 'root', X_Name: 'root' }
    const reply = await browser.navigate(world.url('utf-8', '/echo'), { headers })
    expect(reply.status).toBe(200)
    const seen = world.origin.requests.at(-1)
    expect(seen?.header('x-name')).toBeNull()
    expect(seen?.header('x-label')).toBeNull()
    expect(seen?.headers('x-remote-user')).toEqual(['alice'])
  })
})

describe('HD-13 a claim of several values', () => {
  it.each([
    ['a string', 'staff', 'staff'],
    ['a list', ['staff', 'student'], 'staff;student'],
    ['a list with the separator inside a value', ['a;root', 'b'], 'a\\;root;b'],
    ['a list with a backslash before it', ['a\\', 'root'], 'a\\\\;root'],
    ['numbers and truth values', [1, true], '1;true'],
  ])('as %s is joined in the documented way', async (_, value, joined) => {
    expect((await told(await signInWith(value), 'utf-8')).names.map(utf8)).toEqual([joined])
  })

  it.each([
    ['an object', { groups: ['root'] }],
    ['a list of objects', [{ name: 'root' }]],
    ['null', null],
  ])('as %s has no reading, and is no header', async (_, value) => {
    expect((await told(await signInWith(value), 'utf-8')).names).toEqual([])
  })

  it('as ten thousand of them is a failure, not a crash and not a part of them', async () => {
    claims.odd = Array.from({ length: 10_000 }, (_, i) => `group-${i}`)
    await expect(world.signIn('alice', 'utf-8')).rejects.toThrow(/502/)
    expect(world.origin.requests).toHaveLength(0)
    claims.odd = 'staff'
    expect((await told(await signInWith('staff'), 'utf-8')).names).toEqual(['staff'])
  })
})
