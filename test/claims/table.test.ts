/** CSV as spreadsheets save it and as people write it (RFC 4180). */
import { describe, expect, it } from 'vitest'
import { readTable } from '../../src/claims/table.ts'

function rows(text: string) {
  const table = readTable(text)
  expect(table.faults).toEqual([])
  return table.rows.map(({ value, becomes }) => [value, ...becomes])
}

const faults = (text: string) =>
  readTable(text).faults.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('a table', () => {
  it('has a value on each line, then one or several that it becomes', () => {
    expect(rows('51;INP\n661;INSHS;INSB\n')).toEqual([
      ['51', 'INP'],
      ['661', 'INSHS', 'INSB'],
    ])
  })

  it.each([';', ',', '\t'])('may be separated by %j, the same in the whole file', separator => {
    const other = separator === ';' ? ',' : ';'
    expect(rows(`a${separator}b${other}c\nd${separator}e\n`)).toEqual([
      ['a', `b${other}c`],
      ['d', 'e'],
    ])
  })

  it('may be saved on any system, with or without a last line break', () => {
    expect(rows('a;b\r\nc;d')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  it('may have remarks, blank lines, spaces around cells, and cells that a spreadsheet left empty', () => {
    expect(rows('# institutes, of 2026\n\n  \n  # more\n 51 ; INP ;;\n')).toEqual([['51', 'INP']])
  })

  it('may have quotes around a cell, with separators, quotes and spaces inside', () => {
    expect(rows('"54;Institut ""SHS""" ; " INSHS "\n"#x";y\n')).toEqual([
      ['54;Institut "SHS"', ' INSHS '],
      ['#x', 'y'],
    ])
  })

  it('is not separated by what its first line has inside quotes', () => {
    expect(rows('"a,""b,";c\nd;e\n')).toEqual([
      ['a,"b,', 'c'],
      ['d', 'e'],
    ])
  })

  it('may have a quote in the middle of a cell', () => {
    expect(rows('Institut "SHS";INSHS\n')).toEqual([['Institut "SHS"', 'INSHS']])
  })
})

describe('a fault in a table', () => {
  it('is told with its line and column, and does not hide the others', () => {
    expect(faults('51;INP\n52\n;INSB\n53;\n"54;INSHS\n"55" x;INEE\n56;INSIS\n')).toEqual([
      '2:1 has one column only: a value and what it becomes are separated by a semicolon, as on line 1',
      '3:1 the first column is empty: which value is meant?',
      '4:3 nothing stands behind the value',
      '5:1 a quote is opened here and not closed on this line',
      '6:6 text stands behind a closing quote; a quote inside quotes is written ""',
    ])
  })

  it('is a table without separators, or without rows', () => {
    expect(faults('51 INP\n')).toEqual([
      '1:1 has one column only: a value and what it becomes are separated by a semicolon, a comma or a tab',
    ])
    expect(faults('')).toEqual(['1:1 the table is empty'])
    expect(faults('# nothing\n\n')).toEqual(['1:1 the table is empty'])
  })

  it('that every line repeats is told twenty times', () => {
    expect(faults('x\n'.repeat(1_000))).toHaveLength(20)
  })
})
