import { describe, expect, it } from 'vitest'
import { readFieldLines } from '../../src/proxy/field-line.ts'

function read(text: string, to = text.length) {
  const into: string[] = []
  const wrong = readFieldLines(Buffer.from(text, 'latin1'), text, 0, to, into)
  return wrong < 0 ? into : wrong
}

describe('header lines', () => {
  it('are names and values, without the spaces and tabs around the values', () => {
    expect(read('A: b\r\nC:d\r\nE:\t f g \t\r\nH:\r\nI:  \r\n')).toEqual([
      'A',
      'b',
      'C',
      'd',
      'E',
      'f g',
      'H',
      '',
      'I',
      '',
    ])
    expect(read("!#$%&'*+-.^_`|~09AZaz: :\r\n")).toEqual(["!#$%&'*+-.^_`|~09AZaz", ':'])
    expect(read('A: \xa0b\x80\xff\xa0\r\n')).toEqual(['A', '\xa0b\x80\xff\xa0'])
    expect(read('')).toEqual([])
  })

  it('are read up to where they are said to end', () => {
    expect(read('A: b\r\nC: d\r\n\r\nE: f\r\n', 12)).toEqual(['A', 'b', 'C', 'd'])
  })

  it.each([
    ['without a colon', 'A b\r\n'],
    ['without a name', ': b\r\n'],
    ['with a space before the colon', 'A : b\r\n'],
    ['that continues another', ' b\r\n'],
    ['that continues another by a tab', '\tb\r\n'],
    ['with a byte in its name that no name has', 'A\xe9: b\r\n'],
    ['with quotes in its name', '"A": b\r\n'],
    ['with a bare CR', 'A: b\rc\r\n'],
    ['with a bare LF', 'A: b\nc\r\n'],
    ['with two CR', 'A: b\r\r\n'],
    ['with a NUL', 'A: b\0\r\n'],
    ['with DEL', 'A: b\x7f\r\n'],
    ['with an escape', 'A: \x1b[2J\r\n'],
    ['that is empty', '\r\n'],
    ['whose colon is in the next', 'A\r\nB: c\r\n'],
  ])('are none: one %s, which is told', (_, line) => {
    expect(read(`First: 1\r\n${line}`)).toBe(10)
  })

  it('are none where the end cuts one in two', () => {
    for (const to of [1, 2, 3, 4, 5]) expect(read('A: b\r\n', to)).toBe(0)
  })
})
