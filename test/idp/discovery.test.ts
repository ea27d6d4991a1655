/** Finding a provider, and what metadata are refused (OI-14; conformance: the Config rows); health and back-off. */
import { beforeEach, describe, expect, it } from 'vitest'
import { noCodes } from '../stand-in/no-codes.ts'
import { atProvider } from './at-provider.ts'
import { begin, type Gateway, gatewayAt, signIn } from './attempt.ts'

const { clock, op, needs } = await atProvider()
let gateway: Gateway
beforeEach(() => {
  gateway = gatewayAt(op.issuer, needs)
})

const attempt = () => begin(gateway, clock.now)
const refusal = () =>
  attempt().then(
    () => 'begun',
    (error: { code: string; message: string; hint: string | null }) => error,
  )
const invalid = (detail: string) => ({ code: 'idp.invalid-answer', message: expect.stringContaining(detail) })
const broken = (status: number) => {
  op.bends.wire.metadata = (_request, response) => void response.writeHead(status).end()
}

describe('discovery', () => {
  it('waits for the first sign-in: making a provider asks nobody', () => {
    expect(op.count('metadata')).toBe(0)
    expect(gateway.provider.health()).toBe('unknown')
  })

  it('uses what the metadata say (conformance: discovery-openid-config)', async () => {
    op.bends.metadata = metadata => ({ ...metadata, authorization_endpoint: `${op.issuer}/elsewhere?tenant=7` })
    const { to } = await attempt()
    expect(to.href).toContain(`${op.issuer}/elsewhere?tenant=7&`)
  })

  it('accepts an issuer written with or without the final slash after its host', async () => {
    gateway = gatewayAt(`${op.issuer}/`, needs)
    expect((await signIn(gateway, op, clock.now)).identity.subject).toBe('anna')
  })

  it('asks once for a hundred people who come at the same time', async () => {
    await Promise.all(Array.from({ length: 100 }, attempt))
    expect(op.count('metadata')).toBe(1)
    await Promise.all(Array.from({ length: 100 }, attempt))
    expect(op.count('metadata')).toBe(1)
  })

  it('looks again for a sign-in that begins ten seconds later', async () => {
    await attempt()
    clock.advance(10_000)
    await attempt()
    expect(op.count('metadata')).toBe(2)
  })

  it('looks again after the clock was set back', async () => {
    await attempt()
    clock.advance(-86_400_000)
    await attempt()
    expect(op.count('metadata')).toBe(2)
    clock.advance(86_400_000)
  })
})

describe('metadata (OI-14)', () => {
  it.each(['https://evil.example', undefined, 7, 'not an address'])(
    'that name the issuer %j are refused, with a hint (conformance: discovery-issuer-mismatch)',
    async issuer => {
      op.bends.metadata = metadata => ({ ...metadata, issuer })
      expect(await refusal()).toMatchObject({ ...invalid('the metadata names the issuer'), hint: expect.any(String) })
    },
  )

  it('that name our issuer with another path are refused', async () => {
    op.bends.metadata = metadata => ({ ...metadata, issuer: `${op.issuer}/tenant` })
    expect(await refusal()).toMatchObject(invalid('/tenant'))
  })

  it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])('without %s are refused', async name => {
    op.bends.metadata = metadata => ({ ...metadata, [name]: undefined })
    expect(await refusal()).toMatchObject(invalid(`no ${name}`))
  })

  const places = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint']
  const addresses = [
    'http://169.254.169.254/latest/meta-data/',
    'http://evil.example/',
    'http://10.0.0.1/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/plain,x',
    'ftp://evil.example/',
    'https://user@evil.example/',
    'https://:secret@evil.example/',
    'https://evil.example/#x',
    '/relative',
    7,
    ['https://evil.example/'],
  ]
  it.each(places.flatMap(name => addresses.map(address => [name, address] as const)))(
    'whose %s is %j are refused',
    async (name, address) => {
      op.bends.metadata = metadata => ({ ...metadata, [name]: address })
      expect(await refusal()).toMatchObject(invalid(name))
      expect(op.count('other')).toBe(0)
    },
  )

  it('that redirect are refused, and the redirect is not followed', async () => {
    op.bends.wire.metadata = (_request, response) =>
      void response.writeHead(302, { location: `${op.issuer}/internal` }).end()
    expect(await refusal()).toMatchObject(invalid('302; redirects are not followed'))
    expect(op.count('other')).toBe(0)
  })

  it.each(['<html>', '[]', 'null', '"x"', ''])('that read %j are refused', async body => {
    op.bends.wire.metadata = (_request, response) => void response.writeHead(200).end(body)
    expect(await refusal()).toMatchObject({ code: 'idp.invalid-answer' })
  })

  it('of a provider that signs with HMAC or not at all are refused, with a hint', async () => {
    op.bends.metadata = metadata => ({ ...metadata, id_token_signing_alg_values_supported: ['HS256', 'none'] })
    expect(await refusal()).toMatchObject({ ...invalid('HS256'), hint: expect.stringContaining('RS256') })
  })

  it('that say nothing of algorithms are accepted, and signatures verified all the same', async () => {
    op.bends.metadata = metadata => ({ ...metadata, id_token_signing_alg_values_supported: undefined })
    expect((await signIn(gateway, op, clock.now)).identity.subject).toBe('anna')
  })

  it('on plain http are refused where loopback is not allowed', async () => {
    const { buildProviders } = await import('../../src/idp/build.ts')
    const [provider] = buildProviders(
      [
        {
          id: 'campus',
          label: { fr: 'Campus', en: 'Campus' },
          oidc: {
            issuer: op.issuer,
            clientId: 'passerelle',
            clientSecret: null,
            clientAuthentication: null,
            scopes: [],
          },
          frontChannel: { sid: 'session' },
        },
      ],
      { ...needs, report: () => {}, allowLoopbackHttp: false, rechecks: false, codes: noCodes },
    )
    const failed = provider?.begin(new URL('https://acces.example.org/callback/campus'), {
      asking: 'as-needed',
      loginHint: null,
      state: 's',
    })
    await expect(failed).rejects.toMatchObject(invalid('not https'))
  })
})

describe('an idp that does not answer', () => {
  it.each([
    ['500', (): void => broken(500), 'idp.unreachable'],
    ['503', (): void => broken(503), 'idp.unreachable'],
    ['404', (): void => broken(404), 'idp.invalid-answer'],
    [
      'a broken connection',
      (): void => {
        op.bends.wire.metadata = (_request, response) => void response.socket?.destroy()
      },
      'idp.unreachable',
    ],
  ])('but with %s is down, and reported so once', async (_what, breakIt, code) => {
    breakIt()
    expect(await refusal()).toMatchObject({ code })
    clock.advance(10_000)
    expect(await refusal()).toMatchObject({ code })
    expect(gateway.provider.health()).toBe('down')
    expect(gateway.events).toEqual([{ name: 'idp.down', idp: 'campus', detail: expect.any(String), hint: null }])
  })

  it('is not asked again before the back-off is over, and people are told at once', async () => {
    broken(500)
    for (let i = 0; i < 50; i++) expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
    expect(op.count('metadata')).toBe(1)
    clock.advance(500)
    await refusal()
    expect(op.count('metadata')).toBe(2)
    clock.advance(500)
    await refusal()
    expect(op.count('metadata')).toBe(2)
    clock.advance(500)
    await refusal()
    expect(op.count('metadata')).toBe(3)
  })

  it('is asked again after ten seconds at most, however long it was down', async () => {
    broken(500)
    for (let i = 0; i < 20; i++) {
      clock.advance(10_000)
      await refusal()
    }
    expect(op.count('metadata')).toBe(20)
    op.reset()
    clock.advance(10_000)
    await attempt()
    expect(gateway.provider.health()).toBe('up')
    expect(gateway.events.map(({ name }) => name)).toEqual(['idp.down', 'idp.up'])
  })

  it('is seen to be down by the next person, although its metadata are known', async () => {
    await attempt()
    broken(500)
    clock.advance(10_000)
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
  })
})

describe('the end of a session at the idp', () => {
  const returnTo = new URL('http://acces.localhost:8080/signed-out')

  it('leads to its end-session endpoint with hint, return address, state and client (RP-Initiated Logout §2)', async () => {
    const { keep } = await signIn(gateway, op, clock.now)
    const step = await gateway.provider.end(keep, returnTo, 'o'.repeat(43))
    if (step?.kind !== 'redirect') throw new Error('OpenID Connect redirects')
    expect(`${step.to.origin}${step.to.pathname}`).toBe(`${op.issuer}/logout`)
    expect(Object.fromEntries(step.to.searchParams)).toEqual({
      id_token_hint: keep.idToken,
      post_logout_redirect_uri: returnTo.href,
      state: 'o'.repeat(43),
      client_id: 'passerelle',
    })
  })

  it('is null where the provider has no such endpoint', async () => {
    op.bends.metadata = metadata => ({ ...metadata, end_session_endpoint: undefined })
    const { keep } = await signIn(gateway, op, clock.now)
    expect(await gateway.provider.end(keep, returnTo, 'o')).toBeNull()
  })

  it('finds the provider by itself, after a restart of the gateway', async () => {
    expect(await gateway.provider.end({ idToken: 'a.b.c' }, returnTo, 'o')).toMatchObject({ kind: 'redirect' })
  })

  it('leaves a hint out that would make the address too long for servers', async () => {
    const step = await gateway.provider.end({ idToken: 'x'.repeat(8_000) }, returnTo, 'o')
    if (step?.kind !== 'redirect') throw new Error('OpenID Connect redirects')
    expect(step.to.searchParams.has('id_token_hint')).toBe(false)
    expect(step.to.searchParams.get('client_id')).toBe('passerelle')
  })
})
