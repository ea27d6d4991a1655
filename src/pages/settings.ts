/** What the pages say about the service. */
import { z } from 'zod'
import { orNull } from '../setting/or-null.ts'
import { text } from '../setting/text.ts'
import { webAddressText } from '../setting/web-address.ts'

const pageAddress = webAddressText({ example: 'https://www.example.org/', http: 'any', path: 'any' })

const contact = z.strictObject({
  address: z
    .email({ error: 'must be an e-mail address, such as "acces@example.org"' })
    .describe('Whom people write to, quoting the reference of their page.'),
  within: orNull(text).describe(
    'How soon you answer, in words: `{ fr: deux jours ouvrés, en: two working days }`. Absent: nothing is promised.',
  ),
})

const home = z.strictObject({
  label: text.describe('The words of the link: `{ fr: Site de la bibliothèque, en: Library website }`.'),
  url: pageAddress.describe('Where it leads.'),
})

export const siteSettings = z.strictObject({
  name: text.prefault('Passerelle').describe('Whose service this is: in the header and in the title of every page.'),
  contact: orNull(contact).describe('Who helps. Absent: pages name nobody to write to.'),
  home: orNull(home).describe('Your own web site: a way out of failures, and after signing out.'),
  help: orNull(pageAddress).describe('Your page of help, in the foot of every page. Absent: the contact stands there.'),
  personalData: orNull(pageAddress).describe('Your page on personal data, in the foot of every page.'),
  accessibility: orNull(pageAddress).describe('Your accessibility statement, in the foot of every page.'),
})

export const topKeys = {
  site: siteSettings.prefault({}).describe('What our own pages say about the service.'),
}
