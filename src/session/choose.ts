/**
 * The value that a person chooses among all that they have of a claim (`take: chosen`; docs/sessions.md B 33). It stands in the
 * record, so that every process and every site hears of it at once, and is looked up in what the record has to choose from at
 * that moment: a page may be older than what the idp says now.
 */
import { createHash } from 'node:crypto'
import type { Report } from '../model/event.ts'
import type { Chosen } from '../model/identity.ts'
import type { SessionId } from '../model/session.ts'
import type { OwnChange } from './own-change.ts'
import type { SessionRecord } from './record.ts'

export type ChoiceOutcome =
  /** `chosen`: all that the person has chosen by now, by claim. */
  | { readonly kind: 'chosen'; readonly chosen: Chosen }
  /** It is none of theirs, or not any more: nothing has changed. */
  | { readonly kind: 'not-theirs' }
  | { readonly kind: 'over' }

export interface ChooseParts {
  readonly ownChange: OwnChange
  readonly report: Report
}

/** What a form sends for a value: a form would change the line ends of the value itself, and more. Base64url, 43 characters. */
export function choiceHandle(claim: string, value: string): string {
  return createHash('sha256')
    .update(JSON.stringify([claim, value]))
    .digest('base64url')
}

export function createChoose({ ownChange, report }: ChooseParts) {
  /**
   * @param claims those that may be chosen by the configuration of the moment
   * @throws GatewayError `session.store-down` nothing is changed
   */
  return async function choose(id: SessionId, claims: readonly string[], handle: string): Promise<ChoiceOutcome> {
    let made = null as { readonly claim: string; readonly chosen: Chosen } | null
    const alive = await ownChange(id, record => {
      const meant = meantBy(record, claims, handle)
      made = meant && { claim: meant.claim, chosen: { ...record.chosen, [meant.claim]: meant.value } }
      return meant === null || made === null || record.chosen?.[meant.claim] === meant.value
        ? null
        : { ...record, chosen: made.chosen }
    })
    if (!alive) return { kind: 'over' }
    if (made === null) return { kind: 'not-theirs' }
    report({ name: 'session.claim-chosen', claim: made.claim })
    return { kind: 'chosen', chosen: made.chosen }
  }
}

function meantBy({ identity }: SessionRecord, claims: readonly string[], handle: string) {
  for (const claim of claims) {
    const { candidates = {} } = identity
    const among = Object.hasOwn(candidates, claim) ? (candidates[claim] ?? []) : []
    const value = among.find(one => choiceHandle(claim, one) === handle)
    if (value !== undefined) return { claim, value }
  }
  return null
}
