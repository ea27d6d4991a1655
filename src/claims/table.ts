/**
 * A table of values as a spreadsheet saves it: on each line a value that identity providers assert, then what it becomes.
 * RFC 4180, with what spreadsheets and people do besides: semicolons or tabs for commas, `#` for a remark, blank lines,
 * trailing separators. A value that stands on several lines becomes what all of them say.
 */

export interface TableRow {
  readonly value: string
  /** At least one. */
  readonly becomes: readonly string[]
}

/** What is wrong with a line; both from 1. The message ends a sentence that began with the place. */
export interface TableFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface Table {
  readonly rows: readonly TableRow[]
  readonly faults: readonly TableFault[]
}

/** One mistake, such as the wrong separator, is often on every line. */
const mostFaults = 20

export function readTable(text: string): Table {
  const rows: TableRow[] = []
  const faults: TableFault[] = []
  let separator: string | null = null
  let separatorLine = 0

  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1
    const content = written.replace(/\r$/, '')
    if (/^[ \t]*(?:#|$)/.test(content)) continue
    if (separator === null) {
      separator = separatorOf(content)
      separatorLine = line
    }
    const read = separator === null ? onlyOneColumn(null) : readLine(content, separator, separatorLine)
    if ('becomes' in read) rows.push(read)
    else faults.push({ line, ...read })
  }
  if (rows.length === 0 && faults.length === 0) faults.push({ line: 1, column: 1, message: 'the table is empty' })
  return { rows, faults: faults.slice(0, mostFaults) }
}

/** The first one that stands outside quotes; the whole file uses the same. Null: there is none. */
function separatorOf(line: string): string | null {
  return /[;,\t]/.exec(line.replace(/"(?:[^"]|"")*"/g, ''))?.[0] ?? null
}

type Misread = Omit<TableFault, 'line'>

function readLine(content: string, separator: string, separatorLine: number): TableRow | Misread {
  const cells = cellsOf(content, separator)
  if ('message' in cells) return cells
  const [value = '', ...rest] = cells
  const becomes = rest.filter(cell => cell !== '')
  if (value === '') return { column: 1, message: 'the first column is empty: which value is meant?' }
  if (rest.length === 0) return onlyOneColumn(`${named(separator)}, as on line ${separatorLine}`)
  if (becomes.length === 0)
    return { column: content.indexOf(separator) + 1, message: 'nothing stands behind the value' }
  return { value, becomes }
}

function onlyOneColumn(separatedBy: string | null): Misread {
  const expected = separatedBy ?? 'a semicolon, a comma or a tab'
  return { column: 1, message: `has one column only: a value and what it becomes are separated by ${expected}` }
}

function named(separator: string): string {
  return separator === ';' ? 'a semicolon' : separator === ',' ? 'a comma' : 'a tab'
}

/** Spaces around a cell are none of its own; inside quotes they are, and `""` is a quote. */
function cellsOf(content: string, separator: string): readonly string[] | Misread {
  const cells: string[] = []
  let at = 0
  for (;;) {
    while (content[at] === ' ') at++
    if (content[at] === '"') {
      const quoted = /"((?:[^"]|"")*)"/y
      quoted.lastIndex = at
      const [whole = '', inside = ''] = quoted.exec(content) ?? []
      if (whole === '') return { column: at + 1, message: 'a quote is opened here and not closed on this line' }
      cells.push(inside.replaceAll('""', '"'))
      at += whole.length
      while (content[at] === ' ') at++
      if (at < content.length && content[at] !== separator) {
        return { column: at + 1, message: 'text stands behind a closing quote; a quote inside quotes is written ""' }
      }
    } else {
      const end = content.indexOf(separator, at)
      const cell = content.slice(at, end < 0 ? undefined : end)
      cells.push(cell.trimEnd())
      at += cell.length
    }
    if (at >= content.length) return cells
    at++
  }
}
