/** Values in rules that no claim can have, as `claims:` makes them: spelling mistakes, mostly, that let nobody in, or everybody. */
import { lowerCase } from '../claims/fold.ts'
import { readTable } from '../claims/table.ts'
import { suggestion } from './nearest.ts'
import type { Tell } from './problem.ts'
import { conditionsInUse } from './references.ts'
import type { Part, Settings } from './schema.ts'

type Claim = NonNullable<NonNullable<Part<Settings>['claims']>[string]>

/** Labels of values that nobody can have name nothing. */
function checkLabels(settings: Part<Settings>, known: ReadonlyMap<string, ReadonlySet<string> | null>, tell: Tell) {
  for (const [name, claim] of Object.entries(settings.claims ?? {})) {
    const possible = known.get(name) ?? null
    if (possible === null) continue
    for (const value of Object.keys(claim?.labels ?? {})) {
      if (possible.has(value)) continue
      tell.warning(
        ['claims', name, 'labels', value],
        `is nothing that ${name} can become${suggestion(value, [...possible])}`,
      )
    }
  }
}

export function checkClaimValues(settings: Part<Settings>, tell: Tell): void {
  const known = new Map(
    Object.entries(settings.claims ?? {}).map(([name, claim]) => [
      name,
      claim === undefined ? null : possibleValues(claim),
    ]),
  )
  checkLabels(settings, known, tell)
  for (const { path, condition } of conditionsInUse(settings)) {
    const claim = condition.kind === 'claim' ? settings.claims?.[condition.claim] : undefined
    if (condition.kind !== 'claim' || claim === undefined) continue
    const effect = condition.negated ? 'lets everybody through' : 'lets nobody through'
    const possible = known.get(condition.claim) ?? null
    for (const [index, value] of condition.anyOf.entries()) {
      const at = [...path, index]
      if (possible === null) {
        const lower = lowerCase(value)
        if (isLowerCase(claim) && lower !== value)
          tell.problem(at, `is "${value}", and ${condition.claim} is put in lower case: it ${effect}. Write "${lower}"`)
      } else if (!value.includes('*') && !possible.has(value)) {
        const meant = suggestion(value, [...possible])
        tell.warning(at, `"${value}" is nothing that ${condition.claim} can become: it ${effect}${meant}`)
      }
    }
  }
}

/** Null: anything, or nobody can say. */
export function possibleValues({ values, table, unlisted, default: otherwise }: Claim): ReadonlySet<string> | null {
  if (unlisted !== 'drop' || values === undefined || table === undefined || otherwise === undefined) return null
  if (values === null && table === null) return null
  const { rows, faults } = table === null ? { rows: [], faults: [] } : readTable(table)
  if (faults.length > 0) return null
  const listed = [...Object.values(values ?? {}).flatMap(texts => texts ?? []), ...rows.flatMap(row => row.becomes)]
  return new Set([...listed, ...(otherwise ?? [])].filter(text => text !== undefined))
}

/** What comes out is in lower case: with a table it is as the table writes it. */
function isLowerCase({ case: spelling, values, table }: Claim): boolean {
  return spelling === 'lower' && values === null && table === null
}
