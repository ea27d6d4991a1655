import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { recordVersionOffset } from '../../src/model/store.ts'
import { createKeys } from '../../src/session/seal.ts'

const one = new Secret('the first secret of the test, long enough')
const two = new Secret('another secret of the test, long enough too')
const keys = createKeys([one])
const rotated = createKeys([two, one])
const plain = Buffer.from('{"subject":"anna"}')

describe('a sealed value', () => {
  it('opens under its own key with its version, whatever the bytes', () => {
    for (const bytes of [plain, Buffer.alloc(0), randomBytes(32 * 1024)]) {
      for (const version of [0, 1, 0xffff_ffff]) {
        expect(keys.open('pas:a', keys.seal('pas:a', version, bytes))).toEqual({ version, plain: bytes })
      }
    }
  })

  it('carries its version in clear where the store compares it', () => {
    const sealed = keys.seal('pas:a', 0x01020304, plain)
    expect(sealed.readUInt32BE(recordVersionOffset)).toBe(0x01020304)
  })

  it('shows nothing of what it holds, and is never the same twice', () => {
    const sealed = keys.seal('pas:a', 0, plain)
    expect(sealed.includes('anna')).toBe(false)
    expect(sealed.equals(keys.seal('pas:a', 0, plain))).toBe(false)
  })

  it('does not open under another store key: nobody becomes somebody else by copying bytes (A5)', () => {
    const sealed = keys.seal('pas:{admin}:s', 0, plain)
    expect(keys.open('pas:{anna}:s', sealed)).toBeNull()
    expect(keys.open('pas:{admin}:s#keep', sealed)).toBeNull()
    expect(keys.open('', sealed)).toBeNull()
  })

  it('does not open once any one of its bits is turned', () => {
    const sealed = keys.seal('pas:a', 5, plain)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const turned = Buffer.from(sealed)
      turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(keys.open('pas:a', turned)).toBeNull()
    }
  })

  it('does not open when it is cut short, at any length, or made longer', () => {
    const sealed = keys.seal('pas:a', 5, plain)
    for (let length = 0; length < sealed.length; length++) {
      expect(keys.open('pas:a', sealed.subarray(0, length))).toBeNull()
    }
    expect(keys.open('pas:a', Buffer.concat([sealed, Buffer.from([0])]))).toBeNull()
  })

  it('does not open when it is rubbish, of whatever length', () => {
    for (let length = 0; length < 200; length++) {
      const rubbish = randomBytes(length)
      expect(keys.open('pas:a', rubbish)).toBeNull()
      // Beginning like one of ours, so that it comes as far as the cipher.
      keys.seal('pas:a', 0, Buffer.alloc(0)).copy(rubbish, 0, 0, 9)
      expect(keys.open('pas:a', rubbish)).toBeNull()
    }
  })

  it('does not open when its format is one to come', () => {
    const sealed = keys.seal('pas:a', 0, plain)
    sealed[0] = 2
    expect(keys.open('pas:a', sealed)).toBeNull()
  })
})

describe('the rotation of a secret', () => {
  it('opens what the old secret sealed, as long as it is configured', () => {
    const sealed = keys.seal('pas:a', 3, plain)
    expect(rotated.open('pas:a', sealed)).toEqual({ version: 3, plain })
    expect(createKeys([two]).open('pas:a', sealed)).toBeNull()
  })

  it('seals under the first secret only', () => {
    const sealed = rotated.seal('pas:a', 3, plain)
    expect(keys.open('pas:a', sealed)).toBeNull()
    expect(createKeys([one, two]).open('pas:a', sealed)).toEqual({ version: 3, plain })
  })

  it('verifies cookies by the kid that they name', () => {
    expect(rotated.first).toBe(createKeys([two]).first)
    expect(rotated.hmac('cookie', keys.first, 'data')).toEqual(keys.hmac('cookie', keys.first, 'data'))
    expect(keys.hmac('cookie', rotated.first, 'data')).toBeNull()
    expect(keys.hmac('cookie', '', 'data')).toBeNull()
    expect(keys.hmac('cookie', '__proto__', 'data')).toBeNull()
  })

  it('looks a directory name up under every secret, the first one first', () => {
    expect(rotated.directoryKeys('sub\0idp\0anna')).toEqual([
      ...createKeys([two]).directoryKeys('sub\0idp\0anna'),
      ...keys.directoryKeys('sub\0idp\0anna'),
    ])
  })

  it('takes the same secret twice for one', () => {
    const twice = createKeys([one, one])
    expect(twice.first).toBe(keys.first)
    expect(twice.directoryKeys('a')).toHaveLength(1)
    expect(twice.open('pas:a', keys.seal('pas:a', 0, plain))?.plain).toEqual(plain)
  })
})

describe('keys', () => {
  it('are the same in every process that has the secret', () => {
    const elsewhere = createKeys([new Secret(one.reveal())])
    expect(elsewhere.first).toBe(keys.first)
    expect(elsewhere.hmac('cookie', keys.first, 'data')).toEqual(keys.hmac('cookie', keys.first, 'data'))
    expect(elsewhere.directoryKeys('a')).toEqual(keys.directoryKeys('a'))
    expect(elsewhere.open('pas:a', keys.seal('pas:a', 0, plain))?.plain).toEqual(plain)
  })

  it('differ for each purpose', () => {
    const macs = (['cookie', 'directory', 'chooser'] as const).map(purpose =>
      keys.hmac(purpose, keys.first, 'data')?.toString('hex'),
    )
    expect(new Set(macs).size).toBe(3)
  })

  it('have a short name that fits a cookie', () => {
    expect(keys.first).toMatch(/^[0-9a-f]{8}$/)
  })

  it('are not made from a secret of fewer than 32 bytes, nor from none; the message does not hold it', () => {
    expect(() => createKeys([])).toThrow('no session secret')
    expect(() => createKeys([one, new Secret('é'.repeat(15))])).toThrow('fewer than 32 bytes')
    expect(() => createKeys([new Secret('hunter2')])).toThrow(/^(?!.*hunter2)/)
    expect(createKeys([new Secret('é'.repeat(16))]).first).toHaveLength(8)
  })

  it('do not print the secret', () => {
    expect(inspect(keys, { depth: 9 })).not.toContain('first secret')
  })

  it('are derived, and open, as they always did: sessions outlive an upgrade', () => {
    const lasting = createKeys([new Secret('a secret that never changes, for the format')])
    const sealed = 'AfZTKvsAAAAHlgVxM-UfPmUWIkCjepHsmVLcZupEy5UQL6T5bjNA8jdsrXvoxh-tS4V8bHziDw'
    expect(lasting.first).toBe('f6532afb')
    expect(lasting.hmac('cookie', 'f6532afb', 'data')?.toString('base64url')).toBe(
      'zZiQ3mSg5y_lo3TZqrFEeNNeTPABOT_z8Tr6P91rOQA',
    )
    expect(lasting.hmac('chooser', 'f6532afb', 'data')?.toString('base64url')).toBe(
      'OiBLx9xBcH6HbaxVYz2MxrXcpKdM0Z7K3y3N5Qfzxko',
    )
    expect(lasting.directoryKeys('data')).toEqual(['4fdw2YTZpS-nqWmsS-NGsdDkAgi9N5G-Rd8ZGwGaMCs'])
    expect(lasting.open('pas:{a}:s', Buffer.from(sealed, 'base64url'))).toEqual({ version: 7, plain })
  })
})
