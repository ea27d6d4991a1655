/** Logout tokens that a good relying party refuses (BL-02 to BL-07; the back-channel rows of the conformance plan). */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { logoutClaims, logoutEvent, logoutToken } from '../stand-in/logout-token.ts'
import { atProvider } from './at-provider.ts'
import { gatewayAt, signIn } from './attempt.ts'

const { clock, op, needs } = await atProvider()
const nowS = () => Math.floor(clock.now() / 1000)

type Members = Record<string, unknown>
let hear: (form: URLSearchParams) => Promise<unknown>
beforeEach(() => {
  const { provider } = gatewayAt(op.issuer, needs)
  if (provider.backChannel === null) throw new Error('OpenID Connect has a back channel')
  hear = provider.backChannel
})

const form = (token: string) => new URLSearchParams({ logout_token: token })
const claims = (bent: Members = {}) => logoutClaims(op, clock.now(), { sub: 'anna', sid: 'sid-1', ...bent })
const token = (bent: Members = {}, header: Members = {}) => logoutToken(op, claims(bent), header)
const outcomeOf = (token: string) =>
  hear(form(token)).then(
    () => 'heard',
    (error: { code: string; message: string }) => error,
  )
const rejected = (detail: string) => ({ code: 'logout.token-rejected', message: expect.stringContaining(detail) })
const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

describe('a logout token', () => {
  it('that is right names the session and the subject, when, and itself', async () => {
    const honest = claims()
    expect(await hear(form(await logoutToken(op, honest)))).toEqual({
      idp: 'campus',
      subject: 'anna',
      idpSession: { kinds: ['sid', 'guessable-sid'], value: 'sid-1' },
      issuedAt: nowS(),
      message: { id: honest.jti, notAfter: (nowS() + 120) * 1000 },
    })
  })

  it('may name the session alone, or the subject alone (§2.4)', async () => {
    expect(await hear(form(await token({ sub: undefined })))).toMatchObject({ subject: null })
    expect(await hear(form(await token({ sid: undefined })))).toMatchObject({ idpSession: null })
  })

  it.each([
    ['says that it is a logout token', 'logout+jwt'],
    ['says so as a media type', 'application/logout+jwt'],
    ['says only that it is a JWT', 'JWT'],
    ['says nothing', undefined],
  ])('is heard where its type %s', async (_, typ) => {
    expect(await outcomeOf(await token({}, { typ }))).toBe('heard')
  })

  it('is heard without exp, which drafts did not have, and with us alone in a list of audiences', async () => {
    expect(await outcomeOf(await token({ exp: undefined }))).toBe('heard')
    expect(await outcomeOf(await token({ aud: [op.clientId] }))).toBe('heard')
  })

  const id = (bent: Members) => () => token(bent)
  const typed = (header: Members) => () => token({}, header)
  it.each<[string, () => string | Promise<string>, string]>([
    // BL-03; backchannel-wrong-iss, -wrong-aud
    ['of another issuer (BL-03)', id({ iss: 'https://evil.example' }), 'iss is "https://evil.example"'],
    ['of the same issuer, spelled otherwise (BL-03)', async () => token({ iss: `${op.issuer}/` }), 'iss is'],
    ['of no issuer (BL-03)', id({ iss: undefined }), 'iss is absent'],
    ['for another client (BL-03)', id({ aud: 'somebody-else' }), 'aud is "somebody-else"'],
    ['for us and others (BL-03)', () => token({ aud: [op.clientId, 'somebody-else'] }), 'aud is'],
    ['for nobody (BL-03)', id({ aud: undefined }), 'aud is absent'],
    ['for an empty list (BL-03)', id({ aud: [] }), 'aud is []'],
    ['for a list within a list (BL-03)', () => token({ aud: [[op.clientId]] }), 'aud is'],
    // BL-04; -no-event, -wrong-event
    ['without events (BL-04)', id({ events: undefined }), 'events are absent'],
    ['with another event (BL-04)', id({ events: { 'http://schemas.openid.net/event/other': {} } }), 'events are'],
    ['whose event is a text (BL-04)', id({ events: { [logoutEvent]: 'yes' } }), 'events are'],
    ['whose event is null (BL-04)', id({ events: { [logoutEvent]: null } }), 'events are'],
    ['whose event is a list (BL-04)', id({ events: { [logoutEvent]: [] } }), 'events are'],
    ['whose events are a list (BL-04)', id({ events: [logoutEvent] }), 'events are'],
    ['whose events only inherit it (BL-04)', id({ events: { __proto__: null, constructor: {} } }), 'events are'],
    // BL-05; -with-nonce
    ['with a nonce (BL-05)', id({ nonce: 'n' }), 'nonce'],
    ['with an empty nonce (BL-05)', id({ nonce: '' }), 'nonce'],
    ['with the nonce null (BL-05)', id({ nonce: null }), 'nonce'],
    // BL-07, and whom it names
    ['without iat (BL-07)', id({ iat: undefined }), 'iat is absent'],
    ['whose iat is a text (BL-07)', () => token({ iat: String(nowS()) }), 'iat is'],
    ['whose iat is beyond every clock (BL-07)', () => token({ iat: 1e300 }), 'iat is'],
    ['that is older than two minutes (BL-07)', () => token({ iat: nowS() - 121 }), 'longest life'],
    ['from beyond the tolerated future (BL-07)', () => token({ iat: nowS() + 121 }), 'iat is'],
    ['that has expired (BL-07)', () => token({ exp: nowS() - 121 }), 'exp is'],
    ['whose exp is a text (BL-07)', id({ exp: 'tomorrow' }), 'exp is'],
    ['without jti (BL-07)', id({ jti: undefined }), 'jti is absent'],
    ['with an empty jti (BL-07)', id({ jti: '' }), 'jti is ""'],
    ['with a number for a jti (BL-07)', id({ jti: 7 }), 'jti is 7'],
    ['with a jti of ten thousand letters (BL-07)', id({ jti: 'j'.repeat(5_000) }), 'jti is'],
    ['that names nobody', id({ sub: undefined, sid: undefined }), 'neither sub nor sid'],
    ['whose sub is a list', id({ sub: ['anna'] }), 'sub is'],
    ['whose sid is empty', id({ sid: '' }), 'sid is ""'],
    ['whose sid is a number, beside a good sub', id({ sid: 1 }), 'sid is 1'],
    // The header.
    ['that says it is an access token (BL-08)', typed({ typ: 'at+jwt' }), 'typ is "at+jwt"'],
    ['whose type is no text', typed({ typ: ['JWT', 'x'] }), 'typ is'],
    ['that demands an extension', () => `${b64({ alg: 'RS256', crit: ['b64'] })}.${b64(claims())}.AAAA`, 'crit is'],
    ['that names a key of nobody (BL-02)', typed({ kid: 'nobody' }), 'no-key'],
    // BL-02: -alg-none, -wrong-alg
    ['that is not signed (BL-02)', () => `${b64({ alg: 'none' })}.${b64(claims())}.`, 'alg is "none"'],
    [
      'that says none and is signed (BL-02)',
      async () => `${b64({ alg: 'none' })}.${(await token()).split('.')[1]}.AAAA`,
      'alg',
    ],
    ['that says NONE (BL-02)', () => `${b64({ alg: 'NONE' })}.${b64(claims())}.AAAA`, 'alg is "NONE"'],
    ['without an algorithm (BL-02)', () => `${b64({})}.${b64(claims())}.AAAA`, 'alg is absent'],
    ['signed with an algorithm that the metadata do not have (BL-02)', () => es256(), 'alg is "ES256"'],
    ['signed with the client secret (BL-02)', () => hs256(op.clientSecret), 'alg is "HS256"'],
    [
      'signed with the public key for a secret (BL-02)',
      async () => hs256(JSON.stringify(await op.publicKey())),
      'alg is "HS256"',
    ],
    ['signed by another key under the right name (BL-02)', () => foreign(), 'invalid'],
    ['whose claims were exchanged (BL-02)', async () => exchanged(await token(), claims({ sub: 'eve' })), 'invalid'],
    // The form of it.
    ['that is empty', () => '', 'logout_token, once'],
    ['of four parts', async () => `${await token()}.AAAA`, 'three parts'],
    ['of five parts, encrypted', () => 'a.b.c.d.e', 'three parts'],
    ['with a stray letter', async () => `${await token()}!`, 'three parts'],
    ['whose claims are a list', () => `${b64({ alg: 'RS256' })}.${b64([])}.AAAA`, 'no JSON object'],
    ['whose claims are no JSON', () => `${b64({ alg: 'RS256' })}.${b64('{')}.AAAA`, 'no JSON object'],
    ['whose header is no JSON', () => `${b64('{')}.${b64(claims())}.AAAA`, 'alg is absent'],
    ['of nine thousand letters', () => `a.${'b'.repeat(9_000)}.c`, 'characters'],
  ])('%s is refused', async (_, made, detail) => {
    expect(await outcomeOf(await made())).toMatchObject(rejected(detail))
  })

  it('is accepted as far as the clocks may differ', async () => {
    expect(await outcomeOf(await token({ iat: nowS() - 120 }))).toBe('heard')
    expect(await outcomeOf(await token({ iat: nowS() + 120 }))).toBe('heard')
    expect(await outcomeOf(await token({ exp: nowS() - 120 }))).toBe('heard')
  })

  it('sent twice in one form is refused', async () => {
    const both = form(await token())
    both.append('logout_token', await token())
    await expect(hear(both)).rejects.toMatchObject(rejected('once'))
    await expect(hear(new URLSearchParams())).rejects.toMatchObject(rejected('once'))
  })

  it('cannot be an ID token of the same provider, which the same key signs (BL-08)', async () => {
    let idToken = ''
    op.bends.tokenAnswer = answer => {
      idToken = String(answer.id_token)
      return answer
    }
    await signIn(gatewayAt(op.issuer, needs), op, clock.now)
    expect(await outcomeOf(idToken)).toMatchObject(rejected('nonce'))
  })
})

describe('the keys of logout tokens', () => {
  it('are asked for by nothing that is refused without them', async () => {
    const cheap = [{ iss: 'https://evil.example' }, { aud: 'x' }, { nonce: 'n' }, { jti: undefined }, { iat: 1 }]
    for (const bent of cheap) expect(await outcomeOf(await token(bent))).not.toBe('heard')
    expect([op.count('metadata'), op.count('keys')]).toEqual([0, 0])
  })

  it('are fetched anew for one that is not known, and then not until the cool-down is over (BL-12)', async () => {
    expect(await outcomeOf(await token())).toBe('heard')
    const forged = async () =>
      expect(await outcomeOf(await token({}, { kid: 'nobody' }))).toMatchObject(rejected('no-key'))
    for (let attempt = 0; attempt < 200; attempt++) await forged()
    expect(op.count('keys')).toBe(2)
    clock.advance(30_000)
    await forged()
    expect(op.count('keys')).toBe(3)
  })

  it('may have been exchanged since the last one', async () => {
    expect(await outcomeOf(await token())).toBe('heard')
    clock.advance(30_000)
    await op.rotate()
    expect(await outcomeOf(await token())).toBe('heard')
  })

  it('out of reach, nothing is known: the provider must ask again', async () => {
    op.bends.wire.keys = (_request, response) => void response.writeHead(503).end()
    expect(await outcomeOf(await token())).toMatchObject({ code: 'idp.unreachable' })
    op.bends.wire.keys = (_request, response) => void response.writeHead(404).end()
    clock.advance(5_000)
    expect(await outcomeOf(await token())).toMatchObject({ code: 'idp.invalid-answer' })
    op.bends.wire = {}
    clock.advance(5_000)
    expect(await outcomeOf(await token())).toBe('heard')
  })

  it.each([
    ['ES256', 'ec', { namedCurve: 'P-256' }, 'sha256'],
    ['ES384', 'ec', { namedCurve: 'P-384' }, 'sha384'],
    ['ES512', 'ec', { namedCurve: 'P-521' }, 'sha512'],
    ['EdDSA', 'ed25519', {}, null],
    ['Ed25519', 'ed25519', {}, null],
    ['RS512', 'rsa', { modulusLength: 2048 }, 'sha512'],
    ['PS256', 'rsa', { modulusLength: 2048 }, 'sha256'],
  ])('may be of another kind: %s', async (alg, kind, options, hash) => {
    const { publicKey, privateKey } = generateKeyPairSync(kind as 'ec', options as { namedCurve: string })
    op.bends.metadata = metadata => ({ ...metadata, id_token_signing_alg_values_supported: [alg] })
    op.bends.keys = keys => [...keys, { ...publicKey.export({ format: 'jwk' }), kid: 'new', use: 'sig' } as never]
    const signed = `${b64({ alg, kid: 'new' })}.${b64(claims())}`
    const pss = alg.startsWith('PS') ? { padding: 6, saltLength: 32 } : {}
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const, ...pss }
    const signature = sign(hash, Buffer.from(signed), key)
    expect(await outcomeOf(`${signed}.${signature.toString('base64url')}`)).toBe('heard')
    signature[7] = (signature[7] ?? 0) ^ 1
    expect(await outcomeOf(`${signed}.${signature.toString('base64url')}`)).toMatchObject(rejected('invalid'))
  })

  it.each([
    ['RSA of 1024 bits', 'RS256', 'rsa', { modulusLength: 1024 }],
    ['a curve that is not one of ours', 'ES256', 'ec', { namedCurve: 'secp256k1' }],
  ])('verify nothing where they are weak or strange: %s (OI-15)', async (_, alg, kind, options) => {
    const { publicKey, privateKey } = generateKeyPairSync(kind as 'ec', options as { namedCurve: string })
    op.bends.metadata = metadata => ({ ...metadata, id_token_signing_alg_values_supported: [alg] })
    op.bends.keys = keys => [...keys, { ...publicKey.export({ format: 'jwk' }), kid: 'weak' } as never]
    const signed = `${b64({ alg, kid: 'weak' })}.${b64(claims())}`
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    expect(await outcomeOf(`${signed}.${signature.toString('base64url')}`)).toMatchObject(rejected('no-key'))
  })

  it('are not guessed among several where the token names none', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
    expect(await outcomeOf(await token({}, { kid: undefined }))).toBe('heard')
    op.bends.keys = keys => [...keys, { ...other, kid: 'other' } as never]
    clock.advance(600_000)
    expect(await outcomeOf(await token({}, { kid: undefined }))).toMatchObject(rejected('several-keys'))
  })
})

function es256(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signed = `${b64({ alg: 'ES256', kid: 'key-0' })}.${b64(claims())}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

function hs256(secret: string): string {
  const signed = `${b64({ alg: 'HS256', typ: 'logout+jwt' })}.${b64(claims())}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

function foreign(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signed = `${b64({ alg: 'RS256', kid: 'key-0', typ: 'logout+jwt' })}.${b64(claims())}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

function exchanged(token: string, claims: Members): string {
  const [header, , signature] = token.split('.')
  return `${header}.${b64(claims)}.${signature}`
}
