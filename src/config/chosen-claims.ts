/** Claims that people choose themselves (`take: chosen`): where there is nothing to choose, or more depends on it than meant. */
import { sameValues } from '../claims/chosen.ts'
import type { ClaimSettings } from '../claims/claim-settings.ts'
import { possibleValues } from './claim-values.ts'
import type { Tell } from './problem.ts'
import { conditionsInUse } from './references.ts'
import type { Part, Settings } from './schema.ts'

export function checkChosenClaims(settings: Part<Settings>, tell: Tell): void {
  const all = Object.entries(settings.claims ?? {}).flatMap(([name, claim]) =>
    claim === undefined ? [] : [{ name, claim }],
  )
  const chosen = all.filter(({ claim }) => claim.take === 'chosen')
  for (const [index, { name, claim }] of chosen.entries()) {
    const at = ['claims', name, 'take']
    const same = chosen.slice(0, index).find(earlier => haveSameValues(earlier.claim, claim))
    if (same !== undefined) {
      const there = tell.place(['claims', same.name, 'take'])
      tell.problem(
        at,
        `"${same.name}" has people choose among the same values already (${there}): they would be asked twice`,
      )
    }
    if ((possibleValues(claim)?.size ?? 2) < 2)
      tell.warning(at, `${name} can become one value only: nobody has anything to choose`)
  }

  const whole = (name: string) => {
    const claim = chosen.find(one => one.name === name)?.claim
    const other = all.find(one => claim !== undefined && one.claim.take === 'all' && haveSameValues(one.claim, claim))
    return other === undefined ? '' : `; "${other.name}" has all of them`
  }
  const isChosen = (name: string | undefined) => chosen.some(one => one.name === name)
  const groupBy = settings.front?.groupBy
  if (groupBy !== undefined && isChosen(groupBy))
    tell.problem(
      ['front', 'groupBy'],
      `is "${groupBy}", of which people have the one value that they choose: sites are listed by all that they have${whole(groupBy)}`,
    )
  for (const { path, condition } of conditionsInUse(settings)) {
    if (condition.kind === 'claim' && isChosen(condition.claim))
      tell.warning(
        path,
        `people choose ${condition.claim} themselves, and with it whom this lets in${whole(condition.claim)}`,
      )
  }
}

/** Where one of them cannot be read, nobody can say. */
function haveSameValues(a: Part<ClaimSettings>, b: Part<ClaimSettings>): boolean {
  return isWhole(a) && isWhole(b) && sameValues(a, b)
}

function isWhole(claim: Part<ClaimSettings>): claim is ClaimSettings {
  const { from, split, case: spelling, values, table, unlisted } = claim
  const read = [from, split, spelling, values, table, unlisted, ...Object.values(values ?? {})]
  return read.every(one => one !== undefined)
}
