/** LG-01 for those who sign in by CAS or by an access code: what they bring, and what comes of it, stands nowhere it could be read. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aSite } from '../stand-in/a-site.ts'
import { Browser } from '../stand-in/browser-client.ts'
import { type CasServer, logoutRequest, postLogout, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { type CodeFile, makeCodeFile } from '../stand-in/code-file.ts'
import { aCodeIdp } from '../stand-in/code-idp.ts'
import { type NotedSecrets, notedSecrets } from '../stand-in/noted-secrets.ts'
import { startTwoIdps, type TwoIdps } from '../stand-in/two-idps.ts'

const clock = settableClock(Date.now())
let cas: CasServer
let file: CodeFile
let world: TwoIdps
let secrets: NotedSecrets
beforeAll(async () => {
  cas = await startCasServer()
  file = await makeCodeFile()
  world = await startTwoIdps({
    surroundings: { wall: clock.now },
    moreIdps: `
  - { id: school, label: École, cas: { server: "${cas.server}" } }${aCodeIdp(file, 'guests')}`,
    files: { [file.path]: '' },
    openPaths: /^\/echo/,
    resources: aSite('pupils', ['idps: [school]']) + aSite('guest', ['idps: [guests]']),
    more: 'log: { level: info }',
  })
})
afterEach(() => {
  world.invariants()
  cas.reset()
})
afterAll(async () => {
  await world.stop()
  await cas.stop()
  await file.remove()
})

async function nothingFound(least: { readonly secrets: number; readonly kinds: number }): Promise<void> {
  expect(secrets.count().secrets).toBeGreaterThanOrEqual(least.secrets)
  expect(secrets.count().kinds).toBeGreaterThanOrEqual(least.kinds)
  expect(await secrets.found(world)).toEqual([])
}

describe('LG-01 a life of sessions', () => {
  it('by CAS leaves no ticket, state, cookie or word of a sign-out in log, metrics or events', async () => {
    secrets = notedSecrets()
    const { note, noteAll } = secrets
    const pupils = world.url('pupils', '/echo')
    const visit = async (bend: () => void = () => {}) => {
      bend()
      const browser = new Browser({ language: 'en' })
      noteAll(await browser.navigate(pupils))
      for (const { ticket, service } of cas.tickets) {
        note('a ticket', ticket)
        note('the state of a service', new URL(service).pathname.split('/').at(-1))
      }
      return browser
    }
    const answers = (status: number, body: string) => () => {
      cas.bends.validation = (_, response) => void response.writeHead(status).end(body)
    }

    // In and out; twice by the server, of which the second finds nothing.
    const browser = await visit()
    const asked = noteAll(await browser.navigate(world.portal('/logout')))
    noteAll(await browser.submit(asked, {}, '/logout'))
    await visit()
    for (let time = 0; time < 2; time++) await cas.singleLogout()
    const known = cas.tickets.at(-1)
    await postLogout(known?.service ?? '', logoutRequest(`${known?.ticket}-x`))
    await postLogout(known?.service ?? '', `${logoutRequest(known?.ticket ?? '')}<`)
    note('words of a sign-out', `${known?.ticket}-x`)

    // Refused and failed, each in its way; the server repeats what it was sent, as they do.
    await visit(() => {
      cas.bends.validation = ({ url }, response) => {
        const words = decodeURIComponent(url ?? '').replaceAll('&', '&amp;')
        response.end(
          `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="INVALID_TICKET">${words}</cas:authenticationFailure></cas:serviceResponse>`,
        )
      }
    })
    await visit(() => {
      cas.bends.validation = ({ url }, response) =>
        void response.end(`<p title='${url}'>${decodeURIComponent(url ?? '')}</p>`)
    })
    for (const [status, body] of [
      [302, ''],
      [404, 'no'],
      [500, 'oops'],
      [200, '<html><br></html>'],
    ] as const) {
      await visit(answers(status, body))
      clock.advance(11_000)
    }
    cas.reset()

    // Brought by somebody else, twice, without its ticket, too long, and altered.
    const eve = new Browser({ language: 'en' })
    const there = await eve.navigate(pupils, { follow: one => !one.redirect?.pathname.startsWith('/callback/') })
    noteAll(there)
    const callback = new URL(there.redirect ?? '')
    const ticket = callback.searchParams.get('ticket') ?? ''
    note('a ticket', ticket)
    for (const search of [
      '',
      `?ticket=PT-${ticket}`,
      `?ticket=${ticket}&ticket=x`,
      `?ticket=${ticket}${'x'.repeat(1_100)}`,
    ]) {
      const bent = new URL(callback)
      bent.search = search
      noteAll(await eve.navigate(bent, { from: cas.server }))
      noteAll(await new Browser().navigate(bent, { from: cas.server }))
    }
    await nothingFound({ secrets: 60, kinds: 9 })
  })

  it('by access codes leaves none that was typed, right or wrong, in log, metrics or events', async () => {
    secrets = notedSecrets()
    const { note, noteAll } = secrets
    const right = await file.add()
    const expired = await file.add({ until: '2020-01-01' })
    const typed = [
      right,
      expired,
      right.toLowerCase(),
      right.replaceAll('-', ''),
      `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`,
      `${right.slice(0, 5)}ZZZZ-ZZZZ-ZZZZ-ZZZZ`,
      '0000-1111-2222-3333-4444',
      'the password of my mail account',
      `${right}\r\n{"msg":"forged"}`,
    ]
    for (const code of typed) {
      // The selector, before the first hyphen, is what audit lines name a code by.
      for (const part of [code, code.trim(), code.replaceAll('-', '').slice(4)]) note('a code', part)
      const browser = new Browser({ language: 'en' })
      const form = noteAll(await browser.navigate(world.url('guest', '/echo')))
      noteAll(await browser.submit(form, { code }))
      // By an address, as a form that was bent into a GET would do it.
      noteAll(await browser.navigate(`${form.url.href}?${new URLSearchParams({ code })}`))
    }
    await nothingFound({ secrets: 60, kinds: 5 })
  })
})
