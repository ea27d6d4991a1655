/** The one page that stands where people would otherwise be sent "back to cas": it says what to do, and has one button for it. */
import { expect } from 'vitest'
import type { Browser } from './browser-client.ts'
import type { Reply } from './browser-reply.ts'

export const onePageTitles = {
  stale: { fr: 'Reprenons la connexion', en: 'Let us take up the sign-in again' },
  foreign: { fr: 'Cette connexion a commencé ailleurs', en: 'This sign-in began elsewhere' },
  cookies: { fr: 'Votre navigateur a refusé notre cookie', en: 'Your browser refused our cookie' },
}
const folded = /<details class="other"[\s\S]*?<\/details>/g

/** Not a step further by itself, one button in the person's language and one in the other, which is folded below. */
export function expectOnePage(
  page: Reply,
  title: keyof typeof onePageTitles,
  language: 'fr' | 'en',
  portal: string,
): void {
  expect(page.status, page.story).toBe(400)
  expect(page.url.origin).toBe(new URL(portal).origin)
  expect(page.text).toContain(`<html lang="${language}"`)
  const own = page.text.replace(folded, '')
  expect(own.match(/<h1[^>]*>([^<]*)/)?.[1]).toBe(onePageTitles[title][language].replace("'", '’'))
  expect(own.match(/class="btn[^"]*"/g)).toEqual(['class="btn"'])
  const other = page.text.match(folded)?.join('') ?? ''
  expect(other).toContain(onePageTitles[title][language === 'fr' ? 'en' : 'fr'])
  expect(other.match(/class="btn[^"]*"/g)).toEqual(['class="btn"'])
  expect([page.header('refresh'), page.header('location')]).toEqual([null, null])
  expect(page.cookiesSet.join()).not.toContain('__Host-Http-passerelle=')
}

/** Its button. */
export function pressButton(browser: Browser, page: Reply): Promise<Reply> {
  const address = /<a class="btn" href="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&')
  if (address === undefined) throw new Error(`no button on ${page.url.href}`)
  return browser.navigate(new URL(address, page.url), { from: page })
}
