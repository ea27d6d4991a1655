import { describe, expect, it } from 'vitest'
import { createResponseHeaders } from '../../src/proxy/response-headers.ts'
import { aResource } from '../resource/a-resource.ts'

const whole = aResource({ at: 'https://courses.example.org', origin: 'http://10.0.0.1:8080' })
const below = aResource({ at: 'https://apps.example.org/intranet/', origin: 'http://10.0.0.1:8080/' })
const both = aResource({ at: 'https://apps.example.org/intranet/', origin: 'https://old.example.net/cgi/' })

const of = (resource: typeof whole, name: string, value: string, identified = false) => {
  const headers = createResponseHeaders(resource)([name, value], identified)
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1] === name)
}

describe('a header of an answer', () => {
  it('keeps its place, its spelling and its bytes', () => {
    const raw = ['X-b', '1', 'ETag', '"caf\xe9"', 'X-B', '2', 'Set-Cookie', 'a=1', 'Link', '<x>']
    expect(createResponseHeaders(whole)(raw, false)).toEqual(raw)
  })

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'UPGRADE',
    'alt-svc',
    'NEL',
    'Report-To',
    'Reporting-Endpoints',
  ])('%s ends here', name => expect(of(whole, name, 'x')).toEqual([]))
})

describe('Connection of an answer', () => {
  const kept = (raw: readonly string[], identified = false) => createResponseHeaders(whole)(raw, identified)

  it('takes the headers that it names with it, in any case and on any line (RFC 9110 §7.6.1)', () => {
    const raw = ['X-Hop', '1', 'Connection', 'close, X-HOP ,', 'x-hop', '2', 'CONNECTION', 'X-Other', 'x-other', '3']
    expect(kept([...raw, 'X-End', '4'])).toEqual(['X-End', '4'])
  })

  it('takes nothing else', () => {
    expect(kept(['Connection', 'keep-alive, Upgrade', 'X', '1'])).toEqual(['X', '1'])
  })

  it('cannot make what was written for one person public', () => {
    expect(kept(['Cache-Control', 'private', 'Connection', 'cache-control'], true)).toEqual([
      'cache-control',
      'private',
    ])
  })
})

describe('Set-Cookie', () => {
  it.each([
    ['__Host-Http-passerelle=1'],
    ['__host-http-passerelle-SITE=1; Path=/'],
    [' \t__Host-Http-passerelle=1'],
    ['__Http-passerelle-zone=1; Domain=example.org'],
    ['=__Host-Http-passerelle=1'],
    [' = __Host-Http-passerelle=1'],
    ['__Host-Http-passerelle'],
    ['__Host-Http-passerelle; Path=/'],
  ])('of ours is dropped: %j', line => expect(of(whole, 'Set-Cookie', line)).toEqual([]))

  it.each([
    ['a=__Host-Http-passerelle=1'],
    ['passerelle=1'],
    ['x__Host-Http-passerelle=1'],
    ['a=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=1'],
    ['a=1;Path=/x;  secure'],
    ['a=1; Domain=courses.example.org'],
    ['a=1; domain=.COURSES.example.org'],
    [''],
  ])('of the site is kept: %j', line => expect(of(whole, 'Set-Cookie', line)).toEqual([line]))

  it.each([
    ['a=1; Domain=example.org; Secure', 'a=1; Secure'],
    ['a=1; DOMAIN = .example.org', 'a=1'],
    ['a=1; Domain=x.courses.example.org', 'a=1'],
    ['a=1; Domain=example.org; Domain=courses.example.org', 'a=1; Domain=courses.example.org'],
  ])('stays with its host: %j', (line, expected) => expect(of(whole, 'Set-Cookie', line)).toEqual([expected]))

  it.each([
    ['a=1; Path=/', 'a=1; Path=/intranet/'],
    ['a=1; Path=/x', 'a=1; Path=/intranet/x'],
    ['a=1; Path=', 'a=1'],
    ['a=1; Path', 'a=1'],
    ['a=1', 'a=1'],
  ])('stays below the mount: %j', (line, expected) => expect(of(below, 'Set-Cookie', line)).toEqual([expected]))

  it.each([
    ['a=1; Path=/cgi/x', 'a=1; Path=/intranet/x'],
    ['a=1; Path=/cgi', 'a=1; Path=/intranet/'],
    ['a=1; Path=/', 'a=1; Path=/intranet/'],
    ['a=1; Path=/other', 'a=1'],
    ['a=1; Path=/cgi-bin', 'a=1'],
  ])('stays below the mount of an origin with a path: %j', (line, expected) =>
    expect(of(both, 'Set-Cookie', line)).toEqual([expected]),
  )
})

describe.each(['Location', 'Content-Location'])('%s', name => {
  it.each([
    ['http://10.0.0.1:8080/x?y#z', 'https://courses.example.org/x?y#z'],
    ['HTTP://10.0.0.1:8080', 'https://courses.example.org/'],
    ['//10.0.0.1:8080/x', 'https://courses.example.org/x'],
    ['\\\\10.0.0.1:8080\\x', 'https://courses.example.org/x'],
    ['http://courses.example.org/x', 'https://courses.example.org/x'],
    ['https://courses.example.org:8443/x', 'https://courses.example.org/x'],
    ['http://10.0.0.1:8080//evil.test/', 'https://courses.example.org//evil.test/'],
    ['http://10.0.0.1/x', 'http://10.0.0.1/x'],
    ['https://10.0.0.1:8080/x', 'https://10.0.0.1:8080/x'],
    ['http://other.example.org/x', 'http://other.example.org/x'],
    ['/x', '/x'],
    ['x', 'x'],
    ['?x', '?x'],
    ['#x', '#x'],
    ['//', '//'],
    ['http://', 'http://'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
  ])('%j becomes %j', (value, expected) => expect(of(whole, name, value)).toEqual([expected]))

  it.each([
    ['/cgi/x?y=/cgi/#/cgi/', '/intranet/x?y=/cgi/#/cgi/'],
    ['/cgi/', '/intranet/'],
    ['/cgi', '/intranet/'],
    ['/', '/intranet/'],
    ['/other', '/other'],
    ['https://old.example.net/cgi/x', 'https://apps.example.org/intranet/x'],
    ['https://old.example.net/other', 'https://old.example.net/other'],
    ['http://apps.example.org/intranet/x', 'https://apps.example.org/intranet/x'],
    ['http://apps.example.org/cgi/x', 'https://apps.example.org/intranet/x'],
  ])('below a mount %j becomes %j', (value, expected) => expect(of(both, name, value)).toEqual([expected]))
})

describe('what caches are told of an answer that was made for somebody', () => {
  it.each([
    ['no-store', 'no-store'],
    ['No-Store', 'No-Store'],
    ['max-age=0, private', 'max-age=0, private'],
    ['public', 'private'],
    ['PUBLIC, max-age=5', 'max-age=5, private'],
    ['s-maxage=5,max-age=6', 'max-age=6, private'],
    ['private="X-One", max-age=6', 'private="X-One", max-age=6, private'],
    ['max-age=6, x="no-store"', 'max-age=6, x="no-store", private'],
    ['', 'private'],
  ])('%j becomes %j', (value, expected) => {
    expect(of(whole, 'Cache-Control', value, true)).toEqual([expected])
    expect(of(whole, 'Cache-Control', value, false)).toEqual([value])
  })

  it('is private where the origin said nothing', () => {
    expect(createResponseHeaders(whole)([], true)).toEqual(['cache-control', 'private'])
    expect(createResponseHeaders(whole)([], false)).toEqual([])
  })

  it.each(['Surrogate-Control', 'CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control', 'X-Accel-Expires'])(
    'is nothing that one of them would rather believe: %s',
    name => {
      expect(of(whole, name, 'max-age=60', true)).toEqual([])
      expect(of(whole, name, 'max-age=60', false)).toEqual(['max-age=60'])
    },
  )
})

describe('Clear-Site-Data', () => {
  it.each([
    ['"cookies"', []],
    ['"*"', []],
    ['"COOKIES" , "cache"', ['"cache"']],
    ['"cache","storage"', ['"cache", "storage"']],
    ['', []],
  ])('%j becomes %j', (value, expected) => expect(of(whole, 'Clear-Site-Data', value)).toEqual(expected))
})

it('an origin that sends ever new names does not make the gateway remember them all', () => {
  const forBrowser = createResponseHeaders(whole)
  for (let n = 0; n < 10_000; n++) forBrowser([`X-${n}`, '1'], false)
  expect(forBrowser(['X-1', '1', 'NEL', 'x'], false)).toEqual(['X-1', '1'])
})
