import { describe, expect, it } from 'vitest'
import type { Condition, Policy, RequestContext, Settled } from '../../src/model/resource.ts'
import { compileNamed, compilePolicy } from '../../src/policy/compile.ts'
import { anIdentity } from './a-session.ts'

type Written = Partial<Condition> & Pick<Condition, 'kind' | 'anyOf'>

/** Each argument is a rule: a list of conditions. */
function policyOf(...rules: Written[][]): Policy {
  const conditions = (rule: Written[]) => rule.map(written => ({ negated: false, ...written }) as Condition)
  return compilePolicy(
    { kind: 'rules', source: 'resources[0].policy', rules: rules.map(rule => ({ conditions: conditions(rule) })) },
    new Map(),
  )
}

const claim = (name: string, ...anyOf: string[]): Written => ({ kind: 'claim', claim: name, anyOf })
const not = (written: Written): Written => ({ ...written, negated: true })
const get: RequestContext = { method: 'GET', address: '192.0.2.7' }

function settled(policy: Policy, claims: Record<string, string[]>, context: RequestContext = get): Settled {
  const verdict = policy.judge(anIdentity(claims))
  return verdict.effect === 'depends' ? verdict.on(context) : verdict
}

describe('a policy', () => {
  it('permits by the first rule of which every condition holds', () => {
    const policy = policyOf(
      [claim('profile', 'teacher'), claim('school', '0541234A')],
      [claim('profile', 'head', 'teacher')],
      [claim('profile', 'head')],
    )
    expect(settled(policy, { profile: ['teacher'], school: ['x', '0541234A'] })).toEqual({ effect: 'permit', rule: 0 })
    expect(settled(policy, { profile: ['teacher'] })).toEqual({ effect: 'permit', rule: 1 })
    expect(settled(policy, { profile: ['head'] })).toEqual({ effect: 'permit', rule: 1 })
    expect(settled(policy, { profile: ['pupil'] })).toEqual({ effect: 'deny' })
  })

  it('takes a missing claim for a condition that does not hold, and a negated one that does (OI-27)', () => {
    expect(settled(policyOf([claim('profile', '*')]), {})).toEqual({ effect: 'deny' })
    expect(settled(policyOf([claim('profile', '*')]), { profile: [] })).toEqual({ effect: 'deny' })
    expect(settled(policyOf([not(claim('profile', 'guest'))]), {})).toEqual({ effect: 'permit', rule: 0 })
    expect(settled(policyOf([not(claim('profile', 'guest'))]), { profile: ['a', 'guest'] })).toEqual({ effect: 'deny' })
  })

  it('meets no property that every object has (DO-08)', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(settled(policyOf([claim(name, '*')]), {})).toEqual({ effect: 'deny' })
    }
    const claims = JSON.parse('{"__proto__": ["x"]}') as Record<string, string[]>
    expect(settled(policyOf([claim('__proto__', 'x')]), claims)).toEqual({ effect: 'permit', rule: 0 })
  })

  it('excludes by the wide reading of a pattern, and admits by the strict one', () => {
    const twice = { email: ['x@y@evil.example'] }
    expect(settled(policyOf([claim('email', '*@evil.example')]), twice)).toEqual({ effect: 'deny' })
    expect(settled(policyOf([not(claim('email', '*@evil.example'))]), twice)).toEqual({ effect: 'deny' })
  })

  it('admits nobody by a rule without conditions, or by a condition with an empty list', () => {
    expect(settled(policyOf([]), {})).toEqual({ effect: 'deny' })
    expect(settled(policyOf(), {})).toEqual({ effect: 'deny' })
    expect(settled(policyOf([not(claim('profile'))]), {})).toEqual({ effect: 'deny' })
    expect(settled(policyOf([{ kind: 'address', anyOf: [] }]), {})).toEqual({ effect: 'deny' })
  })

  it('knows the identity provider', () => {
    expect(settled(policyOf([{ kind: 'idp', anyOf: ['campus'] }]), {})).toEqual({ effect: 'permit', rule: 0 })
    expect(settled(policyOf([{ kind: 'idp', anyOf: ['other'] }]), {})).toEqual({ effect: 'deny' })
    expect(settled(policyOf([not({ kind: 'idp', anyOf: ['other'] })]), {})).toEqual({ effect: 'permit', rule: 0 })
  })

  it('is settled by the person alone where no rule that counts asks about the request', () => {
    const policy = policyOf(
      [claim('profile', 'head'), { kind: 'method', anyOf: ['GET'] }],
      [claim('profile', 'teacher')],
    )
    expect(policy.judge(anIdentity({ profile: ['teacher'] }))).toEqual({ effect: 'permit', rule: 1 })
    expect(policy.judge(anIdentity({ profile: ['pupil'] }))).toEqual({ effect: 'deny' })
    expect(policy.judge(anIdentity({ profile: ['head'] })).effect).toBe('depends')
  })

  it('asks the request what remains, and keeps the order of the rules', () => {
    const policy = policyOf(
      [claim('profile', 'teacher'), { kind: 'method', anyOf: ['POST'] }],
      [{ kind: 'address', anyOf: ['2001:db8::/32'] }],
      [claim('profile', 'teacher')],
    )
    const teacher = { profile: ['teacher'] }
    expect(settled(policy, teacher, { method: 'POST', address: '2001:db8::1' })).toEqual({ effect: 'permit', rule: 0 })
    expect(settled(policy, teacher, { method: 'GET', address: '2001:db8::1' })).toEqual({ effect: 'permit', rule: 1 })
    expect(settled(policy, teacher, get)).toEqual({ effect: 'permit', rule: 2 })
    expect(settled(policy, {}, get)).toEqual({ effect: 'deny' })
  })

  it('counts HEAD as GET, and no other spelling of a method (PA-08)', () => {
    const reading = policyOf([{ kind: 'method', anyOf: ['GET'] }])
    const changing = policyOf([not({ kind: 'method', anyOf: ['GET'] })])
    const by = (policy: Policy, method: string) => settled(policy, {}, { method, address: '192.0.2.7' }).effect
    expect(['GET', 'HEAD', 'get', 'G%45T', 'POST'].map(method => by(reading, method))).toEqual([
      'permit',
      'permit',
      'deny',
      'deny',
      'deny',
    ])
    expect(['GET', 'HEAD', 'POST'].map(method => by(changing, method))).toEqual(['deny', 'deny', 'permit'])
  })

  it('knows networks of both families, and an IPv4 address that came as IPv6', () => {
    const inside = policyOf([{ kind: 'address', anyOf: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] }])
    const outside = policyOf([not({ kind: 'address', anyOf: ['192.0.2.0/24'] })])
    const by = (policy: Policy, address: string) => settled(policy, {}, { method: 'GET', address }).effect
    for (const address of [
      '192.0.2.0',
      '192.0.2.255',
      '::ffff:192.0.2.7',
      '::ffff:c000:207',
      '2001:db8::1',
      '198.51.100.7',
    ]) {
      expect([address, by(inside, address)]).toEqual([address, 'permit'])
    }
    for (const address of ['192.0.3.0', '2001:db9::1', '::1', '198.51.100.8', '', 'nonsense', '192.0.2.07']) {
      expect([address, by(inside, address)]).toEqual([address, 'deny'])
    }
    expect(by(outside, '192.0.3.1')).toBe('permit')
    expect(by(outside, '::ffff:192.0.2.7')).toBe('deny')
  })

  it('takes an address that cannot be read neither for inside nor for outside', () => {
    const outside = policyOf([not({ kind: 'address', anyOf: ['192.0.2.0/24'] })])
    expect(settled(outside, {}, { method: 'GET', address: 'unknown' })).toEqual({ effect: 'deny' })
  })

  it('is one object for all who refer to it by name', () => {
    const named = compileNamed([['teachers', [{ conditions: [] }]]])
    const first = compilePolicy({ kind: 'named', name: 'teachers' }, named)
    expect(compilePolicy({ kind: 'named', name: 'teachers' }, named)).toBe(first)
    expect(first).toMatchObject({ kind: 'rules', name: 'teachers' })
    expect(() => compilePolicy({ kind: 'named', name: 'staff' }, named)).toThrow('staff')
  })
})
