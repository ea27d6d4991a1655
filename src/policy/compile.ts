/**
 * From rules in words to a policy that judges, once, at start. Two stages: what depends on the person alone is judged
 * once for each session and remembered; what depends on the request (method, address) is left over as a function.
 *
 * Values compare as text, exactly and case-sensitively, `*` is the only wildcard (model/pattern.ts). `not` means "does not
 * have": a claim that is missing satisfies no condition, and therefore satisfies every negated one. An address that
 * cannot be read satisfies neither.
 */
import type { Identity } from '../model/identity.ts'
import { compilePattern, type Matches } from '../model/pattern.ts'
import type { Condition, Policy, RequestContext, Rule, Settled, Verdict, Watch } from '../model/resource.ts'
import { compileNetworks } from './network.ts'

/** What stands where the configuration wants a policy. */
export type PolicySource =
  | { readonly kind: 'public' | 'optional' | 'signed-in' }
  | { readonly kind: 'named'; readonly name: string }
  /** `source`: where the rules stand, as `resources[2].policy`. */
  | { readonly kind: 'rules'; readonly rules: readonly Rule[]; readonly source: string }

/** Policies by name; one object each, so that a session's verdict is remembered once for all resources that share it. */
export type NamedPolicies = ReadonlyMap<string, Policy>

export function compileNamed(policies: Iterable<readonly [string, readonly Rule[]]>): NamedPolicies {
  return new Map(Array.from(policies, ([name, rules]) => [name, compileRules(name, rules)]))
}

/**
 * @throws Error the name is not among the policies, or a network is none: the configuration was checked before
 */
export function compilePolicy(source: PolicySource, named: NamedPolicies): Policy {
  switch (source.kind) {
    case 'public':
    case 'optional':
    case 'signed-in':
      return withoutRules[source.kind]
    case 'rules':
      return compileRules(source.source, source.rules)
    case 'named': {
      const policy = named.get(source.name)
      if (policy === undefined) throw new Error(`no policy is called ${source.name}`)
      return policy
    }
  }
}

const without = (kind: 'public' | 'optional' | 'signed-in'): Policy => ({
  kind,
  name: kind,
  rules: [],
  judge: () => ({ effect: 'permit', rule: 0 }),
})

const withoutRules = { public: without('public'), optional: without('optional'), 'signed-in': without('signed-in') }

/** A condition, ready to be asked: of the person, or of the request. */
interface Test<Subject> {
  readonly condition: Condition
  readonly holds: (subject: Subject) => boolean
}

interface CompiledRule {
  readonly index: number
  readonly ofPerson: readonly Test<Identity>[]
  readonly ofRequest: readonly Test<RequestContext>[]
}

const deny: Settled = { effect: 'deny' }

function compileRules(name: string, rules: readonly Rule[]): Policy {
  // A rule without conditions would admit everybody who can sign in; nobody writes that on purpose, so it admits nobody.
  const compiled = rules.map(compileRule).filter(rule => rule.ofPerson.length + rule.ofRequest.length > 0)

  return {
    kind: 'rules',
    name,
    rules,
    judge(identity, watch) {
      const open: CompiledRule[] = []
      for (const rule of compiled) {
        if (!all(rule.index, rule.ofPerson, identity, watch)) continue
        if (rule.ofRequest.length === 0) return left(open, { effect: 'permit', rule: rule.index }, watch)
        open.push(rule)
      }
      return left(open, deny, watch)
    },
  }
}

/** What remains to be asked of the request: the first open rule that holds permits, else what is certain without them. */
function left(open: readonly CompiledRule[], otherwise: Settled, watch: Watch | undefined): Verdict {
  if (open.length === 0) return otherwise
  return {
    effect: 'depends',
    on(context) {
      for (const rule of open) {
        if (all(rule.index, rule.ofRequest, context, watch)) return { effect: 'permit', rule: rule.index }
      }
      return otherwise
    },
  }
}

/** Every condition holds. A watcher hears of all of them; without one, the first that fails is enough. */
function all<Subject>(
  rule: number,
  tests: readonly Test<Subject>[],
  subject: Subject,
  watch: Watch | undefined,
): boolean {
  if (watch === undefined) return tests.every(test => test.holds(subject))
  let together = true
  for (const test of tests) {
    const holds = test.holds(subject)
    watch(rule, test.condition, holds)
    together &&= holds
  }
  return together
}

function compileRule(rule: Rule, index: number): CompiledRule {
  const ofPerson: Test<Identity>[] = []
  const ofRequest: Test<RequestContext>[] = []
  for (const condition of rule.conditions) {
    // Nothing is in an empty list, but "not in an empty list" would admit everybody: such a condition never holds.
    if (condition.anyOf.length === 0) {
      ofPerson.push({ condition, holds: () => false })
      continue
    }
    switch (condition.kind) {
      case 'claim':
      case 'idp':
        ofPerson.push({ condition, holds: compileOfPerson(condition) })
        break
      case 'method':
      case 'address':
        ofRequest.push({ condition, holds: compileOfRequest(condition) })
        break
    }
  }
  return { index, ofPerson, ofRequest }
}

function compileOfPerson(condition: Condition & { kind: 'claim' | 'idp' }): (identity: Identity) => boolean {
  const { negated } = condition
  const matches = anyOf(condition.anyOf, negated)
  if (condition.kind === 'idp') return identity => matches(identity.idp) !== negated
  const { claim } = condition
  return identity => valuesOf(identity, claim).some(matches) !== negated
}

function compileOfRequest(condition: Condition & { kind: 'method' | 'address' }): (context: RequestContext) => boolean {
  const { negated } = condition
  if (condition.kind === 'method') {
    const methods = new Set(condition.anyOf)
    if (methods.has('GET')) methods.add('HEAD')
    return context => methods.has(context.method) !== negated
  }
  const contains = compileNetworks(condition.anyOf)
  return function holds(context) {
    const inside = contains(context.address)
    return inside !== null && inside !== negated
  }
}

function anyOf(patterns: readonly string[], negated: boolean): Matches {
  const each = patterns.map(pattern => compilePattern(pattern, negated ? 'wide' : 'strict'))
  return value => each.some(matches => matches(value))
}

const none: readonly string[] = []

/** Own properties only: a rule about a claim called `constructor` must not meet what every object has. */
export function valuesOf(identity: Identity, claim: string): readonly string[] {
  return Object.hasOwn(identity.claims, claim) ? (identity.claims[claim] ?? none) : none
}
