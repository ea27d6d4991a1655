/** A whole number of things, within bounds that make sense. */
import { z } from 'zod'

/** @param least, most inclusive */
export function countBetween(least: number, most: number) {
  const error = `must be a whole number between ${least} and ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}
