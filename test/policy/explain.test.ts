import { describe, expect, it } from 'vitest'
import { authorize } from '../../src/policy/authorize.ts'
import { explain } from '../../src/policy/explain.ts'
import { aResource } from '../resource/a-resource.ts'
import { seeded } from '../stand-in/seeded.ts'
import { aSession } from './a-session.ts'

const context = { method: 'GET', address: '192.0.2.7' }
const nowhere = { resource: null, path: null, policy: null }

function told(written: Record<string, unknown>, session: ReturnType<typeof aSession> | null, more = {}): string[] {
  const resource = aResource({ id: 'courses', ...written })
  const asked = { resource, access: resource.access, context: { ...context, ...more } }
  return [...explain(asked, session, nowhere).lines]
}

describe('explain', () => {
  it('tells each condition, what was held, and the decision', () => {
    const policy = [
      { profile: ['teacher'], school: '0541234A' },
      { email: '*@example.org', not: { profile: ['guest', 'pupil'] } },
      { address: '198.51.100.0/24', method: ['GET', 'POST'] },
    ]
    expect(told({ policy }, aSession({ profile: ['teacher', 'guest'], email: ['a@example.org'] }))).toEqual([
      'resource   courses            (host courses.example.org)',
      'policy     resources[0].policy',
      '  1 permit profile is "teacher"               yes   profile = [teacher, guest]',
      '    and    school is "0541234A"               no    school = []',
      '  2 permit email is "*@example.org"           yes   email = [a@example.org]',
      '    and    profile is not "guest" or "pupil"  no    profile = [teacher, guest]',
      '  3 permit method is GET or POST              yes   method = GET',
      '    and    address is in 198.51.100.0/24      no    address = 192.0.2.7',
      'decision   deny  no-rule-matched',
    ])
  })

  it('leaves open what nobody asked, because an earlier rule had permitted', () => {
    expect(told({ policy: [{ profile: 'head' }, { profile: 'teacher' }] }, aSession({ profile: ['head'] }))).toEqual([
      'resource   courses            (host courses.example.org)',
      'policy     resources[0].policy',
      '  1 permit profile is "head"                  yes   profile = [head]',
      '  2 permit profile is "teacher"               -     profile = [head]',
      'decision   permit  rule 1',
    ])
  })

  it('tells that the resource does not admit the idp', () => {
    expect(told({ policy: [{ profile: 'head' }], idps: ['janus', 'pial'] }, aSession({}))).toEqual([
      'resource   courses            (host courses.example.org)',
      'idps       janus, pial                        no    idp = campus',
      'policy     resources[0].policy',
      '  1 permit profile is "head"                  -     profile = []',
      'decision   deny  idp-not-admitted',
    ])
  })

  it('tells of nobody, of everybody, and of a visitor without an identity', () => {
    expect(told({ policy: [{ idp: 'campus' }] }, null).at(-1)).toBe('decision   challenge  not signed in')
    expect(told({ policy: 'public' }, aSession({})).at(-1)).toBe('decision   permit  public')
    expect(told({ policy: 'signed-in' }, aSession({})).at(-1)).toBe('decision   permit  signed-in')
    expect(told({ policy: 'optional' }, null).at(-1)).toBe('decision   permit  optional, without identity')
    expect(told({ policy: 'optional' }, aSession({})).at(-1)).toBe('decision   permit  optional, with identity')
  })

  it('never lets a claim move the cursor of a terminal', () => {
    const lines = told({ policy: [{ name: 'x' }] }, aSession({ name: ['\u001b[2Jx\r\n\u202ey'] }))
    expect(lines[2]).toContain('name = [\\u{1b}[2Jx\\u{d}\\u{a}\\u{202e}y]')
  })

  it('says where the resource, the path and the policy stand', () => {
    const resource = aResource({ id: 'courses', paths: [{ match: '/admin/', policy: 'signed-in' }] })
    const access = resource.paths[0] ?? resource.access
    const positions = { resource: 'a.yaml:3', path: 'a.yaml:7', policy: 'a.yaml:8' }
    expect(explain({ resource, access, context }, null, positions).lines).toEqual([
      'resource   courses            (host courses.example.org, a.yaml:3)',
      'path       /admin/            (a.yaml:7)',
      'policy     signed-in          (a.yaml:8)',
      'decision   challenge  not signed in',
    ])
  })

  it('decides as authorize does, on two thousand random policies', () => {
    const random = seeded(11)
    const some = (of: readonly string[]) => of.filter(() => random(2) === 0)
    const condition = () => {
      const all = {
        profile: ['head', 'teacher'],
        email: ['*@example.org', 'a@*'],
        method: ['GET', 'POST'],
        address: ['192.0.2.0/24', '2001:db8::/32'],
        idp: ['campus', 'janus'],
      }
      const kept = Object.entries(all).flatMap(([key, values]) => {
        const chosen = random(3) === 0 ? some(values) : []
        return chosen.length === 0 ? [] : [[key, chosen] as const]
      })
      return Object.fromEntries(kept)
    }
    for (let i = 0; i < 2000; i++) {
      const rules = Array.from({ length: 1 + random(3) }, () => {
        const not = condition()
        return { ...condition(), ...(Object.keys(not).length > 0 ? { not } : { profile: ['head'] }) }
      })
      const resource = aResource({ policy: rules, ...(random(5) === 0 ? { idps: ['janus'] } : {}) })
      const session = aSession(
        { profile: some(['head', 'teacher', 'pupil']), email: some(['a@example.org', 'b@c@example.org']) },
        { idp: random(2) === 0 ? 'campus' : 'janus' },
      )
      const method = random(2) === 0 ? 'HEAD' : 'POST'
      const asked = { resource, access: resource.access, context: { method, address: '192.0.2.7' } }
      const { decision, lines } = explain(asked, session, nowhere)
      expect(decision).toEqual(authorize(asked, session))
      const said = decision.effect === 'deny' ? `deny  ${decision.reason}` : 'permit  rule'
      expect(lines.at(-1)).toContain(said)
    }
  })
})
