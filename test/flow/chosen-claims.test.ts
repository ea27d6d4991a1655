/**
 * The favourite that a person chooses (`take: chosen`; docs/sessions.md B 33), at the assembled gateway: on the front page, in what
 * the sites hear, in every process at once, and at the next sign-in where the computer is their own.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import type { TestGateway, TestGatewayOptions } from '../stand-in/gateway.ts'
import { type RedisServer, startRedis } from '../stand-in/redis.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const minute = 60_000
const clock = settableClock()
const choice = '__Host-Http-passerelle-choice'

const told = { headers: { 'X-Remote-User': '{subject}', 'X-Domains': '{domain}', 'X-Favourite': '{favourite}' } }

const options: TestGatewayOptions = {
  // The provider lives in our time; only the limits of sessions have the test’s.
  surroundings: { now: clock.now, wall: Date.now },
  refreshTokens: true,
  session: '  recheck: 15m',
  resources: [
    aSite('app', ['idps: [campus]'], told),
    aSite('notes', ['idps: [campus]', 'logout: { notify: { path: /bye } }'], told),
    aSite('biology', ['idps: [campus]'], { policy: '[{ domain: INSB }]' }),
    aSite('ecology', ['idps: [campus]'], { policy: '[{ domain: INEE }]' }),
  ].join(''),
  more: `
chooser: { remember: ask }
claims:
  domain:
    from: [affiliation]
    values: { 53: INSB, 55: INEE, 59: INSMI }
    labels: { INSB: { fr: sciences biologiques, en: biology } }
  favourite: { from: [affiliation], values: { 53: INSB, 55: INEE, 59: INSMI }, take: chosen }
front: { groupBy: domain }`,
}

let world: TwoIdps
let browser: Browser

beforeAll(async () => {
  world = await startTwoIdps(options)
})
beforeEach(() => {
  world.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
  world.provider.say('bob', { name: 'Bob', affiliation: ['53', '55'] })
  browser = new Browser()
})
afterEach(() => world.invariants())
afterAll(() => world.stop())

/** By the page that asks which account, and whose computer. */
async function signIn(
  remember: 'yes' | 'no',
  person = 'alice',
  one = browser,
  at: TestGateway = world,
): Promise<Reply> {
  at.provider.person(person)
  const asked = await one.navigate(at.portal('/login?choose=1'))
  const page = await one.submit(asked, { idp: 'campus', remember }, '/login')
  if (page.url.pathname !== '/' || page.status !== 200) throw new Error(page.story)
  return page
}
/** At the provider as well: whoever comes next may be somebody else. */
async function signOut(one = browser): Promise<void> {
  one.jar.clear('idp.localhost')
  await one.submit(await one.navigate(world.portal('/logout')), {}, '/logout')
}
const front = (one = browser, at: TestGateway = world) => one.navigate(at.portal('/'))
/** What is offered, in its order, with a star before what is chosen. */
const offered = (page: Reply) =>
  [...page.text.matchAll(/name="choice" value="[\w-]{43}"( checked)?>.*?<bdi>(.*?)<\/bdi>/g)].map(
    ([, checked, value]) => `${checked === undefined ? '' : '*'}${value}`,
  )
const handle = (page: Reply, value: string) =>
  new RegExp(`name="choice" value="([\\w-]{43})"[^>]*>[^\\n]*<bdi>${value}</bdi>`).exec(page.text)?.[1] ?? ''
async function choose(value: string, one = browser, at: TestGateway = world): Promise<Reply> {
  const page = await front(one, at)
  return one.submit(page, { choice: handle(page, value) }, '/choice')
}
/** What a site hears: its favourite, of which domains. */
async function heard(host = 'app', one = browser, at: TestGateway = world): Promise<string> {
  const page = await one.navigate(at.url(host, '/echo'))
  if (page.status !== 200) throw new Error(page.story)
  const last = at.origin.requests.at(-1)
  return `${last?.header('x-favourite')} of ${last?.header('x-domains')}`
}
/** The headings of the groups, the favourite's with its mark. */
const groups = (page: Reply) =>
  [...page.text.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, text = '']) => text.replace(/<[^>]*>/g, '').trim())

describe('a person of two domains', () => {
  it('has the first as the favourite until they choose, and the page to choose on', async () => {
    const page = await signIn('no')
    expect(offered(page)).toEqual(['*INSB', 'INEE'])
    expect(page.visibleText).toContain('Mes domaines')
    expect(page.visibleText).toContain('Changer de favori')
    expect(groups(page)).toEqual(['INSB, sciences biologiques Favori', 'INEE'])
    expect(await heard()).toBe('INSB of INSB;INEE')
  })

  it('chooses the other one, which stands first and is what every site hears from the next request on', async () => {
    await signIn('no')
    expect(await heard('app')).toBe('INSB of INSB;INEE')
    expect(await heard('notes')).toBe('INSB of INSB;INEE')
    const page = await choose('INEE')
    expect([page.status, page.url.href]).toEqual([200, world.portal('/')])
    expect(offered(page)).toEqual(['INSB', '*INEE'])
    expect(groups(page)).toEqual(['INEE Favori', 'INSB, sciences biologiques'])
    expect(await heard('app')).toBe('INEE of INSB;INEE')
    expect(await heard('notes')).toBe('INEE of INSB;INEE')
    expect(world.events.filter(({ name }) => name === 'session.claim-chosen')).toContainEqual({
      name: 'session.claim-chosen',
      claim: 'favourite',
    })
    // Which one it is stands in no log.
    expect(world.log.join('')).not.toMatch(/INEE|INSB/)
  })

  it('is told of with the choice when sites hear that the session is over', async () => {
    await signIn('no')
    await heard('notes')
    await choose('INEE')
    await signOut()
    await expect
      .poll(() =>
        world.origin.requests
          .filter(({ url }) => url === '/bye')
          .at(-1)
          ?.header('x-favourite'),
      )
      .toBe('INEE')
  })

  it('chooses with the keyboard of any browser: one form, without a script, of radio buttons with a name', async () => {
    const page = await signIn('no')
    expect(page.text).toMatch(/<fieldset><legend class="aside">Domaine favori<\/legend>/)
    expect(page.text).not.toContain('<script')
    const english = await browser.navigate(world.portal('/?lang=en'))
    expect(english.visibleText).toMatch(/My domains[\s\S]*Favourite domain[\s\S]*Change favourite/)
    await browser.navigate(world.portal('/?lang=fr'))
  })

  it('of whom the provider says one domain has nothing to choose', async () => {
    world.provider.say('alice', { name: 'Alice', affiliation: ['55'] })
    const page = await signIn('no')
    expect(offered(page)).toEqual([])
    expect(page.visibleText).not.toMatch(/Mes domaines|Favori/)
    expect(await heard()).toBe('INEE of INEE')
  })
})

describe('what nobody offered', () => {
  it('is refused with a page that says so, and changes nothing', async () => {
    await signIn('no')
    await choose('INEE')
    const before = world.events.filter(({ name }) => name === 'session.claim-chosen').length
    for (const sent of ['', 'INSB', 'INSMI', 'A'.repeat(43), 'x\r\nSet-Cookie: a=b', '__proto__', 'é'.repeat(900)]) {
      const page = await browser.submit(await front(), { choice: sent }, '/choice')
      expect([page.status, page.cookiesSet]).toEqual([409, []])
      expect(page.visibleText).toContain('Ce choix n’est pas, ou n’est plus, possible')
      expect(JSON.parse(world.log.at(-1) ?? '')).toMatchObject({ code: 'portal.not-a-choice', status: 409 })
    }
    expect(await heard()).toBe('INEE of INSB;INEE')
    expect(world.events.filter(({ name }) => name === 'session.claim-chosen')).toHaveLength(before)
  })

  it('is what another person has: the handle of a value says nothing of whose it is, and opens nothing', async () => {
    world.provider.say('bob', { name: 'Bob', affiliation: ['59', '55'] })
    const bobs = await signIn('no', 'bob', new Browser())
    await signIn('no')
    const page = await browser.submit(await front(), { choice: handle(bobs, 'INSMI') }, '/choice')
    expect(page.status).toBe(409)
    expect(await heard()).toBe('INSB of INSB;INEE')
  })

  it('is everything to somebody who is not signed in any more', async () => {
    const page = await signIn('no')
    const field = handle(page, 'INEE')
    const other = browser.twin()
    await signOut(other)
    const reply = await browser.submit(page, { choice: field }, '/choice', { follow: false })
    expect([reply.status, reply.redirect?.pathname]).toEqual([303, '/login'])
  })
})

describe('a value that would not survive a form', () => {
  it('is chosen as it is, and reaches the sites as such values do', async () => {
    const odd = await startTwoIdps({
      ...options,
      more: 'claims: { favourite: { from: [affiliation], take: chosen } }\nchooser: { remember: ask }',
    })
    odd.provider.say('alice', { name: 'Alice', affiliation: ['plain', 'two\r\nX-Remote-User: root', ' <b>"é\u0000'] })
    await signIn('no', 'alice', browser, odd)
    const page = await front(browser, odd)
    const [, second = '', third = ''] = [...page.text.matchAll(/name="choice" value="([\w-]{43})"/g)].map(
      ([, one]) => one,
    )
    for (const [handed, expected] of [
      [second, /^two%0D%0AX-Remote-User: root$/i],
      [third, /%00/],
    ] as const) {
      expect((await browser.submit(await front(browser, odd), { choice: handed }, '/choice')).status).toBe(200)
      await browser.navigate(odd.url('app', '/echo'))
      expect(odd.origin.requests.at(-1)?.header('x-favourite')).toMatch(expected)
    }
    odd.invariants(true)
    await odd.stop()
  })
})

describe('on a computer of one’s own', () => {
  it('the next sign-in begins with what was chosen', async () => {
    await signIn('yes')
    await choose('INEE')
    const [kept] = browser.cookies('acces.localhost').filter(({ name }) => name === choice)
    expect(kept?.value).toMatch(/^[\w-]{43}$/)
    await signOut()
    const page = await signIn('yes')
    expect(offered(page)).toEqual(['INSB', '*INEE'])
    expect(await heard()).toBe('INEE of INSB;INEE')
    expect(page.visibleText).toContain('Ce navigateur s’en souvient')
  })

  it('another person begins with their own first one, and a value that somebody lost is as none', async () => {
    await signIn('yes')
    await choose('INEE')
    await signOut()
    expect(offered(await signIn('yes', 'bob'))).toEqual(['*INSB', 'INEE'])
    await signOut()
    world.provider.say('alice', { name: 'Alice', affiliation: ['53', '59'] })
    expect(offered(await signIn('yes'))).toEqual(['*INSB', 'INSMI'])
    expect(await heard()).toBe('INSB of INSB;INSMI')
  })

  it('whoever wants the browser to forget their account has this forgotten too', async () => {
    await signIn('yes')
    const page = await choose('INEE')
    await browser.submit(page, { forget: '1' }, 'forget')
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
    expect(offered(await front())).toEqual(['INSB', '*INEE'])
  })
})

describe('on a shared computer', () => {
  it('nothing stays, also of what was remembered before', async () => {
    await signIn('no')
    const page = await choose('INEE')
    expect(page.visibleText).toContain('Le choix vaut jusqu’à votre déconnexion.')
    // Nobody is asked twice whose computer it is, and a form that says otherwise is not believed.
    expect(page.text).not.toContain('name="remember"')
    await browser.submit(page, { choice: handle(page, 'INEE'), remember: 'yes' }, '/choice')
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
    await signOut()
    expect(offered(await signIn('no'))).toEqual(['*INSB', 'INEE'])
    await signOut()
    await signIn('yes')
    await choose('INEE')
    await signOut()
    expect(offered(await signIn('no'))).toEqual(['*INSB', 'INEE'])
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
  })
})

describe('on a computer that is taken for a shared one', () => {
  it('because a link led past the question, what the browser still remembers is not looked at', async () => {
    await signIn('yes')
    await choose('INEE')
    const [kept] = browser.cookies('acces.localhost').filter(({ name }) => name === choice)
    const other = new Browser()
    other.jar.plant({ name: choice, value: kept?.value ?? '', domain: 'acces.localhost' })
    const page = await other.navigate(world.portal('/login?idp=campus'))
    expect(offered(page)).toEqual(['*INSB', 'INEE'])
    expect(await heard('app', other)).toBe('INSB of INSB;INEE')
  })
})

describe('where nobody is asked whose computer it is', () => {
  it('the form itself asks, and remembers for who says that it is theirs', async () => {
    const one = await startTwoIdps(options)
    const sole = await one.reload(yaml => yaml.replace(/\n {2}- id: op[\s\S]*?frontChannel: .*/, ''))
    expect(sole).toBe('adopted')
    one.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
    const start = async () => {
      one.provider.person('alice')
      return browser.navigate(one.portal('/login'))
    }
    expect((await start()).visibleText).toContain('J’utilise mon propre ordinateur')
    await choose('INEE', browser, one)
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
    const page = await front(browser, one)
    await browser.submit(page, { choice: handle(page, 'INEE'), remember: 'yes' }, '/choice')
    await browser.submit(await browser.navigate(one.portal('/logout')), {}, '/logout')
    const again = await start()
    expect(offered(again)).toEqual(['INSB', '*INEE'])
    expect(again.text).toContain('name="remember" value="yes" checked')
    // As it stands it stays marked; unmarked, the choice is forgotten.
    await choose('INEE', browser, one)
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).toContain(choice)
    const form = again.forms.find(({ action }) => action.endsWith('/choice'))?.fields ?? []
    const unmarked = form.filter(([name]) => name !== 'remember')
    expect(unmarked).toHaveLength(form.length - 1)
    await browser.navigate(one.portal('/choice'), { form: unmarked, from: again })
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
    one.invariants()
    await one.stop()
  })
})

describe('a provider that is asked again', () => {
  const next = async (act: () => Promise<unknown>) => {
    const outcomes = () => world.events.flatMap(event => (event.name === 'session.rechecked' ? [event.outcome] : []))
    const before = outcomes().length
    await act()
    await expect.poll(() => outcomes().length).toBe(before + 1)
    return outcomes().at(-1)
  }

  it('leaves the choice as long as it still says that value, and takes it away with it', async () => {
    await signIn('yes')
    await choose('INEE')
    world.provider.say('alice', { name: 'Alice', affiliation: ['59', '53', '55'] })
    clock.advance(15 * minute)
    expect(await next(() => heard())).toBe('changed')
    expect(await heard()).toBe('INEE of INSMI;INSB;INEE')
    expect(offered(await front())).toEqual(['INSMI', 'INSB', '*INEE'])
    clock.advance(15 * minute)
    // The choice is no news.
    expect(await next(() => heard())).toBe('unchanged')
    const stale = await front()
    world.provider.say('alice', { name: 'Alice', affiliation: ['59', '53'] })
    clock.advance(15 * minute)
    expect(await next(() => heard())).toBe('changed')
    expect(await heard()).toBe('INSMI of INSMI;INSB')
    // The page is older than that.
    const refused = await browser.submit(stale, { choice: handle(stale, 'INEE') }, '/choice')
    expect(refused.status).toBe(409)
    expect(offered(await front())).toEqual(['*INSMI', 'INSB'])
  })
})

describe('a configuration that comes', () => {
  it('leaves open sessions what they have, and asks about what it knows', async () => {
    const other = await startTwoIdps(options)
    other.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
    await signIn('no', 'alice', browser, other)
    const page = await choose('INEE', browser, other)
    expect(await other.reload(yaml => yaml.replace('take: chosen', 'take: first'))).toBe('adopted')
    expect(await heard('app', browser, other)).toBe('INEE of INSB;INEE')
    expect(offered(await front(browser, other))).toEqual([])
    const refused = await browser.submit(page, { choice: handle(page, 'INSB') }, '/choice')
    expect(refused.status).toBe(409)
    other.invariants()
    await other.stop()
  })
})

describe('where browsers are to remember nothing', () => {
  it('no choice is kept, and none that was kept before is looked at', async () => {
    await signIn('yes')
    await choose('INEE')
    const [kept] = browser.cookies('acces.localhost').filter(({ name }) => name === choice)
    const same = { ...options, shared: world, more: options.more?.replace('remember: ask', 'remember: never') ?? '' }
    const other = await startTwoIdps(same, world.op)
    const one = new Browser()
    one.jar.plant({ name: choice, value: kept?.value ?? '', domain: 'acces.localhost' })
    const page = await signIn('yes', 'alice', one, other)
    expect(offered(page)).toEqual(['*INSB', 'INEE'])
    expect(page.text).not.toContain('name="remember"')
    one.jar.clear('acces.localhost')
    await signIn('yes', 'alice', one, other)
    expect(offered(await choose('INEE', one, other))).toEqual(['INSB', '*INEE'])
    expect(one.cookies('acces.localhost').map(({ name }) => name)).not.toContain(choice)
    await other.stop()
  })
})

describe('two gateways on one Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.close())

  it('both tell every site at once, whichever of them was told', async () => {
    const shared = { ...options, store: `{ kind: redis, url: "${redis.url}" }` }
    const a = await startTwoIdps(shared)
    const b = await startTwoIdps({ ...shared, shared: a }, a.op)
    a.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
    await signIn('yes', 'alice', browser, a)
    expect(await heard('app', browser, a)).toBe('INSB of INSB;INEE')
    expect(await heard('app', browser, b)).toBe('INSB of INSB;INEE')
    await choose('INEE', browser, a)
    expect(await heard('app', browser, a)).toBe('INEE of INSB;INEE')
    await expect.poll(() => heard('app', browser, b)).toBe('INEE of INSB;INEE')
    await choose('INSB', browser, b)
    await expect.poll(() => heard('app', browser, a)).toBe('INSB of INSB;INEE')
    for (const one of [b, a]) {
      one.invariants()
      await one.stop()
    }
  })

  it('say that it cannot be done while the store is away, and nothing has changed when it is back', async () => {
    const own = await startRedis()
    const one = await startTwoIdps({ ...options, store: `{ kind: redis, url: "${own.url}" }` })
    one.provider.say('alice', { name: 'Alice', affiliation: ['53', '55'] })
    const page = await signIn('no', 'alice', browser, one)
    own.freeze()
    const reply = await browser.submit(page, { choice: handle(page, 'INEE') }, '/choice')
    expect([reply.status, reply.cookiesSet]).toEqual([503, []])
    expect(reply.visibleText).toMatch(/sessions/i)
    own.thaw()
    await expect.poll(async () => (await front(browser, one)).status).toBe(200)
    expect(offered(await front(browser, one))).toEqual(['*INSB', 'INEE'])
    await one.stop()
    await own.close()
  })
})
