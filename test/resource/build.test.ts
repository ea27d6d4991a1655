import { describe, expect, it } from 'vitest'
import { anIdentity } from '../policy/a-session.ts'
import { aResource, theResources } from './a-resource.ts'

describe('a resource', () => {
  it('has its addresses from the configuration, ports and prefixes told apart', () => {
    const { at, origin } = aResource({ at: 'https://Apps.example.org/intranet/', origin: 'http://10.0.3.5:8080/old/' })
    expect(at).toEqual({
      scheme: 'https',
      hostname: 'apps.example.org',
      port: 443,
      host: 'apps.example.org',
      origin: 'https://apps.example.org',
      prefix: '/intranet/',
    })
    expect(origin).toEqual({
      protocol: 'http:',
      hostname: '10.0.3.5',
      port: 8080,
      host: '10.0.3.5:8080',
      origin: 'http://10.0.3.5:8080',
      prefix: '/old/',
    })
    expect(aResource({ at: 'http://dev.localhost:8081' }).at).toMatchObject({
      scheme: 'http',
      port: 8081,
      host: 'dev.localhost:8081',
      prefix: '/',
    })
    expect(aResource({ origin: 'https://[2001:db8::1]' }).origin).toMatchObject({
      hostname: '[2001:db8::1]',
      port: 443,
    })
  })

  it('has its path rules longest first, and those for certain methods before those for all', () => {
    const { paths } = aResource({
      paths: [
        { match: '/a/', policy: 'public' },
        { match: '/a/', methods: ['POST'], policy: 'signed-in' },
        { match: '/a/deeper/', policy: 'optional' },
      ],
    })
    expect(paths.map(({ match, methods }) => [match, methods])).toEqual([
      ['/a/deeper/', null],
      ['/a/', ['POST']],
      ['/a/', null],
    ])
  })

  it('names a policy that has no name by the place where it stands', () => {
    const resource = aResource({ policy: [{ a: 'b' }], paths: [{ match: '/x/', policy: [{ c: 'd' }] }] })
    expect(resource.access).toMatchObject({ match: null, policy: { name: 'resources[0].policy' } })
    expect(resource.paths[0]).toMatchObject({ match: '/x/', policy: { name: 'resources[0].paths[0].policy' } })
  })

  it('shares a policy that has a name with all who refer to it', () => {
    const [one, two] = theResources(
      [
        { at: 'https://one.example.org', policy: 'teachers' },
        { at: 'https://two.example.org', paths: [{ match: '/x/', policy: 'teachers' }] },
      ],
      { teachers: [{ profile: 'teacher' }] },
    )
    expect(one?.access.policy.name).toBe('teachers')
    expect(two?.paths[0]?.policy).toBe(one?.access.policy)
  })

  it('has what else a request needs', () => {
    const resource = aResource({
      identity: { headers: { 'X-Remote-User': '{subject}' } },
      allowOrigins: ['https://app.example.org/', 'http://dev.localhost:3000'],
      timeouts: { answer: '90s' },
      cookies: { domain: 'keep' },
      host: 'origin',
    })
    expect(resource).toMatchObject({
      allowOrigins: ['https://app.example.org', 'http://dev.localhost:3000'],
      timeouts: { connectMs: 5_000, answerMs: 90_000, idleMs: 300_000 },
      cookieDomain: 'keep',
      hostHeader: 'origin',
      idps: null,
    })
    expect(resource.identityHeaders.headers[0]?.valueOf(anIdentity({}))).toBe('anna')
  })
})
