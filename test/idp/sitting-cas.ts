/** CAS in its examination, with the stand-in server. */
import { buildProviders } from '../../src/idp/build.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { IdentityProvider } from '../../src/model/idp.ts'
import type { LogoutNotice } from '../../src/model/logout.ts'
import { textOf } from '../../src/model/text.ts'
import { createFetch } from '../../src/outbound/fetch.ts'
import { createOutbound } from '../../src/outbound/outbound.ts'
import { escaped, failure, logoutRequest, startCasServer } from '../stand-in/cas-server.ts'
import { settableClock } from '../stand-in/clock.ts'
import { noCodes } from '../stand-in/no-codes.ts'
import { callback } from './attempt.ts'
import type { Sitting } from './sitting.ts'

const back = (parameters: Record<string, string>) => ({
  method: 'GET' as const,
  parameters: new URLSearchParams(parameters),
})

export async function sitCas(): Promise<Sitting> {
  const clock = settableClock()
  const cas = await startCasServer()
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  const closes: (() => Promise<void>)[] = [outbound.close]
  const origin = new URL(cas.server).origin
  let told: Readonly<Record<string, readonly string[]>> = {}
  let offsetS = 0
  let askedBeforeS = 0
  let down = false

  const attribute = (name: string, value: string) => `<cas:${name}>${escaped(value)}</cas:${name}>`
  function tellAgain(): void {
    const date = new Date(clock.now() + (offsetS - askedBeforeS) * 1_000).toISOString()
    const isNew = attribute('isFromNewLogin', String(askedBeforeS === 0))
    const more = Object.entries(told).flatMap(([name, values]) => values.map(value => attribute(name, value)))
    cas.bends.attributes = `<cas:attributes>${attribute('authenticationDate', date)}${isNew}${more.join('')}</cas:attributes>`
  }

  async function hearLogout(at: IdentityProvider, request: string): Promise<readonly LogoutNotice[]> {
    const message = { method: 'POST', callback, address: '127.0.0.1', passive: false } as const
    const parameters = new URLSearchParams({ logoutRequest: request })
    const heard = await at.hear({ ...message, parameters }, () => Promise.reject(new Error('a sign-out takes nothing')))
    if (heard.kind !== 'logout') throw new Error(`heard ${heard.kind}`)
    return heard.notices
  }

  return {
    now: clock.now,
    advance: clock.advance,
    silently: {
      word: ['gateway', 'true'],
      nobody: [
        ['without a ticket', () => back({})],
        ['with what others add to an address', () => back({ lang: 'fr' })],
      ],
      refused: [
        ['an empty ticket', () => back({ ticket: '' })],
        ['a ticket that it does not know', () => back({ ticket: 'ST-7-unknown' })],
        ['a post without a ticket', () => ({ ...back({}), method: 'POST' as const })],
      ],
    },
    takesLoginHint: false,
    subject: 'alice',
    examined(patienceMs = 10_000) {
      const events: GatewayEvent[] = []
      const asking = createFetch(outbound.connector(5_000), { deadlineMs: patienceMs, bytes: 1024 * 1024 })
      closes.push(asking.close)
      const settings = {
        id: 'campus',
        label: textOf('Campus'),
        cas: { server: new URL(cas.server), version: 3 as const },
      }
      const [provider] = buildProviders([settings], {
        fetch: asking.fetch,
        now: clock.now,
        report: event => events.push(event),
        allowLoopbackHttp: true,
        rechecks: false,
        codes: noCodes,
        random: () => 1,
      })
      if (provider === undefined) throw new Error('one idp makes one provider')
      return { provider, events }
    },
    reply(step, { subject = 'alice', fromMemory = false } = {}) {
      if (step.kind !== 'redirect') throw new Error('CAS redirects')
      tellAgain()
      const login = new URL(step.to)
      if (fromMemory) login.searchParams.delete('renew')
      cas.bends.user = subject
      return { method: 'GET', parameters: cas.signIn(login).searchParams }
    },
    worthless: [
      ['without a ticket', reply => reply.delete('ticket')],
      ['with an empty ticket', reply => reply.set('ticket', '')],
      ['with two tickets', reply => reply.append('ticket', 'ST-2')],
      ['with a ticket of an application’s', reply => reply.set('ticket', `PT-${reply.get('ticket')}`)],
      ['with a ticket in two lines', reply => reply.append('ticket', `${reply.get('ticket')}\r\nX: y`)],
      ['with a ticket of two thousand characters', reply => reply.set('ticket', `ST-${'1'.repeat(2_000)}`)],
    ],
    secrets: ({ parameters }) => parameters.getAll('ticket').filter(ticket => ticket.length > 10),
    server: {
      origin,
      async goDown() {
        down = true
        await cas.goDown()
      },
      async comeUp() {
        if (down) await cas.comeUp()
        down = false
      },
      answers(which, how) {
        if (which === 'look') cas.bends.look = how
        else cas.bends.validation = how
      },
      refuses() {
        cas.bends.validation = ({ url }, response) => {
          const words = `${decodeURIComponent(url ?? '')}\r\nforged line`
          const answer = failure('INVALID_TICKET', words)
          response.end(`<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">${answer}</cas:serviceResponse>`)
        }
      },
      asked: () => cas.asked.filter(url => url.includes('ticket=')).length,
      looked: () => cas.asked.filter(url => !url.includes('ticket=')).length,
      strays: () => cas.asked.filter(url => !url.includes('/serviceValidate')).length,
      says(claims) {
        told = claims
      },
      clockIsWrong(seconds) {
        offsetS = seconds
      },
      askedPersonBefore(seconds) {
        askedBeforeS = seconds
      },
    },
    logsOut: (at, { identity }) => hearLogout(at, logoutRequest(identity.idpSession?.value ?? '')),
    forgesLogout: at => hearLogout(at, logoutRequest('').replace('SessionIndex', 'Session')),
    async reset() {
      ;[told, offsetS, askedBeforeS] = [{}, 0, 0]
      cas.reset()
      if (down) await cas.comeUp()
      down = false
    },
    async stop() {
      if (!down) await cas.stop()
      for (const close of closes) await close()
    },
  }
}
