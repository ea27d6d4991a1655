/** What every page is told: whose service this is, and where, when and for whom the page is written. */
import type { Language, Text } from '../model/text.ts'
import { href } from './escape.ts'

export interface Site {
  readonly name: Text
  /** Origin of our own host, `https://acces.example.org`. */
  readonly portal: string
  /** Null: the pages name nobody to write to. */
  readonly contact: { readonly address: string; readonly within: Text | null } | null
  /** The institution's own web site. */
  readonly home: { readonly label: Text; readonly url: string } | null
  readonly help: string | null
  readonly personalData: string | null
  readonly accessibility: string | null
}

export interface PageContext {
  readonly language: Language
  /**
   * portal: our own host, at a URL that may be asked again, so the language switch is a link. one-shot: our own host,
   * in answer to a POST or at a one-time URL. site: a resource's host, under a sandbox policy (SESSIONS A1): links
   * only. The last two carry the other language folded in the same page.
   */
  readonly place: 'portal' | 'one-shot' | 'site'
  /** Path and query of this page, for the language link; only where `place` is portal. */
  readonly here: string | null
  readonly reference: string
  readonly at: Date
  /** Display name; empty: somebody without one. Null: nobody is signed in, or we do not know. */
  readonly person: string | null
}

/** A path of our own host, as a link from wherever the page stands. */
export function onPortal(site: Site, c: PageContext, path: string): string {
  return c.place === 'site' ? `${site.portal}${path}` : path
}

/** The host that people see in the address bar while they sign in. */
export function portalHost(site: Site): string {
  return new URL(site.portal).hostname
}

export function mailto(address: string, subject: string): string {
  return href(`mailto:${encoded(address).replace('%40', '@')}?subject=${encoded(subject)}`)
}

/** Half a surrogate pair would make encodeURIComponent throw, and no page fails for a name. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
