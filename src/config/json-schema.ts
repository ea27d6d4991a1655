/**
 * The configuration as JSON Schema: what editors complete and check by, and from which the reference is written. It knows
 * shapes and spellings; what depends on two places at once only `passerelle check` knows.
 */
import { z } from 'zod'
import { choiceOf } from '../setting/one-of.ts'
import { settingsSchema } from './schema.ts'

export type JsonSchema = z.core.JSONSchema.BaseSchema

const reference = '\\$\\{(env|file):[^}]+\\}'

export function jsonSchema(): JsonSchema {
  const { $schema: dialect, ...schema } = converted(settingsSchema)
  return { ...(dialect === undefined ? {} : { $schema: dialect }), title: 'Passerelle', ...schema }
}

function converted(schema: z.core.$ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    // What YAML editors read; nothing here needs more.
    target: 'draft-07',
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: target, path }) {
      const choice = choiceOf(zodSchema)
      if (choice !== undefined) {
        const options = choice.options.map(option => {
          const { $schema, ...rest } = converted(option)
          return rest
        })
        if (options.length === 1) Object.assign(target, { ...options[0], ...described(target) })
        else target.anyOf = options
      }
      if (typeof target.pattern === 'string' && target.type === 'string' && path.at(-1) !== 'propertyNames') {
        // A text may also come from the environment or from a file.
        const { pattern } = target
        delete target.pattern
        target.anyOf = [{ pattern }, { pattern: reference }]
      }
      if (target.format !== undefined) delete target.format
    },
  })
}

function described({ description }: JsonSchema): JsonSchema {
  return description === undefined ? {} : { description }
}
