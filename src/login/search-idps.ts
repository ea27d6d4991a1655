/** Looking up an institution by what a person types: without accents, case and punctuation, every word somewhere in its name. */
import type { OfferedIdp } from '../pages/chooser.ts'

/** Above so many a list has a search box. */
export const searchedAbove = 15

/** Characters; what is longer is no name. */
const longestQuery = 100

/** @returns as it stands in the box; empty: nothing is looked for */
export function readQuery(sent: string | null): string {
  return (sent ?? '').trim().slice(0, longestQuery).toWellFormed()
}

export function matching(all: readonly OfferedIdp[], query: string): readonly OfferedIdp[] {
  const words = wordsOf(query)
  return all.filter(({ id, label, choice }) => {
    const name = wordsOf(`${label.fr} ${label.en} ${choice.fr} ${choice.en} ${id}`).join(' ')
    return words.every(word => name.includes(word))
  })
}

function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('œ', 'oe')
  return plain.split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')
}
