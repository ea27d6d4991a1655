/**
 * What authorize() answers. A Permit cannot be forged: forward() demands one, only grant() makes one, and the
 * architecture test allows one importer of grant(): policy/authorize.ts.
 */
import type { Claims } from './identity.ts'
import type { Condition, Policy, Resource } from './resource.ts'
import type { Session } from './session.ts'

export class Permit {
  readonly #granted = true
  readonly effect = 'permit'
  readonly resource: Resource
  /** Null on a public path, and on an optional one without a session. */
  readonly session: Session | null
  /** Index of the rule that permitted; null where the policy has none. */
  readonly rule: number | null

  private constructor(resource: Resource, session: Session | null, rule: number | null) {
    this.resource = resource
    this.session = session
    this.rule = rule
  }

  /** True for every Permit that exists; a look-alike object throws here. */
  static proves(permit: Permit): boolean {
    return permit.#granted
  }

  static grant(resource: Resource, session: Session | null, rule: number | null): Permit {
    return new Permit(resource, session, rule)
  }
}

export const grant = Permit.grant

/** "Sign in first" (RFC 9110 §11.3). */
export interface Challenge {
  readonly effect: 'challenge'
  readonly resource: Resource
}

export interface Deny {
  readonly effect: 'deny'
  readonly resource: Resource
  readonly session: Session
  readonly reason: DenyReason
  readonly policy: Policy
  /** What would have sufficed: one list of conditions for each rule. Empty for idp-not-admitted and host-not-opened. */
  readonly needed: readonly (readonly Condition[])[]
  /** Of the session's claims, only those that a rule asked for. */
  readonly held: Claims
}

export type DenyReason = 'no-rule-matched' | 'idp-not-admitted' | 'host-not-opened'

export type Decision = Permit | Challenge | Deny
