/** One access code, as its file holds it. */
import type { Claims } from '../../model/identity.ts'
import type { CodeHash } from './hash.ts'

export interface AccessCode {
  /** Four characters by which it is found, and by which people may speak of it. */
  readonly selector: string
  readonly hash: CodeHash
  /** In the names that policies use. */
  readonly claims: Claims
  /** Milliseconds since the epoch: good from then. Null: at once. */
  readonly from: number | null
  /** Milliseconds since the epoch: no longer good at that moment. Null: until it is revoked. */
  readonly until: number | null
  /** How many sign-ins it is good for. Null: any number. */
  readonly uses: number | null
  /** The hosts of the sites that it opens, lower case; null: whatever the policies open for its claims. */
  readonly hosts: readonly string[] | null
  /** For whoever looks after the file. */
  readonly note: string | null
}

/** What is wrong with a file of codes, and where; line and column from 1. */
export interface CodeFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface ReadCodes {
  readonly codes: readonly AccessCode[]
  readonly faults: readonly CodeFault[]
  /**
   * Texts in the entries of the file, selectors among them, whether they are right or not: a code whose selector is not here was taken
   * out. Null: so broken that this cannot be said.
   */
  readonly named: ReadonlySet<string> | null
}
