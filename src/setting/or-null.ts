/** A key that may be left out: absence is null in the code, never undefined. */
import type { z } from 'zod'

export function orNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().transform((value): z.output<Schema> | null => value ?? null)
}
