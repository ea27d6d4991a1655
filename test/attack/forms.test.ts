/**
 * CS-03 for every form of ours that acts: without the token, with the token of another browser's page, or sent by a page of another
 * site or of a sibling host, it does nothing (docs/sessions.md A6). Each has its browser, its page, and what it does when it is pressed.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import type { Reply } from '../stand-in/browser-reply.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp } from '../stand-in/code-idp.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

let world: TwoIdps
let file: CodeFile
let code: string

const site = (id: string, ...more: readonly string[]) =>
  aSite(id, more, { title: `{ fr: Site ${id}, en: ${id} site }` })

beforeAll(async () => {
  file = await makeCodeFile()
  code = await file.add()
  world = await startTwoIdps({
    domain: 'univ.localhost',
    alsoKnown: /^(person-\d+|code:\w{4})$/,
    session: '  perPerson: { limit: 2, beyond: ask }',
    moreIdps: aCodeIdp(file, 'guests'),
    files: { [file.path]: '' },
    more: 'chooser: { remember: ask }\nclaims: { favourite: { from: [domains], default: [INSB, INEE], take: chosen } }',
    resources: [
      site('app', 'idps: [op]', 'logout: { intercept: [/logout.php], means: local }'),
      site('any', 'idps: [op, campus]', 'sharedSubjects: yes'),
      site('guest', 'idps: [guests]'),
    ].join(''),
  })
})
afterEach(() => world.invariants())
afterAll(async () => {
  await world?.stop()
  await file?.remove()
})

interface Form {
  readonly name: string
  /** A browser on the page with the form. */
  readonly open: () => Promise<{ readonly browser: Browser; readonly page: Reply }>
  /** Part of the form's action. */
  readonly action: string
  /** What the person puts in. */
  readonly typed?: () => Readonly<Record<string, string>>
  /** How often that has happened which it does. */
  readonly done: (browser: Browser) => Promise<number>
}

/** Everybody is somebody else: sessions of one person are limited here. */
let persons = 0
async function signedIn(subject = `person-${++persons}`): Promise<{ browser: Browser; subject: string; page: Reply }> {
  const browser = new Browser({ language: 'en' })
  world.op.bends.subject = subject
  const page = await browser.navigate(world.url('app', '/echo'))
  if (page.status !== 200) throw new Error(page.story)
  return { browser, subject, page }
}

const told = (...names: readonly string[]) => world.events.filter(({ name }) => names.includes(name)).length
const ends = async () => told('session.ended')

async function at(path: string) {
  const { browser } = await signedIn()
  return { browser, page: await browser.navigate(world.portal(path)) }
}

async function coldAt(url: string) {
  const browser = new Browser({ language: 'en' })
  return { browser, page: await browser.navigate(url) }
}

const leaving: Form = {
  name: 'leaving one site',
  open: () => at('/logout/app?at=%2Flogout.php'),
  action: '/logout/app',
  done: async () => told('session.site-left'),
}

const forms: readonly Form[] = [
  leaving,
  {
    name: 'the chooser',
    open: () => coldAt(world.url('any', '/echo')),
    action: '/login',
    typed: () => ({ idp: 'op', remember: 'yes' }),
    // That a link may begin a sign-in is meant (`/login?idp=ID`); it may not make the browser remember one.
    done: async browser => browser.jar.all().filter(({ name }) => name === '__Host-Http-passerelle-idp').length,
  },
  {
    name: 'the form for an access code',
    open: () => coldAt(world.url('guest', '/echo')),
    action: '/callback/guests/',
    typed: () => ({ code }),
    done: async () => told('code.tried'),
  },
  { name: 'the sign-out', open: () => at('/logout'), action: '/logout', done: ends },
  {
    name: 'my sessions',
    open: async () => {
      const { browser, subject } = await signedIn()
      await signedIn(subject)
      return { browser, page: await browser.navigate(world.portal('/sessions')) }
    },
    action: '/sessions',
    done: ends,
  },
  {
    name: 'which session to close',
    open: async () => {
      const { subject } = await signedIn()
      await signedIn(subject)
      const { browser, page } = await signedIn(subject)
      expect(page.visibleText).toContain('Which session shall we close?')
      return { browser, page }
    },
    action: '/sessions',
    done: ends,
  },
  {
    name: 'choosing a favourite',
    open: () => at('/'),
    action: '/choice',
    done: async () => told('session.claim-chosen'),
  },
  {
    name: 'opening a site again',
    open: async () => {
      const { browser, page } = await leaving.open()
      await browser.submit(page, {}, '/logout/app', { follow: false })
      return { browser, page: await browser.navigate(world.url('app', '/echo')) }
    },
    action: '/open',
    done: async () => told('session.site-reopened'),
  },
]

describe.each(forms)('$name (CS-03)', ({ open, action, typed, done }) => {
  /** As a browser sends it when the person has pressed the button; `token` is the page's. */
  function filled(page: Reply): readonly (readonly [string, string])[] {
    const form = page.forms.find(one => one.method === 'POST' && one.action.includes(action))
    if (form === undefined) throw new Error(`no form ${action}:\n${page.visibleText}`)
    const [button] = form.buttons
    const pressed: [string, string][] = button?.name == null ? [] : [[button.name, button.value]]
    const put = typed?.() ?? {}
    return [...form.fields.filter(([name]) => !(name in put)), ...Object.entries(put), ...pressed]
  }
  const targetOf = (page: Reply) =>
    new URL(page.forms.find(one => one.method === 'POST' && one.action.includes(action))?.action ?? '', page.url)
  const holds = (fields: readonly (readonly [string, string])[], token: string | null) => [
    ...fields.filter(([name]) => name !== 'token'),
    ...(token === null ? [] : [['token', token] as const]),
  ]

  it('does nothing for a page of another site or of a sibling host, though it knows the token: 403', async () => {
    const { browser, page } = await open()
    const before = await done(browser)
    const fields = filled(page)
    expect(fields.map(([name]) => name)).toContain('token')
    for (const from of [world.url('evil', '/page'), world.url('app', '/'), 'http://evil.localhost:1/page']) {
      const reply = await browser.navigate(targetOf(page), { form: fields, from, follow: false })
      expect([reply.status, reply.cookiesSet], from).toEqual([403, []])
      const script = await browser.fetch(targetOf(page), {
        method: 'POST',
        body: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        from,
        mode: 'no-cors',
        credentials: 'include',
        follow: false,
      })
      expect(script.status, from).toBe(403)
    }
    expect(await done(browser)).toBe(before)
  })

  it('does nothing without the token, with none in it, or with the one of another browser', async () => {
    const { browser, page } = await open()
    const other = await open()
    const stolen = filled(other.page).find(([name]) => name === 'token')?.[1] ?? ''
    const own = filled(page).find(([name]) => name === 'token')?.[1] ?? ''
    expect(stolen.length).toBeGreaterThan(20)
    expect(own).not.toBe(stolen)
    const before = await done(browser)
    for (const token of [null, '', 'x', stolen, own.slice(0, -1)]) {
      const reply = await browser.navigate(targetOf(page), {
        form: holds(filled(page), token),
        from: page,
        follow: false,
      })
      // Refused, or asked once more: never led on to where the form leads.
      expect([200, 303, 403], String(token)).toContain(reply.status)
      expect(reply.redirect?.origin ?? world.portal('').replace(/\/$/, ''), String(token)).toBe(
        world.portal('').replace(/\/$/, ''),
      )
      expect(await done(browser), String(token)).toBe(before)
    }
  })

  it('does nothing by GET or HEAD, whatever the address says', async () => {
    const { browser, page } = await open()
    const before = await done(browser)
    const url = targetOf(page)
    for (const [name, value] of filled(page)) url.searchParams.append(name, value)
    for (const method of ['GET', 'HEAD']) await browser.navigate(url, { method, from: page, follow: false })
    expect(await done(browser)).toBe(before)
  })

  it('does what it says for the person who presses it', async () => {
    const { browser, page } = await open()
    const before = await done(browser)
    await browser.submit(page, { ...typed?.() }, action, { follow: false })
    expect(await done(browser)).toBe(before + 1)
  })
})
