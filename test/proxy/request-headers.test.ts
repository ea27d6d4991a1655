import { describe, expect, it } from 'vitest'
import { createRequestHeaders } from '../../src/proxy/request-headers.ts'
import { theResources } from '../resource/a-resource.ts'

const [courses, wiki, local, own] = theResources([
  { at: 'https://courses.example.org', identity: { headers: { 'X-Course-User': '{subject}' } } },
  { at: 'https://wiki.example.org', identity: { headers: { 'X-Wiki-User': '{subject}' } } },
  { at: 'http://app.localhost:8080' },
  { at: 'https://own.example.org', origin: 'http://10.0.0.9:81', host: 'origin' },
]) as never as readonly ReturnType<typeof theResources>[number][]
const all = [courses, wiki, local, own] as ReturnType<typeof theResources>
const requestHeaders = createRequestHeaders(all)

const [first] = all
function forOrigin(raw: readonly string[], more: { injected?: readonly string[]; client?: string; of?: number } = {}) {
  const resource = all[more.of ?? 0] ?? first
  if (resource === undefined) throw new Error('no such resource')
  const injected = (more.injected ?? []).map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
  const { lines } = requestHeaders.forOrigin(raw, resource, more.client ?? '192.0.2.1', injected)
  return lines
    .split('\r\n')
    .slice(0, -1)
    .flatMap(line => /^([^:]+): (.*)$/.exec(line)?.slice(1) ?? [line])
}
const values = (headers: readonly string[], name: string) =>
  headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)

describe('the headers for an origin', () => {
  it('are those of the client in order, then ours, then the identity', () => {
    const raw = ['Host', 'x', 'Accept', 'a', 'X-B', '1', 'x-b', '2', 'Cookie', 'c=1']
    expect(forOrigin(raw, { injected: ['X-Course-User', 'anna'] })).toEqual([
      ...['Accept', 'a', 'X-B', '1', 'x-b', '2', 'cookie', 'c=1', 'host', 'courses.example.org'],
      ...['x-forwarded-for', '192.0.2.1', 'x-forwarded-proto', 'https', 'x-forwarded-host', 'courses.example.org'],
      ...['x-forwarded-port', '443', 'forwarded', 'for=192.0.2.1;proto=https;host=courses.example.org'],
      ...['X-Course-User', 'anna'],
    ])
  })

  it('say a port where the site has one, and quote it', () => {
    const headers = forOrigin([], { of: 2 })
    expect(values(headers, 'host')).toEqual(['app.localhost:8080'])
    expect(values(headers, 'x-forwarded-port')).toEqual(['8080'])
    expect(values(headers, 'forwarded')).toEqual(['for=192.0.2.1;proto=http;host="app.localhost:8080"'])
  })

  it('name the origin itself where the resource says so', () => {
    const headers = forOrigin([], { of: 3 })
    expect(values(headers, 'host')).toEqual(['10.0.0.9:81'])
    expect(values(headers, 'x-forwarded-host')).toEqual(['own.example.org'])
  })

  it('quote an IPv6 client (RFC 7239 §6)', () => {
    const headers = forOrigin([], { client: '2001:db8::1' })
    expect(values(headers, 'x-forwarded-for')).toEqual(['2001:db8::1'])
    expect(values(headers, 'forwarded')[0]).toMatch(/^for="\[2001:db8::1\]";/)
  })

  it('have no header that any resource injects, whoever sent it', () => {
    const raw = ['X-Course-User', 'root', 'x_wiki_user', 'root', 'X-WIKI-USER', 'root']
    expect(forOrigin(raw, { of: 2 }).join()).not.toContain('root')
  })
})

describe('Authorization', () => {
  const raw = ['Authorization', 'Basic YTpi', 'authorization', 'NTLM TlRMTVNTUAAB']

  it('passes, and is told where it signs in the connection', () => {
    const [site] = all as [(typeof all)[number]]
    expect(values(forOrigin(raw), 'authorization')).toEqual(['Basic YTpi', 'NTLM TlRMTVNTUAAB'])
    expect(requestHeaders.forOrigin(raw, site, '192.0.2.1', '').signInConnection).toBe(true)
    expect(requestHeaders.forOrigin(raw.slice(0, 2), site, '192.0.2.1', '').signInConnection).toBe(false)
  })
})

describe('Connection', () => {
  it.each([
    [['Connection', 'X-One, x-two'], ['X-Three']],
    [['Connection', 'X-One', 'connection', 'X-TWO'], ['X-Three']],
    [
      ['Connection', 'close'],
      ['X-One', 'X-Two', 'X-Three'],
    ],
    [
      ['Connection', 'keep-alive'],
      ['X-One', 'X-Two', 'X-Three'],
    ],
    [
      ['Connection', ',, ,'],
      ['X-One', 'X-Two', 'X-Three'],
    ],
    [
      ['Connection', 'keep-alive, x-three'],
      ['X-One', 'X-Two'],
    ],
  ])('%j leaves %j', (connection, left) => {
    const headers = forOrigin([...connection, 'X-One', '1', 'X-Two', '2', 'X-Three', '3'])
    expect(headers.filter((text, at) => at % 2 === 0 && text.startsWith('X-'))).toEqual(left)
    expect(values(headers, 'connection')).toEqual([])
  })

  it('names nothing of ours', () => {
    const raw = ['Connection', 'host, x-forwarded-for, forwarded, x-course-user, x-forwarded-proto', 'Cookie', 'a=1']
    const headers = forOrigin(raw, { injected: ['X-Course-User', 'anna'] })
    for (const name of ['host', 'x-forwarded-for', 'forwarded', 'x-course-user', 'x-forwarded-proto', 'cookie']) {
      expect(values(headers, name)).toHaveLength(1)
    }
  })

  it('may name the Cookie, which then ends here', () => {
    expect(values(forOrigin(['Connection', 'Cookie', 'Cookie', 'a=1']), 'cookie')).toEqual([])
  })
})

describe('the Cookie for an origin', () => {
  it.each([
    ['a=1; b=2', ['a=1; b=2']],
    ['a=1; __Host-Http-passerelle-site=v1.x; b=2', ['a=1; b=2']],
    ['__Host-Http-passerelle-site=v1.x; a=1', ['a=1']],
    ['__HOST-http-PASSERELLE=x', []],
    ['__Host-Http-passerelle=x;__Http-passerelle-zone=y;  __host-http-passerelle-p-1=z', []],
    ['a="__Host-Http-passerelle"', ['a="__Host-Http-passerelle"']],
    ['passerelle=theirs', ['passerelle=theirs']],
    ['', ['']],
  ])('%j is %j', (cookie, expected) => {
    expect(values(forOrigin(['Cookie', cookie]), 'cookie')).toEqual(expected)
  })

  it('is one line, whatever the client sent', () => {
    expect(
      values(forOrigin(['Cookie', 'a=1', 'cookie', '__Host-Http-passerelle=x', 'COOKIE', 'b=2']), 'cookie'),
    ).toEqual(['a=1; b=2'])
  })
})

it('a client that sends ever new names does not make the gateway remember them all', () => {
  for (let n = 0; n < 10_000; n++) forOrigin([`X-${n}`, '1', 'X-Course-User', 'root'])
  expect(forOrigin(['X-1', '1', 'X-Course-User', 'root']).slice(0, 3)).toEqual(['X-1', '1', 'host'])
})
