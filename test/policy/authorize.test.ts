import { describe, expect, it, vi } from 'vitest'
import { Permit } from '../../src/model/decision.ts'
import type { Policy, RequestContext, Resource } from '../../src/model/resource.ts'
import { authorize } from '../../src/policy/authorize.ts'
import { aResource } from '../resource/a-resource.ts'
import { aSession } from './a-session.ts'

const context: RequestContext = { method: 'GET', address: '192.0.2.7' }

function asked(resource: Resource, more: Partial<RequestContext> = {}) {
  return { resource, access: resource.access, context: { ...context, ...more } }
}

describe('authorize', () => {
  it('permits a public path without looking at any session', () => {
    const resource = aResource({ policy: 'public', idps: ['other'] })
    const decision = authorize(asked(resource), aSession({}))
    expect(decision).toMatchObject({ effect: 'permit', session: null, rule: null })
    expect(decision instanceof Permit && Permit.proves(decision)).toBe(true)
  })

  it('permits an optional path with the session where there is one', () => {
    const resource = aResource({ policy: 'optional' })
    const session = aSession({})
    expect(authorize(asked(resource), null)).toMatchObject({ effect: 'permit', session: null })
    expect(authorize(asked(resource), session)).toMatchObject({ effect: 'permit', session, rule: null })
  })

  it('permits an optional path without the identity of a person whose idp the resource does not admit (A7)', () => {
    const resource = aResource({ policy: 'optional', idps: ['other'] })
    expect(authorize(asked(resource), aSession({}))).toMatchObject({ effect: 'permit', session: null })
  })

  it('asks to sign in where there is no session, whatever the rules are', () => {
    for (const policy of ['signed-in', [{ address: '192.0.2.0/24' }], [{ not: { profile: 'guest' } }]]) {
      const resource = aResource({ policy })
      expect(authorize(asked(resource), null)).toEqual({ effect: 'challenge', resource })
    }
  })

  it('permits whoever signed in, where that is the policy', () => {
    const session = aSession({})
    expect(authorize(asked(aResource({})), session)).toMatchObject({ effect: 'permit', session, rule: null })
  })

  it('denies a person of an idp that the resource does not admit, before any rule is read (A7)', () => {
    for (const policy of ['signed-in', [{ email: '*' }]]) {
      const resource = aResource({ policy, idps: ['other'] })
      const decision = authorize(asked(resource), aSession({ email: ['a@b'] }))
      expect(decision).toMatchObject({ effect: 'deny', reason: 'idp-not-admitted', needed: [], held: {} })
    }
  })

  it('denies with what would have sufficed, and with those claims only that a rule asked for', () => {
    const resource = aResource({ policy: [{ profile: 'head' }, { email: '*@example.org', not: { profile: 'guest' } }] })
    const session = aSession({ profile: ['pupil'], secret: ['s'] })
    expect(authorize(asked(resource), session)).toEqual({
      effect: 'deny',
      resource,
      session,
      reason: 'no-rule-matched',
      policy: resource.access.policy,
      needed: [
        [{ kind: 'claim', claim: 'profile', anyOf: ['head'], negated: false }],
        [
          { kind: 'claim', claim: 'email', anyOf: ['*@example.org'], negated: false },
          { kind: 'claim', claim: 'profile', anyOf: ['guest'], negated: true },
        ],
      ],
      held: { profile: ['pupil'] },
    })
  })

  it('judges a session once for each policy, and again when the session was read anew (A5)', () => {
    const judge = vi.fn<Policy['judge']>(() => ({ effect: 'permit', rule: 0 }))
    const one = withPolicy({ kind: 'rules', name: 'one', rules: [], judge })
    const two = withPolicy({ kind: 'rules', name: 'two', rules: [], judge })
    const session = aSession({})
    authorize(asked(one), session)
    authorize(asked(one), session)
    expect(judge).toHaveBeenCalledTimes(1)
    authorize(asked(two), session)
    expect(judge).toHaveBeenCalledTimes(2)
    authorize(asked(one), { ...session })
    expect(judge).toHaveBeenCalledTimes(3)
  })

  it('remembers that a verdict depends on the request, and never what it depended on', () => {
    const resource = aResource({ policy: [{ profile: 'head', method: 'GET', address: '192.0.2.0/24' }] })
    const session = aSession({ profile: ['head'] })
    const effect = (more: Partial<RequestContext>) => authorize(asked(resource, more), session).effect
    expect(effect({})).toBe('permit')
    expect(effect({ method: 'POST' })).toBe('deny')
    expect(effect({ address: '198.51.100.1' })).toBe('deny')
    expect(effect({})).toBe('permit')
  })
})

function withPolicy(policy: Policy): Resource {
  return { ...aResource({}), access: { policy, match: null } }
}
