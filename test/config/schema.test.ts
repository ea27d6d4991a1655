import { describe, expect, it } from 'vitest'
import { type JsonSchema, jsonSchema } from '../../src/config/json-schema.ts'

/** Every schema inside, with the way that leads to it. */
function* within(schema: JsonSchema, path: string): Generator<{ path: string; schema: JsonSchema }> {
  yield { path, schema }
  for (const [key, child] of Object.entries(schema.properties ?? {}))
    yield* within(child as JsonSchema, `${path}.${key}`)
  const lists = [schema.anyOf, schema.oneOf].flatMap(list => (list ?? []) as JsonSchema[])
  for (const child of lists) yield* within(child, path)
  for (const child of [schema.items, schema.additionalProperties])
    if (typeof child === 'object' && child !== null) yield* within(child as JsonSchema, `${path}[]`)
}

const all = Array.from(within(jsonSchema(), ''))

describe('the published schema', () => {
  it('has a manual for every key', () => {
    const silent = all.flatMap(({ path, schema }) =>
      Object.entries(schema.properties ?? {})
        .filter(([, child]) => ((child as JsonSchema).description ?? '') === '')
        .map(([key]) => `${path}.${key}`),
    )
    expect(silent).toEqual([])
  })

  it('refuses unknown keys wherever keys are known', () => {
    const open = all.filter(({ schema }) => schema.properties !== undefined && schema.additionalProperties !== false)
    // Rules name claims.
    expect(open.every(({ path }) => /policies|policy/.test(path))).toBe(true)
  })

  it('has only patterns that editors can compile', () => {
    const patterns = all.flatMap(({ schema }) => [
      schema.pattern,
      (schema.propertyNames as JsonSchema | undefined)?.pattern,
    ])
    for (const pattern of patterns) if (pattern !== undefined) expect(() => new RegExp(pattern, 'u')).not.toThrow()
  })

  it('lets every text come from the environment or a file', () => {
    const narrow = all.filter(({ schema }) => schema.type === 'string' && schema.pattern !== undefined)
    expect(narrow).toEqual([])
  })

  it('asks for what has no default, and for nothing else', () => {
    expect(jsonSchema().required).toEqual(['portal', 'session', 'idps'])
  })
})
