/** The provider's keys: choosing, refreshing, bounding (OI-09, OI-15, OI-25; the Config rows of the conformance plan). */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { atProvider } from './at-provider.ts'
import { type Gateway, gatewayAt, signIn } from './attempt.ts'

const { clock, op, needs } = await atProvider()
let gateway: Gateway
beforeEach(() => {
  gateway = gatewayAt(op.issuer, needs)
})

const attempt = () => signIn(gateway, op, clock.now)
const refusal = () =>
  attempt().then(
    () => 'signed in',
    (error: { code: string; message: string }) => error,
  )
const rsaKey = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })
const other = { ...rsaKey(2048), kid: 'other' }

function signedWith(key: KeyObject, header: object, payload: string): string {
  const input = [JSON.stringify({ ...header, kid: 'key-0' }), payload]
    .map(text => Buffer.from(text).toString('base64url'))
    .join('.')
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

describe('the key of an ID token', () => {
  it('is fetched once for many sign-ins (conformance: discovery-jwks-uri-keys)', async () => {
    await Promise.all([attempt(), attempt(), attempt()])
    await attempt()
    await attempt()
    expect(op.count('keys')).toBe(1)
  })

  it('may go unnamed where there is one key (conformance: kid-absent-single-jwks)', async () => {
    op.bends.header = () => ({ alg: 'RS256' })
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('may not go unnamed among several: which one is meant is not guessed (kid-absent-multiple-jwks, OI-09)', async () => {
    op.bends.header = () => ({ alg: 'RS256' })
    op.bends.keys = keys => [...keys, other]
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('multiple') })
  })

  it('may go unnamed among several of which one fits the algorithm', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    op.bends.header = () => ({ alg: 'RS256' })
    op.bends.keys = keys => [{ ...ec, kid: 'ec' }, ...keys, { ...other, use: 'enc' }]
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('may go unnamed among several of which one is strong enough (OI-15)', async () => {
    const weak = [512, 1024, 2040].map(bits => rsaKey(bits))
    op.bends.header = () => ({ alg: 'RS256' })
    op.bends.keys = keys => [...weak, ...keys]
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('is refused when two keys bear its name (OI-09)', async () => {
    op.bends.keys = ([key]) => [key, { ...other, kid: key?.kid }]
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('multiple') })
  })

  it.each(['unknown', '../../etc/passwd', 'http://127.0.0.1/', '', '__proto__'])(
    'called %j that is not in the set is refused after one more look, which opens no path (OI-09)',
    async kid => {
      await attempt()
      op.bends.header = header => ({ ...header, kid })
      expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('key') })
      expect(op.count('keys')).toBe(2)
      expect(op.count('other')).toBe(0)
    },
  )

  it('that is not in the set causes one look in 30 seconds, however many tokens name it (OI-09)', async () => {
    await attempt()
    op.bends.header = header => ({ ...header, kid: `unknown-${Math.random()}` })
    for (let i = 0; i < 20; i++) await refusal()
    await Promise.all(Array.from({ length: 20 }, refusal))
    expect(op.count('keys')).toBe(2)
    clock.advance(30_000)
    await refusal()
    await refusal()
    expect(op.count('keys')).toBe(3)
  })

  it('that is not in the set causes no more looks while the keys cannot be fetched', async () => {
    await attempt()
    op.bends.header = header => ({ ...header, kid: `unknown-${Math.random()}` })
    op.bends.wire.keys = (_request, response) => void response.writeHead(500).end()
    for (let i = 0; i < 20; i++) await refusal()
    expect(op.count('keys')).toBe(2)
  })

  it('that may be in a set that cannot be fetched is no reason to call the provider a liar: it does not answer', async () => {
    await attempt()
    await op.rotate()
    op.bends.wire.keys = request => void request.socket.destroy()
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
    op.bends.wire = {}
    clock.advance(30_000)
    expect((await attempt()).identity.subject).toBe('anna')
  })
})

describe('a provider that changes its key (OI-25)', () => {
  it('is believed at the next sign-in, with one look at its keys (conformance: signing-key-rotation)', async () => {
    await attempt()
    await op.rotate()
    expect((await attempt()).identity.subject).toBe('anna')
    expect(op.count('keys')).toBe(2)
  })

  it('is believed when it changed just before it signed (conformance: signing-key-rotation-just-before-signing)', async () => {
    await attempt()
    op.bends.idToken = async (header, payload) => {
      await op.rotate()
      const { kid = '' } = await op.publicKey()
      return op.sign({ ...header, kid }, payload)
    }
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('is believed when its keys have no names', async () => {
    op.bends.header = () => ({ alg: 'RS256' })
    op.bends.keys = keys => keys.map(({ kid: _kid, ...key }) => key)
    await attempt()
    await op.rotate()
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('is no longer believed with the old key after ten minutes', async () => {
    await attempt()
    const old = op.sign
    const { kid = '' } = await op.publicKey()
    op.bends.idToken = (header, payload) => old({ ...header, kid }, payload)
    op.bends.keys = () => [other]
    clock.advance(600_000)
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('key') })
  })
})

describe('a provider whose keys cannot be fetched', () => {
  it('is believed with the keys that are known, for an hour', async () => {
    await attempt()
    op.bends.wire.keys = (_request, response) => void response.writeHead(503).end()
    clock.advance(3_590_000)
    expect((await attempt()).identity.subject).toBe('anna')
    clock.advance(60_000)
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
  })

  it('is unreachable where none are known, and is asked again after five seconds', async () => {
    op.bends.wire.keys = (_request, response) => void response.writeHead(503).end()
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable', message: expect.stringContaining('503') })
    expect(await refusal()).toMatchObject({ code: 'idp.unreachable' })
    expect(op.count('keys')).toBe(1)
    op.bends.wire = {}
    clock.advance(5_000)
    expect((await attempt()).identity.subject).toBe('anna')
  })
})

describe('a set of keys (OI-15)', () => {
  it.each([
    ['no keys', []],
    ['entries that are no keys', [{}, { kty: 'RSA' }, { kty: 'RSA', n: 7, e: 'AQAB' }, { kty: '__proto__' }]],
    ['a symmetric key', [{ kty: 'oct', k: 'b3Atc2VjcmV0', kid: 'key-0', alg: 'HS256' }]],
    ['a point on no curve', [{ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'key-0' }]],
    ['a curve that nobody knows', [{ kty: 'EC', crv: 'P-192', x: 'AAAA', y: 'AAAA', kid: 'key-0' }]],
  ])('with %s verifies nothing', async (_what, keys) => {
    op.bends.keys = () => keys
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('key') })
  })

  it.each([1024, 2040])('with an RSA key of %i bits does not verify what that key has signed', async bits => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
    op.bends.keys = () => [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-0' }]
    op.bends.idToken = (header, payload) => signedWith(privateKey, header, payload)
    expect(await refusal()).toMatchObject({ code: 'idp.rejected', message: expect.stringContaining('key') })
  })

  it('with an RSA key of 2048 bits does', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    op.bends.keys = () => [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-0' }]
    op.bends.idToken = (header, payload) => signedWith(privateKey, header, payload)
    expect((await attempt()).identity.subject).toBe('anna')
  })

  it('does not verify with a key for encryption, nor with one whose private half was published', async () => {
    op.bends.keys = keys => keys.map(key => ({ ...key, use: 'enc' }))
    expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
    gateway = gatewayAt(op.issuer, needs)
    op.bends.keys = keys => keys.map(key => ({ ...key, d: 'AAAA' }))
    expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
    gateway = gatewayAt(op.issuer, needs)
    op.bends.keys = keys => keys.map(key => ({ ...key, use: undefined, key_ops: ['encrypt'] }))
    expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
  })

  it('of ten thousand keys is read as far as a hundred', async () => {
    op.bends.keys = keys => [
      ...Array.from({ length: 99 }, () => ({ kty: 'oct' })),
      ...keys,
      ...Array(9_900).fill({ kty: 'oct' }),
    ]
    expect((await attempt()).identity.subject).toBe('anna')
    gateway = gatewayAt(op.issuer, needs)
    op.bends.keys = keys => [...Array(10_000).fill({ kty: 'oct' }), ...keys]
    expect(await refusal()).toMatchObject({ code: 'idp.rejected' })
  })

  it('of 50 MB is cut off at one', async () => {
    let sent = 0
    op.bends.wire.keys = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const block = Buffer.alloc(64 * 1024, ' ')
      const blocks = Readable.from(
        (function* () {
          for (; sent < 50 * 1024 * 1024; sent += block.length) yield block
        })(),
      )
      await pipeline(blocks, response).catch(() => {})
    }
    expect(await refusal()).toMatchObject({ code: 'idp.invalid-answer', message: expect.stringContaining('larger') })
    expect(sent).toBeLessThan(20 * 1024 * 1024)
  })

  it.each(['<html>', '{"keys":7}', '[]', 'null'])('that reads %j is an invalid answer', async body => {
    op.bends.wire.keys = (_request, response) => void response.writeHead(200).end(body)
    expect(await refusal()).toMatchObject({ code: 'idp.invalid-answer' })
  })
})
