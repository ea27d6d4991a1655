/** Beginning a sign-in, and what comes back to the callback (OI-16, OI-17, OI-19, OI-20, OI-28); beside contract.ts. */
import { beforeEach, describe, expect, it } from 'vitest'
import { atProvider } from './at-provider.ts'
import { begin, callback, type Gateway, gatewayAt, hear, signIn, state } from './attempt.ts'

const { clock, op, needs } = await atProvider()
let gateway: Gateway
beforeEach(() => {
  gateway = gatewayAt(op.issuer, needs)
})

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'signed in',
    (error: { code: string; message: string }) => error,
  )
const rejected = (detail: string) => ({ code: 'idp.rejected', message: expect.stringContaining(detail) })

describe('a sign-in that begins', () => {
  it('asks for a code with our state, a nonce and PKCE by SHA-256 (OI-20)', async () => {
    const { to, idpPending } = await begin(gateway, clock.now)
    expect(Object.fromEntries(to.searchParams)).toEqual({
      client_id: 'passerelle',
      redirect_uri: callback.href,
      response_type: 'code',
      scope: 'openid email',
      state,
      nonce: idpPending.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect(idpPending.verifier).toMatch(/^[\w.~-]{43,128}$/)
    expect(to.href).not.toContain(idpPending.verifier)
  })

  it('has a nonce and a verifier of its own (OI-20)', async () => {
    const begun = await Promise.all(Array.from({ length: 20 }, () => begin(gateway, clock.now)))
    expect(new Set(begun.map(({ idpPending }) => idpPending.nonce)).size).toBe(20)
    expect(new Set(begun.map(({ idpPending }) => idpPending.verifier)).size).toBe(20)
  })

  it('asks for openid even where the configuration forgot it', async () => {
    gateway = gatewayAt(op.issuer, needs, { scopes: ['email'] })
    const { to } = await begin(gateway, clock.now)
    expect(to.searchParams.get('scope')).toBe('openid email')
  })

  it('asks for the password again when forced, and never for silence (OI-28)', async () => {
    expect((await begin(gateway, clock.now, true)).to.searchParams.get('prompt')).toBe('login')
    expect((await begin(gateway, clock.now, true)).to.searchParams.get('max_age')).toBe('0')
    const unforced = (await begin(gateway, clock.now)).to.searchParams
    expect(['prompt', 'max_age'].filter(name => unforced.has(name))).toEqual([])
  })

  it('sends PKCE to a provider that ignores it, whose nonce is still compared (OI-20)', async () => {
    op.bends.ignoresPkce = true
    expect((await signIn(gateway, op, clock.now)).identity.subject).toBe('anna')
    const [mine, other] = [await begin(gateway, clock.now), await begin(gateway, clock.now)]
    const reply = op.authorize(other.to).searchParams
    expect(await failureOf(hear(gateway, mine, reply))).toMatchObject(rejected('nonce'))
  })
})

describe('a callback', () => {
  const reply = (changes: Record<string, string | null>) => {
    const parameters = new URLSearchParams({ code: 'c', state, iss: op.issuer })
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) parameters.delete(name)
      else parameters.set(name, value)
    }
    return parameters
  }
  const twice = (name: string) => {
    const parameters = reply({})
    parameters.append(name, parameters.get(name) ?? 'x')
    return parameters
  }

  it.each([
    ['neither code nor error', () => reply({ code: null }), 'neither'],
    ['an empty code', () => reply({ code: '' }), 'neither'],
    ['both code and error', () => reply({ error: 'access_denied' }), 'both'],
    ['two codes', () => twice('code'), 'more than once'],
    ['two states', () => twice('state'), 'more than once'],
    ['two issuers', () => twice('iss'), 'more than once'],
    ['two errors', () => new URLSearchParams('error=a&error=b'), 'more than once'],
    ['another issuer (OI-17)', () => reply({ iss: 'https://evil.example' }), 'iss is'],
    ['no issuer, though announced (OI-17)', () => reply({ iss: null }), 'no iss'],
    ['an ID token', () => reply({ id_token: 'a.b.c' }), 'id_token'],
    ['an access token', () => reply({ access_token: 'a' }), 'access_token'],
    ['a signed response', () => reply({ response: 'a.b.c' }), 'response'],
  ])('with %s is refused, nothing is consumed, and no code is redeemed (OI-16)', async (_what, parameters, detail) => {
    const begun = await begin(gateway, clock.now)
    expect(await failureOf(hear(gateway, begun, parameters()))).toMatchObject(rejected(detail))
    expect(begun.taken).toBe(0)
    expect(op.count('token')).toBe(0)
  })

  it('without an issuer is accepted from a provider that does not announce one', async () => {
    op.bends.metadata = metadata => ({ ...metadata, authorization_response_iss_parameter_supported: undefined })
    op.bends.callback = parameters => parameters.delete('iss')
    expect((await signIn(gateway, op, clock.now)).identity.subject).toBe('anna')
  })

  it('with another issuer is refused also where the provider announces none (OI-17)', async () => {
    op.bends.metadata = metadata => ({ ...metadata, authorization_response_iss_parameter_supported: undefined })
    const begun = await begin(gateway, clock.now)
    expect(await failureOf(hear(gateway, begun, reply({ iss: 'https://evil.example' })))).toMatchObject(rejected('iss'))
    expect(begun.taken).toBe(0)
  })

  it('with another state than the pending sign-in’s, or none, redeems nothing (OI-16)', async () => {
    const error = { code: null, error: 'access_denied' }
    for (const changes of [{ state: 'other' }, { state: null }, { state: 'other', ...error }]) {
      const begun = await begin(gateway, clock.now)
      expect(await failureOf(hear(gateway, begun, reply(changes)))).toMatchObject(rejected('state'))
      expect(op.count('token')).toBe(0)
    }
  })

  it('with an error ends the sign-in, and its words reach the log alone, quoted and short (OI-16)', async () => {
    const begun = await begin(gateway, clock.now)
    const words = `<script>alert(1)</script>\r\nforged ${'x'.repeat(5_000)}`
    const parameters = reply({ code: null, error: 'access_denied', error_description: words })
    const failed = await hear(gateway, begun, parameters).catch((error: Error) => error)
    if (!(failed instanceof Error)) throw new Error('signed in')
    expect(failed).toMatchObject(rejected('access_denied'))
    expect(failed.message).not.toMatch(/[\r\n]/)
    expect(failed.message.length).toBeLessThan(400)
    expect(begun.taken).toBe(1)
    expect(op.count('token')).toBe(0)
  })

  it('with login_required is one refusal, and begins nothing by itself (OI-28)', async () => {
    const begun = await begin(gateway, clock.now)
    const parameters = reply({ code: null, error: 'login_required' })
    expect(await failureOf(hear(gateway, begun, parameters))).toMatchObject(rejected('login_required'))
    expect(op.asked.map(({ endpoint }) => endpoint)).toEqual(['metadata'])
  })

  it('with the code of somebody else’s sign-in is stopped by PKCE (OI-19)', async () => {
    const [mine, theirs] = [await begin(gateway, clock.now), await begin(gateway, clock.now)]
    const injected = op.authorize(theirs.to, 'eve').searchParams
    expect(await failureOf(hear(gateway, mine, injected))).toMatchObject(rejected('invalid_grant'))
  })

  it('with the code of somebody else’s sign-in is stopped by the nonce where PKCE is not looked at (OI-19)', async () => {
    op.bends.ignoresPkce = true
    const [mine, theirs] = [await begin(gateway, clock.now), await begin(gateway, clock.now)]
    const injected = op.authorize(theirs.to, 'eve').searchParams
    expect(await failureOf(hear(gateway, mine, injected))).toMatchObject(rejected('nonce'))
  })

  it('is redeemed with the redirect_uri that the sign-in began with, not with what the message came by', async () => {
    await signIn(gateway, op, clock.now)
    const { form } = op.asked.find(({ endpoint }) => endpoint === 'token') ?? {}
    expect(form?.get('redirect_uri')).toBe(callback.href)
  })

  it('leaves the pending sign-in alone while the provider cannot be found', async () => {
    const begun = await begin(gateway, clock.now)
    const restarted = gatewayAt(op.issuer, needs)
    op.bends.wire.metadata = (_request, response) => void response.writeHead(503).end()
    const parameters = op.authorize(begun.to).searchParams
    expect(await failureOf(hear(restarted, begun, parameters))).toMatchObject({ code: 'idp.unreachable' })
    expect(begun.taken).toBe(0)
    op.reset()
    clock.advance(10_000)
    expect((await hear(restarted, begun, parameters)).identity.subject).toBe('anna')
  })
})

describe('the client', () => {
  it.each([
    ['by Basic where the metadata say nothing (conformance: client-secret-basic)', undefined, null, true],
    ['by Basic where both are listed', ['client_secret_post', 'client_secret_basic'], null, true],
    ['by the form where only that is listed', ['client_secret_post'], null, false],
    ['by the form where the configuration says so', undefined, 'post' as const, false],
  ])('authenticates %s', async (_what, methods, clientAuthentication, byHeader) => {
    op.bends.metadata = metadata => ({ ...metadata, token_endpoint_auth_methods_supported: methods })
    gateway = gatewayAt(op.issuer, needs, { clientAuthentication })
    await signIn(gateway, op, clock.now)
    const request = op.asked.find(({ endpoint }) => endpoint === 'token')
    expect(request?.headers.authorization !== undefined).toBe(byHeader)
    expect(request?.form.has('client_secret')).toBe(!byHeader)
  })
})
