import { describe, expect, it } from 'vitest'
import { createPages } from '../../src/pages/pages.ts'
import { siteSettings } from '../../src/pages/settings.ts'
import { context, failure } from './samples.ts'

describe('the key site', () => {
  it('may be empty', () => {
    expect(siteSettings.parse({})).toEqual({
      name: { fr: 'Passerelle', en: 'Passerelle' },
      contact: null,
      home: null,
      help: null,
      personalData: null,
      accessibility: null,
    })
  })

  it('is what pages are made of', () => {
    const settings = siteSettings.parse({
      name: { fr: 'Bibliothèque Exemple', en: 'Example Library' },
      contact: { address: 'acces@example.org', within: { fr: 'deux jours ouvrés', en: 'two working days' } },
      home: { label: 'www.example.org', url: 'https://www.example.org/' },
      help: 'https://www.example.org/aide?a=b#c',
    })
    const html = createPages({ ...settings, portal: 'https://acces.example.org' }).failure(
      context('en', 'portal'),
      failure('internal'),
    )
    expect(html).toContain('<small>Example Library</small>')
    expect(html).toContain('<a href="https://www.example.org/">www.example.org</a>')
    expect(html).toContain('<a href="https://www.example.org/aide?a=b#c">Help and contact</a>')
  })

  it.each([
    [{ contact: { address: 'the library' } }, 'contact.address'],
    [{ help: 'javascript:alert(1)' }, 'help'],
    [{ home: { label: 'x' } }, 'home.url'],
    [{ nom: 'x' }, ''],
  ])('refuses %j', (input, path) => {
    const { error } = siteSettings.safeParse(input)
    expect(error?.issues.map(issue => issue.path.join('.'))).toContain(path)
  })
})
