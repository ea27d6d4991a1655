/** OpenID Connect in its examination, with the provider that lies as told. */
import { createFetch } from '../../src/outbound/fetch.ts'
import { createOutbound } from '../../src/outbound/outbound.ts'
import { startAdversarialOp } from '../stand-in/adversarial-op.ts'
import { settableClock } from '../stand-in/clock.ts'
import { logoutClaims, logoutToken } from '../stand-in/logout-token.ts'
import { gatewayAt } from './attempt.ts'
import type { Sitting } from './sitting.ts'

const says = (parameters: Record<string, string>) => ({
  method: 'GET' as const,
  parameters: new URLSearchParams(parameters),
})

export async function sitOidc(): Promise<Sitting> {
  const clock = settableClock()
  const op = await startAdversarialOp(clock.now)
  const outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  const closes: (() => Promise<void>)[] = [outbound.close]
  let askedBeforeS = 0
  let fromMemory = false
  const sid = 'c2b1e0f6-7d0f-4a53-9a4e-3c1d2b5a6f70'

  function honestly(): void {
    ;[askedBeforeS, fromMemory] = [0, false]
    op.reset()
    op.bends.claims = claims => {
      const before = fromMemory ? 3_600 : askedBeforeS
      return { ...claims, sid, auth_time: Number(claims.iat) - before }
    }
  }
  honestly()

  return {
    now: clock.now,
    advance: clock.advance,
    silently: {
      word: ['prompt', 'none'],
      nobody: ['login_required', 'interaction_required', 'account_selection_required', 'consent_required'].map(
        error => [error, ({ state }) => says({ error, error_description: 'nobody is here', state, iss: op.issuer })],
      ),
      refused: [
        ['access_denied', ({ state }) => says({ error: 'access_denied', state, iss: op.issuer })],
        ['server_error', ({ state }) => says({ error: 'server_error', state, iss: op.issuer })],
        ['an empty error', ({ state }) => says({ error: '', state, iss: op.issuer })],
        ['another spelling', ({ state }) => says({ error: 'Login_Required', state, iss: op.issuer })],
        ['the state of another sign-in', () => says({ error: 'login_required', state: 'other', iss: op.issuer })],
        ['no state', () => says({ error: 'login_required', iss: op.issuer })],
        ['another issuer', ({ state }) => says({ error: 'login_required', state, iss: 'https://evil.example' })],
        ['a code besides', ({ state }) => says({ error: 'login_required', code: 'c', state, iss: op.issuer })],
      ],
    },
    takesLoginHint: true,
    subject: 'anna',
    examined(patienceMs = 10_000) {
      const asking = createFetch(outbound.connector(5_000), { deadlineMs: patienceMs, bytes: 1024 * 1024 })
      closes.push(asking.close)
      return gatewayAt(op.issuer, { fetch: asking.fetch, now: clock.now })
    },
    reply(step, how = {}) {
      if (step.kind !== 'redirect') throw new Error('OpenID Connect redirects')
      fromMemory = how.fromMemory ?? false
      return { method: 'GET', parameters: op.authorize(step.to, how.subject).searchParams }
    },
    worthless: [
      ['with neither code nor error', reply => reply.delete('code')],
      ['with an empty code', reply => reply.set('code', '')],
      ['with two codes', reply => reply.append('code', 'other')],
      ['with two states', reply => reply.append('state', 'other')],
      ['with both a code and an error', reply => reply.set('error', 'access_denied')],
      ['with a token that nobody asked for', reply => reply.set('id_token', 'e30.e30.')],
      ['of another issuer', reply => reply.set('iss', 'https://evil.example')],
    ],
    secrets: ({ parameters }) => [...parameters.getAll('code').filter(code => code.length > 10), op.clientSecret],
    server: {
      origin: op.issuer,
      goDown: op.goDown,
      comeUp: op.comeUp,
      answers(which, how) {
        op.bends.wire[which === 'look' ? 'metadata' : 'token'] = how
      },
      refuses() {
        op.bends.wire.token = (_, response) => {
          const { form, headers } = op.asked.at(-1) ?? {}
          const error_description = `${form} ${headers?.authorization}\r\nforged line`
          response.writeHead(400, { 'content-type': 'application/json' })
          response.end(JSON.stringify({ error: 'invalid_grant', error_description }))
        }
      },
      asked: () => op.count('token') + op.count('userinfo'),
      looked: () => op.count('metadata'),
      strays: () => op.count('other'),
      says(claims) {
        op.bends.userinfo = userinfo => ({
          ...userinfo,
          ...Object.fromEntries(
            Object.entries(claims).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
          ),
        })
      },
      clockIsWrong(seconds) {
        op.bends.clockOffsetS = seconds
      },
      askedPersonBefore(seconds) {
        askedBeforeS = seconds
      },
    },
    async logsOut(at, { identity }) {
      const token = await logoutToken(op, logoutClaims(op, clock.now(), { sub: identity.subject, sid }))
      if (at.backChannel === null) throw new Error('OpenID Connect has a back channel')
      return [await at.backChannel(new URLSearchParams({ logout_token: token }))]
    },
    async forgesLogout(at) {
      const claims = logoutClaims(op, clock.now(), { sub: 'anna', sid, events: {} })
      return at.backChannel?.(new URLSearchParams({ logout_token: await logoutToken(op, claims) }))
    },
    async reset() {
      honestly()
      await op.comeUp()
    },
    async stop() {
      await op.stop()
      for (const close of closes) await close()
    },
  }
}
