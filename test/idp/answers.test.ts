/** Answers of the token and userinfo endpoints that are nonsense, too much, too late or about somebody else (OI-08, OI-13). */
import { setTimeout as wait } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { WireAnswer } from '../stand-in/adversarial-op.ts'
import { atProvider } from './at-provider.ts'
import { type Gateway, gatewayAt, signIn } from './attempt.ts'

const { clock, op, needs } = await atProvider(1_000)
let gateway: Gateway

beforeEach(() => {
  gateway = gatewayAt(op.issuer, needs)
})

const attempt = () => signIn(gateway, op, clock.now)
const refusal = () =>
  attempt().then(
    () => 'signed in',
    (error: { code: string; message: string; hint: string | null }) => error,
  )
const json = { 'content-type': 'application/json' }
const plainly = (status: number, headers: Record<string, string>, body: string): WireAnswer => {
  return (_request, response) => void response.writeHead(status, headers).end(body)
}

describe.each(['token', 'userinfo'] as const)('the answer of the %s endpoint (OI-13)', endpoint => {
  it.each<[string, string, WireAnswer]>([
    ['a page', 'idp.invalid-answer', plainly(200, { 'content-type': 'text/html' }, '<html>')],
    ['broken JSON', 'idp.invalid-answer', plainly(200, json, '{"access_token":')],
    ['a JSON list', 'idp.invalid-answer', plainly(200, json, '[]')],
    ['nothing', 'idp.invalid-answer', plainly(200, json, '')],
    ['204', 'idp.invalid-answer', plainly(204, {}, '')],
    ['a redirect', 'idp.invalid-answer', plainly(302, { location: '/elsewhere' }, '')],
    ['404 and a page', 'idp.invalid-answer', plainly(404, { 'content-type': 'text/html' }, '<html>')],
    ['10 MB', 'idp.invalid-answer', plainly(200, json, ' '.repeat(10_000_000))],
    ['500', 'idp.unreachable', plainly(500, json, '{}')],
    ['503', 'idp.unreachable', plainly(503, json, '{"error":"temporarily_unavailable"}')],
    ['429', 'idp.unreachable', plainly(429, json, '{}')],
    ['a broken connection', 'idp.unreachable', (_request, response) => void response.socket?.destroy()],
    ['silence', 'idp.unreachable', () => {}],
    ['401', 'idp.rejected', plainly(401, { ...json, 'www-authenticate': 'Bearer error="invalid_token"' }, '{}')],
  ])('%s is %s', async (_what, code, answer) => {
    op.bends.wire[endpoint] = answer
    expect(await refusal()).toMatchObject({ code, message: expect.stringContaining(endpoint) })
    expect(op.count(endpoint)).toBe(1)
    expect(op.count('other')).toBe(0)
  })

  it('that never ends is cut off, and the connection closed', async () => {
    let closed = false
    op.bends.wire[endpoint] = async (_request, response) => {
      response.writeHead(200, json)
      response.on('close', () => {
        closed = true
      })
      for (; !closed; await wait(20)) response.write(' ')
    }
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable', message: expect.stringContaining('within 1 s') })
    await expect.poll(() => closed).toBe(true)
  })
})

describe('a token answer (OI-13)', () => {
  it.each([
    ['with an error beside good tokens', { error: 'invalid_grant' }, 'idp.rejected'],
    ['without an ID token', { id_token: undefined }, 'idp.invalid-answer'],
    ['with an ID token that is no text', { id_token: 7 }, 'idp.invalid-answer'],
    ['with an empty ID token', { id_token: '' }, 'idp.invalid-answer'],
    ['without an access token', { access_token: undefined }, 'idp.invalid-answer'],
    ['of another token type', { token_type: 'mac' }, 'idp.rejected'],
  ])('%s is refused', async (_what, bent, code) => {
    op.bends.tokenAnswer = answer => ({ ...answer, ...bent })
    expect(await refusal()).toMatchObject({ code })
  })

  it('with status 400 and an error is refused, even where it holds a good ID token', async () => {
    const grant = op.bends.idToken
    let token = ''
    op.bends.idToken = async (header, payload) => {
      token = await grant(header, payload)
      return token
    }
    await attempt()
    op.bends.wire.token = plainly(
      400,
      json,
      JSON.stringify({ error: 'invalid_grant', id_token: token, access_token: 'a' }),
    )
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('invalid_grant') })
  })

  it('with the provider’s words in it keeps the log on one line, and short', async () => {
    const error_description = `a\u001b[31m\u009b2J\r\nerror forged line\u202e${'x'.repeat(5_000)}`
    op.bends.wire.token = plainly(400, json, JSON.stringify({ error: 'invalid_grant', error_description }))
    const failed = await refusal()
    if (typeof failed === 'string') throw new Error(failed)
    expect(failed.message).toContain('forged line')
    expect(failed.message).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e]/)
    expect(failed.message.length).toBeLessThan(400)
  })

  it('that refuses the client hints at its id and secret', async () => {
    op.bends.wire.token = plainly(401, json, '{"error":"invalid_client"}')
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', hint: expect.stringContaining('clientId') })
  })
})

describe('a userinfo answer', () => {
  it('is asked for with the token in the header (conformance: userinfo-bearer-header)', async () => {
    await attempt()
    const request = op.asked.find(({ endpoint }) => endpoint === 'userinfo')
    expect(request?.headers.authorization).toMatch(/^Bearer .+/)
    expect(request?.headers.cookie).toBeUndefined()
  })

  it('is not missed where the provider has no such endpoint', async () => {
    op.bends.metadata = metadata => ({ ...metadata, userinfo_endpoint: undefined })
    expect({ ...(await attempt()).identity.claims }).toEqual({ sub: ['anna'] })
  })

  it.each([
    { sub: 'bela' },
    { sub: 'ANNA' },
    { email: 'a@example.org' },
    { sub: ['anna'] },
    { sub: '' },
    [{ sub: 'anna' }],
  ])('%j about somebody else, or nobody, is refused (conformance: userinfo-invalid-sub, OI-08)', async told => {
    op.bends.userinfo = () => told
    expect(await refusal()).toMatchObject({ code: expect.stringMatching(/^idp\.(rejected|invalid-answer)$/) })
  })

  it('may be signed, and is then verified like an ID token', async () => {
    const claims = JSON.stringify({ iss: op.issuer, aud: 'passerelle', sub: 'anna', email: 'signed@example.org' })
    const { kid = '' } = await op.publicKey()
    const signed = await op.sign({ alg: 'RS256', kid }, claims)
    op.bends.userinfo = () => signed
    expect((await attempt()).identity.claims.email).toEqual(['signed@example.org'])

    const [head, , signature] = signed.split('.')
    const forged = Buffer.from(claims.replace('signed@', 'chef@')).toString('base64url')
    op.bends.userinfo = () => `${head}.${forged}.${signature}`
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('signature') })
  })

  it('signed for another client, by another issuer, or not at all is refused (OI-08)', async () => {
    const { kid = '' } = await op.publicKey()
    const claims = { iss: op.issuer, aud: 'passerelle', sub: 'anna' }
    for (const bent of [{ aud: 'other' }, { iss: 'https://evil.example' }]) {
      const token = await op.sign({ alg: 'RS256', kid }, JSON.stringify({ ...claims, ...bent }))
      op.bends.userinfo = () => token
      expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
    }
    const bare = [{ alg: 'none' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    op.bends.userinfo = () => `${bare.join('.')}.`
    expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
  })
})
