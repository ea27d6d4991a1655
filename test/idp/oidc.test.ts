/** The whole sign-in against npm's certified oidc-provider: what a real provider says and what we make of it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { buildProviders } from '../../src/idp/build.ts'
import type { GatewayEvent } from '../../src/model/event.ts'
import type { BrowserStep, IdentityProvider, SignIn } from '../../src/model/idp.ts'
import { Secret } from '../../src/model/secret.ts'
import { textOf } from '../../src/model/text.ts'
import { createOutbound, type Outbound } from '../../src/outbound/outbound.ts'
import { noCodes } from '../stand-in/no-codes.ts'
import { type OpenidProvider, signInAtProvider, startOpenidProvider } from '../stand-in/openid-provider.ts'

const callback = new URL('http://acces.localhost:8080/callback/campus')
const signedOut = new URL('http://acces.localhost:8080/signed-out')
const anna = { name: 'anna', password: 'sesame' }

let outbound: Outbound
let op: OpenidProvider

beforeAll(async () => {
  outbound = createOutbound({ ca: null, localAddress: null, refused: [] })
  op = await startOpenidProvider({
    host: 'sso.localhost',
    login: 'form',
    clients: [
      {
        clientId: 'passerelle',
        clientSecret: 'un-secret_+deux=parties.~',
        redirectUris: [callback.href],
        postLogoutRedirectUris: [signedOut.href],
        backchannelLogoutUri: 'http://acces.localhost:8080/backchannel/campus',
      },
      { clientId: 'poste', clientSecret: 'p', authentication: 'post', redirectUris: [callback.href] },
      { clientId: 'public', clientSecret: null, redirectUris: [callback.href] },
    ],
    accounts: [
      {
        ...anna,
        acr: 'urn:example:mfa',
        amr: ['pwd', 'otp'],
        claims: {
          email: 'anna@example.org',
          email_verified: true,
          given_name: 'Anna',
          affiliation: ['staff', 'member'],
          address: { locality: 'Nancy' },
        },
      },
    ],
  })
})

afterAll(async () => {
  await op.stop()
  await outbound.close()
})

function providerFor(
  oidc: { clientId?: string; clientSecret?: Secret | null; clientAuthentication?: 'basic' | 'post' | null } = {},
  events: GatewayEvent[] = [],
): IdentityProvider {
  const [provider] = buildProviders(
    [
      {
        id: 'campus',
        label: textOf('Campus'),
        oidc: {
          issuer: op.issuer,
          clientId: 'passerelle',
          clientSecret: new Secret('un-secret_+deux=parties.~'),
          clientAuthentication: null,
          scopes: ['openid', 'profile', 'email'],
          ...oidc,
        },
        frontChannel: { sid: 'session' },
      },
    ],
    {
      fetch: outbound.fetch,
      now: Date.now,
      report: event => events.push(event),
      allowLoopbackHttp: true,
      rechecks: false,
      codes: noCodes,
    },
  )
  if (provider === undefined) throw new Error('one idp makes one provider')
  return provider
}

const state = 's'.repeat(43)

async function signIn(provider: IdentityProvider, cookies?: Map<string, string>, force = false): Promise<SignIn> {
  const begunAt = Date.now()
  const { step, idpPending } = await provider.begin(callback, {
    asking: force ? 'again' : 'as-needed',
    loginHint: null,
    state,
  })
  if (step.kind !== 'redirect') throw new Error('OpenID Connect redirects')
  const reply = await signInAtProvider(step.to, anna, outbound.fetch, cookies)
  const heard = await provider.hear(
    { method: 'GET', callback, parameters: reply.searchParams, address: '127.0.0.1', passive: false },
    async () => ({
      idpPending,
      state,
      begunAt,
    }),
  )
  if (heard.kind !== 'sign-in') throw new Error(`heard ${heard.kind}`)
  return heard.signIn
}

/** Confirms the end of the session on the provider's own page. */
async function leave(step: BrowserStep | null, cookies: ReadonlyMap<string, string>): Promise<Response> {
  if (step?.kind !== 'redirect') throw new Error('OpenID Connect redirects')
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' }
  const page = await outbound.fetch(step.to, { method: 'GET', headers, body: null, signal: null })
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
  const body = `xsrf=${xsrf}&logout=yes`
  return outbound.fetch(new URL('/session/end/confirm', op.issuer), { method: 'POST', headers, body, signal: null })
}

describe('a sign-in at a real OpenID provider', () => {
  it('gives the subject, the claims as lists under the names of the provider, and the strength', async () => {
    const { identity, notAfter } = await signIn(providerFor())
    expect(identity).toMatchObject({
      idp: 'campus',
      subject: 'anna',
      strength: { acr: 'urn:example:mfa', amr: ['pwd', 'otp'] },
      idpSession: { kind: 'sid', value: expect.stringMatching(/^.{20,}$/) },
    })
    expect({ ...identity.claims }).toEqual({
      sub: ['anna'],
      email: ['anna@example.org'],
      email_verified: ['true'],
      given_name: ['Anna'],
      affiliation: ['staff', 'member'],
      '/address/locality': ['Nancy'],
    })
    expect(Math.abs(identity.authenticatedAt - Date.now() / 1000)).toBeLessThan(5)
    expect(notAfter).toBeNull()
  })

  it('authenticates the client by Basic, by the form, or not at all, as the provider has registered it', async () => {
    expect((await signIn(providerFor())).identity.subject).toBe('anna')
    const byForm = providerFor({ clientId: 'poste', clientSecret: new Secret('p'), clientAuthentication: 'post' })
    expect((await signIn(byForm)).identity.subject).toBe('anna')
    const openly = await signIn(providerFor({ clientId: 'public', clientSecret: null }))
    expect(openly.identity).toMatchObject({ subject: 'anna', idpSession: null })
  })

  it('is refused with a hint where the client secret is another', async () => {
    const failed = await signIn(providerFor({ clientSecret: new Secret('wrong') })).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'idp.rejected', hint: expect.stringContaining('clientSecret') })
  })

  it('gives the same subject for the same person twice, silently the second time', async () => {
    const provider = providerFor()
    const cookies = new Map<string, string>()
    const first = await signIn(provider, cookies)
    const second = await signIn(provider, cookies)
    expect(second.identity.subject).toBe(first.identity.subject)
    expect(second.identity.idpSession).toEqual(first.identity.idpSession)
    expect(second.identity.authenticatedAt).toBe(first.identity.authenticatedAt)
  })

  it('asks for the password again when forced, although the provider remembers the person', async () => {
    const provider = providerFor()
    const cookies = new Map<string, string>()
    await signIn(provider, cookies)
    const before = op.requests.filter(request => request.startsWith('POST /interaction')).length
    await signIn(provider, cookies, true)
    expect(op.requests.filter(request => request.startsWith('POST /interaction')).length).toBe(before + 1)
  })

  it('redeems a code once: the same callback again is refused by the provider', async () => {
    const provider = providerFor()
    const begunAt = Date.now()
    const { step, idpPending } = await provider.begin(callback, { asking: 'as-needed', loginHint: null, state })
    if (step.kind !== 'redirect') throw new Error('OpenID Connect redirects')
    const parameters = (await signInAtProvider(step.to, anna, outbound.fetch)).searchParams
    const hear = () =>
      provider.hear({ method: 'GET', callback, parameters, address: '127.0.0.1', passive: false }, async () => ({
        idpPending,
        state,
        begunAt,
      }))
    await hear()
    await expect(hear()).rejects.toThrowError(GatewayError)
    await expect(hear()).rejects.toMatchObject({
      code: 'idp.rejected',
      message: expect.stringContaining('invalid_grant'),
    })
  })

  it('ends at the provider with the ID token as hint, and comes back with our state (RP-Initiated Logout §2)', async () => {
    const provider = providerFor()
    const cookies = new Map<string, string>()
    const { keep } = await signIn(provider, cookies)
    const step = await provider.end(keep, signedOut, 'o'.repeat(43))
    if (step?.kind !== 'redirect') throw new Error('OpenID Connect redirects')
    expect(step.to.searchParams.get('id_token_hint')).toBe(keep.idToken)

    const end = await leave(step, cookies)
    expect(end.headers.get('location')).toBe(`${signedOut.href}?state=${'o'.repeat(43)}`)
  })

  it('can be told to the gateway’s back channel, which is under localhost too', async () => {
    const told: string[] = []
    const listener = createServer(async (request, response) => {
      for await (const part of request) told.push(String(part))
      response.end()
    })
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    const { port } = listener.address() as AddressInfo
    const backchannelLogoutUri = `http://acces.localhost:${port}/backchannel/campus`
    op.addClient({
      clientId: 'heard',
      clientSecret: null,
      redirectUris: [callback.href],
      postLogoutRedirectUris: [signedOut.href],
      backchannelLogoutUri,
    })
    const cookies = new Map<string, string>()
    const provider = providerFor({ clientId: 'heard', clientSecret: null })
    const { keep } = await signIn(provider, cookies)
    await leave(await provider.end(keep, signedOut, state), cookies)
    await expect.poll(() => told).toEqual([expect.stringMatching(/^logout_token=ey/)])
    listener.close()
  })

  it('reports that the idp is up, once', async () => {
    const events: GatewayEvent[] = []
    const provider = providerFor({}, events)
    expect(provider.health()).toBe('unknown')
    await signIn(provider)
    await signIn(provider)
    expect(provider.health()).toBe('up')
    expect(events).toEqual([{ name: 'idp.up', idp: 'campus' }])
  })
})

describe('an idp that is down when the gateway starts', () => {
  it('is found when it comes up, and used from then on', async () => {
    const options = { login: 'auto' as const, clients: [], accounts: [{ ...anna, claims: {} }] }
    const first = await startOpenidProvider(options)
    await first.stop()
    let now = Date.now()
    const events: GatewayEvent[] = []
    const settings = {
      id: 'campus',
      label: textOf('Campus'),
      oidc: {
        issuer: first.issuer,
        clientId: 'passerelle',
        clientSecret: null,
        clientAuthentication: null,
        scopes: ['openid'],
      },
      frontChannel: { sid: 'session' as const },
    }
    const needs = { fetch: outbound.fetch, now: () => now, report: (event: GatewayEvent) => events.push(event) }
    const [provider] = buildProviders([settings], {
      ...needs,
      allowLoopbackHttp: true,
      rechecks: false,
      codes: noCodes,
    })
    await expect(provider?.begin(callback, { asking: 'as-needed', loginHint: null, state })).rejects.toMatchObject({
      code: 'idp.unreachable',
    })
    expect(provider?.health()).toBe('down')

    const again = await startOpenidProvider({
      ...options,
      port: first.port,
      clients: [{ clientId: 'passerelle', clientSecret: null, redirectUris: [callback.href] }],
    })
    now += 10_000
    const begun = await provider?.begin(callback, { asking: 'as-needed', loginHint: null, state })
    expect(begun?.step.kind).toBe('redirect')
    expect(provider?.health()).toBe('up')
    expect(events.map(({ name }) => name)).toEqual(['idp.down', 'idp.up'])
    await again.stop()
  })
})
