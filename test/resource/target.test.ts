import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { readTarget } from '../../src/resource/target.ts'

const host = 'gw.example.edu'

function read(url: string, ...hosts: string[]) {
  const named = hosts.length === 0 ? [host] : hosts
  return readTarget({
    url,
    rawHeaders: ['Accept', '*/*', ...named.flatMap(name => ['hOsT', name]), 'X-Host', 'evil.test'],
  })
}

/** The code of the refusal; null: none. */
function refusal(url: string, ...hosts: string[]): string | null {
  try {
    read(url, ...hosts)
    return null
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error)
  }
}

describe('the Host header', () => {
  it('must be there exactly once (HO-01, RFC 9112 §3.2)', () => {
    expect(() => readTarget({ url: '/', rawHeaders: ['Accept', '*/*'] })).toThrow('no Host header')
    expect(refusal('/', host, host)).toBe('request.malformed')
    expect(refusal('/', host, 'evil.test')).toBe('request.malformed')
  })

  it.each([
    '',
    ' ',
    '.',
    'a, b',
    'a,b',
    'a b',
    'a@b',
    'user:secret@gw.example.edu',
    'gw.example.edu/',
    'gw.example.edu?',
    'gw.example.edu#',
    'gw.example.edu\\',
    'gw..example.edu',
    '.example.edu',
    'gw.example.edu..',
    'gw.example.edu:x',
    'gw.example.edu:443:80',
    'gw.example.edu:99999',
    'gw.example.edu:123456',
    '%67w.example.edu',
    'gw.ex\u00e4mple.edu',
    'gw.example.edu\t',
    '[::1',
    '::1',
    '[evil]',
    '[::1]x',
    '[fe80::1%25eth0]',
    'a'.repeat(300),
  ])('is refused as %j (HO-01)', name => expect(refusal('/', name)).toBe('request.malformed'))

  it.each([
    ['gw.example.edu', host],
    ['GW.Example.EDU', host],
    ['gw.example.edu.', host],
    ['gw.example.edu:443', host],
    ['gw.example.edu:80', host],
    ['gw.example.edu.:8443', host],
    ['gw.example.edu:', host],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['www_jstor.example.edu', 'www_jstor.example.edu'],
    ['192.0.2.7:8080', '192.0.2.7'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8:0:0:0:0:0:1]', '[2001:db8::1]'],
  ])('%j names the host %j (PA-11)', (name, hostname) => {
    expect(read('/', name).hostname).toBe(hostname)
  })

  it('keeps a port that says something for the log, and decides nothing by it', () => {
    expect(read('/', 'GW.example.edu:8443')).toMatchObject({ host: 'gw.example.edu:8443', hostname: host })
    expect(read('/', 'GW.example.edu.:443')).toMatchObject({ host, hostname: host })
  })

  it('is remembered without growing for ever', () => {
    for (let i = 0; i < 3000; i++) expect(read('/', `h${i}.example`).hostname).toBe(`h${i}.example`)
    expect(read('/').hostname).toBe(host)
  })
})

describe('the request target', () => {
  it('is cut at the first question mark, and kept as it came', () => {
    expect(read('/a/b;c=%2F//d?x=/y?z')).toMatchObject({
      path: '/a/b;c=%2F//d',
      query: '?x=/y?z',
      raw: '/a/b;c=%2F//d?x=/y?z',
    })
    expect(read('/')).toMatchObject({ path: '/', query: '' })
    expect(read('/?')).toMatchObject({ path: '/', query: '?' })
  })

  it('is read as a path though it begins with two slashes, never as a host', () => {
    expect(read('//evil.test/x')).toMatchObject({ hostname: host, path: '//evil.test/x' })
  })

  it.each([
    '',
    '*',
    'x',
    '@evil.test/',
    '?x',
    'evil.test:443',
    'file:///etc/passwd',
    'ftp://gw.example.edu/',
    'http:/x',
  ])('is refused as %j', url => expect(refusal(url)).toBe('request.malformed'))

  it.each(['\\', '#', '"', '<', '>', '`', ' ', '\0', '\t', '\r', '\n', '\x1b', '\x7f', '\x80', 'é', '\xff'])(
    'has no %j in path or query',
    character => {
      expect(refusal(`/a${character}b`)).toBe('request.malformed')
      expect(refusal(`/a?b${character}`)).toBe('request.malformed')
    },
  )

  it.each(['/%', '/%g1', '/%1', '/a%1/', '/%%32', '/%u002e', '/%-1', '/% 1', '/a%'])(
    'has no malformed escape in its path, as %j',
    url => expect(refusal(url)).toBe('request.malformed'),
  )

  it.each(['/%00', '/a%0a', '/a%0D%0ASet-Cookie', '/%1f', '/%7F', '/%7f/'])(
    'has no escaped control character in its path, as %j',
    url => expect(refusal(url)).toBe('request.malformed'),
  )

  it.each([
    '/?q=100%',
    '/?q=%zz',
    '/?q=%00',
    '/?a=[b]|{c}^d',
    "/it's(fine)!*,;:@&=+$",
    '/%E9%e9',
    '/a|b[c]{d}^',
    '/10.1000%2F182',
  ])('may be %j, which old sites send', url => expect(refusal(url)).toBeNull())

  it('is refused over 16,384 bytes, and fast (PA-14)', () => {
    expect(refusal(`/${'a'.repeat(16_383)}`)).toBeNull()
    expect(refusal(`/${'a'.repeat(16_384)}`)).toBe('request.target-too-long')
    const begun = process.cpuUsage()
    expect(refusal('/../'.repeat(16_000))).toBe('request.target-too-long')
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(500)
  })

  it('may be absolute where it names the very host of the Host header (RFC 9112 §3.2.2)', () => {
    expect(read('http://gw.example.edu/a?b')).toMatchObject({ hostname: host, path: '/a', query: '?b', raw: '/a?b' })
    expect(read('HTTPS://GW.example.edu.:443')).toMatchObject({ path: '/', raw: '/' })
    expect(read('http://gw.example.edu?b')).toMatchObject({ path: '/', query: '?b', raw: '/?b' })
    expect(read('http://gw.example.edu:8443/', 'gw.example.edu:8443').path).toBe('/')
  })

  it.each([
    'http://evil.test/',
    'http://evil.test@gw.example.edu/adm/',
    'http://gw.example.edu@evil.test/',
    'http://gw.example.edu:8443/',
    'http://gw.example.edu.evil.test/',
    'http:///a',
    'http://gw.example.edu\\@evil.test/',
    'http://gw.example.edu/#x',
  ])('is refused as %j', url => expect(refusal(url)).toBe('request.malformed'))

  it('says whether its path has one reading as it stands', () => {
    const plain = (url: string) => read(url).plain
    for (const url of ['/', '/a', '/a/b.css', '/a.b.c/', '/a?x=//../;%41', "/-_~!$&'()*+,=:@"]) {
      expect([url, plain(url)]).toEqual([url, true])
    }
    for (const url of [
      '/%41',
      '/a;b',
      '//a',
      '/a//',
      '/.',
      '/a/.',
      '/a/./b',
      '/..',
      '/a/..',
      '/a./b',
      '/a.',
      '/a.?x',
      '/.a',
      '/a..b',
    ]) {
      expect([url, plain(url)]).toEqual([url, false])
    }
  })
})
