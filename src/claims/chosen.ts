/**
 * Claims of one value that the person chooses among all that they have (`take: chosen`): what there is to choose from, and
 * whether two claims are made of the same values.
 */
import type { Claims, Understood } from '../model/identity.ts'
import type { ClaimSettings } from './claim-settings.ts'

/** People read the list, and a session's record keeps it: what stands beyond these is not offered. */
const mostCandidates = 50
/** Bytes of UTF-8, of all candidates of a claim; a record has room for 32 KiB (docs/sessions.md C2). */
const candidateBytes = 4_096

/** @param chosen the names of such claims; each keeps its first value, and what else there is becomes a candidate */
export function leaveToPerson(claims: Claims, chosen: readonly string[]): Understood {
  if (chosen.length === 0) return { claims }
  const one: Record<string, readonly string[]> = Object.create(null)
  const candidates: Record<string, readonly string[]> = {}
  for (const name of chosen) {
    const values = claims[name] ?? []
    if (values.length > 0) one[name] = values.slice(0, 1)
    const offered = offeredOf(values)
    if (offered.length > 1) candidates[name] = offered
  }
  const kept = Object.assign(Object.create(null), claims, one)
  return Object.keys(candidates).length === 0 ? { claims: kept } : { claims: kept, candidates }
}

function offeredOf(values: readonly string[]): readonly string[] {
  let bytes = 0
  return values.slice(0, mostCandidates).filter(value => {
    bytes += Buffer.byteLength(value)
    return bytes <= candidateBytes
  })
}

type Source = Pick<ClaimSettings, 'from' | 'split' | 'case' | 'values' | 'table' | 'unlisted'>

/** Whether two claims have the same values before one of them is chosen. */
export function sameValues(a: Source, b: Source): boolean {
  return sourceOf(a) === sourceOf(b)
}

function sourceOf({ from, split, case: spelling, values, table, unlisted }: Source): string {
  const listed = values === null ? null : Object.entries(values).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([from, split, spelling, listed, table, unlisted])
}

/** A claim that people choose, and the one that has all of its values: they know it by that name. */
export interface ChosenClaim {
  readonly claim: string
  /** Itself where no other claim has all of them. */
  readonly among: string
}

export function chosenClaims(claims: Readonly<Record<string, ClaimSettings>>): readonly ChosenClaim[] {
  const all = Object.entries(claims)
  return all
    .filter(([, { take }]) => take === 'chosen')
    .map(([claim, settings]) => {
      const whole = all.find(([, other]) => other.take === 'all' && sameValues(settings, other))
      return { claim, among: whole?.[0] ?? claim }
    })
}
