/**
 * What people and programs type where a code is asked for (docs/sessions.md B 16): it comes back on no page, in no header and in no
 * address; each try is one event with its reason, which names a code by its selector and never by more.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp, codeForm, enterCode } from '../stand-in/code-idp.ts'
import { startTestGateway, type TestGateway } from '../stand-in/gateway.ts'

const start = Date.parse('2026-11-20T12:00:00Z')
let clock = settableClock(start)
let file: CodeFile
let world: TestGateway

beforeAll(async () => {
  file = await makeCodeFile()
})
beforeEach(async () => {
  clock = settableClock(start)
  await file.write('')
  world = await startTestGateway({
    surroundings: { now: () => clock.now(), wall: () => clock.now() },
    idps: aCodeIdp(file, 'guests', { label: '{ fr: "Invités ½ « Ωmega » 𝕏 <b>", en: "Guests ½ “Ωmega” 𝕏 <b>" }' }),
    files: { [file.path]: '' },
    resources: aSite('guest', ['idps: [guests]'], {
      headers: { 'X-Remote-User': '{subject}', 'X-Level': '{level}', 'X-Mail': '{email}' },
    }),
  })
})
afterEach(() => world.stop())
afterAll(() => file.remove())

const person = () => new Browser({ language: 'en' })
const formAt = (browser: Browser) => codeForm(browser, world.url('guest', '/echo'))
const enter = (code: string, browser = person()) => enterCode(code, world.url('guest', '/echo'), browser)
const tries = () =>
  world.events.flatMap(event => (event.name === 'code.tried' ? [`${event.outcome} ${event.selector}`] : []))
const wrong = (code: string) => `${code.slice(0, 5)}2222-3333-4444-5555`
const metrics = async () => (await fetch(`http://127.0.0.1:${world.operationsPort}/metrics`)).text()

describe('what is typed where a code is asked for', () => {
  it.each<[string, (code: string) => string]>([
    ['markup', code => `"><script>alert('${code}')</script>`],
    ['a line of a header', code => `${code}\r\nSet-Cookie: forged=1\r\n\r\n<h1>forged</h1>`],
    ['three hundred characters', code => code.repeat(13).slice(0, 300)],
    ['letters of other scripts', code => `ⅩⅣ-Ωμέγα-${code}-日本語-𝕏𝕐`],
    ['characters that turn the line round, or end it', code => `\u202e${code}\u2028\u2029\u0085\u0000`],
    ['half a character', code => `${code}\ud800`],
    ['a line of the log', code => `${code}"}\n{"level":"info","msg":"code.tried","outcome":"accepted"}`],
    ['the code of somebody, and a slip', code => `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`],
  ])('is nowhere afterwards: %s', async (_, hostile) => {
    const code = await file.add()
    const [typed, secret] = [hostile(code), code.slice(5, -1)]
    const answers = [await enter(typed)]
    // Sent once more in the address, as a form that was bent into a GET would do it.
    const browser = person()
    const form = await formAt(browser)
    answers.push(await browser.navigate(`${form.url.href}?${new URLSearchParams({ code: typed })}`))
    expect(answers.map(({ status }) => status)).toEqual([401, 200])
    for (const answer of answers) {
      for (const part of [typed, secret, secret.replaceAll('-', ''), 'forged=1', 'alert(', 'μέγα']) {
        expect(answer.text).not.toContain(part)
        expect(JSON.stringify([answer.hops.map(hop => hop.rawHeaders), answer.rawHeaders])).not.toContain(part)
      }
      expect(answer.text).not.toMatch(/[\0\u2028\u2029\u202e]/)
    }
    expect(tries()).toHaveLength(1)
    const told = `${world.log.join('')}${JSON.stringify(world.events)}${await metrics()}`
    for (const part of [secret, secret.replaceAll('-', ''), 'forged', 'μέγα']) expect(told).not.toContain(part)
    for (const line of world.log) expect(() => JSON.parse(line), line).not.toThrow()
  })

  it('and is longer than any form of ours is not read at all', async () => {
    const code = await file.add()
    const answer = await enter(`${code}${'x'.repeat(200_000)}`)
    expect(answer.status).toBe(413)
    expect(answer.text).not.toContain(code.slice(5))
    expect(tries()).toEqual([])
  })

  it('twice in one form is neither of the two', async () => {
    const [code, other] = [await file.add(), await file.add()]
    const browser = person()
    const form = await formAt(browser)
    const token = form.forms[0]?.fields.find(([name]) => name === 'token')?.[1] ?? ''
    for (const second of [code, other, '']) {
      const fields = [
        ['token', token],
        ['code', code],
        ['code', second],
      ] as const
      expect((await browser.navigate(form.url, { form: fields, from: form })).status).toBe(401)
    }
    expect(tries()).toEqual(Array(3).fill('wrong null'))
  })
})

describe('each try is one event, with its reason and a selector that exists', () => {
  it('whatever comes of it', async () => {
    const codes = {
      good: await file.add(),
      early: await file.add({ from: '2026-12-01' }),
      late: await file.add({ until: '2026-11-19' }),
    }
    const selector = (code: string) => code.slice(0, 4)
    const table: readonly (readonly [string, string, number])[] = [
      [codes.good, `accepted ${selector(codes.good)}`, 200],
      [wrong(codes.good), `wrong ${selector(codes.good)}`, 401],
      ['ZZZZ-2222-3333-4444-5555', 'wrong null', 401],
      ['my password', 'wrong null', 401],
      [codes.early, `not-yet ${selector(codes.early)}`, 403],
      [codes.late, `expired ${selector(codes.late)}`, 403],
    ]
    for (const [typed, , status] of table) expect((await enter(typed)).status, typed).toBe(status)
    expect(tries()).toEqual(table.map(([, told]) => told))
    for (let i = 0; i < 5; i++) await enter(wrong(codes.good))
    expect(tries().slice(-2)).toEqual([`wrong ${selector(codes.good)}`, `locked ${selector(codes.good)}`])
    const counted = await metrics()
    for (const [outcome, count] of Object.entries({ accepted: 1, wrong: 7, 'not-yet': 1, expired: 1, locked: 1 }))
      expect(counted).toContain(`passerelle_access_codes_total{idp="guests",outcome="${outcome}"} ${count}`)
    const lines = world.log.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'code.tried')
    expect(lines).toHaveLength(tries().length)
    for (const line of lines) expect(Object.keys(line).toSorted()).toEqual(expect.arrayContaining(['idp', 'outcome']))
  })
})

describe('the page of a code that opens nothing', () => {
  /** Without what differs on each page: reference, token, address of the sign-in. */
  const plain = ({ text }: Reply) => text.replace(/\b[0-9A-HJKMNP-TV-Z]{6}\b/g, 'REF').replace(/[\w-]{43}/g, 'RANDOM')

  it('is one and the same, whether its selector is unknown, its secret wrong, or it was revoked, expired, or is not good yet', async () => {
    const [good, gone, late, early] = [
      await file.add(),
      await file.add(),
      await file.add({ until: '2026-11-19' }),
      await file.add({ from: '2026-12-01' }),
    ]
    await enter(good)
    const kept = (await file.text()).split(/(?=- selector)/).filter(entry => !entry.includes(gone.slice(0, 4)))
    await file.write(kept.join(''))
    const pages: Reply[] = []
    // Only whoever has the whole of a code is told what became of it: that is somebody to whom it was given.
    for (const typed of ['ZZZZ-2222-3333-4444-5555', wrong(good), gone, wrong(late), wrong(early)])
      pages.push(await enter(typed))
    expect(pages.map(({ status }) => status)).toEqual(Array(5).fill(401))
    expect(new Set(pages.map(plain)).size).toBe(1)
  })
})

describe('a code', () => {
  it('without any claim signs in, and every page of ours can say so', async () => {
    const code = await file.add()
    const browser = person()
    const reply = await enter(code, browser)
    expect(reply.status).toBe(200)
    const request = world.origin.requests.at(-1)
    expect(request?.header('x-remote-user')).toBe(`code:${code.slice(0, 4)}`)
    expect([request?.header('x-level'), request?.header('x-mail')]).toEqual([null, null])
    for (const path of ['/', '/sessions', '/logout']) {
      const page = await browser.navigate(world.portal(path))
      expect([page.status, /undefined|null|\[object/.test(page.visibleText)], path).toEqual([200, false])
    }
  })

  it('with claims in any script reaches the site with them, under a label in any script', async () => {
    const code = await file.add({ claims: { level: ['Élève', '日本語', '<b>𝕏</b>'] }, note: 'Lycée \u202e Ωmega' })
    const browser = person()
    const form = await formAt(browser)
    expect(form.visibleText).toContain('Guests ½ “Ωmega” 𝕏 <b>')
    expect(form.text).not.toContain('𝕏 <b>')
    expect((await browser.submit(form, { code })).status).toBe(200)
    const level = Buffer.from(world.origin.requests.at(-1)?.header('x-level') ?? '', 'latin1').toString()
    expect(level).toBe('Élève;日本語;<b>𝕏</b>')
  })

  it.each([
    ['a moment in winter time', '2026-11-20T13:00:00+01:00'],
    ['the same far in the east', '2026-11-21T02:00:00+14:00'],
    ['the same far in the west', '2026-11-20T00:30:00-11:30'],
    ['without seconds', '2026-11-20T12:00Z'],
  ])('begins and ends at the millisecond, whatever the offset: %s', async (_, moment) => {
    const [ends, begins] = [await file.add({ until: moment }), await file.add({ from: moment })]
    clock.advance(-1)
    expect([(await enter(ends)).status, (await enter(begins)).status]).toEqual([200, 403])
    clock.advance(1)
    const [ended, begun] = [await enter(ends), await enter(begins)]
    expect([ended.status, ended.visibleText.includes('has expired'), begun.status]).toEqual([403, true, 200])
  })

  it('of a day begins and ends with the day in UTC', async () => {
    const [until, from] = [await file.add({ until: '2026-11-20' }), await file.add({ from: '2026-11-21' })]
    clock.advance(12 * 3_600_000 - 1)
    expect([(await enter(until)).status, (await enter(from)).status]).toEqual([200, 403])
    clock.advance(1)
    expect([(await enter(until)).status, (await enter(from)).status]).toEqual([403, 200])
  })
})
