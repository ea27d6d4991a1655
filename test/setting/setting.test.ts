/** The alphabet of the configuration: what each kind of value accepts, and what it becomes. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Secret } from '../../src/model/secret.ts'
import { duration, durationBetween } from '../../src/setting/duration.ts'
import { flag } from '../../src/setting/flag.ts'
import { glob } from '../../src/setting/glob.ts'
import { isLoopback, network, socketAddress } from '../../src/setting/network.ts'
import { byKey, oneOf } from '../../src/setting/one-of.ts'
import { orNull } from '../../src/setting/or-null.ts'
import { keySecret } from '../../src/setting/secret.ts'
import { text } from '../../src/setting/text.ts'
import { webAddress, webAddressText } from '../../src/setting/web-address.ts'

const accepts = (schema: z.ZodType, input: unknown) => schema.safeParse(input).success

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['10m', 600_000],
    ['8h', 28_800_000],
    ['30d', 2_592_000_000],
  ])('of %s is %d ms', (written, ms) => {
    expect(duration.parse(written)).toBe(ms)
  })

  it.each([30, '30', '1.5h', '-5s', '30 s', '1h30m', '', '30S', '0s', '366d', `${'9'.repeat(400)}d`, null])(
    'is not %s',
    input => {
      expect(accepts(duration, input)).toBe(false)
    },
  )

  it('may have limits, which belong to it', () => {
    const limited = durationBetween('1m', '1h')
    expect(['59s', '60s', '60m', '61m'].map(written => accepts(limited, written))).toEqual([false, true, true, false])
  })

  it('is parsed where a key is left out, too', () => {
    expect(z.strictObject({ wait: duration.prefault('5s') }).parse({})).toEqual({ wait: 5000 })
  })
})

describe('an address or network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['2001:db8::/32', '2001:db8::/32'],
  ])('%s always has its length: %s', (written, expected) => {
    expect(network.parse(written)).toBe(expected)
  })

  it.each([
    '192.0.2.0/33',
    '192.0.2/24',
    '2001:db8::/129',
    'fe80::1%eth0',
    '::ffff:192.0.2.1',
    '1.2.3.4/',
    '1.2.3.4/8/8',
    'lan',
    '',
  ])('is not %s', written => {
    expect(accepts(network, written)).toBe(false)
  })
})

describe('a socket address', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:80', { host: '127.0.0.1', port: 80 }],
    ['[::]:0', { host: '::', port: 0 }],
  ])('%s', (written, expected) => {
    expect(socketAddress.parse(written)).toEqual(expected)
  })

  it.each(['8080', ':8080', '127.0.0.1', '127.0.0.1:70000', '::1:80', '[127.0.0.1]:80', 'example.org:80', 8080])(
    'is not %s',
    written => {
      expect(accepts(socketAddress, written)).toBe(false)
    },
  )

  it('is loopback or not, whatever it is called', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '10.0.0.1'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

describe('a web address', () => {
  const site = webAddress({ example: 'https://a.example.org', http: 'local', path: 'folder' })

  it.each([
    ['https://a.example.org', 'https://a.example.org/'],
    ['https://A.example.org:443/x/', 'https://a.example.org/x/'],
    ['https://bibliothèque.example', 'https://xn--bibliothque-59a.example/'],
    ['http://cours.localhost:8080', 'http://cours.localhost:8080/'],
    ['http://127.0.0.1/', 'http://127.0.0.1/'],
  ])('%s is %s', (written, expected) => {
    expect(site.parse(written).href).toBe(expected)
  })

  it.each([
    'http://a.example.org',
    'http://localhost.example.org',
    'http://127.0.0.1.example.org',
    'http://[::1]/',
    'ftp://a.example.org',
    'https:a.example.org',
    'https:///a.example.org',
    'https://a.example.org\\x/',
    'https://user@a.example.org',
    'https://a.example.org/x',
    'https://a.example.org/?x',
    'https://a.example.org/#x',
    'https://a.example.org/../',
    'https://a.example.org/%61/',
    'https://a.example.org//',
    'https://a.example.org/;x/',
    'https://a.example.org/é/',
    'https://*.example.org',
    'https://a.example.org./',
    ' https://a.example.org',
    'javascript:alert(1)//https://',
  ])('is not %s', written => {
    expect(accepts(site, written)).toBe(false)
  })

  it('stays letter by letter where its spelling matters', () => {
    const issuer = webAddressText({ example: 'https://sso.example.edu', http: 'local', path: 'any' })
    expect(issuer.parse('https://SSO.example.edu')).toBe('https://SSO.example.edu')
  })
})

describe('a value to compare with', () => {
  it.each([
    ['*@example.edu', '*@example.edu'],
    ['(a) [b] c+d $5 x^2 math.*', '(a) [b] c+d $5 x^2 math.*'],
    [2026, '2026'],
    [true, 'true'],
  ])('%s is text', (written, expected) => {
    expect(glob.parse(written)).toBe(expected)
  })

  it.each(['^a', 'a$', '.*@example.edu', '.+', '(a+)+b', '[a-z]+', '(?:a)', '\\d', 'x\\.y', ''])(
    'is refused where it looks like a regular expression, or is nothing: %s',
    written => {
      expect(accepts(glob, written)).toBe(false)
    },
  )
})

describe('a secret from which keys are made', () => {
  it('has 32 bytes at least, counted as bytes (SESSIONS A5)', () => {
    const random = 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0p'
    expect(accepts(keySecret, random)).toBe(false)
    expect(accepts(keySecret, `${random}é`)).toBe(true)
    expect(keySecret.parse(`${random}A`)).toBeInstanceOf(Secret)
  })

  it.each(['a'.repeat(64), 'changeme-changeme-changeme-changeme-x1', '0123456789abcdef0123456789abcdef'])(
    'is not one that anybody can guess: %s',
    written => {
      expect(accepts(keySecret, written)).toBe(false)
    },
  )
})

describe('a text for people', () => {
  it.each([
    ['Courses', { fr: 'Courses', en: 'Courses' }],
    [{ fr: 'Cours' }, { fr: 'Cours', en: 'Cours' }],
    [
      { fr: ' Cours ', en: 'Courses' },
      { fr: 'Cours', en: 'Courses' },
    ],
  ])('has every language: %j', (written, expected) => {
    expect(text.parse(written)).toEqual(expected)
  })

  it.each(['', '  ', {}, { de: 'Kurse' }, { fr: '' }, ['a'], 2026, null, 'x'.repeat(501)])('is not %j', written => {
    expect(accepts(text, written)).toBe(false)
  })
})

describe('yes or no', () => {
  it.each([true, 'yes', 'true'])('%j is yes', written => expect(flag.parse(written)).toBe(true))
  it.each([false, 'no', 'false'])('%j is no', written => expect(flag.parse(written)).toBe(false))
  it.each(['on', 'Y', 1, '', null])('is not %j', written => expect(accepts(flag, written)).toBe(false))
})

describe('a setting of several shapes', () => {
  const shapes = byKey({ cat: z.strictObject({ cat: z.number() }), dog: z.strictObject({ dog: z.string() }) })

  it('is judged by the shape that was meant, and by no other', () => {
    expect(shapes.safeParse({ dog: 5, colour: 'red' }).error?.issues.map(issue => [issue.code, issue.path])).toEqual([
      ['invalid_type', ['dog']],
      ['unrecognized_keys', []],
    ])
  })

  it('says which keys there are where none of them is present', () => {
    expect(shapes.safeParse({ colour: 'red' }).error?.issues[0]?.message).toBe('lacks the key "cat" or "dog"')
    expect(shapes.safeParse('cat').error?.issues[0]?.message).toBe('must be a mapping with the key "cat" or "dog"')
  })

  it('keeps the way to the mistake when it stands inside others', () => {
    const nested = z.strictObject({ pets: z.array(oneOf([shapes], () => shapes, 'must be a pet')) })
    expect(nested.safeParse({ pets: [{ cat: 1 }, { cat: 'x' }] }).error?.issues[0]?.path).toEqual(['pets', 1, 'cat'])
  })
})

describe('a key that may be left out', () => {
  it('is null then, and nothing else may stand for it', () => {
    const settings = z.strictObject({ name: orNull(z.string()) })
    expect(settings.parse({})).toEqual({ name: null })
    expect(accepts(settings, { name: null })).toBe(false)
  })
})
