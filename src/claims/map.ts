/**
 * From the names that idps use to the names that policies and headers use. Rests on model/ only.
 */
import type { Claims } from '../model/identity.ts'

/** `from`: names of raw claims, in order. */
export interface ClaimSettings {
  readonly from: readonly string[]
}

export type ClaimsMap = (raw: Claims) => Claims

/**
 * A configured name takes the values of all its sources, in their order, each value once; without any it is absent,
 * even where the idp asserts a claim of that very name: otherwise an idp could fill a name that the operator has bound
 * to another source. Names that are not configured pass as they are.
 *
 * @param settings null: every claim keeps its name
 * @returns objects without prototype: a claim named `__proto__` is a claim like any other
 */
export function createClaimsMap(settings: Readonly<Record<string, ClaimSettings>> | null): ClaimsMap {
  const configured = new Map(Object.entries(settings ?? {}))

  return function mapClaims(raw) {
    const mapped: Record<string, readonly string[]> = Object.create(null)
    for (const [name, values] of Object.entries(raw)) {
      if (!configured.has(name)) mapped[name] = values
    }
    for (const [name, { from }] of configured) {
      const values = new Set(from.flatMap(source => (Object.hasOwn(raw, source) ? raw[source] : undefined) ?? []))
      if (values.size > 0) mapped[name] = [...values]
    }
    return mapped
  }
}
