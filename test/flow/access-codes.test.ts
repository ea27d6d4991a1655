/** Signing in by an access code at the assembled gateway (docs/sessions.md C0, B 16, 17): what it opens, and what it does not. */
import { stat } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, codeForm, enterCode } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

const minute = 60_000
const clock = settableClock(Date.parse('2026-11-20T12:00:00Z'))
let cas: CasServer
let file: CodeFile
let world: TestGateway

const site = (id: string, idps: string, policy = 'signed-in', more = '') => `
  - id: ${id}
    title: { fr: Site ${id}, en: ${id} site }
    at: "http://${id}.localhost:$PORT"
    origin: "$ORIGIN"
    policy: ${policy}
    idps: [${idps}]${more}
    identity: { headers: { X-Remote-User: "{subject}", X-Level: "{level}" } }`

beforeAll(async () => {
  cas = await startCasServer()
  file = await makeCodeFile()
})
beforeEach(async () => {
  await file.write('')
  world = await startTestGateway({
    surroundings: { now: clock.now, wall: clock.now },
    idps: `
  - id: janus
    label: { fr: Compte Janus, en: Janus account }
    cas: { server: "${cas.server}" }${aCodeIdp(file, 'guests', { label: "{ fr: Code d'invité, en: Guest code }" })}${aCodeIdp(
      file,
      'codes',
      {
        label: "{ fr: Ancien code d'accès portail, en: Portal access code }",
        offered: '{ when: unavailable, of: janus }',
      },
    )}`,
    resources: [
      site('guest', 'guests'),
      site('other', 'guests'),
      site('readers', 'guests', '[{ level: reader }]'),
      site('lib', 'janus, codes', 'signed-in', '\n    sharedSubjects: yes'),
    ].join(''),
    more: 'claims: { level: { from: [niveau] } }',
    files: { [file.path]: '' },
    session: '  recheck: 5m',
  })
})
afterEach(async () => {
  await world.stop()
  cas.reset()
})
afterAll(async () => {
  await cas.stop()
  await file.remove()
})

const guest = (path = '/echo') => world.url('guest', path)
const told = (name: string) => world.origin.requests.at(-1)?.header(name) ?? null
const tries = () =>
  world.events.flatMap(event => (event.name === 'code.tried' ? [`${event.outcome} ${event.selector}`] : []))

const formOf = (browser: Browser, url = guest()) => codeForm(browser, url)
const enter = (code: string, url = guest(), browser = new Browser()) => enterCode(code, url, browser)

const wrong = (code: string) => `${code.slice(0, 5)}0000-0000-0000-0000`

describe('a sign-in by access code', () => {
  it('ends at the page that was asked for; the person is the code, and has its claims', async () => {
    const code = await file.add({ claims: { level: ['reader'] } })
    const reply = await enter(code, world.url('readers', '/echo?page=7'))
    expect([reply.status, reply.url.href]).toEqual([200, world.url('readers', '/echo?page=7')])
    expect([told('x-remote-user'), told('x-level')]).toEqual([`code:${code.slice(0, 4)}`, 'reader'])
  })

  it('takes the code as people write it: in small letters, with spaces, O for 0, I and l for 1', async () => {
    const code = await file.add()
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `
    expect((await enter(typed)).status).toBe(200)
  })

  it('is never more than its claims', async () => {
    const reply = await enter(await file.add({ claims: { niveau: ['reader'] } }), world.url('readers', '/echo'))
    expect(reply.status).toBe(403)
    expect(reply.visibleText).toContain('Guest code')
  })

  it('of some hosts opens these only, and the page of another says so', async () => {
    const code = await file.add({ hosts: ['GUEST.localhost'] })
    const browser = new Browser()
    expect((await enter(code, guest(), browser)).status).toBe(200)
    const refused = await browser.navigate(world.url('other', '/echo'))
    expect(refused.status).toBe(403)
    expect(refused.visibleText).toContain('your access code is for certain sites only')
    expect(world.origin.requests.every(request => request.header('host')?.startsWith('guest.'))).toBe(true)
  })

  it('of a wrong code shows the form again with what happened and a reference, keeps the target, and says no code in the log', async () => {
    const code = await file.add()
    const browser = new Browser()
    const failed = await enter(wrong(code), guest('/echo?kept=1'), browser)
    expect(failed.status).toBe(401)
    expect(failed.visibleText).toContain('This access code is not known')
    expect(failed.text).not.toContain('0000-0000')
    const [, reference = 'none'] = /reference ([0-9A-Z]{6})/.exec(failed.visibleText) ?? []
    expect(world.log.some(line => line.includes(reference) && line.includes('code.wrong'))).toBe(true)
    const reply = await browser.submit(failed, { code })
    expect(reply.url.href).toBe(guest('/echo?kept=1'))
    expect(tries()).toEqual([`wrong ${code.slice(0, 4)}`, `accepted ${code.slice(0, 4)}`])
    expect(world.log.join('')).not.toContain(code.slice(5))
    expect(world.log.join('').replaceAll('-', '')).not.toContain(code.replaceAll('-', ''))
  })

  it('goes on after Back, a reload and a second click, and costs one use', async () => {
    const code = await file.add()
    const browser = new Browser()
    const form = await formOf(browser)
    expect((await browser.navigate(form.url)).status).toBe(200)
    const [first, second] = await Promise.all([browser.submit(form, { code }), browser.submit(form, { code })])
    expect([first.status, second.status].every(status => status === 200 || status === 400)).toBe(true)
    expect(tries().filter(one => one.startsWith('accepted'))).toHaveLength(1)
    // The form's address, once it is used up: whoever is signed in is led on.
    expect((await browser.navigate(form.url)).url.href).toBe(world.portal('/'))
  })

  it('before its day and after its end is refused, each in its own words, and ends its sessions at its end', async () => {
    const [early, late] = [await file.add({ from: '2026-12-01' }), await file.add({ until: '2026-11-20T12:04:00Z' })]
    expect((await enter(early)).visibleText).toContain('not valid yet')
    const browser = new Browser()
    expect((await enter(late, guest(), browser)).status).toBe(200)
    // Before a check of the code could end it.
    clock.advance(3 * minute)
    expect((await browser.navigate(guest())).url.href).toBe(guest())
    clock.advance(minute)
    const asked = await browser.navigate(guest())
    expect(asked.text).toContain('name="code"')
    expect((await browser.submit(asked, { code: late })).visibleText).toContain('has expired')
    clock.advance(-4 * minute)
  })

  it('of a code that is revoked meanwhile ends at the next check', async () => {
    const browser = new Browser()
    await enter(await file.add(), guest(), browser)
    await file.write('[]')
    clock.advance(6 * minute)
    await browser.navigate(guest())
    await expect.poll(async () => (await browser.navigate(guest())).text).toContain('name="code"')
    clock.advance(-6 * minute)
  })
})

describe('the form of an access code', () => {
  it('offers another way only where there is one', async () => {
    expect((await formOf(new Browser())).visibleText).not.toContain('Choisir un autre moyen')
  })

  it('hears nobody from another origin, nor without the token, and neither costs the sign-in', async () => {
    const code = await file.add()
    const browser = new Browser()
    const form = await formOf(browser)
    const foreign = await browser.navigate(form.url, { form: { code, token: 'x' }, from: world.url('open', '/') })
    expect(foreign.status).toBe(403)
    const tokenless = await browser.navigate(form.url, { form: { code }, from: form })
    expect(tokenless.status).toBe(403)
    expect(tries()).toEqual([])
    expect((await browser.submit(tokenless, { code })).status).toBe(200)
  })

  it('is nothing that another browser can use, nor by the address of replies that are put aside', async () => {
    const code = await file.add()
    const browser = new Browser()
    const form = await formOf(browser)
    const thief = new Browser()
    await formOf(thief)
    expect((await thief.navigate(form.url)).visibleText).toContain('another')
    const state = form.url.pathname.split('/').at(-1) ?? ''
    const aside = await browser.navigate(world.portal('/callback/guests'), { form: { code, state }, from: form })
    expect(aside.status).toBe(400)
    expect(tries()).toEqual([])
    expect((await browser.submit(form, { code })).status).toBe(200)
  })
})

describe('wrong codes', () => {
  it('are heard five times, then comes a pause that the right code meets too; open sessions and other codes go on', async () => {
    const [code, other] = [await file.add(), await file.add()]
    const inside = new Browser()
    await enter(code, guest(), inside)
    const browser = new Browser()
    let page = await formOf(browser)
    for (let i = 0; i < 5; i++) page = await browser.submit(page, { code: wrong(code) })
    expect(page.status).toBe(401)
    const locked = await browser.submit(page, { code })
    expect([locked.status, locked.visibleText.includes('Too many tries')]).toEqual([429, true])
    expect(Number(locked.header('retry-after'))).toBeGreaterThan(60)
    expect((await inside.navigate(guest())).url.href).toBe(guest())
    expect((await enter(other)).status).toBe(200)
    clock.advance(15 * minute)
    expect((await enter(code)).status).toBe(200)
    clock.advance(-15 * minute)
  })

  it('are no failures once they are right: a class may share a code', async () => {
    const code = await file.add()
    for (let i = 0; i < 7; i++) expect((await enter(code)).status).toBe(200)
  })
})

describe('the file of codes', () => {
  it('that is broken while the gateway runs leaves the codes as they were, and is reported once with its line', async () => {
    const code = await file.add()
    expect((await enter(code)).status).toBe(200)
    await file.write(`${await file.text()}- selector: nope\n`)
    for (let i = 0; i < 2; i++) expect((await enter(code)).status).toBe(200)
    const told = world.events.flatMap(event =>
      event.name === 'codes.broken' && event.idp === 'guests' ? [event.detail] : [],
    )
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(`${file.path}:`)
    expect((await stat(file.path)).isFile()).toBe(true)
  })

  it('that is broken still revokes what was taken out of it, and no more', async () => {
    const [kept, misspelt, gone] = [await file.add(), await file.add(), await file.add()]
    for (const code of [kept, misspelt, gone]) expect((await enter(code)).status).toBe(200)
    const [entry = ''] = (await file.text()).split('- selector:').slice(-1)
    const broken = (await file.text())
      .replace(`- selector:${entry}`, '')
      .replace(`selector: ${misspelt.slice(0, 4)}`, `selektor: ${misspelt.slice(0, 4)}`)
    await file.write(`${broken}- note: half an entry\n`)
    expect((await enter(gone)).status).toBe(401)
    for (const code of [kept, misspelt]) expect((await enter(code)).status).toBe(200)
    const details = world.events.flatMap(event => (event.name === 'codes.broken' ? [event.detail] : []))
    expect(details.at(-1)).toContain(`; revoked all the same: ${gone.slice(0, 4)}`)
    // What is no YAML at all may be half a file that somebody is saving: nothing can be said of it.
    await file.write('- selector: "')
    for (const code of [kept, misspelt]) expect((await enter(code)).status).toBe(200)
  })

  it('with a count of uses is broken where nothing can keep the count', async () => {
    const code = await file.add({ uses: 1 })
    expect((await enter(code)).status).toBe(401)
    await expect.poll(() => world.events.some(event => event.name === 'codes.broken')).toBe(true)
  })
})

describe('codes that stand in for another idp', () => {
  const lib = () => world.url('lib', '/echo')

  it('are not offered while it answers: the person is sent there', async () => {
    const reply = await new Browser().navigate(lib())
    expect(told('x-remote-user')).toBe('alice')
    expect(reply.hops.some(hop => hop.url.pathname === '/cas/login')).toBe(true)
    const asked = await new Browser().navigate(world.portal(`/login?idp=codes&to=${encodeURIComponent(lib())}`))
    expect(asked.text).not.toContain('name="code"')
  })

  it('are offered on the page that says that it is away, and then on the sign-in page', async () => {
    const code = await file.add()
    await cas.goDown()
    try {
      const browser = new Browser()
      const away = await browser.navigate(lib())
      expect(away.status).toBe(503)
      const form = await browser.click(away, 'Portal access code')
      expect((await browser.click(form, 'Choisir un autre moyen')).visibleText).toContain('Compte Janus')
      expect((await browser.submit(form, { code })).url.href).toBe(lib())
      const chooser = await new Browser().navigate(lib())
      expect(chooser.visibleText).toContain('Ancien code')
    } finally {
      await cas.comeUp()
    }
  })

  it('are refused at the form once it is back, without a try', async () => {
    const code = await file.add()
    await cas.goDown()
    const browser = new Browser()
    const form = await browser.click(await browser.navigate(lib()), 'Portal access code')
    await cas.comeUp()
    // Nobody else came who could have found out.
    clock.advance(minute)
    const refused = await browser.submit(form, { code })
    expect([refused.status, refused.visibleText.includes('no longer offered')]).toEqual([403, true])
    expect(tries()).toEqual([])
    expect((await browser.click(refused, 'Continue')).url.href).toBe(lib())
  })
})
