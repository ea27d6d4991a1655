/** One protected site, as compiled at start from the configuration. Everything a request needs is already here. */
import type { Identity, IdpId } from './identity.ts'
import type { LogoutPolicy } from './logout.ts'
import type { Text } from './text.ts'

export interface Resource {
  readonly id: string
  readonly title: Text
  /** Where browsers reach it. */
  readonly at: PublicAddress
  /** Where we reach it. */
  readonly origin: OriginAddress
  /** What holds where no path rule matches. */
  readonly access: Access
  /** Longest prefix first. */
  readonly paths: readonly PathRule[]
  /** Whose people may come here at all; null: anyone's. */
  readonly idps: readonly IdpId[] | null
  /** Of several, the one that people are led to without a question; null: they choose. */
  readonly defaultIdp: IdpId | null
  /** Paths are folded to lower case before rules are matched, because the origin does so. */
  readonly caseInsensitive: boolean
  readonly serviceWorkers: 'refuse' | 'allow'
  readonly preflight: 'answer' | 'forward'
  /** Further origins (scheme://host[:port]) whose pages may send unsafe requests here. */
  readonly allowOrigins: readonly string[]
  /** keep: a Domain attribute wider than the host stays on the origin's cookies. */
  readonly cookieDomain: 'remove' | 'keep'
  /** Which Host the origin is told: the one browsers use, or its own. */
  readonly hostHeader: 'public' | 'origin'
  readonly identityHeaders: IdentityHeaders
  readonly logout: LogoutPolicy
  readonly timeouts: Timeouts
}

/** Other resources stand below paths of the same host: to a browser they are one site, with one cookie of ours. */
export function sharesHost({ id, at }: Resource, all: readonly Resource[]): boolean {
  return all.some(other => other.id !== id && other.at.hostname === at.hostname)
}

/** From `at`: never from the request (SESSIONS A9). */
export interface PublicAddress {
  readonly scheme: 'http' | 'https'
  /** Lower case, without port. */
  readonly hostname: string
  readonly port: number
  /** As it stands in a Host header: no default port. */
  readonly host: string
  /** `scheme://host`, as browsers write it in Origin. */
  readonly origin: string
  /** Begins and ends with `/`; `/` for a whole host. */
  readonly prefix: string
}

export interface OriginAddress {
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number
  readonly host: string
  /** `scheme://host[:port]` */
  readonly origin: string
  /** Begins and ends with `/`; takes the place of the public prefix. */
  readonly prefix: string
}

/** A decision's raw material: who may pass, compiled. */
export interface Access {
  readonly policy: Policy
  /** The path prefix this belongs to; null for the resource's own. For explain, logs and the refusal page. */
  readonly match: string | null
}

export interface PathRule extends Access {
  readonly match: string
  /** Null: any method. GET includes HEAD. */
  readonly methods: readonly string[] | null
}

export interface Policy {
  /**
   * public: never looks for a session, never injects. optional: passes without a session, and with identity when
   * there is one. signed-in: any session. rules: at least one rule must hold.
   */
  readonly kind: 'public' | 'optional' | 'signed-in' | 'rules'
  /** As the operator named it, or where it stands (`resources[2].policy`). */
  readonly name: string
  /** For explain and for the page of refusal; empty unless `kind` is rules. */
  readonly rules: readonly Rule[]
  /**
   * First stage, once for each session and policy; its outcome is remembered with the session. `watch` is told of each
   * condition in turn, in both stages: that is how explain sees what authorize does.
   */
  readonly judge: (identity: Identity, watch?: Watch) => Verdict
}

/** Hears that a condition of the rule with this index held, or did not. */
export type Watch = (rule: number, condition: Condition, holds: boolean) => void

/** Any of the rules permits; inside a rule every condition must hold. */
export interface Rule {
  readonly conditions: readonly Condition[]
}

export type Condition =
  | { readonly kind: 'claim'; readonly claim: string; readonly anyOf: readonly string[]; readonly negated: boolean }
  | { readonly kind: 'idp'; readonly anyOf: readonly IdpId[]; readonly negated: boolean }
  | { readonly kind: 'method'; readonly anyOf: readonly string[]; readonly negated: boolean }
  | { readonly kind: 'address'; readonly anyOf: readonly string[]; readonly negated: boolean }

/** What only the request knows. */
export interface RequestContext {
  readonly method: string
  /** The client's address: the socket's, or what a trusted proxy said. */
  readonly address: string
}

export type Verdict = Settled | { readonly effect: 'depends'; readonly on: (context: RequestContext) => Settled }

/** `rule` is the index of the first rule that permits. */
export type Settled = { readonly effect: 'permit'; readonly rule: number } | { readonly effect: 'deny' }

export interface IdentityHeaders {
  readonly headers: readonly HeaderInjection[]
}

export interface HeaderInjection {
  readonly name: string
  /** The value as bytes in a latin1 string, or null: no claim, no header. */
  readonly valueOf: (identity: Identity) => string | null
}

/** Milliseconds. */
export interface Timeouts {
  readonly connectMs: number
  /** From the last byte sent to the first byte of the answer. */
  readonly answerMs: number
  /** Between two bytes of a body, in either direction, and on an open WebSocket. */
  readonly idleMs: number
}
