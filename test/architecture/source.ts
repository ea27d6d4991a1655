/**
 * Source files as the rules see them: what each imports, and the few constructions that a rule forbids or counts.
 * Vite's parser reads TypeScript as it stands, so an `import type` is an import like any other: a folder that only
 * knows another's types still knows it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { parseAst } from 'vite'

/** Path to text. Paths are relative to the tree's root, with `/`. */
export type Tree = Readonly<Record<string, string>>

export interface Import {
  /** As written: `../model/session.ts`, `undici`, `node:fs`. Null: computed at run time, so nobody can tell. */
  readonly from: string | null
  /** Names asked for, as the other module exports them; `*` for all of it. */
  readonly names: readonly string[]
  readonly line: number
}

export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** Lines with a default export. */
  readonly defaultExports: readonly number[]
  /** Lines with the type `any`. */
  readonly anys: readonly number[]
  /** `object.property` pairs on plain identifiers, such as `process.env` or `it.only`, and where they stand. */
  readonly members: readonly { readonly name: string; readonly line: number }[]
}

interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

/** @throws SyntaxError a file does not parse; the message names it */
export function readSources(tree: Tree): readonly SourceFile[] {
  return Object.keys(tree)
    .sort()
    .map(path => readSource(path, tree[path] ?? ''))
}

/** Every `.ts` file under `folder`, as a tree. An absent folder is an empty tree. */
export function treeOf(folder: string): Tree {
  const tree: Record<string, string> = {}
  for (const entry of entriesOf(folder)) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
    const file = join(entry.parentPath, entry.name)
    tree[relative(folder, file).split(sep).join('/')] = readFileSync(file, 'utf8')
  }
  return tree
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

function readSource(path: string, text: string): SourceFile {
  const imports: Import[] = []
  const defaultExports: number[] = []
  const anys: number[] = []
  const members: { name: string; line: number }[] = []
  const lineOf = (node: SyntaxNode) => text.slice(0, node.start).split('\n').length

  visit(parsed(path, text), node => {
    const found = importOf(node)
    if (found !== null) imports.push({ ...found, line: lineOf(node) })
    if (isDefaultExport(node)) defaultExports.push(lineOf(node))
    if (node.type === 'TSAnyKeyword') anys.push(lineOf(node))
    if (node.type === 'MemberExpression') {
      const name = memberName(node)
      if (name !== null) members.push({ name, line: lineOf(node) })
    }
  })
  const lines = text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return { path, text, lines, imports, defaultExports, anys, members }
}

function parsed(path: string, text: string): unknown {
  try {
    return parseAst(text, { lang: 'ts' }, path)
  } catch (error) {
    throw new SyntaxError(`${path} does not parse: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function visit(value: unknown, see: (node: SyntaxNode) => void): void {
  if (Array.isArray(value)) {
    for (const one of value) visit(one, see)
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) see(value)
  for (const child of Object.values(value)) visit(child, see)
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function importOf(node: SyntaxNode): Omit<Import, 'line'> | null {
  switch (node.type) {
    case 'ImportDeclaration':
      return { from: textOf(node.source), names: namesIn(node.specifiers, 'imported') }
    case 'ExportNamedDeclaration':
      return node.source === null ? null : { from: textOf(node.source), names: namesIn(node.specifiers, 'local') }
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return { from: textOf(node.source), names: ['*'] }
    default:
      return null
  }
}

function namesIn(specifiers: unknown, side: 'imported' | 'local'): readonly string[] {
  if (!Array.isArray(specifiers)) return []
  return specifiers.filter(isNode).map(one => {
    if (one.type === 'ImportNamespaceSpecifier') return '*'
    if (one.type === 'ImportDefaultSpecifier') return 'default'
    return nameOf(one[side]) ?? '*'
  })
}

function isDefaultExport(node: SyntaxNode): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true
  return node.type === 'ExportSpecifier' && nameOf(node.exported) === 'default'
}

/** `a.b` and `a['b']`, where `a` is a plain name. */
function memberName(node: SyntaxNode): string | null {
  const object = isNode(node.object) && node.object.type === 'Identifier' ? nameOf(node.object) : null
  const property = node.computed === true ? textOf(node.property) : nameOf(node.property)
  return object === null || property === null ? null : `${object}.${property}`
}

function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null
  return typeof node.name === 'string' ? node.name : textOf(node)
}

function textOf(node: unknown): string | null {
  return isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : null
}
