/** One claim of the configuration: what it is made of. */

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
  readonly take: 'all' | 'first' | 'chosen'
  readonly default: readonly string[] | null
}
