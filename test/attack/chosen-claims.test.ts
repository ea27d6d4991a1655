/**
 * What a person chooses themselves (`take: chosen`), in hostile hands: a cookie that nobody made, or that was made for somebody else; a
 * claim that an idp calls like ours; and a choice on which more depends than the order of a page. The form: forms.test.ts.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

const name = '__Host-Http-passerelle-choice'
const headers = { 'X-Remote-User': '{subject}', 'X-Favourite': '{favourite}', 'X-Candidates': '{candidates}' }

let world: TestGateway
beforeAll(async () => {
  world = await startTestGateway({
    resources: [
      aSite('app', [], { headers }),
      // Against the advice of `check`.
      aSite('ecology', [], { headers, policy: '[{ favourite: INEE }]' }),
      aSite('either', [], { headers, policy: '[{ candidates: INEE }]' }),
    ].join(''),
    more: `
chooser: { remember: always }
claims: { favourite: { from: [affiliation], values: { 53: INSB, 55: INEE, 59: INSMI }, take: chosen } }`,
  })
})
beforeEach(() => {
  world.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
  world.provider.say('bob', { name: 'Bob', affiliation: ['53', '55'] })
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

async function signIn(person: string, browser = new Browser()): Promise<Browser> {
  world.provider.person(person)
  const page = await browser.navigate(world.portal('/login'))
  if (page.url.pathname !== '/') throw new Error(page.story)
  return browser
}
const handle = (page: Reply, value: string) =>
  new RegExp(`name="choice" value="([\\w-]{43})"[^>]*>[^\\n]*<bdi>${value}</bdi>`).exec(page.text)?.[1] ?? ''
async function choose(browser: Browser, value: string): Promise<void> {
  const page = await browser.navigate(world.portal('/'))
  await browser.submit(page, { choice: handle(page, value) }, '/choice')
}
async function heard(browser: Browser): Promise<string | undefined> {
  const page = await browser.navigate(world.url('app', '/echo'))
  if (page.status !== 200) throw new Error(page.story)
  const last = world.origin.requests.at(-1)
  expect(last?.header('x-candidates')).toBeNull()
  return last?.header('x-favourite') ?? undefined
}
const kept = (browser: Browser) => browser.cookies('acces.localhost').find(one => one.name === name)?.value ?? ''
function withCookie(value: string): Browser {
  const browser = new Browser()
  browser.jar.plant({ name, value, domain: 'acces.localhost' })
  return browser
}

describe('a cookie that remembers a choice', () => {
  it('is worth nothing to anybody else, nor on anybody else’s word', async () => {
    const alice = await signIn('alice')
    await choose(alice, 'INEE')
    expect(await heard(alice)).toBe('INEE')
    const stolen = kept(alice)
    expect(await heard(await signIn('alice', withCookie(stolen)))).toBe('INEE')
    expect(await heard(await signIn('bob', withCookie(stolen)))).toBe('INSB')
    // An idp that says INEE of the other one changes nothing: it is not what they chose.
    world.provider.say('bob', { name: 'Bob', affiliation: ['59', '55'] })
    expect(await heard(await signIn('bob', withCookie(stolen)))).toBe('INSMI')
  })

  it('that is forged opens no value, and no page breaks by it', async () => {
    const forged = [
      ...['INEE', 'favourite.INEE', 'A'.repeat(43), Array(8).fill('A'.repeat(43)).join('.'), '"', '%0d%0aX: y', '{}'],
      'A.'.repeat(3_000),
    ]
    for (const value of forged) expect(await heard(await signIn('alice', withCookie(value))), value).toBe('INSB')
  })

  it('chooses nothing that its person does not have any more', async () => {
    const alice = await signIn('alice')
    await choose(alice, 'INEE')
    const old = kept(alice)
    world.provider.say('alice', { name: 'Alice', affiliation: ['53', '59'] })
    const again = await signIn('alice', withCookie(old))
    expect(await heard(again)).toBe('INSB')
    expect((await again.navigate(world.url('ecology', '/echo'))).status).toBe(403)
  })
})

describe('a list to choose from', () => {
  it('is no claim: no rule and no header can see it, and an idp that says a claim of that name fills nothing', async () => {
    world.provider.say('alice', { name: 'Alice', affiliation: ['53'], favourite: ['INEE', 'INSMI'] })
    const alice = await signIn('alice')
    expect(await heard(alice)).toBe('INSB')
    expect((await alice.navigate(world.portal('/'))).text).not.toContain('name="choice"')
    world.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
    const both = await signIn('alice')
    expect((await both.navigate(world.url('either', '/echo'))).status).toBe(403)
  })
})

describe('a site that opens by what a person chose', () => {
  it('opens and closes with it at once, what is open included', async () => {
    const alice = await signIn('alice')
    const status = async () => (await alice.navigate(world.url('ecology', '/echo'))).status
    expect(await status()).toBe(403)
    await choose(alice, 'INEE')
    expect(await status()).toBe(200)
    const socket = await alice.webSocket(world.url('ecology', '/ws'))
    await choose(alice, 'INSB')
    expect(await status()).toBe(403)
    expect((await socket.closed).code).toBe(1001)
  })
})
