/**
 * Choosing among several idps at the assembled gateway (docs/sessions.md B 20): in one step or two, with a memory on a
 * computer of one's own, and none on a shared one.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../stand-in/gateway.ts'
import { expectOnePage, pressButton } from '../stand-in/one-page.ts'

const minute = 60_000
const day = 24 * 60 * minute
const memory = '__Host-Http-passerelle-idp'
const clock = settableClock(Date.now())
const towns = [
  ...['Brest', 'Caen', 'Dijon', 'Lille', 'Limoges', 'Lorraine', 'Lyon', 'Metz-Nord', 'Nantes', 'Nice', 'Orléans'],
  ...['Pau', 'Reims', 'Rouen', 'Tours', 'Évry'],
]

let cas: CasServer
let world: TestGateway
let browser: Browser

const site = (id: string, ...more: readonly string[]) =>
  aSite(id, more, { title: `{ fr: Site ${id}, en: ${id} site }` })

function start(chooser: string, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const idp = (id: string, label: string) => `
  - id: ${id}
    label: ${label}
    cas: { server: "${cas.server}" }`
  return startTestGateway({
    surroundings: { now: clock.now },
    session: '  idleTimeout: 60m\n  sharedComputer: { idleTimeout: 10m }',
    idps: [
      idp('nancy', 'Académie de Nancy-Metz'),
      idp('reims', 'Académie de Reims'),
      ...towns.map((town, index) => idp(`u${index}`, `Université de ${town}`)),
    ].join(''),
    resources: [
      site('any', 'sharedSubjects: yes'),
      site('school', 'idps: [nancy, reims]', 'sharedSubjects: yes'),
      site('reims', 'idps: [reims]'),
      site('north', 'idps: [reims, u3]', 'sharedSubjects: yes'),
      site('led', 'idps: [nancy, reims]', 'sharedSubjects: yes', 'defaultIdp: reims'),
    ].join(''),
    more: `chooser: ${chooser}`,
    ...options,
  })
}

beforeAll(async () => {
  cas = await startCasServer()
  world = await start(`
  groups:
    - { label: { fr: Élève ou parent, en: Pupil or parent }, idps: [reims] }
    - { label: { fr: Enseignant, en: Teacher }, idps: [nancy, reims] }
    - { label: { fr: Université, en: University }, idps: [${towns.map((_, index) => `u${index}`).join(', ')}] }
    - { label: { fr: Autres comptes et invités, en: Others and guests }, idps: [campus] }`)
})
beforeEach(() => {
  browser = newBrowser()
})
afterEach(() => {
  world.invariants()
  cas.reset()
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
})

const newBrowser = () => new Browser({ language: 'en', now: clock.now })
const open = (host: string, one = browser) => one.navigate(world.url(host, '/echo?page=7'))
const kept = (one = browser) => one.cookies('acces.localhost').find(({ name }) => name === memory)?.value ?? null
const radios = (page: Reply) => [...page.text.matchAll(/name="idp" value="([\w-]+)"/g)].map(([, id]) => id)
/** The idps whose sign-in was begun, oldest first; with `!` where it must ask the person again. */
const begun = () =>
  cas.asked
    .filter(url => url.startsWith('/cas/login'))
    .map(url => {
      const asked = new URL(url, cas.server).searchParams
      const [, , idp] = new URL(asked.get('service') ?? '').pathname.split('/')
      return `${idp}${asked.get('renew') === 'true' ? '!' : ''}`
    })
const lives = async (host: string, one = browser) =>
  (await one.navigate(world.url(host, '/echo'), { as: 'prefetch', follow: false })).status === 200

/** From a site to the answer of the form. */
async function choose(group: string, fields: Record<string, string>, host = 'any', one = browser): Promise<Reply> {
  return one.submit(await one.click(await open(host, one), group), fields, 'Continue')
}
async function signOut(one = browser): Promise<Reply> {
  return one.submit(await one.navigate(world.portal('/logout')), {}, '/logout')
}

describe('the two steps', () => {
  it('ask who one is, then where, and end on the page that was wanted', async () => {
    const who = await open('any')
    expect(who.visibleText).toContain('Step 1 of 2')
    expect(who.visibleText).toContain('You are going to any site')
    expect(who.links.filter(({ href }) => href.includes('who=')).map(({ text }) => text)).toEqual([
      'Pupil or parent',
      'Teacher',
      'University',
      'Others and guests',
    ])
    const where = await browser.click(who, 'Teacher')
    expect(where.visibleText).toContain('Step 2 of 2')
    expect(radios(where)).toEqual(['nancy', 'reims'])
    const page = await browser.submit(where, { idp: 'nancy' }, 'Continue')
    expect([page.status, page.url.href], page.story).toEqual([200, world.url('any', '/echo?page=7')])
    expect(begun()).toEqual(['nancy'])
  })

  it('begin nothing, and store nothing but the form’s token, before the answer', async () => {
    const where = await browser.click(await open('any'), 'Teacher')
    expect(browser.cookies('acces.localhost').map(({ name }) => name)).toEqual(['__Host-Http-passerelle-form'])
    expect(where.header('cache-control')).toContain('no-store')
    expect(begun()).toEqual([])
  })

  it('can be taken back, and lead to the same page in either language', async () => {
    const where = await browser.click(await open('any'), 'Teacher')
    const who = await browser.click(where, 'Change')
    expect(who.visibleText).toContain('Step 1 of 2')
    const french = await browser.click(await browser.click(who, 'Pupil'), 'Français')
    expect(french.visibleText).toContain('Votre profil : Élève ou parent')
    const page = await browser.submit(french, { idp: 'reims' }, 'Valider')
    expect(page.url.href, page.story).toBe(world.url('any', '/echo?page=7'))
  })

  it('show what a site admits only: no group without its people, no first step for one group', async () => {
    expect((await open('school')).links.filter(({ href }) => href.includes('who='))).toHaveLength(2)
    const none = await start(`\n  groups:\n    - { label: Guests, idps: [campus] }`, { shared: world })
    try {
      const flat = await browser.navigate(none.url('school', '/echo'))
      expect(flat.visibleText).not.toContain('Step')
      expect(radios(flat)).toEqual(['nancy', 'reims'])
      expect(radios(await browser.navigate(none.url('any', '/echo')))).toEqual(['campus'])
    } finally {
      await none.stop()
    }
  })

  it('ask again where the answer names no idp of this site, or a group that does not exist', async () => {
    const where = await browser.click(await open('school'), 'Teacher')
    const asked = await browser.submit(where, { idp: 'u1' }, 'Continue')
    expect([asked.status, radios(asked).slice(0, 2)]).toEqual([200, ['nancy', 'reims']])
    const url = new URL(where.url)
    url.searchParams.set('who', '77')
    expect((await browser.navigate(url)).visibleText).toContain('Step 1 of 2')
    expect(begun()).toEqual([])
  })

  it('with another tab’s token keep what was answered, and go on when it is sent again', async () => {
    const where = await browser.click(await open('any'), 'Teacher')
    const asked = await browser.submit(where, { idp: 'reims', remember: 'yes', token: 'wrong' }, 'Continue')
    expect(asked.url.pathname).toBe('/login')
    expect(asked.forms[0]?.fields).toEqual(
      expect.arrayContaining([
        ['idp', 'reims'],
        ['remember', 'yes'],
      ]),
    )
    expect([kept(), begun()]).toEqual([null, []])
    const page = await browser.submit(asked, {}, 'Continue')
    expect(page.url.href, page.story).toBe(world.url('any', '/echo?page=7'))
    expect(begun()).toEqual(['reims'])
  })
})

describe('a browser that refuses cookies', () => {
  it('reads so at its first answer, on one page whose button begins anew; no idp is asked', async () => {
    for (const language of ['fr', 'en'] as const) {
      const one = new Browser({ language, now: clock.now, cookies: false })
      const where = await one.click(await open('any', one), language === 'fr' ? 'Enseignant' : 'Teacher')
      const page = await one.submit(where, { idp: 'reims', remember: 'yes' }, '/login', { follow: false })
      expectOnePage(page, 'cookies', language, world.portal())
      expect((await pressButton(one, page)).visibleText).toContain(language === 'fr' ? 'Étape 1 sur 2' : 'Step 1 of 2')
    }
    expect(begun()).toEqual([])
  })

  it('is not meant where the browser was closed meanwhile, and has kept its memory: then the question stands there again, with its answer', async () => {
    await choose('Teacher', { idp: 'reims', remember: 'yes' })
    await signOut()
    const where = await browser.navigate(world.portal('/login?choose=1&who=1'))
    browser.jar.restart()
    const again = await browser.submit(where, { idp: 'nancy' }, 'Continue', { follow: false })
    expect([again.status, radios(again).slice(0, 2)]).toEqual([200, ['nancy', 'reims']])
  })
})

describe('the two steps in twenty tabs', () => {
  it('lead each to its own page, whatever was answered in the others meanwhile', async () => {
    const address = (tab: number) => world.url('any', `/echo?tab=${tab}`)
    const tabs: Reply[] = []
    for (let tab = 0; tab < 20; tab++)
      tabs.push(await browser.click(await browser.navigate(address(tab)), tab % 2 === 0 ? 'Teacher' : 'Pupil'))
    for (const [tab, where] of tabs.entries()) {
      const page = await browser.submit(where, { idp: 'reims', remember: tab === 7 ? 'yes' : 'no' }, 'Continue')
      expect([page.status, page.url.href], page.story).toEqual([200, address(tab)])
    }
    // The last answer is the one that holds.
    expect(kept()).toBeNull()
  })
})

describe('another account', () => {
  it('is asked for by a link that survives both steps, and has the idp ask the person again', async () => {
    await choose('Teacher', { idp: 'nancy' })
    const link = new URLSearchParams({ again: '1', to: world.url('any', '/echo?page=8') })
    const where = await browser.click(await browser.navigate(world.portal(`/login?${link}`)), 'Pupil')
    const page = await browser.submit(where, { idp: 'reims' }, 'Continue')
    expect(page.url.href, page.story).toBe(world.url('any', '/echo?page=8'))
    expect(begun()).toEqual(['nancy', 'reims!'])
  })
})

describe('a group of more than fifteen', () => {
  let list: Reply
  beforeEach(async () => {
    list = await browser.click(await open('any'), 'University')
  })
  const find = (q: string) => browser.submit(list, { q }, 'Search')

  it('has a search box, and a shorter one has none', async () => {
    expect(radios(list)).toHaveLength(16)
    expect(list.forms.map(({ method }) => method)).toEqual(['GET', 'POST'])
    expect((await browser.click(await open('any'), 'Teacher')).forms).toHaveLength(1)
  })

  it.each([
    ['evry', ['u15']],
    ['LORR', ['u5']],
    ['orléans université', ['u10']],
    ['metz nord', ['u7']],
    ['“Lille”', ['u3']],
  ])('finds by %s', async (q, ids) => {
    expect(radios(await find(q))).toEqual(ids)
  })

  it('leads from what was found to the page that was wanted', async () => {
    const found = await find('lorr')
    expect(found.visibleText).toContain('1 result out of 16 for “lorr”')
    const page = await browser.submit(found, {}, 'Continue')
    expect(page.url.href, page.story).toBe(world.url('any', '/echo?page=7'))
    expect(begun()).toEqual(['u5'])
  })

  it('that has nothing of the kind says so, with the words as text, and shows the list again', async () => {
    const found = await find('<b>zz</b>')
    expect(found.visibleText).toContain('Nothing is called “<b>zz</b>”')
    expect(radios(await browser.click(found, 'whole list'))).toHaveLength(16)
  })
})

describe('a computer of one’s own', () => {
  beforeEach(async () => {
    await choose('Teacher', { idp: 'nancy', remember: 'yes' })
  })
  /** The session ends with the browser, the memory stays. */
  const nextDay = (one = browser) => {
    const next = newBrowser()
    for (const { name, value } of one.cookies('acces.localhost').filter(cookie => cookie.name === memory))
      next.jar.receive(new URL(world.portal('/')), `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`)
    return next
  }

  it('remembers the idp, and nothing of the person, for 180 days', async () => {
    expect(kept()).toMatch(/^nancy\.[\w-]{43}$/)
    const { expiresAt } = browser.cookies('acces.localhost').find(({ name }) => name === memory) ?? {}
    expect(expiresAt).toBeGreaterThan(clock.now() + 180 * day - minute)
    expect(expiresAt).toBeLessThanOrEqual(clock.now() + 180 * day)
  })

  it('goes straight there the next time, and says so on the front page, with a way to change it', async () => {
    const next = nextDay()
    const front = await next.navigate(world.portal('/'))
    expect(front.visibleText).toContain('As last time: Académie de Nancy-Metz')
    expect((await next.click(front, 'Choose another account')).visibleText).toContain('Step 1 of 2')
    const page = await open('school', next)
    expect(page.url.href, page.story).toBe(world.url('school', '/echo?page=7'))
    expect(page.hops.every(({ status }) => status !== 200)).toBe(true)
    expect(begun()).toEqual(['nancy', 'nancy'])
  })

  it('says so also to whoever is signed in, who can choose another, or have it forgotten and stay signed in', async () => {
    const front = await browser.navigate(world.portal('/'))
    expect(front.visibleText).toContain(
      'remembers your choice, Académie de Nancy-Metz , and leads you there without a question',
    )
    const where = await browser.click(await browser.click(front, 'Choose another account'), 'Teacher')
    expect(where.visibleText).toContain('Step 2 of 2')
    const after = await browser.submit(front, {}, 'Forget')
    expect([after.status, after.url.pathname, kept()]).toEqual([200, '/', null])
    expect(after.visibleText).not.toContain('without a question')
    expect([await lives('any'), begun()]).toEqual([true, ['nancy']])
    const other = newBrowser()
    await choose('Teacher', { idp: 'nancy', remember: 'no' }, 'any', other)
    expect((await other.navigate(world.portal('/'))).visibleText).not.toContain('without a question')
  })

  it('has the long idle limit, also when it came by its memory or by a link', async () => {
    const [remembered, linked] = [nextDay(), nextDay()]
    await open('any', remembered)
    await linked.navigate(world.portal('/login?idp=reims'))
    await open('any', linked)
    clock.advance(50 * minute)
    expect(await Promise.all([browser, remembered, linked].map(one => lives('any', one)))).toEqual([true, true, true])
    expect((await signOut()).visibleText).not.toContain('Shared computer')
  })

  it('changes its mind by choosing another, and forgets by “no”', async () => {
    const next = nextDay()
    const where = await next.click(await next.navigate(world.portal('/login?choose=1')), 'Teacher')
    // Who said that the computer is theirs is not asked to say so again.
    expect(where.forms[0]?.fields).toContainEqual(['remember', 'yes'])
    await next.submit(where, { idp: 'reims' }, 'Continue')
    expect(kept(next)).toMatch(/^reims\./)
    const later = nextDay(next)
    const again = await later.click(await later.navigate(world.portal('/login?choose=1')), 'Teacher')
    await later.submit(again, { idp: 'reims', remember: 'no' }, 'Continue')
    expect(kept(later)).toBeNull()
  })

  it('asks “as last time?” after a sign-out, and then has the idp ask the person again', async () => {
    await signOut()
    const asked = await open('any')
    expect([asked.url.pathname, asked.visibleText.includes('As last time?')]).toEqual(['/enter', true])
    expect(asked.visibleText).toContain('Académie de Nancy-Metz')
    const page = await browser.submit(asked, {}, 'Continue')
    expect(page.url.href, page.story).toBe(world.url('any', '/echo?page=7'))
    expect(begun()).toEqual(['nancy', 'nancy!'])
    expect(kept()).toMatch(/^nancy\./)
  })

  it('leads from there to another account, or forgets', async () => {
    await signOut()
    const asked = await open('any')
    expect((await browser.click(asked, 'another account')).visibleText).toContain('Step 1 of 2')
    const forgotten = await browser.submit(asked, {}, 'Forget')
    expect([kept(), forgotten.visibleText.includes('Step 1 of 2')]).toEqual([null, true])
    expect(begun()).toEqual(['nancy'])
  })

  it('where the remembered idp is down says so, and leads to the others', async () => {
    const next = nextDay()
    clock.advance(11_000)
    await cas.goDown()
    try {
      const failed = await open('any', next)
      expect(failed.status).toBe(503)
      expect((await next.click(failed, 'Choose another account')).visibleText).toContain('Step 1 of 2')
      expect(kept(next)).toMatch(/^nancy\./)
    } finally {
      await cas.comeUp()
      clock.advance(11_000)
    }
    cas.bends.validation = (_, response) => response.writeHead(500).end()
    const refused = await open('any', next)
    expect(refused.url.pathname).toMatch(/^\/callback\/nancy/)
    expect((await next.click(refused, 'Choose another account')).visibleText).toContain('Step 1 of 2')
  })

  it('is not remembered where the site does not admit the idp, nor where that is gone', async () => {
    expect((await open('north', nextDay())).visibleText).toContain('Step 1 of 2')
    expect(begun()).toEqual(['nancy'])
    const gone = await start('{ remember: ask }', {
      idps: `\n  - { id: reims, label: Reims, cas: { server: "${cas.server}" } }`,
      resources: site('any', 'sharedSubjects: yes'),
      shared: world,
    })
    try {
      const next = newBrowser()
      next.jar.receive(new URL(gone.portal('/')), `${memory}=${kept()}; Path=/; Secure; HttpOnly; SameSite=Lax`)
      const asked = await next.navigate(gone.url('any', '/echo'))
      expect([asked.status, radios(asked)]).toEqual([200, ['campus', 'reims']])
      expect(asked.forms[0]?.fields).toContainEqual(['remember', 'no'])
    } finally {
      await gone.stop()
    }
  })

  it('is not to be had by a forged cookie, nor by one that is too old', async () => {
    const mac = kept()?.split('.')[1] ?? ''
    const forged = [
      `reims.${mac}`,
      `nancy.${'A'.repeat(43)}`,
      'nancy.',
      'nancy',
      `nancy.${mac}x`,
      `.${mac}`,
      '__proto__.a',
    ]
    for (const value of forged) {
      const other = newBrowser()
      other.jar.receive(new URL(world.portal('/')), `${memory}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`)
      expect((await open('school', other)).visibleText, value).toContain('Step 1 of 2')
    }
    clock.advance(180 * day + minute)
    expect((await open('school')).visibleText).toContain('Step 1 of 2')
    expect(begun()).toEqual(['nancy'])
  })

  it('is understood after the secrets have been rotated, and not once the old one is gone', async () => {
    const idps = `\n  - { id: nancy, label: Nancy, cas: { server: "${cas.server}" } }`
    const secret = 'the next secret of the gateway, of which no log line may speak'
    const older = ['a secret of the gateway that must be in no log line']
    const asks = async (olderSecrets: readonly string[]) => {
      const other = await start('{}', {
        idps,
        resources: site('any', 'sharedSubjects: yes'),
        secret,
        olderSecrets,
        shared: world,
      })
      const next = newBrowser()
      next.jar.receive(new URL(other.portal('/')), `${memory}=${kept()}; Path=/; Secure; HttpOnly; SameSite=Lax`)
      const page = await next.navigate(other.url('any', '/echo'), {
        follow: reply => reply.redirect?.pathname === '/enter',
      })
      await other.stop()
      return page.redirect === null
    }
    expect([await asks(older), await asks([])]).toEqual([false, true])
  })
})

describe('a shared computer', () => {
  it('is what the page supposes, remembers nothing, and closes after ten minutes of rest', async () => {
    const where = await browser.click(await open('any'), 'Teacher')
    expect(where.forms[0]?.fields).toContainEqual(['remember', 'no'])
    expect(where.visibleText).toContain('closes after 10 minutes without activity')
    const page = await browser.submit(where, { idp: 'nancy' }, 'Continue')
    expect(page.status).toBe(200)
    expect(kept()).toBeNull()
    // Everything of it ends with the browser, but for what a transaction needs for minutes.
    expect(browser.cookies('acces.localhost').filter(({ expiresAt }) => expiresAt !== null)).toEqual([])
    expect(browser.cookies('any.localhost').filter(({ expiresAt }) => expiresAt !== null)).toEqual([])
    clock.advance(9 * minute)
    expect(await lives('any')).toBe(true)
    clock.advance(minute + 1_000)
    expect(await lives('any')).toBe(false)
  })

  it('is told on the last page to close the browser and the computer’s session', async () => {
    await choose('Teacher', { idp: 'nancy' })
    const last = await signOut()
    expect(last.visibleText).toContain('close every window of the browser')
  })

  it('has its question answered anew by the same person, and what they said last holds', async () => {
    await choose('Teacher', { idp: 'nancy', remember: 'yes' })
    const again = await browser.navigate(world.portal('/login?again=1&choose=1'))
    await browser.submit(await browser.click(again, 'Teacher'), { idp: 'nancy', remember: 'no' }, 'Continue')
    expect(kept()).toBeNull()
    clock.advance(11 * minute)
    expect(await lives('any')).toBe(false)
  })

  it('is supposed where an answer says nothing of the computer, and where a link led past the question', async () => {
    const [silent, linked, only] = [newBrowser(), newBrowser(), newBrowser()]
    await choose('Teacher', { idp: 'nancy', remember: '' }, 'any', silent)
    await linked.navigate(world.portal('/login?idp=nancy'))
    await open('any', linked)
    await open('reims', only)
    expect(await Promise.all([lives('any', silent), lives('any', linked), lives('reims', only)])).toEqual([
      true,
      true,
      true,
    ])
    clock.advance(11 * minute)
    expect(await Promise.all([lives('any', silent), lives('any', linked), lives('reims', only)])).toEqual([
      false,
      false,
      false,
    ])
  })
})

describe('where one idp signs in, and another only stands in for it', () => {
  it('nobody is asked whose computer it is, so it is not taken for a shared one', async () => {
    const own = settableClock(Date.now())
    for (const [offered, survives] of [
      ['{ when: unavailable, of: campus }', true],
      ['always', false],
    ] as const) {
      const plain = await start('{ remember: ask }', {
        surroundings: { now: own.now },
        idps: `\n  - { id: codes, label: Codes, codes: { file: none.yaml }, offered: ${offered} }`,
        files: { 'none.yaml': '' },
        resources: site('any', 'sharedSubjects: yes'),
        shared: world,
      })
      try {
        const one = new Browser({ language: 'en', now: own.now })
        await one.navigate(plain.portal('/login?idp=campus'))
        const page = await one.navigate(plain.url('any', '/echo'))
        expect(page.status, page.story).toBe(200)
        own.advance(11 * minute)
        const later = await one.navigate(plain.url('any', '/echo'), { as: 'prefetch', follow: false })
        expect(later.status === 200, offered).toBe(survives)
      } finally {
        await plain.stop()
        own.advance(-11 * minute)
      }
    }
  })
})

describe('without the question', () => {
  it('a site with a default idp leads there, to another account by a link, and to the remembered one before', async () => {
    expect((await open('led')).status).toBe(200)
    expect(begun()).toEqual(['reims'])
    const other = newBrowser()
    const enter = new URLSearchParams({ to: world.url('led', '/echo'), choose: '1' })
    expect((await other.navigate(world.portal(`/enter?${enter}`))).visibleText).toContain('Step 1 of 2')
    const again = new URLSearchParams({ to: world.url('led', '/echo'), again: '1' })
    expect((await other.navigate(world.portal(`/login?${again}`))).visibleText).toContain('Step 1 of 2')
    const third = newBrowser()
    await choose('Teacher', { idp: 'nancy', remember: 'yes' }, 'school', third)
    await signOut(third)
    expect((await open('led', third)).visibleText).toContain('As last time?')
  })

  it('`never` asks and remembers nothing, and `always` remembers without asking', async () => {
    for (const [remember, device] of [
      ['never', null],
      ['always', 'nancy'],
    ] as const) {
      const plain = await start(`{ remember: ${remember} }`, { shared: world })
      try {
        const one = newBrowser()
        const list = await one.navigate(plain.url('school', '/echo'))
        expect(list.text).not.toContain('name="remember"')
        expect((await one.submit(list, {}, 'nancy')).status).toBe(200)
        expect(kept(one)?.split('.')[0] ?? null).toBe(device)
        clock.advance(11 * minute)
        expect((await one.navigate(plain.url('school', '/echo'), { follow: false })).status).toBe(200)
      } finally {
        await plain.stop()
      }
    }
  })
})
