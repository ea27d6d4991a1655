/**
 * From the names and values that idps use to those that policies and headers use, as far as the idp is believed about
 * them (SESSIONS A7). Rests on model/ only.
 *
 * For each configured name, in this order: the values of all its sources, split, in lower case if asked for, looked up,
 * each once, without those that the idp may not assert; without any, the default; then all of them, or the first, or the
 * first until the person chooses another.
 */
import type { Asserts } from '../model/belief.ts'
import type { Report } from '../model/event.ts'
import {
  type Claims,
  type Identity,
  type IdpId,
  type Strength,
  type Understood,
  withClaims,
} from '../model/identity.ts'
import type { Matches } from '../model/pattern.ts'
import { createBeliefs } from './belief.ts'
import { leaveToPerson } from './chosen.ts'
import type { ClaimSettings } from './claim-settings.ts'
import { lookupKey, lowerCase } from './fold.ts'
import { readTable } from './table.ts'

export interface Understanding {
  readonly understood: (raw: Claims, idp: IdpId) => Understood
  /** Claims, and how strongly the person signed in. */
  readonly identity: (raw: Identity) => Identity
}

export interface UnderstandingParts {
  /** By the names that policies and headers use. */
  readonly claims: Readonly<Record<string, ClaimSettings>>
  /** Idps whose claims bear the names and values of policies already: those that the operator wrote, of access codes. */
  readonly named?: ReadonlySet<IdpId>
  /** Of every idp; null: it is believed about everything. */
  readonly asserts: ReadonlyMap<IdpId, Asserts | null>
  readonly report: Report
}

/** As at the border (idp/): a list that somebody else wrote has an end. */
const maxValues = 1_000
/** Of the parts of a claim's values, each of which is looked up: values that are all separators have half a million. */
const maxParts = 10_000

/**
 * A configured name without any value is absent, even where the idp asserts a claim of that very name: otherwise an idp
 * could fill a name that the operator has bound to another source. Names that are not configured pass as they are. The
 * order of values is kept, that of sources before that within them: the first is whatever the idp, or else the table,
 * names first.
 *
 * Values that the idp may not assert are dropped and reported, without the values: by name where the configuration knows
 * the claim, all others as one.
 *
 * @returns claims are objects without prototype: one named `__proto__` is a claim like any other
 */
export function createUnderstanding({ claims, named, asserts, report }: UnderstandingParts): Understanding {
  const configured = Object.entries(claims).map(([name, claim]) => ({ name, read: createReading(claim) }))
  const names = new Set(configured.map(({ name }) => name))
  // Counted under the name that they go to.
  const sources = new Set(Object.values(claims).flatMap(({ from }) => from))
  const chosen = Object.keys(claims).filter(name => claims[name]?.take === 'chosen')
  const beliefsOf = createBeliefs(asserts)

  function understood(raw: Claims, idp: IdpId): Understood {
    const beliefs = beliefsOf(idp)
    const mapped: Record<string, readonly string[]> = Object.create(null)
    let others = 0
    for (const [name, values] of Object.entries(raw)) {
      if (names.has(name) && !named?.has(idp)) continue
      const believed = values.filter(beliefs.about(name))
      if (believed.length > 0 || values.length === 0) mapped[name] = believed
      const dropped = values.length - believed.length
      if (dropped === 0) continue
      if (beliefs.names(name)) report({ name: 'claim.disbelieved', idp, claim: name, values: dropped })
      else if (!sources.has(name)) others += dropped
    }
    for (const { name, read } of named?.has(idp) ? [] : configured) {
      const { values, dropped } = read(raw, beliefs.about(name))
      if (values.length > 0) mapped[name] = values
      if (dropped > 0) report({ name: 'claim.disbelieved', idp, claim: name, values: dropped })
    }
    if (others > 0) report({ name: 'claim.disbelieved', idp, claim: null, values: others })
    return leaveToPerson(mapped, chosen)
  }

  function strengthOf({ idp, strength }: Identity): Strength {
    const beliefs = beliefsOf(idp)
    const believed = beliefs.strength(strength)
    const lost = { acr: Number(strength.acr !== believed.acr), amr: strength.amr.length - believed.amr.length }
    for (const claim of ['acr', 'amr'] as const) {
      if (lost[claim] === 0) continue
      report({ name: 'claim.disbelieved', idp, claim: beliefs.names(claim) ? claim : null, values: lost[claim] })
    }
    return believed
  }

  return {
    understood,
    identity: raw => ({ ...withClaims(raw, understood(raw.claims, raw.idp)), strength: strengthOf(raw) }),
  }
}

type Reading = (raw: Claims, believes: Matches) => { readonly values: readonly string[]; readonly dropped: number }

function createReading(settings: ClaimSettings): Reading {
  const { from, split, unlisted, take } = settings
  const spelled = settings.case === 'lower' ? lowerCase : (text: string) => text
  const listed = lookupOf(settings, spelled)
  const otherwise = settings.default ?? []

  return function read(raw, believes) {
    const asserted = from.flatMap(source => (Object.hasOwn(raw, source) ? raw[source] : undefined) ?? [])
    const values = new Set<string>()
    for (const part of split === null ? asserted : partsOf(asserted, split)) {
      for (const result of lookedUp(spelled(part))) {
        if (values.size < maxValues) values.add(result)
      }
    }
    const believed = [...values].filter(believes)
    const all = believed.length > 0 ? believed : otherwise
    return { values: take === 'first' ? all.slice(0, 1) : all, dropped: values.size - believed.length }
  }

  function lookedUp(value: string): readonly string[] {
    if (listed === null) return [value]
    return listed.get(lookupKey(value)) ?? (unlisted === 'keep' ? [value] : [])
  }
}

/** Null: values are not looked up. */
function lookupOf({ values, table }: ClaimSettings, spelled: (text: string) => string) {
  if (values === null && table === null) return null
  const rows = [
    ...Object.entries(values ?? {}).map(([value, becomes]) => ({ value, becomes })),
    ...(table === null ? [] : readTable(table).rows),
  ]
  const listed = new Map<string, readonly string[]>()
  for (const { value, becomes } of rows) {
    const key = lookupKey(spelled(value))
    listed.set(key, [...new Set([...(listed.get(key) ?? []), ...becomes])])
  }
  return listed
}

/** Spaces and tabs around a part are none of its own; other characters that nobody sees stay, and match nothing. */
function partsOf(values: readonly string[], separators: readonly string[]): readonly string[] {
  let parts = values
  for (const separator of separators) {
    const apart: string[] = []
    for (const part of parts) apart.push(...part.split(separator, maxParts - apart.length))
    parts = apart
  }
  return parts.map(part => part.replace(/^[ \t]+|[ \t]+$/g, '')).filter(part => part !== '')
}
