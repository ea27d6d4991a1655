/** Through a schema and what was written, side by side: which keys are known where, and what can be saved of a broken whole. */
import type { z } from 'zod'
import { choiceOf, isMapping, parsing } from '../setting/one-of.ts'
import { type Role, roles } from '../setting/role.ts'
import type { KeyPath } from './problem.ts'

type Schema = z.core.$ZodType

/** What a schema is once optional, prefault and the like are taken off, and a choice is made by what was written. */
type Shape =
  | { readonly kind: 'mapping'; readonly keys: Readonly<Record<string, Schema>>; readonly others: Schema | null }
  | { readonly kind: 'list'; readonly item: Schema }
  | { readonly kind: 'leaf' }

/**
 * @param through  also what a transform makes something else of; false: such a thing is a leaf
 */
function shapeOf(schema: Schema, input: unknown, through: boolean): Shape {
  const choice = choiceOf(schema)
  if (choice !== undefined) {
    const option = choice.choose(input)
    return option === undefined ? { kind: 'leaf' } : shapeOf(option, input, through)
  }
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'prefault':
      return shapeOf(def.innerType, input, through)
    case 'pipe':
      return through ? shapeOf(def.in, input, through) : { kind: 'leaf' }
    case 'object': {
      const strict = def.catchall === undefined || (def.catchall as z.core.$ZodTypes)._zod.def.type === 'never'
      return { kind: 'mapping', keys: def.shape, others: strict ? null : (def.catchall ?? null) }
    }
    case 'record':
      return { kind: 'mapping', keys: {}, others: def.valueType }
    case 'array':
      return { kind: 'list', item: def.element }
    case 'union': {
      const option = optionOf(def, input)
      return option === null ? { kind: 'leaf' } : shapeOf(option, input, through)
    }
    default:
      return { kind: 'leaf' }
  }
}

/** By the key that tells the options apart, as `kind` does. */
function optionOf(def: z.core.$ZodUnionDef | z.core.$ZodDiscriminatedUnionDef, input: unknown): Schema | null {
  if (!('discriminator' in def) || !isMapping(input)) return null
  const told = input[def.discriminator]
  for (const option of def.options) {
    const shape = shapeOf(option, input, true)
    const kind = shape.kind === 'mapping' ? (shape.keys[def.discriminator] as z.core.$ZodTypes | undefined) : undefined
    if (kind?._zod.def.type === 'literal' && kind._zod.def.values.includes(told as string)) return option
  }
  return null
}

function childOf(shape: Shape, part: string | number): Schema | null {
  if (shape.kind === 'list') return shape.item
  if (shape.kind === 'leaf') return null
  return Object.hasOwn(shape.keys, part) ? (shape.keys[part] as Schema) : shape.others
}

function valueAt(input: unknown, part: string | number): unknown {
  if (Array.isArray(input)) return input[Number(part)]
  return isMapping(input) && Object.hasOwn(input, part) ? input[part] : undefined
}

/** Null: the schema knows nothing there. */
export function schemaAt(schema: Schema, input: unknown, path: KeyPath): Schema | null {
  const [first, ...rest] = path
  if (first === undefined) return schema
  const child = childOf(shapeOf(schema, input, true), first)
  return child === null ? null : schemaAt(child, valueAt(input, first), rest)
}

/** Empty where any key may stand, or none. */
export function keysAt(schema: Schema, input: unknown, path: KeyPath): readonly string[] {
  const here = schemaAt(schema, input, path)
  const there = path.reduce(valueAt, input)
  const shape = here === null ? null : shapeOf(here, there, true)
  return shape?.kind === 'mapping' ? Object.keys(shape.keys) : []
}

export interface RolePlayer {
  readonly path: KeyPath
  readonly role: Role
  readonly input: string
}

/** Every text that was written where the schema knows a secret or a file. */
export function rolePlayers(schema: Schema, input: unknown, path: KeyPath = []): readonly RolePlayer[] {
  const role = roleOf(schema)
  if (role !== null && typeof input === 'string') return [{ path, role, input }]
  if (typeof input !== 'object' || input === null) return []
  const shape = shapeOf(schema, input, true)
  const parts: (string | number)[] = Array.isArray(input) ? [...input.keys()] : Object.keys(input)
  return parts.flatMap(part => {
    const child = childOf(shape, part)
    return child === null ? [] : rolePlayers(child, valueAt(input, part), [...path, part])
  })
}

export function roleOf(schema: Schema): Role | null {
  const own = roles.get(schema)
  if (own !== undefined) return own
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'optional' || def.type === 'prefault') return roleOf(def.innerType)
  return def.type === 'pipe' ? roleOf(def.in) : null
}

/**
 * What can be read of a configuration that has problems, so that the rules that look at several places still can say
 * what they have to say, and an operator learns everything at once.
 *
 * @returns as the schema's output; `undefined` in the place of what cannot be read
 */
export function salvage(schema: z.ZodType, input: unknown): unknown {
  const whole = schema.safeParse(input, parsing)
  if (whole.success) return whole.data
  const shape = shapeOf(schema, input, false)
  if (shape.kind === 'list') {
    return Array.isArray(input) ? input.map(item => salvage(shape.item as z.ZodType, item)) : undefined
  }
  if (shape.kind === 'leaf' || !isMapping(input)) return undefined
  const keys = new Set([...Object.keys(shape.keys), ...(shape.others === null ? [] : Object.keys(input))])
  return Object.fromEntries(
    Array.from(keys, key => [key, salvage(childOf(shape, key) as z.ZodType, valueAt(input, key))]),
  )
}
