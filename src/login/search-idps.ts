/**
 * Looking up an institution by what a person types: without accents, case and punctuation, every word somewhere in its name;
 * or by the domain of its people's e-mail addresses.
 */
import { asciiDomain } from '../model/email-domain.ts'
import type { OfferedIdp } from '../pages/chooser.ts'
import type { EmailDomains } from './email-domains.ts'

/** Above so many a list has a search box. */
export const searchedAbove = 15

/** Characters; what is longer is no name. */
const longestQuery = 100

/**
 * @returns as it stands in the box; of an e-mail address only what is behind the @: the rest is neither shown nor passed on.
 *          Empty: nothing is looked for
 */
export function readQuery(sent: string | null): string {
  const text = sent ?? ''
  const behind = text.slice(text.lastIndexOf('@') + 1)
  return behind.trim().slice(0, longestQuery).toWellFormed()
}

export function matching(all: readonly OfferedIdp[], query: string, domains: EmailDomains): readonly OfferedIdp[] {
  const words = wordsOf(query)
  const domain = asciiDomain(query)
  const owner = domain === null ? null : domains.ownerOf(domain)
  return all.filter(({ id, label, choice }) => {
    if (id === owner) return true
    const name = wordsOf(`${label.fr} ${label.en} ${choice.fr} ${choice.en} ${id} ${domains.of(id).join(' ')}`).join(
      ' ',
    )
    return words.every(word => name.includes(word))
  })
}

function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('œ', 'oe')
  return plain.split(/[^\p{L}\p{N}]+/u).filter(word => word !== '')
}
