/**
 * A setting that may be written in more than one shape. The shape is chosen by looking at what is there (the key that is
 * present, text or list), and never by trying one after the other: a union that tries reports the errors of a branch
 * that the operator did not mean.
 */
import { z } from 'zod'

/** What a chosen setting may turn out to be: read by config/walk.ts and by the published JSON schema. */
export interface Choice {
  readonly options: readonly z.ZodType[]
  /** Undefined where nothing fits. */
  readonly choose: (input: unknown) => z.ZodType | undefined
  /** The keys of which one must be present; null: the choice is made otherwise. */
  readonly keys: readonly string[] | null
}

const choices = new WeakMap<z.core.$ZodType, Choice>()

/** Undefined: this is no such setting. `.describe()` makes a copy; the copy knows its parent. */
export function choiceOf(schema: z.core.$ZodType): Choice | undefined {
  let own: z.core.$ZodType | undefined = schema
  while (own !== undefined && !choices.has(own)) own = own._zod.parent
  return own === undefined ? undefined : choices.get(own)
}

/**
 * How every part of the configuration is parsed: issues carry what was found, and those that no setting has worded
 * itself have an empty message, so that config/problem.ts words them.
 */
export const parsing = { reportInput: true, error: () => '' } as const

/**
 * @param choose   the option for this input; undefined: none fits, and `message` says what would
 * @param message  begins with "must", or says the whole; for what was written
 * @param keys     where the choice is made by the key that is present: those keys
 */
export function oneOf<const Options extends readonly z.ZodType[]>(
  options: Options,
  choose: (input: unknown) => Options[number] | undefined,
  message: string | ((input: unknown) => string),
  keys: readonly string[] | null = null,
): z.ZodType<z.output<Options[number]>, z.input<Options[number]>> {
  const schema: z.ZodType = z.unknown().transform((input, context): unknown => {
    const option: z.ZodType | undefined = choose(input)
    if (option === undefined) {
      context.addIssue({ code: 'custom', message: typeof message === 'string' ? message : message(input), input })
      return z.NEVER
    }
    const parsed = option.safeParse(input, parsing)
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) context.addIssue({ ...issue, path: [...issue.path] })
    return z.NEVER
  })
  choices.set(schema, { options, choose, keys })
  return schema as z.ZodType<z.output<Options[number]>, z.input<Options[number]>>
}

/** Chosen by the one key of `options` that is present: `oidc` or, one day, `saml`. */
export function byKey<const Options extends Readonly<Record<string, z.ZodType>>>(options: Options): ByKey<Options> {
  const keys = Object.keys(options)
  const choose = (input: unknown): z.ZodType | undefined =>
    isMapping(input) ? options[keys.find(key => Object.hasOwn(input, key)) ?? ''] : undefined
  const named = keys.map(key => `"${key}"`).join(' or ')
  const message = (input: unknown) =>
    isMapping(input) ? `lacks the key ${named}` : `must be a mapping with the key ${named}`
  const schema: z.ZodType = oneOf(Object.values(options), choose, message, keys)
  return schema as ByKey<Options>
}

type ByKey<Options extends Readonly<Record<string, z.ZodType>>> = z.ZodType<
  z.output<Options[keyof Options]>,
  z.input<Options[keyof Options]>
>

export function isMapping(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
