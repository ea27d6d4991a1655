/** The keys that origins check our signatures with (SESSIONS B 4; RFC 7515, 7517, 7518, 7638). */
import { execFile } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { createAssertionKeys, privateScalar } from '../../src/session/assertion-keys.ts'

const texts = ['the first secret of the test, long enough', 'another secret of the test, long enough too'] as const
const [one, two] = texts.map(text => new Secret(text)) as [Secret, Secret]
const keysOf = (published: string) => JSON.parse(published) as JSONWebKeySet

describe('the assertion keys', () => {
  it('are the same in two processes with the same secrets, and no others’', async () => {
    const source = new URL('../../src/session/assertion-keys.ts', import.meta.url).href
    const secret = new URL('../../src/model/secret.ts', import.meta.url).href
    const program = `
      const { createAssertionKeys } = await import(${JSON.stringify(source)})
      const { Secret } = await import(${JSON.stringify(secret)})
      process.stdout.write(createAssertionKeys(${JSON.stringify(texts)}.map(text => new Secret(text))).published)`
    const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    const [a, b] = await Promise.all([run(), run()])
    expect(a.stdout).toBe(b.stdout)
    expect(a.stdout).toBe(createAssertionKeys([one, two]).published)
    const kids = keysOf(a.stdout).keys.map(({ kid }) => kid)
    expect(new Set(kids).size).toBe(2)
  })

  it('are published without their private part, the one that signs first, each named by its thumbprint (RFC 7638)', async () => {
    const { keys } = keysOf(createAssertionKeys([one, two]).published)
    expect(keys).toHaveLength(2)
    expect(keys[0]).toEqual(keysOf(createAssertionKeys([one]).published).keys[0])
    for (const key of keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' })
      expect(key.kid).toBe(await calculateJwkThumbprint(key))
      // Both coordinates have their whole length, and the point lies on the curve (RFC 7518 §6.2.1.2).
      expect([key.x?.length, key.y?.length]).toEqual([43, 43])
      expect(() => createPublicKey({ key: { ...key }, format: 'jwk' })).not.toThrow()
    }
  })

  it('sign what an independent library verifies, and go on being published while the secret rotates', async () => {
    const before = createAssertionKeys([one])
    const rotating = createLocalJWKSet(keysOf(createAssertionKeys([two, one]).published))
    const token = before.sign('logout+jwt', { aud: 'courses', sub: 'anna' })
    const { payload, protectedHeader } = await jwtVerify(token, rotating, { audience: 'courses', typ: 'logout+jwt' })
    expect(payload).toEqual({ aud: 'courses', sub: 'anna' })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'logout+jwt', kid: keysOf(before.published).keys[0]?.kid })
    const gone = createLocalJWKSet(keysOf(createAssertionKeys([two]).published))
    await expect(jwtVerify(token, gone)).rejects.toThrow('no applicable key')
  })

  it('are one where the same secret stands twice', () => {
    expect(keysOf(createAssertionKeys([one, one]).published).keys).toHaveLength(1)
  })

  it('are not those of sessions: a signature says nothing of a cookie', () => {
    expect(() => createAssertionKeys([])).toThrow('no session secret')
    expect(() => createAssertionKeys([new Secret('short')])).toThrow('fewer than 32 bytes')
  })
})

describe('a private scalar of P-256', () => {
  const bytes = (hex: string) => Buffer.from(hex.padStart(64, '0'), 'hex')
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
  const largest = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550'

  it.each([
    ['zero', '0'],
    ['the order itself', order],
    ['what is larger than the order', 'f'.repeat(64)],
  ])('is not %s: the next candidate is asked for', (_, hex) => {
    const asked: number[] = []
    const scalar = privateScalar(attempt => {
      asked.push(attempt)
      return attempt < 2 ? bytes(hex) : bytes('2a')
    })
    expect(asked).toEqual([0, 1, 2])
    expect(scalar).toEqual(bytes('2a'))
  })

  it.each(['1', largest])('may be %s', hex => {
    expect(privateScalar(() => bytes(hex))).toEqual(bytes(hex))
  })
})
