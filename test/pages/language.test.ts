import { describe, expect, it } from 'vitest'
import { languageOf } from '../../src/pages/language.ts'

describe('the language of a page (RFC 9110 §12.5.4)', () => {
  it.each([
    [undefined, 'fr'],
    ['', 'fr'],
    ['en', 'en'],
    ['EN-gb', 'en'],
    ['fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5', 'fr'],
    ['en-US,en;q=0.9,fr;q=0.8', 'en'],
    ['fr;q=0.2, en;q=0.7', 'en'],
    ['de, en;q=0.1', 'en'],
    ['de, es;q=0.5', 'fr'],
    ['*', 'fr'],
    ['en;q=0.5, *;q=0.6', 'fr'],
    ['fr;q=0, *;q=0.5', 'en'],
    ['fr;q=0, en;q=0', 'fr'],
    ['en;q=0', 'fr'],
    ['en, fr', 'en'],
    ['en ; Q=0.3 , fr; q=0.4', 'fr'],
    ['en;q=high', 'fr'],
    ['en;q=7', 'fr'],
    ['english', 'fr'],
    [',;,=;q', 'fr'],
  ])('for Accept-Language %j is %s', (header, language) => {
    expect(languageOf(header)).toBe(language)
  })
})
