/**
 * From the names and values that idps use to those that policies and headers use. Rests on model/ only.
 *
 * For each configured name, in this order: the values of all its sources, split, in lower case if asked for, looked up,
 * each once; then all of them or the first; without any, the default.
 */
import type { Claims } from '../model/identity.ts'
import { lookupKey, lowerCase } from './fold.ts'
import { readTable } from './table.ts'

export interface ClaimSettings {
  /** Names of raw claims, in order. */
  readonly from: readonly string[]
  /** Texts that separate values within one; null: a value is one value. */
  readonly split: readonly string[] | null
  readonly case: 'keep' | 'lower'
  /** Value to values. */
  readonly values: Readonly<Record<string, readonly string[]>> | null
  /** The same, as the text of a CSV file. */
  readonly table: string | null
  /** What becomes of a value that neither `values` nor `table` has. */
  readonly unlisted: 'drop' | 'keep'
  readonly take: 'all' | 'first'
  readonly default: readonly string[] | null
}

export type ClaimsMap = (raw: Claims) => Claims

/** As at the border (idp/): a list that somebody else wrote has an end. */
const maxValues = 1_000

/**
 * A configured name without any value is absent, even where the idp asserts a claim of that very name: otherwise an idp
 * could fill a name that the operator has bound to another source. Names that are not configured pass as they are. The
 * order of values is kept, that of sources before that within them: the first is whatever the idp, or else the table,
 * names first.
 *
 * @param settings null: every claim keeps its name
 * @returns objects without prototype: a claim named `__proto__` is a claim like any other
 */
export function createClaimsMap(settings: Readonly<Record<string, ClaimSettings>> | null): ClaimsMap {
  const configured = Object.entries(settings ?? {}).map(([name, claim]) => ({ name, read: createReading(claim) }))
  const names = new Set(configured.map(({ name }) => name))

  return function mapClaims(raw) {
    const mapped: Record<string, readonly string[]> = Object.create(null)
    for (const [name, values] of Object.entries(raw)) {
      if (!names.has(name)) mapped[name] = values
    }
    for (const { name, read } of configured) {
      const values = read(raw)
      if (values.length > 0) mapped[name] = values
    }
    return mapped
  }
}

function createReading(settings: ClaimSettings): (raw: Claims) => readonly string[] {
  const { from, split, unlisted, take } = settings
  const spelled = settings.case === 'lower' ? lowerCase : (text: string) => text
  const listed = lookupOf(settings, spelled)
  const otherwise = settings.default ?? []

  return function read(raw) {
    const values = new Set<string>()
    for (const source of from) {
      for (const value of (Object.hasOwn(raw, source) ? raw[source] : undefined) ?? []) {
        for (const part of split === null ? [value] : partsOf(value, split)) {
          for (const result of lookedUp(spelled(part))) {
            if (values.size < maxValues) values.add(result)
          }
        }
      }
    }
    const all = values.size > 0 ? [...values] : otherwise
    return take === 'first' ? all.slice(0, 1) : all
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
function partsOf(value: string, separators: readonly string[]): readonly string[] {
  return separators
    .reduce<readonly string[]>((parts, separator) => parts.flatMap(part => part.split(separator)), [value])
    .map(part => part.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter(part => part !== '')
}
