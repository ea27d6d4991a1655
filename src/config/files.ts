/** Files that settings name: read, checked, and put in the place of their names. */
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { readTable } from '../claims/table.ts'
import { readUses, usesHint } from '../idp/code/uses-file.ts'
import { type KeyPath, keyOf, type Tell } from './problem.ts'
import { readingFault, type Sources } from './substitute.ts'
import type { RolePlayer } from './walk.ts'

/** @returns what the files hold that settings name, by the key of the setting */
export async function readFiles(
  players: readonly RolePlayer[],
  { file, readFile }: Sources & { readonly file: string },
  tell: Tell,
): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>()
  for (const { path, role, input } of players) {
    if (role.role !== 'file' && role.role !== 'table') continue
    try {
      const content = await readFile(input)
      if (role.role === 'table') {
        contents.set(keyOf(path), content)
        checkTable(content, isAbsolute(input) ? input : join(dirname(file), input), path, tell)
      } else if (new RegExp(`-----BEGIN [A-Z ]*${role.content}-----`).test(content)) {
        contents.set(keyOf(path), content)
      } else {
        tell.problem(path, `the file ${input} holds no PEM block "${role.content}"`)
      }
    } catch (error) {
      tell.problem(path, `the file ${input} ${readingFault(error)}`)
    }
  }
  return contents
}

/**
 * Files of access codes and of their uses, which the gateway reads anew when they change: so their paths stay, made absolute.
 *
 * @returns the paths by the key of the setting, and what the files hold now, to be checked once the rest of the settings is known
 */
export async function readCodeFiles(
  players: readonly RolePlayer[],
  { file, readFile }: Sources & { readonly file: string },
  tell: Tell,
): Promise<{ readonly paths: ReadonlyMap<string, string>; readonly texts: readonly CodeText[] }> {
  const paths = new Map<string, string>()
  const texts: CodeText[] = []
  for (const { path, role, input } of players) {
    if (role.role !== 'codes' && role.role !== 'uses') continue
    const there = isAbsolute(input) ? input : join(dirname(file), input)
    paths.set(keyOf(path), resolve(there))
    try {
      const text = await readFile(input)
      if (role.role === 'codes') texts.push({ path, file: there, text })
      else checkUses(text, input, path, tell)
    } catch (error) {
      const remedy = role.role === 'codes' ? '`passerelle codes add --file FILE` makes one' : howToBegin
      tell.problem(path, `the file ${input} ${readingFault(error)}; ${remedy}`)
    }
  }
  return { paths, texts }
}

/** A gateway that made one by itself would give every use back when the file is lost. */
const howToBegin = 'make an empty one, if no code with a number of uses was used yet'

function checkUses(text: string, input: string, path: KeyPath, tell: Tell): void {
  const uses = readUses(text)
  if (typeof uses === 'string') tell.problem(path, `the file ${input} ${uses}. ${usesHint}`)
}

/** What a file of access codes holds, and where the setting stands that names it. */
export interface CodeText {
  readonly path: KeyPath
  readonly file: string
  readonly text: string
}

/** Told where it is wrong: at the table's own line. */
function checkTable(content: string, file: string, path: KeyPath, tell: Tell): void {
  for (const { line, column, message } of readTable(content).faults) {
    tell.elsewhere({ file, line, column }, path, message)
  }
}

/** The name of a file gives way to what it holds: nobody else opens files that the configuration names. */
export function withContents(value: unknown, contents: ReadonlyMap<string, string>): unknown {
  if (contents.size === 0) return value
  const replaced = (node: unknown, path: KeyPath): unknown => {
    if (Array.isArray(node)) return node.map((item, index) => replaced(item, [...path, index]))
    if (typeof node === 'object' && node !== null)
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replaced(item, [...path, key])]))
    return contents.get(keyOf(path)) ?? node
  }
  return replaced(value, [])
}
