/**
 * From an issue of the schema to sentences for an operator: what was found, what is expected, what was probably meant.
 * A setting words its own expectation, beginning with "must"; what was found is put before it here.
 */
import type { z } from 'zod'
import { choiceOf } from '../setting/one-of.ts'
import type { Located } from './document.ts'
import { laterFeature } from './later.ts'
import { nodeAt } from './lookup.ts'
import { nearest, suggestion } from './nearest.ts'
import { type KeyPath, keyOf } from './problem.ts'
import { keysAt, roleOf, schemaAt } from './walk.ts'

export interface Written {
  readonly schema: z.ZodType
  readonly root: Located | null
  /** The same, as plain values, references replaced. */
  readonly input: unknown
}

export interface Sentence {
  readonly path: KeyPath
  readonly message: string
}

/** One issue can be several problems: each unknown key is one. */
export function sentencesOf(issue: z.core.$ZodIssue, written: Written): readonly Sentence[] {
  const path = issue.path.map(part => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({ path: [...path, key], message: unknownKey(path, key, written) }))
  }
  // The name is what is wrong, not what stands under it: it needs no "is …" before it.
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues[0]?.message ?? 'must have another name' }]
  }
  if (issue.code === 'invalid_union' && 'discriminator' in issue && issue.discriminator !== undefined) {
    return [{ path, message: told(path, `must be ${optionsOf(issue, path, written)}`, written) }]
  }
  const shapeKeys = issue.code === 'custom' ? wrongShapeKeys(path, written) : []
  if (shapeKeys.length > 0) return shapeKeys
  const expected = issue.message === '' ? expectationOf(issue) : issue.message
  return [{ path, message: told(path, expected, written) }]
}

function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map(String))}`
    case 'too_small':
      return issue.origin === 'array' ? 'must have at least one entry' : `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}`
    case 'unrecognized_keys':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'must be something else'
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'yes or no',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}

function optionsOf(issue: z.core.$ZodIssue, path: KeyPath, { schema, input }: Written): string {
  const values = 'options' in issue && Array.isArray(issue.options) ? issue.options : []
  if (values.length > 0) return oneOf(values.map(String))
  return `one of the kinds of ${keyOf(path.slice(0, -1))} (${keysAt(schema, input, path).join(', ')})`
}

/** What was found, then what must be; where that is a choice of words, the nearest of them. */
function told(path: KeyPath, expected: string, written: Written): string {
  if (!expected.startsWith('must ')) return expected
  const node = nodeAt(written.root, path)
  const found = foundAt(path, node, written)
  if (found === null) return expected
  const meant = node?.kind === 'scalar' && typeof node.value === 'string' ? wordMeant(node.value, expected) : ''
  return `${found}, ${expected}${meant}${quotesHint(path, node, written)}`
}

/** Null: it is secret. */
function foundAt(path: KeyPath, node: Located | null, { schema, input }: Written): string | null {
  if (node === null) return 'is missing'
  if (node.kind === 'mapping') return node.entries.size === 0 ? 'is an empty mapping' : 'is a mapping'
  if (node.kind === 'list') return node.items.length === 0 ? 'is an empty list' : 'is a list'
  if (node.value === null) return 'has no value'
  const here = schemaAt(schema, input, path)
  if (here !== null && isSecret(here)) {
    return typeof node.value === 'string' ? null : `is a ${typeof node.value}`
  }
  // As it was written: what a reference stands for is not shown.
  const shown = typeof node.value === 'string' ? JSON.stringify(withoutPassword(node.value)) : String(node.value)
  return `is ${shown.length > 80 ? `${shown.slice(0, 77)}…"` : shown}`
}

/** Whoever writes one into a URL is told that it may not stand there, and does not find it in the log of the start. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#:]*):[^/?#]*@/i, '$1:****@')
}

function isSecret(schema: z.core.$ZodType): boolean {
  return roleOf(schema)?.role.startsWith('secret') === true
}

function wordMeant(value: string, expected: string): string {
  const words = /^must be ([\w-]+(?:, [\w-]+)* or [\w-]+)$/.exec(expected)?.[1]?.split(/, | or /) ?? []
  const word = nearest(value, words)
  return word === null ? '' : `; did you mean "${word}"?`
}

/** `{subject}` without quotes is a mapping, and 54000 a number: said where quotes are all that lacks. */
function quotesHint(path: KeyPath, node: Located | null, { schema, input }: Written): string {
  const text = textMeant(node)
  const here = text === null ? null : schemaAt(schema, input, path)
  if (text === null || here === null || isSecret(here) || !(here as z.ZodType).safeParse(text).success) return ''
  return `; put it in quotes: "${text}"`
}

function textMeant(node: Located | null): string | null {
  if (node?.kind === 'scalar') return typeof node.value === 'string' || node.value === null ? null : String(node.value)
  if (node?.kind !== 'mapping' || node.entries.size !== 1) return null
  const [[key, { value }] = ['', { value: null }]] = node.entries
  return value?.kind === 'scalar' && value.value === null ? `{${key}}` : null
}

function unknownKey(path: KeyPath, key: string, { schema, input }: Written): string {
  const later = laterFeature([...path, key])
  if (later !== null) return notYet(later)
  const known = keysAt(schema, input, path)
  const meant = suggestion(key, known)
  if (meant !== '') return `unknown key${meant}`
  const home = homeOf(key, schema)
  if (home !== null && home !== keyOf(path))
    return `unknown key here; it belongs ${home === '' ? 'to the top level' : `under "${home}"`}`
  return `unknown key; here may stand ${known.join(', ')}`
}

/** Where the key that chooses the shape is misspelt, or one of a later version: that key is the problem. */
function wrongShapeKeys(path: KeyPath, { schema, root, input }: Written): readonly Sentence[] {
  const node = nodeAt(root, path)
  const here = schemaAt(schema, input, path)
  const wanted = here === null ? null : (choiceOf(here)?.keys ?? null)
  if (node?.kind !== 'mapping' || wanted === null) return []
  const keys = Array.from(node.entries.keys())
  if (keys.some(key => wanted.includes(key))) return []
  const later = keys.flatMap(key => {
    const feature = laterFeature([...path, key])
    return feature === null ? [] : [{ path: [...path, key], message: notYet(feature) }]
  })
  if (later.length > 0) return later
  const misspelt = keys.find(key => nearest(key, wanted) !== null)
  if (misspelt === undefined) return []
  return [{ path: [...path, misspelt], message: `unknown key${suggestion(misspelt, wanted)}` }]
}

const notYet = (feature: string) => `unknown key: ${feature} are not part of this version`

/** The section of the top level, or the top level itself, that knows this key; null: none does. */
function homeOf(key: string, schema: z.ZodType): string | null {
  const sections = keysAt(schema, {}, [])
  if (sections.includes(key)) return ''
  return sections.find(section => keysAt(schema, {}, [section]).includes(key)) ?? null
}
