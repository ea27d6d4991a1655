/** `30s`, `10m`, `8h`, `30d` in the file; milliseconds in the code. */
import { z } from 'zod'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const written = /^(\d+)(ms|s|m|h|d)$/

/** Null: this is no duration. */
function millisecondsOf(text: string): number | null {
  const [, count, unit] = written.exec(text) ?? []
  if (count === undefined || unit === undefined) return null
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

/**
 * @param least  as an operator writes it, inclusive
 * @param most   the same
 */
export function durationBetween(least: string, most: string) {
  const leastMs = millisecondsOf(least) ?? 0
  const mostMs = millisecondsOf(most) ?? Number.POSITIVE_INFINITY
  return z
    .string({ error: 'must be a duration with its unit, such as 30s, 10m, 8h or 30d' })
    .regex(written, { error: 'must be a duration with its unit, such as 30s, 10m, 8h or 30d' })
    .transform((text, context) => {
      const ms = millisecondsOf(text) ?? Number.NaN
      if (ms >= leastMs && ms <= mostMs) return ms
      context.addIssue({ code: 'custom', message: `must be between ${least} and ${most}` })
      return z.NEVER
    })
    .meta({ title: 'duration' })
}

/** More than nothing, at most a year. */
export const duration = durationBetween('1ms', '365d')
