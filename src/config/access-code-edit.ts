/** Changes to the text of a file of access codes, in which everything else stays as people wrote it, remarks included. */
import { isMap, isSeq, parseDocument, stringify, type YAMLSeq } from 'yaml'

/** As an entry stands in the file. Undefined: the key is left out. */
export interface WrittenCode {
  readonly selector: string
  readonly hash: string
  readonly claims?: Readonly<Record<string, readonly string[]>> | undefined
  readonly from?: string | undefined
  readonly until?: string | undefined
  readonly uses?: number | undefined
  readonly hosts?: readonly string[] | undefined
  readonly note?: string | undefined
}

/** @param text of a file that reads without faults; empty: a new one */
export function withCode(text: string, code: WrittenCode): string {
  const entry = Object.fromEntries(Object.entries(code).filter(([, value]) => value !== undefined))
  const document = parseDocument(text)
  if (document.contents === null) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${stringify([entry])}`
  if (!isSeq(document.contents)) throw new Error('a file of access codes is a list')
  const list: YAMLSeq = document.contents
  list.flow = false
  list.add(document.createNode(entry))
  return document.toString({ lineWidth: 0 })
}

/** Null: no code has this selector. */
export function withoutCode(text: string, selector: string): string | null {
  const document = parseDocument(text)
  if (!isSeq(document.contents)) return null
  const list: YAMLSeq = document.contents
  const index = list.items.findIndex(item => isMap(item) && item.get('selector') === selector)
  if (index < 0) return null
  const [gone] = list.items.splice(index, 1)
  // What stands above the first code may be about the whole file.
  const above = index === 0 && isMap(gone) ? (gone.commentBefore ?? list.commentBefore ?? null) : null
  if (above !== null) {
    list.commentBefore = null
    document.commentBefore = [document.commentBefore, above].filter(text => text != null).join('\n')
  }
  // A list without items is only one where it is written so.
  list.flow = list.items.length === 0
  return document.toString({ lineWidth: 0 })
}
