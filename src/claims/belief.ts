/** Whether an idp is believed when it says something (SESSIONS A7). Rests on model/ only. */
import type { Asserts, Belief } from '../model/belief.ts'
import type { IdpId, Strength } from '../model/identity.ts'
import { compilePattern, type Matches } from '../model/pattern.ts'

export interface Beliefs {
  /** Whether it may say this value of the claim of this name. */
  readonly about: (claim: string) => Matches
  /** Whether `asserts` names the claim. */
  readonly names: (claim: string) => boolean
  readonly strength: (asserted: Strength) => Strength
}

const everything: Matches = () => true
const nothing: Matches = () => false

/**
 * @param asserts of every idp; null: it is believed about everything
 * @returns an idp that is not configured is believed about nothing
 */
export function createBeliefs(asserts: ReadonlyMap<IdpId, Asserts | null>): (idp: IdpId) => Beliefs {
  const byIdp = new Map(Array.from(asserts, ([idp, written]) => [idp, compile(written)]))
  const stranger = compile({})
  return idp => byIdp.get(idp) ?? stranger
}

function compile(asserts: Asserts | null): Beliefs {
  const named = new Map(Object.entries(asserts ?? {}).map(([claim, belief]) => [claim, compileBelief(belief)]))
  const others = named.get('*') ?? nothing
  const about = (claim: string): Matches => {
    if (asserts === null) return everything
    return named.get(claim) ?? (isStrength(claim) ? nothing : others)
  }
  return {
    about,
    names: claim => named.has(claim),
    strength: ({ acr, amr }) => ({
      acr: acr !== null && about('acr')(acr) ? acr : null,
      amr: amr.filter(about('amr')),
    }),
  }
}

/** Whoever is believed about "everything else" was not asked about a second factor. */
function isStrength(claim: string): boolean {
  return claim === 'acr' || claim === 'amr'
}

function compileBelief(belief: Belief): Matches {
  switch (belief.kind) {
    case 'any':
      return everything
    case 'none':
      return nothing
    case 'like': {
      const each = belief.anyOf.map(pattern => compilePattern(pattern, 'strict'))
      return value => each.some(matches => matches(value))
    }
  }
}
