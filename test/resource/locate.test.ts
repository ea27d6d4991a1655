import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Place } from '../../src/model/place.ts'
import { createLocate } from '../../src/resource/locate.ts'
import { targetOf } from '../../src/resource/target.ts'
import { portal, theResources } from './a-resource.ts'

/** Locates `host` + `path` among the resources; a refusal is its code. */
function among(written: readonly Record<string, unknown>[]) {
  const locate = createLocate({ portal, resources: theResources(written) })
  return function at(address: string, method = 'GET'): Place | string {
    const slash = address.indexOf('/')
    try {
      return locate(targetOf(address.slice(0, slash), address.slice(slash)), method)
    } catch (error) {
      return error instanceof GatewayError ? error.code : String(error)
    }
  }
}

/** What decides, of a place: resource, path rule, path as read, path as forwarded. */
function gist(place: Place | string): unknown {
  if (typeof place === 'string') return place
  if (place.kind === 'site-logout') return ['logout', gist(place.place)]
  if (place.kind !== 'resource') return place.kind
  return [place.resource.id, place.access.match, place.path, place.forwardPath]
}

const ambiguous = 'request.ambiguous'

describe('a host', () => {
  const at = among([{ at: 'https://courses.example.org' }, { at: 'https://news.example.org:8443', policy: 'public' }])

  it('is the portal, a resource, or nobody’s', () => {
    expect(at('acces.example.org/x')).toEqual({ kind: 'portal' })
    expect(gist(at('courses.example.org/x'))).toEqual(['r0', null, '/x', '/x'])
    expect(at('other.example.org/x')).toEqual({ kind: 'unknown', hostname: 'other.example.org' })
    expect(at('evil-courses.example.org/').toString()).not.toContain('courses.example.org/')
  })

  it('decides by its name in every spelling, whatever the port (PA-11)', () => {
    for (const name of [
      'COURSES.example.org',
      'courses.example.org.',
      'courses.example.org:443',
      'courses.example.org:1',
    ]) {
      expect(gist(at(`${name}/x`))).toEqual(['r0', null, '/x', '/x'])
    }
    expect(gist(at('news.example.org/x'))).toEqual(['r1', null, '/x', '/x'])
  })

  it('gives the scope of its own cookie, and none where all is public', () => {
    expect(at('courses.example.org/')).toMatchObject({ scope: 'host:courses.example.org' })
    expect(at('news.example.org/')).toMatchObject({ scope: null })
  })

  it('may be no two resources at one address, nor the portal’s', () => {
    expect(() => among([{ at: 'https://a.example.org' }, { at: 'https://a.example.org' }])).toThrow('one address')
    expect(() => among([{ at: 'https://acces.example.org' }])).toThrow('portal')
  })
})

describe('a host with one verdict', () => {
  const at = among([{ at: 'https://doi.example.org' }])

  it.each([
    '/10.1000%2F182',
    '//x//y',
    '/a;jsessionid=1',
    '/%E9t%E9',
    '/a/../b',
    '/..;/x',
    '/%2e%2e/',
    '/%41',
    '/a%25b',
    '/.well-known/x',
    '/%2ex',
    '/x/.passerelle/y',
  ])('gets %s untouched (A9)', path => {
    expect(gist(at(`doi.example.org${path}?q=1`))).toEqual(['r0', null, path, `${path}?q=1`])
  })
})

describe('the path /.passerelle/', () => {
  const at = among([
    { at: 'https://one.example.org' },
    { at: 'https://many.example.org', paths: [{ match: '/a/', policy: 'public' }] },
    { at: 'https://apps.example.org/intranet/' },
  ])

  it('is ours on every host, and never forwarded', () => {
    for (const host of ['one.example.org', 'many.example.org', 'apps.example.org']) {
      expect(at(`${host}/.passerelle/enter?t=1`)).toMatchObject({
        kind: 'ours',
        path: '/.passerelle/enter',
        query: '?t=1',
      })
      expect(at(`${host}/.passerelle/../a/`)).toMatchObject({ kind: 'ours' })
      expect(at(`${host}/.passerelle`)).toMatchObject({ kind: 'ours' })
    }
  })

  it.each([
    '/%2epasserelle/enter',
    '/%2Epasserelle/enter',
    '/.p%61sserelle/enter',
    '/.passerelle%2fenter',
    '/.passerelle%2Fenter',
    '/.PASSERELLE/enter',
    '/.Passerelle',
    '/%252epasserelle/enter',
    '/%25252525252epasserelle/enter',
    '/%2e%70%61%73%73%65%72%65%6c%6c%65%2f',
  ])('is 400 when spelled %s', path => {
    for (const host of ['one.example.org', 'many.example.org', 'apps.example.org']) {
      expect(at(`${host}${path}`)).toBe(ambiguous)
    }
  })

  it('is not what only begins alike', () => {
    expect(gist(at('one.example.org/.passerelles/x'))).toEqual(['r0', null, '/.passerelles/x', '/.passerelles/x'])
    expect(gist(at('one.example.org/passerelle/x'))).toEqual(['r0', null, '/passerelle/x', '/passerelle/x'])
  })
})

describe('a host with more than one verdict', () => {
  const at = among([
    {
      at: 'https://courses.example.org',
      paths: [
        { match: '/admin/', policy: 'signed-in' },
        { match: '/admin/help/', policy: 'public' },
        { match: '/été/', policy: 'public' },
        { match: '/logout.php', policy: 'public' },
      ],
    },
  ])
  const verdict = (path: string, method?: string) => gist(at(`courses.example.org${path}`, method))

  it('takes the longest prefix that matches', () => {
    expect(verdict('/admin/x?y')).toEqual(['r0', '/admin/', '/admin/x', '/admin/x?y'])
    expect(verdict('/admin/help/x')).toEqual(['r0', '/admin/help/', '/admin/help/x', '/admin/help/x'])
    expect(verdict('/other')).toEqual(['r0', null, '/other', '/other'])
    expect(verdict('/adm')).toEqual(['r0', null, '/adm', '/adm'])
  })

  it('counts /admin to /admin/, and nothing else that only begins alike', () => {
    expect(verdict('/admin')).toEqual(['r0', '/admin/', '/admin', '/admin'])
    expect(verdict('/admin.css')).toEqual(['r0', null, '/admin.css', '/admin.css'])
    expect(verdict('/administration/')).toEqual(['r0', null, '/administration/', '/administration/'])
    expect(verdict('/logout.php/x')).toEqual(['r0', '/logout.php', '/logout.php/x', '/logout.php/x'])
  })

  it('never judges by the query (PA-05)', () => {
    expect(verdict('/admin?x=/admin/help/')).toEqual(['r0', '/admin/', '/admin', '/admin?x=/admin/help/'])
    expect(verdict('/x?/admin/help/')).toEqual(['r0', null, '/x', '/x?/admin/help/'])
  })

  it('reads escapes that have one reading, and forwards them as they came', () => {
    expect(verdict('/%C3%A9t%c3%a9/x%20y')).toEqual(['r0', '/été/', '/été/x y', '/%C3%A9t%c3%a9/x%20y'])
  })

  it('lets through what only looks odd', () => {
    for (const path of [
      '/.well-known/x',
      '/a..b',
      '/...',
      '/wiki/Apple_Inc.',
      '/x:y',
      '/%E2%80%A6',
      '/a%20b',
      '/~user',
    ]) {
      expect(verdict(path)).toEqual(['r0', null, decodeURIComponent(path), path])
    }
  })

  it.each([
    ['a dot segment', '/a/../admin/', '/a/./b', '/..', '/a/..', '/.', '/a/.', '/a/..?x'],
    ['an escaped dot', '/%2e%2e/', '/a/%2E./', '/.%2e/', '/x%2ecss'],
    ['a parameter', '/a;b', '/..;/admin/', '/admin;x=/', '/a/b;jsessionid=1'],
    ['an empty segment', '//admin/', '/a//b', '/a//', '///'],
    ['an escaped separator', '/a%2fb', '/a%2Fb', '/a%5cb', '/a%5C', '/a%3bb'],
    ['an escaped escape', '/%25', '/%252e%252e/', '/a%2561'],
    [
      'an escaped letter, digit or unreserved character',
      '/%61dmin/',
      '/%41',
      '/%7Euser',
      '/%2d',
      '/%5F',
      '/%30',
      '/%7A',
    ],
    ['bytes that are not UTF-8', '/%E9t%E9', '/%ff', '/%c0%af', '/%e0%80%af', '/%ed%a0%80', '/%f5%80%80%80'],
    [
      'a separator in disguise',
      '/%E2%80%A5/admin/',
      '/a%EF%BC%8Fb',
      '/a%EF%BC%BCb',
      '/%EF%BC%8E%EF%BC%8E/',
      '/%E2%84%85',
    ],
    ['dots that climb in a query that is a path', '/x?/../admin/', '/x?/a/..'],
  ])('refuses %s', (_what, ...paths) => {
    for (const path of paths) expect([path, verdict(path)]).toEqual([path, ambiguous])
  })

  it.each([
    '/admin%20',
    '/admin%20/x',
    '/admin./x',
    '/admin.',
    '/admin...%20.',
    '/admin%3fx',
    '/admin%23/x',
    '/admin/help%3f/x',
    '/%EF%BD%81dmin/',
    '/admin/help./x',
    '/logout%E2%80%A4php',
    '/e%CC%81te%CC%81/',
  ])('refuses %s, which a careless origin reads under another rule', path => {
    expect(verdict(path)).toBe(ambiguous)
  })

  it('compares with regard to case', () => {
    expect(verdict('/Admin/')).toEqual(['r0', null, '/Admin/', '/Admin/'])
  })
})

describe('a path rule with methods', () => {
  const at = among([
    {
      at: 'https://api.example.org',
      paths: [
        { match: '/a/', policy: 'optional' },
        { match: '/a/', methods: ['GET'], policy: 'public' },
        { match: '/a/deep/', methods: ['POST', 'PUT'], policy: 'public' },
      ],
    },
  ])
  const kind = (path: string, method: string) => {
    const place = at(`api.example.org${path}`, method)
    return typeof place !== 'string' && place.kind === 'resource' ? place.access.policy.kind : place
  }

  it('holds for those methods only, and GET includes HEAD', () => {
    expect(['GET', 'HEAD', 'POST', 'PROPFIND', 'get'].map(method => kind('/a/x', method))).toEqual([
      'public',
      'public',
      'optional',
      'optional',
      'optional',
    ])
  })

  it('leaves other methods to the next longest that admits them', () => {
    expect(['PUT', 'GET', 'DELETE'].map(method => kind('/a/deep/x', method))).toEqual(['public', 'public', 'optional'])
  })
})

describe('an origin without regard to case', () => {
  const at = among([
    {
      at: 'https://iis.example.org',
      policy: 'public',
      caseInsensitive: true,
      paths: [{ match: '/Admin/', policy: 'signed-in' }],
    },
  ])
  const verdict = (path: string) => gist(at(`iis.example.org${path}`))

  it('has its rules matched so', () => {
    for (const path of ['/Admin/X', '/admin/X', '/ADMIN/X']) {
      expect(verdict(path)).toEqual(['r0', '/Admin/', '/admin/x', path])
    }
    expect(verdict('/aDMIN')).toEqual(['r0', '/Admin/', '/admin', '/aDMIN'])
    expect(verdict('/Other')).toEqual(['r0', null, '/other', '/Other'])
  })

  it('gets no path that its other folding would bring under a rule', () => {
    // U+0131, a dotless i, whose upper case is I; U+0130, whose lower case is i with a dot; full-width letters.
    for (const path of ['/adm%C4%B1n/', '/%EF%BC%A1dmin/', '/ADMIN%20/', '/aDmin./']) {
      expect([path, verdict(path)]).toEqual([path, ambiguous])
    }
  })
})

describe('resources below paths of one host', () => {
  const at = among([
    { at: 'https://apps.example.org/', origin: 'http://10.0.0.1/', policy: 'public' },
    {
      at: 'https://apps.example.org/intranet/',
      origin: 'http://10.0.0.5/',
      paths: [{ match: '/intranet/open/', policy: 'public' }],
    },
    { at: 'https://apps.example.org/intranet/hr/', origin: 'http://10.0.0.6/base/' },
    { at: 'https://lone.example.org/x/', origin: 'http://10.0.0.7/y/' },
  ])
  const verdict = (path: string) => gist(at(`apps.example.org${path}`))

  it('are found by the longest prefix, which is cut off literally', () => {
    expect(verdict('/a?b')).toEqual(['r0', null, '/a', '/a?b'])
    expect(verdict('/intranet/a%20b?c')).toEqual(['r1', null, '/intranet/a b', '/a%20b?c'])
    expect(verdict('/intranet/')).toEqual(['r1', null, '/intranet/', '/'])
    expect(verdict('/intranet/hr/a')).toEqual(['r2', null, '/intranet/hr/a', '/base/a'])
    expect(verdict('/intranets')).toEqual(['r0', null, '/intranets', '/intranets'])
  })

  it('have their rules matched on the path that browsers ask for', () => {
    expect(verdict('/intranet/open/a')).toEqual(['r1', '/intranet/open/', '/intranet/open/a', '/open/a'])
  })

  it('are led to from the path without its last slash', () => {
    expect(at('apps.example.org/intranet?a=b')).toMatchObject({
      kind: 'redirect',
      to: 'https://apps.example.org/intranet/?a=b',
    })
    expect(at('apps.example.org/intranet/hr', 'POST')).toMatchObject({
      kind: 'redirect',
      to: 'https://apps.example.org/intranet/hr/',
    })
  })

  it('are all there is: another path of the host is nobody’s', () => {
    expect(at('lone.example.org/')).toEqual({ kind: 'unknown', hostname: 'lone.example.org' })
    expect(at('lone.example.org/xy')).toEqual({ kind: 'unknown', hostname: 'lone.example.org' })
    expect(gist(at('lone.example.org/x/z'))).toEqual(['r3', null, '/x/z', '/y/z'])
  })

  it.each([
    '/intranet/..%2fadmin',
    '/intranet/../admin',
    '/intranet..;/admin',
    '/intranet/..;/hr/',
    '/intranet%20/hr/',
    '/intranet./',
  ])('cannot be left by %s (PA-17)', path => expect(verdict(path)).toBe(ambiguous))

  it('must be spelled as it is configured, because that many characters are cut off (PA-17)', () => {
    const mounted = among([{ at: 'https://apps.example.org/c+p/', origin: 'http://10.0.0.1/' }])
    expect(gist(mounted('apps.example.org/c+p/x'))).toEqual(['r0', null, '/c+p/x', '/x'])
    expect(mounted('apps.example.org/c%2bp/x')).toBe(ambiguous)
  })

  it('cannot be reached in another case where an origin of the host folds', () => {
    const folding = among([
      { at: 'https://apps.example.org/', policy: 'public', caseInsensitive: true },
      { at: 'https://apps.example.org/adm/', origin: 'http://10.0.0.1/adm/' },
    ])
    expect(folding('apps.example.org/ADM/x')).toBe(ambiguous)
    expect(folding('apps.example.org/ADM')).toBe(ambiguous)
    expect(gist(folding('apps.example.org/X'))).toEqual(['r0', null, '/x', '/X'])
  })

  it('cannot climb out of a prefix that only the origin has', () => {
    const prefixed = among([{ at: 'https://a.example.org', origin: 'http://10.0.0.1/base/' }])
    expect(gist(prefixed('a.example.org/x?y'))).toEqual(['r0', null, '/x', '/base/x?y'])
    expect(prefixed('a.example.org/../x')).toBe(ambiguous)
  })
})

describe('a site’s own logout link', () => {
  const at = among([
    { at: 'https://one.example.org', logout: { intercept: ['/logout.php', '/account/leave/'] } },
    { at: 'https://iis.example.org', caseInsensitive: true, logout: { intercept: ['/Logout.aspx'] } },
    {
      at: 'https://apps.example.org/intranet/',
      logout: { intercept: ['/intranet/logout'] },
      paths: [{ match: '/intranet/logout', policy: 'public' }],
    },
    { at: 'https://apps.example.org/hr/' },
  ])

  it.each([
    '/logout.php',
    '/logout.php?x=1',
    '/logout.php/x',
    '/account/leave',
    '/account/leave/',
    '/account/leave/now',
  ])('is that path and what stands below it: %s', path =>
    expect(gist(at(`one.example.org${path}`))).toEqual(['logout', ['r0', null, path.split('?')[0], path]]),
  )

  it.each([
    '/logout.phpx',
    '/logout',
    '/xlogout.php',
    '/account/leaveme',
    '/x/logout.php',
    '/LOGOUT.PHP',
    '/?/logout.php',
  ])('is not what only looks like it: %s', path =>
    expect(at(`one.example.org${path}`)).toMatchObject({ kind: 'resource' }),
  )

  it('makes its host strict: a path has one reading there (A9)', () => {
    for (const path of [
      '/a;b',
      '//a',
      '/a/../b',
      '/%41',
      '/logout.php;x',
      '/%6cogout.php',
      '/logout.php.',
      '/logout.php%20',
    ]) {
      expect([path, at(`one.example.org${path}`)]).toEqual([path, ambiguous])
    }
  })

  it('is folded where the origin folds', () => {
    expect(gist(at('iis.example.org/LOGOUT.ASPX'))).toEqual(['logout', ['r1', null, '/logout.aspx', '/LOGOUT.ASPX']])
    expect(at('iis.example.org/LOGOUT.ASPX.')).toBe(ambiguous)
  })

  it('belongs to its own resource, below the path where that is mounted, and goes on as any path there', () => {
    expect(gist(at('apps.example.org/intranet/logout?a'))).toEqual([
      'logout',
      ['r2', '/intranet/logout', '/intranet/logout', '/logout?a'],
    ])
    expect(at('apps.example.org/hr/logout')).toMatchObject({ kind: 'resource' })
  })
})
