/**
 * What idps are believed about, against what rules and headers decide by (SESSIONS A7): claims that nobody may assert, and
 * claims that name a person and that several idps may assert.
 */
import type { Belief } from '../model/belief.ts'
import { compilePattern } from '../model/pattern.ts'
import { placeholdersOf } from '../proxy/settings.ts'
import { suggestion } from './nearest.ts'
import type { KeyPath, Tell } from './problem.ts'
import { conditionsInUse, policiesInUse } from './references.ts'
import type { Part, Settings } from './schema.ts'

type Written = Part<Settings>
type Idp = NonNullable<NonNullable<Written['idps']>[number]>

export function checkBeliefs(settings: Written, tell: Tell): void {
  checkClaimsOfAsserts(settings, tell)
  checkSharedSubjects(settings, tell)
  checkEntities(settings, tell)
  // Of an entry that cannot be read nobody knows what it may assert.
  if ((settings.idps ?? []).some(idp => idp?.id === undefined || idp.asserts === undefined)) return
  checkRules(settings, tell)
  checkHeaders(settings, tell)
}

/** Else a misspelt name would leave the claim to `*`, or to nobody. */
function checkClaimsOfAsserts({ idps, claims }: Written, tell: Tell): void {
  const defined = Object.keys(claims ?? {})
  if (defined.length === 0) return
  for (const [index, idp] of (idps ?? []).entries()) {
    for (const name of Object.keys(idp?.asserts ?? {})) {
      if (['*', 'acr', 'amr', ...defined].includes(name)) continue
      tell.warning(
        ['idps', index, 'asserts', name],
        `is not among the claims: it only counts where the identity provider uses this very name${suggestion(name, defined)}`,
      )
    }
  }
}

function checkRules(settings: Written, tell: Tell): void {
  const personal = claimsThatNamePeople(settings)
  for (const { path, condition, admitted, namesIdps } of conditionsWithIdps(settings)) {
    if (condition.kind !== 'claim') continue
    const { claim, negated } = condition
    for (const [index, value] of condition.anyOf.entries()) {
      const may = admitted.filter(idp => believed(idp, claim, value))
      if (may.length === 0 && admitted.length > 0 && !hasDefault(settings, claim)) {
        const effect = negated ? 'lets everybody through' : 'lets nobody through'
        tell.warning([...path, index], `no identity provider is believed about ${claim} "${value}": it ${effect}`)
      }
      if (may.length > 1 && !negated && !namesIdps && personal.has(claim)) {
        const ids = may.map(({ id }) => id).join(' and ')
        tell.warning(
          [...path, index],
          `${ids} are all believed about ${claim} "${value}": whoever one of them says it of is let through. Limit what they assert ("asserts"), or say "idp" in the rule`,
        )
      }
    }
  }
}

/** Every condition, with the idps whose people can come to its rule. */
function conditionsWithIdps(settings: Written) {
  const conditions = conditionsInUse(settings)
  const uses = policiesInUse(settings)
  const resourcesOf = (path: KeyPath) => {
    if (path[0] === 'resources') return [settings.resources?.[Number(path[1])]]
    const using = uses.filter(({ policy }) => policy?.kind === 'named' && policy.name === path[1])
    return using.map(use => settings.resources?.[Number(use.path[1])])
  }
  return conditions.map(({ path, condition, rule }) => {
    const resources = resourcesOf(path)
    const named = conditions.find(other => other.rule === rule && other.condition.kind === 'idp')?.condition
    const admitted = [...new Set(resources.flatMap(resource => admittedTo(resource, settings)))].filter(
      ({ id }) => named === undefined || named.anyOf.includes(id ?? '') !== named.negated,
    )
    return { path, condition, admitted, namesIdps: named !== undefined }
  })
}

/** A word that means something one day must mean nothing until then: least of all a claim that an idp calls so. */
function checkEntities({ resources }: Written, tell: Tell): void {
  for (const [index, resource] of (resources ?? []).entries()) {
    for (const [header, template] of Object.entries(resource?.identity?.headers ?? {})) {
      if (!placeholdersOf(template ?? '').includes('entity')) continue
      tell.problem(
        ['resources', index, 'identity', 'headers', header],
        'carries {entity}, which names a member of a federation; federations are not part of this version. {idp} names the identity provider',
      )
    }
  }
}

function checkHeaders(settings: Written, tell: Tell): void {
  for (const [index, resource] of (settings.resources ?? []).entries()) {
    const admitted = admittedTo(resource, settings)
    if (admitted.length === 0) continue
    for (const [header, template] of Object.entries(resource?.identity?.headers ?? {})) {
      for (const name of placeholdersOf(template ?? '')) {
        if (['subject', 'subjectId', 'idp', 'entity'].includes(name) || hasDefault(settings, name)) continue
        if (admitted.some(idp => believed(idp, name, null))) continue
        tell.warning(
          ['resources', index, 'identity', 'headers', header],
          `carries {${name}}, about which ${admitted.map(({ id }) => id).join(' and ')} ${admitted.length === 1 ? 'is' : 'are'} not believed: the header is left out`,
        )
      }
    }
  }
}

type Resource = NonNullable<Written['resources']>[number]

/** The idps whose people may come to this site at all. */
function admittedTo(resource: Resource, { idps }: Written): readonly Idp[] {
  const known = (idps ?? []).filter(idp => idp !== undefined)
  return resource?.idps == null ? known : known.filter(({ id }) => resource.idps?.includes(id))
}

function hasDefault({ claims }: Written, name: string): boolean {
  return claims?.[name]?.default != null
}

function beliefAbout({ asserts }: Idp, claim: string): Belief {
  // Also where it cannot be read: then nobody knows that it is limited.
  if (asserts == null) return { kind: 'any' }
  const own = Object.hasOwn(asserts, claim) ? asserts[claim] : asserts['*']
  return (own as Belief | undefined) ?? { kind: 'none' }
}

/** @param value as in a rule; null: any value at all */
function believed(idp: Idp, claim: string, value: string | null): boolean {
  const belief = beliefAbout(idp, claim)
  if (belief.kind !== 'like' || value === null) return belief.kind !== 'none'
  if (value.includes('*')) return !disjoint(belief, { kind: 'like', anyOf: [value] })
  return belief.anyOf.some(pattern => compilePattern(pattern, 'strict')(value))
}

/**
 * Two identity providers may know different people by one subject or one e-mail address; a site that is told the bare
 * value takes one for the other (SESSIONS A7). Where no two of them may assert the same value, nothing is shared.
 */
function checkSharedSubjects(settings: Written, tell: Tell): void {
  const personal = new Set(['subject', ...claimsThatNamePeople(settings)])
  for (const [index, resource] of (settings.resources ?? []).entries()) {
    const admitted = admittedTo(resource, settings)
    if (resource === undefined || resource.sharedSubjects !== false || admitted.length < 2) continue
    for (const [header, template] of Object.entries(resource.identity?.headers ?? {})) {
      const name = placeholdersOf(template ?? '').find(
        placeholder => personal.has(placeholder) && (placeholder === 'subject' || !apart(admitted, placeholder)),
      )
      if (name === undefined) continue
      const cure = name === 'subject' ? '' : ', limit what they assert of it ("asserts")'
      tell.problem(
        ['resources', index, 'identity', 'headers', header],
        `carries {${name}} to resource "${resource.id ?? index}", which admits ${admitted.length} identity providers: two of them may use one value for two people. List one under "idps", send {subjectId}${cure}, or say "sharedSubjects: yes"`,
      )
    }
  }
}

/** No value of the claim can come from two of these. */
function apart(idps: readonly Idp[], claim: string): boolean {
  const beliefs = idps.map(idp => beliefAbout(idp, claim))
  return beliefs.every((belief, index) => beliefs.slice(index + 1).every(other => disjoint(belief, other)))
}

/** What ends in two texts ends in one of them that ends in the other. */
function disjoint(a: Belief, b: Belief): boolean {
  if (a.kind === 'none' || b.kind === 'none') return true
  if (a.kind === 'any' || b.kind === 'any') return false
  const ends = (belief: typeof a) => belief.anyOf.map(pattern => pattern.slice(pattern.lastIndexOf('*') + 1))
  return ends(a).every(one => ends(b).every(other => !one.endsWith(other) && !other.endsWith(one)))
}

/** What idps call the name of an account or an address: one person within an idp, and perhaps another one elsewhere. */
const personalNames = new Set([
  'sub',
  'email',
  'email.unverified',
  'mail',
  'uid',
  'upn',
  'eppn',
  'eduPersonPrincipalName',
  'preferred_username',
  'ENTPersonLogin',
  'ENTPersonIdentifiant',
  'ENTPersonMail',
  'urn:oid:0.9.2342.19200300.100.1.1',
  'urn:oid:0.9.2342.19200300.100.1.3',
  'urn:oid:1.3.6.1.4.1.5923.1.1.1.6',
])

function claimsThatNamePeople({ claims }: Written): ReadonlySet<string> {
  const mapped = Object.entries(claims ?? {}).filter(([, claim]) =>
    claim?.from?.some(name => name !== undefined && personalNames.has(name)),
  )
  const raw = [...personalNames].filter(name => !Object.hasOwn(claims ?? {}, name))
  return new Set([...raw, ...mapped.map(([name]) => name)])
}
