import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import {
  compileIdentityHeaders,
  createInjection,
  type HeaderEncoding,
  type IdentityHeaderSettings,
} from '../../src/proxy/identity-headers.ts'
import { anIdentity, aSession } from '../policy/a-session.ts'
import { aResource } from '../resource/a-resource.ts'

function valueFor(template: string, claims: Record<string, string[]>, more: Partial<IdentityHeaderSettings> = {}) {
  const settings = { headers: { 'X-Name': template }, encoding: 'utf-8' as HeaderEncoding, separator: ';', ...more }
  const [header] = compileIdentityHeaders(settings).headers
  return header?.valueOf(anIdentity(claims)) ?? null
}

describe('a template', () => {
  it.each([
    ['{subject}', 'anna'],
    ['{idp}', 'campus'],
    ['{name}', 'Anna'],
    ['{subject}@{idp}', 'anna@campus'],
    ['Basic user <{name}>', 'Basic user <Anna>'],
    ['plain', 'plain'],
    ['{missing}', null],
    ['{name} of {missing}', null],
    ['{empty}', null],
    ['{none}', null],
    ['{constructor}', null],
    ['{__proto__}', null],
  ])('%j is %j', (template, expected) => {
    expect(valueFor(template, { name: ['Anna'], empty: [''], none: [] })).toBe(expected)
  })

  it('has an identifier that says nothing, is stable, and differs between idps', () => {
    const id = valueFor('{subjectId}', {})
    expect(id).toMatch(/^[\w-]{43}$/)
    expect(valueFor('{subjectId}', { other: ['x'] })).toBe(id)
    const [header] = compileIdentityHeaders({
      headers: { X: '{subjectId}' },
      encoding: 'utf-8',
      separator: ';',
    }).headers
    expect(header?.valueOf(anIdentity({}, { idp: 'other' }))).not.toBe(id)
  })
})

describe('a list', () => {
  it.each([
    [['a', 'b'], 'a;b'],
    [['a', '', 'b'], 'a;b'],
    [['a;b', 'c'], 'a\\;b;c'],
    [['a\\', 'b'], 'a\\\\;b'],
    [['a\\;b'], 'a\\\\\\;b'],
    [[';'], '\\;'],
  ])('%j is %j: no two lists are one', (values, expected) =>
    expect(valueFor('{groups}', { groups: values })).toBe(expected),
  )

  it('has the separator that was configured', () => {
    expect(valueFor('{groups}', { groups: ['a', 'b, c'] }, { separator: ', ' })).toBe('a, b\\, c')
  })
})

describe('an encoding', () => {
  const name = 'Noël\u0085 王\r\nX: 1'
  it.each([
    ['utf-8', Buffer.from('Noël%C2%85 王%0D%0AX: 1', 'utf8').toString('latin1')],
    ['latin1', 'No\xebl%C2%85 %E7%8E%8B%0D%0AX: 1'],
    ['percent', 'No%C3%ABl%C2%85%20%E7%8E%8B%0D%0AX%3A%201'],
    ['base64', Buffer.from(name, 'utf8').toString('base64')],
  ] as const)('%s writes bytes that a header can hold', (encoding, expected) => {
    expect(valueFor('{name}', { name: [name] }, { encoding })).toBe(expected)
  })

  it('keeps what would be trimmed away: two different values stay different', () => {
    expect(valueFor('{name}', { name: [' admin'] })).toBe('%20admin')
    expect(valueFor('{name}', { name: ['admin \t'] })).toBe('admin %09')
    expect(valueFor('{name}', { name: ['   '] })).toBe('%20%20%20')
  })

  it.each(['utf-8', 'latin1', 'percent', 'base64'] as const)(
    '%s lets no character through that ends a line',
    encoding => {
      const everything = String.fromCodePoint(...Array.from({ length: 0x3000 }, (_, code) => code))
      const value = valueFor(
        '{name}',
        { name: [everything.slice(0, 900), everything.slice(0x2000, 0x2100)] },
        { encoding },
      )
      expect(value).not.toMatch(/[\0-\x1f\x7f]/)
      expect(value).not.toMatch(/[^\0-\xff]/)
    },
  )

  it('survives half a surrogate pair', () => {
    expect(valueFor('{name}', { name: ['a\ud800b'] }, { encoding: 'latin1' })).toBe('a%EF%BF%BDb')
  })
})

describe('a value that is too long', () => {
  it('is a failure that names the header, never a part of it', () => {
    expect(valueFor('{name}', { name: ['x'.repeat(8_192)] })).toHaveLength(8_192)
    const tooLong = () => valueFor('{name}', { name: ['x'.repeat(8_193)] })
    expect(tooLong).toThrow(GatewayError)
    expect(tooLong).toThrow('X-Name would be 8193 bytes')
  })

  it('is measured in bytes as they are sent', () => {
    expect(() => valueFor('{name}', { name: ['é'.repeat(4_097)] })).toThrow(GatewayError)
    expect(valueFor('{name}', { name: ['é'.repeat(4_097)] }, { encoding: 'latin1' })).toHaveLength(4_097)
  })
})

describe('the injection', () => {
  const resource = aResource({ identity: { headers: { 'X-User': '{subject}', 'X-Mail': '{email}' } } })

  it('has each header that has a value, in the order of the configuration', () => {
    const injectionOf = createInjection()
    expect(injectionOf(aSession({ email: ['a@b'] }), resource)).toBe('X-User: anna\r\nX-Mail: a@b\r\n')
    expect(injectionOf(aSession({}), resource)).toBe('X-User: anna\r\n')
  })

  it('is made once for a session and a resource, and never shared between two', () => {
    const injectionOf = createInjection()
    const [one, two] = [aSession({}), aSession({}, { subject: 'bea' })]
    const other = aResource({ at: 'https://other.example.org', identity: { headers: { 'X-User': '{subject}@{idp}' } } })
    expect(injectionOf(one, resource)).toBe(injectionOf(one, resource))
    expect(injectionOf(two, resource)).toBe('X-User: bea\r\n')
    expect(injectionOf(one, other)).toBe('X-User: anna@campus\r\n')
  })
})
