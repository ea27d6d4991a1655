/** Asking the provider again, without the person: what is believed, what ends, what is only not known (OI-23; Core §12). */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Refreshed } from '../../src/model/idp.ts'
import type { IdpMemory } from '../../src/model/session.ts'
import { startAdversarialOp, type WireAnswer } from '../stand-in/adversarial-op.ts'
import { atProvider } from './at-provider.ts'
import { type Gateway, gatewayAt, signIn } from './attempt.ts'

const { clock, op, needs } = await atProvider(1_000)
let gateway: Gateway

beforeEach(async () => {
  await op.comeUp()
  op.bends.refreshTokens = true
  gateway = at(op.issuer)
})

const at = (issuer: string, oidc = {}) => gatewayAt(issuer, needs, oidc, true)
const attempt = () => signIn(gateway, op, clock.now)
const minutes = (count: number) => clock.advance(count * 60_000)

/** Signs in, lets a quarter of an hour pass, bends what the test bends, and asks again. */
async function again(bend: () => unknown = () => {}, change: (keep: IdpMemory) => IdpMemory = keep => keep) {
  const { identity, keep } = await attempt()
  minutes(15)
  await bend()
  return ask(identity, change(keep))
}

function ask(identity: Awaited<ReturnType<typeof attempt>>['identity'], keep: IdpMemory): Promise<Refreshed> {
  if (gateway.provider.refresh === null) throw new Error('OpenID Connect can ask again')
  return gateway.provider.refresh(identity, keep)
}

const json = { 'content-type': 'application/json' }
const plainly = (status: number, body: string, headers: Record<string, string> = json): WireAnswer => {
  return (_request, response) => void response.writeHead(status, headers).end(body)
}
const claims = (value: string) => ({ email: [value] })
const told = (email: string) => () => {
  op.bends.userinfo = honest => ({ ...honest, email })
}

describe('with a refresh token', () => {
  it('the person is as the provider says now, and nobody else was asked', async () => {
    const refreshed = await again(told('new@example.org'))
    expect(refreshed).toMatchObject({ kind: 'renewed', notAfter: null })
    expect(refreshed.kind === 'renewed' && { ...refreshed.claims }).toMatchObject(claims('new@example.org'))
    expect(op.asked.filter(({ endpoint }) => endpoint === 'token').map(({ form }) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
    ])
    expect(op.count('other') + op.count('authorize')).toBe(0)
  })

  it('the new one replaces the old, again and again, and the access token is not kept', async () => {
    const { identity, keep } = await attempt()
    const seen = new Set([keep.refreshToken])
    let kept = keep
    for (let round = 0; round < 3; round++) {
      minutes(15)
      const refreshed = await ask(identity, kept)
      if (refreshed.kind !== 'renewed') throw new Error(refreshed.kind)
      kept = refreshed.keep
      seen.add(kept.refreshToken)
    }
    expect(seen.size).toBe(4)
    expect(Object.keys(kept).toSorted()).toEqual(['idToken', 'issuer', 'onlyInIdToken', 'refreshToken'])
  })

  it('a provider that does not replace it goes on with the old one (RFC 6749 §6)', async () => {
    const { identity, keep } = await attempt()
    op.bends.tokenAnswer = ({ refresh_token: _, ...answer }) => answer
    const refreshed = await ask(identity, keep)
    expect(refreshed).toMatchObject({ kind: 'renewed', keep: { refreshToken: keep.refreshToken } })
  })

  it('the new ID token becomes the hint of a sign-out', async () => {
    const { identity, keep } = await attempt()
    minutes(15)
    const refreshed = await ask(identity, keep)
    if (refreshed.kind !== 'renewed') throw new Error(refreshed.kind)
    expect(refreshed.keep.idToken).not.toBe(keep.idToken)
    const step = await gateway.provider.end(refreshed.keep, new URL('http://acces.localhost/signed-out'), 's')
    expect(step?.to.searchParams.get('id_token_hint')).toBe(refreshed.keep.idToken)
  })

  it('an answer without an ID token keeps what only that one said, and takes the rest from userinfo', async () => {
    op.bends.claims = honest => ({ ...honest, groups: ['library'], email: 'old@example.org' })
    const refreshed = await again(() => {
      op.bends.refreshesWithoutIdToken = true
      op.bends.userinfo = ({ email: _, ...honest }) => honest
    })
    expect(refreshed.kind === 'renewed' && { ...refreshed.claims }).toEqual({
      sub: ['anna'],
      groups: ['library'],
    })
  })

  it('an answer without an ID token, of a provider without userinfo, says nothing of the person', async () => {
    op.bends.metadata = ({ userinfo_endpoint: _, ...honest }) => honest
    const refreshed = await again(() => {
      op.bends.refreshesWithoutIdToken = true
    })
    expect(refreshed).toMatchObject({ kind: 'renewed', claims: null, keep: { refreshToken: expect.any(String) } })
  })

  it('invalid_grant is the end, in the provider’s own words', async () => {
    expect(await again(() => op.bends.disabled.add('anna'))).toEqual({
      kind: 'ended',
      why: expect.stringContaining('invalid_grant'),
    })
  })

  it.each<[string, string, Record<string, string>]>([
    ['another iss', 'iss', { iss: 'http://op.localhost:1' }],
    ['another sub', 'sub', { sub: 'eve' }],
    ['another aud', 'aud', { aud: 'somebody-else' }],
    ['another azp', 'azp', { azp: 'somebody-else' }],
    ['another nonce', 'nonce', { nonce: 'of-another-sign-in' }],
    ['a hash of another access token', 'at_hash', { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  ])('a new ID token with %s is not believed (OI-23, Core §12.2)', async (_what, claim, other) => {
    await expect(
      again(() => {
        op.bends.claims = honest => ({ ...honest, ...other })
      }),
    ).rejects.toMatchObject({ code: 'idp.rejected', message: expect.stringContaining(claim) })
  })

  it.each([
    ['of the sign-in', 0, 'renewed'],
    ['later: the person was asked again, for whomever', 600, 'renewed'],
  ])('a new ID token’s auth_time may be %s', async (_what, later, kind) => {
    const signedInS = Math.floor(clock.now() / 1000)
    op.bends.claims = honest => ({ ...honest, auth_time: signedInS })
    const refreshed = await again(() => {
      op.bends.claims = honest => ({ ...honest, auth_time: signedInS + later })
    })
    expect(refreshed.kind).toBe(kind)
  })

  it('a new ID token’s auth_time is not before that of the sign-in', async () => {
    const signedInS = Math.floor(clock.now() / 1000)
    op.bends.claims = honest => ({ ...honest, auth_time: signedInS })
    await expect(
      again(() => {
        op.bends.claims = honest => ({ ...honest, auth_time: signedInS - 1 })
      }),
    ).rejects.toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('auth_time') })
  })

  it('an old ID token is not taken for a new one', async () => {
    await expect(
      again(() => {
        op.bends.claims = honest => ({ ...honest, iat: Number(honest.iat) - 15 * 60, exp: Number(honest.exp) })
      }),
    ).rejects.toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('iat') })
  })

  it('a signature of another key is not believed', async () => {
    await expect(
      again(async () => {
        op.bends.keys = () => []
        await op.rotate()
      }),
    ).rejects.toMatchObject({ code: 'idp.rejected' })
    await op.rotate()
  })

  it.each<[string, string, () => unknown]>([
    ['500', 'idp.unreachable', () => (op.bends.wire.token = plainly(500, '{}'))],
    ['429', 'idp.unreachable', () => (op.bends.wire.token = plainly(429, '{}'))],
    ['silence', 'idp.unreachable', () => (op.bends.wire.token = () => {})],
    ['nobody there', 'idp.unreachable', () => op.goDown()],
    [
      'a page',
      'idp.invalid-answer',
      () => (op.bends.wire.token = plainly(200, '<html>', { 'content-type': 'text/html' })),
    ],
    ['no access token', 'idp.invalid-answer', () => (op.bends.tokenAnswer = () => ({ token_type: 'Bearer' }))],
    ['invalid_client', 'idp.rejected', () => (op.bends.wire.token = plainly(401, '{"error":"invalid_client"}'))],
    ['a 400 without words', 'idp.invalid-answer', () => (op.bends.wire.token = plainly(400, '{}'))],
    ['invalid_scope', 'idp.rejected', () => (op.bends.wire.token = plainly(400, '{"error":"invalid_scope"}'))],
  ])('%s at the token endpoint ends nothing', async (_what, code, bend) => {
    await expect(again(bend)).rejects.toMatchObject({ code })
  })

  it('a provider that is down is looked at by its metadata, once, and the refresh token stays unspent', async () => {
    const { identity, keep } = await attempt()
    minutes(15)
    await op.goDown()
    await expect(ask(identity, keep)).rejects.toMatchObject({ code: 'idp.unreachable' })
    expect(gateway.provider.health()).toBe('down')
    await op.comeUp()
    op.asked.length = 0
    await expect(ask(identity, keep)).rejects.toMatchObject({ code: 'idp.unreachable' })
    expect(op.asked).toEqual([])
    minutes(1)
    expect((await ask(identity, keep)).kind).toBe('renewed')
    expect(gateway.provider.health()).toBe('up')
  })

  it('keys that cannot be had are missed before the refresh token is spent', async () => {
    const { identity, keep } = await attempt()
    minutes(61)
    op.bends.wire.keys = plainly(503, '')
    const tokens = op.count('token')
    await expect(ask(identity, keep)).rejects.toMatchObject({ code: 'idp.unreachable' })
    expect(op.count('token')).toBe(tokens)
    op.bends.wire = {}
    minutes(1)
    expect((await ask(identity, keep)).kind).toBe('renewed')
  })

  it.each<[string, string, WireAnswer]>([
    ['503', 'idp.unreachable', plainly(503, '')],
    ['somebody else', 'idp.rejected', plainly(200, '{"sub":"eve"}')],
    ['401', 'idp.rejected', plainly(401, '{}', { 'www-authenticate': 'Bearer error="invalid_token"' })],
  ])('%s at userinfo ends nothing, and the new refresh token is kept', async (_what, code, answer) => {
    const { identity, keep } = await attempt()
    minutes(15)
    op.bends.wire.userinfo = answer
    const refreshed = await ask(identity, keep)
    expect(refreshed).toMatchObject({ kind: 'interrupted', error: { code } })
    if (refreshed.kind !== 'interrupted') throw new Error(refreshed.kind)
    expect(refreshed.keep.refreshToken).not.toBe(keep.refreshToken)
    op.bends.wire = {}
    minutes(1)
    expect((await ask(identity, refreshed.keep)).kind).toBe('renewed')
  })

  it('new tokens of somebody whom only a refused userinfo names are not kept', async () => {
    await expect(
      again(() => {
        op.bends.refreshesWithoutIdToken = true
        op.bends.userinfo = honest => ({ ...honest, sub: 'eve' })
      }),
    ).rejects.toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('sub') })
  })
})

describe('without a refresh token', () => {
  beforeEach(() => {
    op.bends.refreshTokens = false
    op.bends.tokenAnswer = answer => ({ ...answer, expires_in: 3600 })
  })

  it('userinfo is asked with the access token of the sign-in, as long as that is good', async () => {
    const { identity, keep } = await attempt()
    for (const minute of [15, 30, 45]) {
      minutes(15)
      told(`${minute}@example.org`)()
      const refreshed = await ask(identity, keep)
      expect(refreshed).toMatchObject({ kind: 'renewed', keep })
      expect(refreshed.kind === 'renewed' && { ...refreshed.claims }).toMatchObject(claims(`${minute}@example.org`))
    }
    expect(op.count('token')).toBe(1)
  })

  it('an access token that has expired is no withdrawal: nobody is asked, nothing is known', async () => {
    const { identity, keep } = await attempt()
    minutes(60)
    const before = op.count('userinfo')
    expect((await ask(identity, keep)).kind).toBe('unable')
    expect(op.count('userinfo')).toBe(before)
  })

  it('an access token that is refused before its time was withdrawn: the end', async () => {
    expect(await again(() => op.bends.disabled.add('anna'))).toMatchObject({ kind: 'ended' })
  })

  it('one that is refused, and never said how long it is good, may have expired', async () => {
    op.bends.tokenAnswer = ({ expires_in: _, ...answer }) => answer
    expect(await again(() => op.bends.disabled.add('anna'))).toMatchObject({ kind: 'unable' })
  })

  it.each<[string, string, () => unknown]>([
    ['503', 'idp.unreachable', () => (op.bends.wire.userinfo = plainly(503, ''))],
    ['a 401 that does not say why', 'idp.invalid-answer', () => (op.bends.wire.userinfo = plainly(401, '{}'))],
    ['somebody else', 'idp.rejected', () => (op.bends.userinfo = () => ({ sub: 'eve' }))],
  ])('%s at userinfo ends nothing', async (_what, code, bend) => {
    await expect(again(bend)).rejects.toMatchObject({ code })
  })

  it('and without userinfo there is nothing to ask', async () => {
    op.bends.metadata = ({ userinfo_endpoint: _, ...honest }) => honest
    expect((await again()).kind).toBe('unable')
  })
})

it('another provider under the same name does not get the first one’s tokens', async () => {
  const other = await startAdversarialOp(clock.now)
  const { identity, keep } = await attempt()
  gateway = at(other.issuer)
  expect((await ask(identity, keep)).kind).toBe('unable')
  expect(other.asked.map(({ endpoint }) => endpoint)).toEqual(['metadata'])
  await other.stop()
})

it('a refresh token that is too long to be kept is not replaced by one that is spent', async () => {
  const { identity, keep } = await attempt()
  op.bends.tokenAnswer = answer => ({ ...answer, refresh_token: 'x'.repeat(7_001), expires_in: 3600 })
  const refreshed = await ask(identity, keep)
  if (refreshed.kind !== 'renewed') throw new Error(refreshed.kind)
  expect(Object.keys(refreshed.keep)).toContain('accessToken')
  expect(Object.keys(refreshed.keep)).not.toContain('refreshToken')
})
