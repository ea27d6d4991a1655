/**
 * May this session have what it asks for? No I/O, and on all but a session's first request no rule is read: its verdict
 * on a policy is remembered. The only importer of grant().
 */
import { type Decision, grant } from '../model/decision.ts'
import type { Claims, Identity } from '../model/identity.ts'
import type { Access, Policy, RequestContext, Resource, Verdict, Watch } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { valuesOf } from './compile.ts'

/** What is asked for. A Place of kind `resource` has all of it but the context. */
export interface Asked {
  readonly resource: Resource
  readonly access: Access
  readonly context: RequestContext
}

/**
 * @param session null: the request brought none that lives. For a site that was left by its own logout link it counts as none
 * @returns permit with `session` null on public paths, and on optional ones for those who are not admitted
 */
export function authorize(asked: Asked, session: Session | null): Decision {
  return decide(asked, session, null)
}

/** The same walk, nothing remembered, told to `watch` condition by condition. For explain. */
export function authorizeAloud(asked: Asked, session: Session | null, watch: Watch): Decision {
  return decide(asked, session, watch)
}

/** Whether the resource admits the people of this idp at all. */
export function admits(resource: Resource, identity: Identity): boolean {
  return resource.idps === null || resource.idps.includes(identity.idp)
}

/** An access code may be for some hosts only: whatever its claims would open elsewhere, it does not (SESSIONS B 16). */
function opens({ hosts }: Identity, { at }: Resource): boolean {
  return hosts === undefined || hosts.includes(at.hostname)
}

/** The person has closed this site for themselves, and has not opened it again (SESSIONS A8 (5)). */
export function isLeft({ id }: Resource, { left }: Session): boolean {
  return left.length > 0 && left.includes(id)
}

function decide(asked: Asked, session: Session | null, watch: Watch | null): Decision {
  const { resource } = asked
  const { policy } = asked.access
  if (policy.kind === 'public') return grant(resource, null, null)
  if (session === null || isLeft(resource, session)) {
    return policy.kind === 'optional' ? grant(resource, null, null) : { effect: 'challenge', resource }
  }
  if (!admits(resource, session.identity)) {
    // Where identity is optional, a stranger is a visitor without one: the origin must not meet a subject that could be another person's.
    if (policy.kind === 'optional') return grant(resource, null, null)
    return { effect: 'deny', resource, session, reason: 'idp-not-admitted', policy, needed: [], held: {} }
  }
  if (!opens(session.identity, resource)) {
    if (policy.kind === 'optional') return grant(resource, null, null)
    return { effect: 'deny', resource, session, reason: 'host-not-opened', policy, needed: [], held: {} }
  }
  if (policy.kind !== 'rules') return grant(resource, session, null)

  const verdict = watch === null ? remembered(session, policy) : policy.judge(session.identity, watch)
  const settled = verdict.effect === 'depends' ? verdict.on(asked.context) : verdict
  if (settled.effect === 'permit') return grant(resource, session, settled.rule)
  const needed = policy.rules.map(rule => rule.conditions)
  return {
    effect: 'deny',
    resource,
    session,
    reason: 'no-rule-matched',
    policy,
    needed,
    held: heldOf(session.identity, policy),
  }
}

/**
 * By the session object and the policy object: the first is made anew whenever the record is read again, for each cookie
 * generation, the second with each configuration, so nothing outlives what it was judged by (SESSIONS A5).
 */
const verdicts = new WeakMap<Session, Map<Policy, Verdict>>()

function remembered(session: Session, policy: Policy): Verdict {
  const known = verdicts.get(session)
  const verdict = known?.get(policy)
  if (verdict !== undefined) return verdict
  const judged = policy.judge(session.identity)
  if (known === undefined) verdicts.set(session, new Map([[policy, judged]]))
  else known.set(policy, judged)
  return judged
}

/** Of the person's claims, those that a rule asked for: what a page of refusal may show. */
function heldOf(identity: Identity, policy: Policy): Claims {
  const held = new Map<string, readonly string[]>()
  for (const { conditions } of policy.rules) {
    for (const condition of conditions) {
      if (condition.kind !== 'claim') continue
      const values = valuesOf(identity, condition.claim)
      if (values.length > 0) held.set(condition.claim, values)
    }
  }
  return Object.fromEntries(held)
}
