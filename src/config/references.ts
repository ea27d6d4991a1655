/** Names that must exist elsewhere in the file: policies, identity providers, claims; and names that must be unique. */
import type { Condition, Rule } from '../model/resource.ts'
import { placeholdersOf } from '../proxy/settings.ts'
import { suggestion } from './nearest.ts'
import { type KeyPath, keyOf, type Tell } from './problem.ts'
import type { Part, Settings } from './schema.ts'

type Written = Part<Settings>

export function checkReferences(settings: Written, tell: Tell): void {
  checkUnique(settings.idps ?? [], 'idps', tell)
  checkUnique(settings.resources ?? [], 'resources', tell)
  checkPolicyNames(settings, tell)
  checkIdpNames(settings, tell)
  checkEmailDomains(settings, tell)
  checkGroups(settings, tell)
  checkClaimNames(settings, tell)
  checkHeaderNames(settings, tell)
}

function checkUnique(
  all: readonly ({ readonly id?: string | undefined } | undefined)[],
  key: string,
  tell: Tell,
): void {
  const seen = new Map<string, number>()
  for (const [index, entry] of all.entries()) {
    const id = entry?.id
    if (id === undefined) continue
    const earlier = seen.get(id)
    if (earlier === undefined) seen.set(id, index)
    else
      tell.problem(
        [key, index, 'id'],
        `"${id}" is the id of ${key}[${earlier}] already (${tell.place([key, earlier, 'id'])})`,
      )
  }
}

const builtIn = ['signed-in', 'optional', 'public']

function checkPolicyNames(settings: Written, tell: Tell): void {
  const defined = Object.keys(settings.policies ?? {})
  const used = new Set<string>()
  for (const { path, policy } of policiesInUse(settings)) {
    if (policy?.kind !== 'named' || policy.name === undefined) continue
    used.add(policy.name)
    if (defined.includes(policy.name)) continue
    const meant = suggestion(policy.name, [...defined, ...builtIn])
    const where = defined.length === 0 ? 'there are no policies' : `policies are at ${tell.place(['policies'])}`
    tell.problem(path, `"${policy.name}" is not defined; ${where}${meant}`)
  }
  for (const name of defined) {
    if (!used.has(name) && !builtIn.includes(name)) tell.warning(['policies', name], 'is used by no resource')
  }
}

function checkIdpNames(settings: Written, tell: Tell): void {
  const idps = settings.idps ?? []
  // The name may be that of an entry that cannot be read; its own problems come first.
  if (idps.some(idp => idp?.id === undefined)) return
  const ids = idps.flatMap(idp => idp?.id ?? [])
  const check = (path: KeyPath, id: string | undefined) => {
    if (id === undefined || ids.includes(id)) return
    tell.problem(path, `"${id}" is not the id of an identity provider${suggestion(id, ids) || known(ids)}`)
  }
  for (const [index, idp] of idps.entries()) {
    if (idp?.offered?.kind !== 'unavailable') continue
    check(['idps', index, 'offered', 'of'], idp.offered.of)
    if (idp.offered.of === idp.id) tell.problem(['idps', index, 'offered', 'of'], 'must be another identity provider')
  }
  for (const [index, resource] of (settings.resources ?? []).entries()) {
    for (const [place, id] of (resource?.idps ?? []).entries()) check(['resources', index, 'idps', place], id)
    const at = ['resources', index, 'defaultIdp']
    check(at, resource?.defaultIdp ?? undefined)
    if (resource?.idps != null && resource.defaultIdp != null && !resource.idps.includes(resource.defaultIdp))
      tell.problem(at, `"${resource.defaultIdp}" is not among the "idps" of this site: its people may not come here`)
  }
  for (const [index, group] of (settings.chooser?.groups ?? []).entries()) {
    for (const [place, id] of (group?.idps ?? []).entries()) check(['chooser', 'groups', index, 'idps', place], id)
  }
  for (const { path, condition } of conditionsInUse(settings)) {
    if (condition.kind !== 'idp') continue
    for (const [place, id] of condition.anyOf.entries()) check([...path, place], id)
  }
}

/** An address leads to one idp: two that claim the same domain would have to be asked about, and that is what it should spare. */
function checkEmailDomains({ idps }: Written, tell: Tell): void {
  const seen = new Map<string, readonly [number, number]>()
  for (const [index, idp] of (idps ?? []).entries()) {
    for (const [place, domain] of (idp?.emailDomains ?? []).entries()) {
      if (domain === undefined) continue
      const earlier = seen.get(domain)
      if (earlier === undefined) {
        seen.set(domain, [index, place])
        continue
      }
      const there = tell.place(['idps', earlier[0], 'emailDomains', earlier[1]])
      const already =
        earlier[0] === index
          ? 'stands in this list already'
          : `belongs to "${idps?.[earlier[0]]?.id ?? earlier[0]}" already`
      tell.problem(['idps', index, 'emailDomains', place], `"${domain}" ${already} (${there})`)
    }
  }
}

/** Where people choose by groups, whoever stands in none of them is offered to nobody. */
function checkGroups({ chooser, idps }: Written, tell: Tell): void {
  const groups = chooser?.groups ?? []
  const grouped = groups.flatMap(group => group?.idps ?? [])
  if (groups.length === 0) return
  for (const [index, idp] of (idps ?? []).entries()) {
    if (idp?.id !== undefined && !grouped.includes(idp.id))
      tell.warning(
        ['idps', index, 'id'],
        `"${idp.id}" is in no group of the chooser: people reach it only by links, and at sites that admit nobody in a group`,
      )
  }
}

const known = (ids: readonly string[]) =>
  ids.length === 0 ? '' : `; there ${ids.length === 1 ? 'is' : 'are'} ${ids.join(', ')}`

/**
 * A claim that is not listed keeps the name that an identity provider gave it, so it may exist; where some are listed,
 * the others are more often spelling mistakes.
 */
function checkClaimNames(settings: Written, tell: Tell): void {
  const defined = Object.keys(settings.claims ?? {})
  if (defined.length === 0) return
  for (const { path, condition } of conditionsInUse(settings)) {
    if (condition.kind !== 'claim' || defined.includes(condition.claim)) continue
    const meant = suggestion(condition.claim, [...defined, 'idp', 'method', 'address', 'not'])
    const effect = condition.negated ? 'lets everybody through' : 'lets nobody through'
    tell.warning(
      path,
      `"${condition.claim}" is not among the claims: unless an identity provider uses this very name, it ${effect}${meant}`,
    )
  }
  const groupBy = settings.front?.groupBy
  if (groupBy !== undefined && !defined.includes(groupBy)) {
    tell.warning(
      ['front', 'groupBy'],
      `"${groupBy}" is not among the claims: unless an identity provider uses this very name, everybody reads that they have none${suggestion(groupBy, defined)}`,
    )
  }
  for (const [index, resource] of (settings.resources ?? []).entries()) {
    for (const [header, template] of Object.entries(resource?.identity?.headers ?? {})) {
      for (const name of placeholdersOf(template ?? '')) {
        if (['subject', 'subjectId', 'idp', 'entity', ...defined].includes(name)) continue
        const meant = suggestion(name, ['subject', 'subjectId', 'idp', ...defined])
        const path = ['resources', index, 'identity', 'headers', header]
        tell.warning(
          path,
          `{${name}} is not among the claims: unless an identity provider uses this very name, the header is left out${meant}`,
        )
      }
    }
  }
}

/** To an origin, the same header in two spellings is one header with two values. */
function checkHeaderNames({ resources }: Written, tell: Tell): void {
  for (const [index, resource] of (resources ?? []).entries()) {
    const seen = new Map<string, string>()
    for (const name of Object.keys(resource?.identity?.headers ?? {})) {
      const earlier = seen.get(name.toLowerCase())
      const path = ['resources', index, 'identity', 'headers', name]
      if (earlier !== undefined) tell.problem(path, `is the same header as ${earlier}`)
      seen.set(name.toLowerCase(), name)
    }
  }
}

/** Every place where a resource says who may enter. */
export function policiesInUse(settings: Written) {
  return (settings.resources ?? []).flatMap((resource, index) => [
    { path: ['resources', index, 'policy'], policy: resource?.policy },
    ...(resource?.paths ?? []).map((path, place) => ({
      path: ['resources', index, 'paths', place, 'policy'],
      policy: path?.policy,
    })),
  ])
}

export interface ConditionInUse {
  readonly path: KeyPath
  readonly condition: Condition
  /** Path of the rule that it stands in, as a key (`keyOf`). */
  readonly rule: string
}

/** Every condition of every rule, named or in place, with the path of its key. */
export function conditionsInUse(settings: Written): readonly ConditionInUse[] {
  const named = Object.entries(settings.policies ?? {}).flatMap(([name, rules]) =>
    conditionsOf(['policies', name], rules),
  )
  const inPlace = policiesInUse(settings).flatMap(({ path, policy }) =>
    policy?.kind === 'rules' ? conditionsOf(path, policy.rules) : [],
  )
  return [...named, ...inPlace]
}

function conditionsOf(path: KeyPath, rules: readonly (Part<Rule> | undefined)[] | undefined) {
  return (rules ?? []).flatMap((rule, index) =>
    ((rule?.conditions ?? []) as readonly Condition[]).map(condition => {
      const key = condition.kind === 'claim' ? condition.claim : condition.kind
      const at = [...path, index]
      return { path: [...at, ...(condition.negated ? ['not'] : []), key], condition, rule: keyOf(at) }
    }),
  )
}
