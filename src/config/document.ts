/**
 * YAML text → a tree in which everything knows its place. Aliases are followed, so that an error below `*a` points at
 * the text that has to be changed. The only reader of YAML.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml'
import { type KeyPath, keyOf } from './problem.ts'

/** Line and column, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export type Located = LocatedMapping | LocatedList | LocatedScalar

export interface LocatedMapping {
  readonly kind: 'mapping'
  readonly at: Position
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

export interface LocatedEntry {
  readonly keyAt: Position
  readonly value: Located
}

export interface LocatedList {
  readonly kind: 'list'
  readonly at: Position
  readonly items: readonly Located[]
}

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly at: Position
  readonly value: string | number | boolean | null
}

export interface Fault {
  readonly at: Position
  readonly key: string
  readonly message: string
}

export interface Reading {
  /** Null: the text is empty, or so broken that its keys mean nothing. */
  readonly root: Located | null
  readonly faults: readonly Fault[]
}

export function readDocument(text: string): Reading {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  })
  const reader = new Reader(document, lines)
  const broken = [...document.errors, ...document.warnings].slice(0, mostSyntaxErrors)
  const source = text.split(/\r?\n/)
  if (broken.length > 0) return { root: null, faults: broken.map(error => reader.syntaxFault(error, source)) }
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    const message = 'must not ask for another version of YAML: this file is YAML 1.2'
    return { root: null, faults: [{ at: { line: 1, column: 1 }, key: '', message }] }
  }
  const root = document.contents === null ? null : reader.located(document.contents, [], [])
  return { root, faults: reader.faults }
}

/** One mistake can make the parser stumble many times; the later ones say nothing. */
const mostSyntaxErrors = 3

/** Of what aliases repeat: aliases of aliases of aliases grow without end. */
const mostRepeated = 20_000

class Reader {
  readonly faults: Fault[] = []
  readonly #document: Document.Parsed
  readonly #lines: LineCounter
  /** What each alias stands for: finding it out is a walk through the whole document. */
  readonly #targets = new Map<Alias, unknown>()
  #following = 0
  #repeated = 0

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  /** @param within the nodes around this one: an alias of one of them would have no end */
  located(node: unknown, path: KeyPath, within: readonly unknown[]): Located {
    const at = this.#positionOf(node)
    if (this.#following > 0 && ++this.#repeated > mostRepeated) {
      if (this.#repeated === mostRepeated + 1)
        this.#fault(at, path, 'is too much: aliases (*) multiply what they repeat')
      return { kind: 'scalar', at, value: null }
    }
    if (isAlias(node)) return this.#followed(node, at, path, within)
    if (isMap(node)) return this.#mapping(node.items, at, path, [...within, node])
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.located(item, [...path, index], [...within, node]))
      return { kind: 'list', at, items }
    }
    return { kind: 'scalar', at, value: isScalar(node) ? this.#plain(node, at, path) : null }
  }

  syntaxFault(error: YAMLError, source: readonly string[]): Fault {
    const at = this.#at(error.pos[0])
    const hint = / [^"'#]*\$\{/.test(source[at.line - 1] ?? '') ? `; put \${…} in quotes` : ''
    return { at, key: '', message: `${syntaxMessages[error.code] ?? `is not YAML: ${error.message}`}${hint}` }
  }

  #followed(alias: Alias, at: Position, path: KeyPath, within: readonly unknown[]): Located {
    const target = this.#targetOf(alias)
    if (target !== undefined && !within.includes(target)) {
      this.#following++
      const repeated = this.located(target, path, within)
      this.#following--
      return repeated
    }
    const name = `*${alias.source}`
    const message =
      target === undefined
        ? `${name} repeats what was never marked with &${alias.source}; a text that begins with * must be in quotes: "${name}"`
        : `${name} repeats itself without end`
    this.#fault(at, path, message)
    return { kind: 'scalar', at, value: null }
  }

  #targetOf(alias: Alias): unknown {
    if (!this.#targets.has(alias)) this.#targets.set(alias, alias.resolve(this.#document))
    return this.#targets.get(alias)
  }

  #mapping(pairs: readonly Pair[], at: Position, path: KeyPath, within: readonly unknown[]): LocatedMapping {
    const entries = new Map<string, LocatedEntry>()
    for (const pair of pairs) {
      const keyAt = this.#positionOf(pair.key, at)
      const key = this.#keyOf(pair.key)
      if (key === null) {
        this.#fault(keyAt, path, 'has a key that is not text')
        continue
      }
      const earlier = entries.get(key)
      if (earlier !== undefined) {
        this.#fault(keyAt, [...path, key], `is given twice, for the first time on line ${earlier.keyAt.line}`)
        continue
      }
      if (key === '<<') this.#fault(keyAt, [...path, key], 'is not understood: YAML 1.2 has no merge keys')
      if (key === '__proto__') this.#fault(keyAt, [...path, key], 'cannot be used as a key')
      if (key === '<<' || key === '__proto__') continue
      // A key with nothing behind it has no node of its own: it stands where its key stands.
      const value: Located =
        pair.value === null
          ? { kind: 'scalar', at: keyAt, value: null }
          : this.located(pair.value, [...path, key], within)
      entries.set(key, { keyAt, value })
    }
    return { kind: 'mapping', at, entries }
  }

  /** Null: a list, a mapping or nothing stands where a key should. Keys are texts, whatever they look like. */
  #keyOf(key: unknown): string | null {
    const node = isAlias(key) ? this.#targetOf(key) : key
    if (!isScalar(node) || node.value === null) return null
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  }

  /** YAML 1.2 reads `012` as 12, `1e3` as 1000 and `0x1F` as 31: what was meant as text must be in quotes. */
  #plain(node: Scalar, at: Position, path: KeyPath): LocatedScalar['value'] {
    const { value, source } = node
    if (typeof value === 'number' && source !== undefined && source !== String(value)) {
      this.#fault(
        at,
        path,
        `is written ${source}, which YAML reads as the number ${value}; put it in quotes: "${source}"`,
      )
      return source
    }
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value
    return String(value)
  }

  #fault(at: Position, path: KeyPath, message: string): void {
    this.faults.push({ at, key: keyOf(path), message })
  }

  #positionOf(node: unknown, otherwise: Position = { line: 1, column: 1 }): Position {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
    return range === null || range === undefined ? otherwise : this.#at(range[0])
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col }
  }
}

const syntaxMessages: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'a tab indents this line; YAML wants spaces',
  MULTIPLE_DOCS: 'a second document begins here (---); the configuration is one document',
  BLOCK_AS_IMPLICIT_KEY:
    'has a second colon, or is indented further than its neighbours; a text with ": " in it must be in quotes',
  MULTILINE_IMPLICIT_KEY: 'is not "key: value"; a colon and a space may be missing',
  BAD_INDENT: 'is not indented as its neighbours are, or lacks a closing bracket or brace',
  BAD_SCALAR_START: 'begins with a character that means something else in YAML; put it in quotes',
  BLOCK_IN_FLOW: 'a list with - or a mapping over several lines stands inside [ ] or { }',
  TAG_RESOLVE_FAILED: 'has a tag (!…) that is not understood here',
}
