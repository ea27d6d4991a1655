/**
 * The examination that every sign-in protocol sits: what login and logout rely on, whichever protocol an institution has
 * (src/model/idp.ts). What only one protocol can get wrong is examined beside it, in the other files of this folder.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Asking, BrowserStep, Heard, IdpPending, SignIn } from '../../src/model/idp.ts'
import { callback } from './attempt.ts'
import { examineServer } from './contract-server.ts'
import type { Brought, Examined, Lacking, Sitting } from './sitting.ts'

export interface BegunSignIn {
  readonly step: BrowserStep
  readonly idpPending: IdpPending
  readonly state: string
  readonly passive: boolean
  readonly begunAt: number
  /** How often hear() consumed it. */
  taken: number
}

/** What the examination does to a protocol, at one gateway. */
export interface Desk {
  readonly sitting: () => Sitting
  /** At the gateway of this test. */
  readonly gateway: () => Examined
  readonly begin: (at?: Examined, asking?: Asking) => Promise<BegunSignIn>
  readonly hear: (begun: BegunSignIn, brought: Brought, at?: Examined) => Promise<Heard>
  readonly signIn: (at?: Examined) => Promise<SignIn>
  /** Fails where a secret stands in it, or what would break a line of the log. */
  readonly refusal: (heard: Promise<unknown>, begun?: BegunSignIn, brought?: Brought) => Promise<GatewayError>
}

/** @param lacking what this protocol cannot be examined about; all others must have it */
export function examine(begin: () => Promise<Sitting>, lacking: Lacking = {}): void {
  let sitting: Sitting
  let gateway: Examined
  beforeAll(async () => {
    sitting = await begin()
  })
  beforeEach(() => {
    gateway = sitting.examined()
  })
  afterEach(async () => {
    await sitting.reset()
    // What was found at the idp is fresh no more.
    sitting.advance(10_000)
  })
  afterAll(() => sitting.stop())

  let count = 0
  const desk: Desk = {
    sitting: () => sitting,
    gateway: () => gateway,
    async begin(at = gateway, asking: Asking = 'as-needed') {
      count += 1
      const state = `state-${String(count).padStart(4, '0')}-${'s'.repeat(32)}`
      const { step, idpPending } = await at.provider.begin(callback, {
        asking,
        loginHint: null,
        state,
      })
      return { step, idpPending, state, passive: asking === 'never', begunAt: sitting.now(), taken: 0 }
    },
    hear: (begun, brought, at = gateway) =>
      at.provider.hear({ ...brought, callback, address: '127.0.0.1', passive: begun.passive }, async () => {
        begun.taken += 1
        return { idpPending: begun.idpPending, state: begun.state, begunAt: begun.begunAt }
      }),
    async signIn(at = gateway) {
      const begun = await desk.begin(at)
      return signedIn(await desk.hear(begun, sitting.reply(begun.step), at))
    },
    async refusal(heard, begun, brought) {
      const error = await heard.then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (!(error instanceof GatewayError)) throw new Error(`not refused, but ${error}`)
      const secrets = [
        ...(brought === undefined ? [] : sitting.secrets(brought)),
        ...(begun === undefined ? [] : [begun.state, ...secretsIn(begun.idpPending)]),
      ]
      // The log holds the message, the first cause’s and the hint.
      const cause = error.cause instanceof GatewayError || error.cause instanceof Error ? error.cause.message : ''
      for (const text of [error.message, error.hint ?? '', cause]) {
        for (const secret of secrets) expect(text).not.toContain(secret)
        expect(text).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
        expect(text.length).toBeLessThan(1_000)
      }
      return error
    },
  }

  describe('begin()', () => {
    it('leads nowhere but to the idp, and keeps in its own memory what hear() needs', async () => {
      const { step, idpPending } = await desk.begin()
      expect(step.kind).toBe(sitting.server === null ? 'prompt' : 'redirect')
      expect(gateway.provider.prompt === null).toBe(sitting.server !== null)
      if (step.kind === 'redirect') expect(step.to.origin).toBe(sitting.server?.origin)
      for (const value of Object.values(idpPending)) expect(typeof value).toBe('string')
      expect(JSON.stringify(idpPending).length).toBeLessThan(2_000)
    })

    it('binds the state: the idp sends it back, in the message or in the address that the message comes to', async () => {
      const { step, state } = await desk.begin()
      if (step.kind === 'redirect') expect(decodeURIComponent(step.to.href)).toContain(state)
    })

    it('tells a person’s address at most to the idp, in one parameter, and keeps it nowhere', async () => {
      const [address, state] = ['anna+x&prompt=none@campus.example', 's'.repeat(43)]
      const begun = await gateway.provider.begin(callback, { asking: 'as-needed', loginHint: address, state })
      expect(JSON.stringify(begun.idpPending)).not.toContain('anna')
      if (begun.step.kind !== 'redirect') return
      const told = [...begun.step.to.searchParams].filter(([, value]) => value.includes('anna'))
      expect(told).toEqual(sitting.takesLoginHint ? [['login_hint', address]] : [])
      expect(begun.step.to.searchParams.has('prompt')).toBe(false)
    })

    it('tells the idp our callback as the caller built it', async () => {
      const { step } = await desk.begin()
      if (step.kind === 'redirect') expect([...step.to.searchParams.values()].join(' ')).toContain(callback.href)
    })
  })

  describe('hear()', () => {
    it('signs in whom the idp means, and takes the pending sign-in once', async () => {
      const begun = await desk.begin()
      const { identity } = signedIn(await desk.hear(begun, sitting.reply(begun.step)))
      expect([identity.idp, identity.subject, begun.taken]).toEqual(['campus', sitting.subject, 1])
    })

    it('goes on after a restart of the gateway between its two halves', async () => {
      const begun = await desk.begin()
      const restarted = sitting.examined()
      const { identity } = signedIn(await desk.hear(begun, sitting.reply(begun.step), restarted))
      expect(identity.subject).toBe(sitting.subject)
    })

    it('uses nothing up and asks nobody for a message that cannot be a reply', async () => {
      for (const [what, bend] of sitting.worthless) {
        const begun = await desk.begin()
        const reply = sitting.reply(begun.step)
        bend(reply.parameters)
        const error = await desk.refusal(desk.hear(begun, reply), begun, reply)
        expect(error.code, what).toMatch(/^(?:idp\.rejected$|code\.)/)
        expect([begun.taken, sitting.server?.asked() ?? 0], what).toEqual([0, 0])
      }
      expect(sitting.worthless.length).toBeGreaterThan(0)
    })

    it('fails as the caller says where the pending sign-in is gone, and asks nobody', async () => {
      const gone = new GatewayError('login.stale', 'gone')
      const begun = await desk.begin()
      const message = { ...sitting.reply(begun.step), callback, address: '127.0.0.1', passive: false }
      await expect(gateway.provider.hear(message, () => Promise.reject(gone))).rejects.toBe(gone)
      expect(sitting.server?.asked() ?? 0).toBe(0)
    })

    it('says of the person what is there: a name of its own idp, lists, sane times', async () => {
      const { identity, issuedAt, keep } = await desk.signIn()
      expectShape(identity.claims)
      expect(identity.subject).toMatch(/^[^\0-\x1f\x7f]{1,255}$/)
      expect(Math.abs(issuedAt - sitting.now() / 1000)).toBeLessThan(2)
      expect(Math.abs(identity.authenticatedAt - sitting.now() / 1000)).toBeLessThan(2)
      expect([issuedAt, identity.authenticatedAt].every(Number.isInteger)).toBe(true)
      expect(identity.idpSession?.value).not.toBe('')
      for (const value of Object.values(keep)) expect(['string', 'number', 'boolean']).toContain(typeof value)
    })
  })

  describe('a sign-out that the idp tells', () => {
    it('is no reply to a sign-in, and the other way round', async () => {
      const begun = await desk.begin()
      const message = { ...sitting.reply(begun.step), callback, address: '127.0.0.1', passive: false }
      expect(gateway.provider.saysLogout?.(message) ?? false).toBe(false)
    })

    if (lacking.logsOut !== undefined) {
      return it(`does not exist: ${lacking.logsOut}`, async () => {
        expect([sitting.logsOut, sitting.forgesLogout]).toEqual([null, null])
        const { backChannel, frontChannel, saysLogout, end } = gateway.provider
        expect([backChannel, frontChannel, saysLogout]).toEqual([null, null, null])
        expect(await end({}, callback, 's')).toBeNull()
      })
    }

    it('names a session as its sign-in was named, for this idp alone', async () => {
      const { logsOut } = sitting
      if (logsOut === null) throw new Error('it tells nobody, and does not say why')
      const signIn = await desk.signIn()
      const notices = await logsOut(gateway.provider, signIn)
      expect(notices).toHaveLength(1)
      for (const { idp, subject, idpSession, issuedAt } of notices) {
        expect(idp).toBe('campus')
        expect(subject ?? sitting.subject).toBe(sitting.subject)
        expect(subject ?? idpSession).not.toBeNull()
        if (idpSession !== null) {
          expect(idpSession.value).toBe(signIn.identity.idpSession?.value)
          expect(idpSession.kinds).toContain(signIn.identity.idpSession?.kind)
        }
        expect(Math.abs(issuedAt - sitting.now() / 1000)).toBeLessThan(2)
      }
    })

    it('that proves nothing names nobody', async () => {
      if (sitting.forgesLogout === null) throw new Error('nobody can forge it, and it does not say why')
      expect(await desk.refusal(sitting.forgesLogout(gateway.provider))).toMatchObject({
        code: 'logout.token-rejected',
      })
    })
  })

  describe('its server', () => {
    if (lacking.server === undefined) return examineServer(desk)
    it(`does not exist: ${lacking.server}`, async () => {
      expect(sitting.server).toBeNull()
      expect((await desk.begin()).step).toEqual({ kind: 'prompt' })
    })
  })
}

export function signedIn(heard: Heard): SignIn {
  if (heard.kind !== 'sign-in') throw new Error(`heard ${heard.kind}`)
  return heard.signIn
}

/** Lists of texts, none empty, and no way to an object's prototype. */
export function expectShape(claims: SignIn['identity']['claims']): void {
  for (const [name, values] of Object.entries(claims)) {
    expect(Array.isArray(values) && values.length > 0 && values.every(value => typeof value === 'string'), name).toBe(
      true,
    )
  }
  expect(Object.getPrototypeOf(claims)).toBeNull()
}

/** What a protocol remembers and nobody else may know; addresses and marks are none. */
function secretsIn(pending: IdpPending): readonly string[] {
  return Object.values(pending).filter(value => value.length >= 20 && !value.includes('://'))
}
