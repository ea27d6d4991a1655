/** What a page of ours on a site's own host is told: for whom, when, and the reference that the log has too. */
import { type ErrorCode, newReference } from '../errors.ts'
import type { Passage } from '../model/passage.ts'
import type { Language } from '../model/text.ts'
import type { PageContext } from '../pages/pages.ts'

export interface SitePageParts {
  readonly languageOf: (acceptLanguage: string | undefined) => Language
  /** An integer from 0 to below `max`. */
  readonly random: (max: number) => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export type SitePage = ReturnType<typeof createSitePage>

export function createSitePage({ languageOf, random, now }: SitePageParts) {
  return {
    context(passage: Passage, person: string | null = null): PageContext {
      const { observed } = passage
      observed.reference ??= observed.failure?.reference ?? newReference(random)
      return {
        language: languageOf(passage.header('accept-language')),
        place: 'site',
        here: null,
        reference: observed.failure?.reference ?? observed.reference,
        at: new Date(now()),
        person,
      }
    },

    /** Notes why this request ends with a page of ours, with a new reference. */
    note({ observed }: Passage, code: ErrorCode, detail: string, hint: string | null = null): string {
      const reference = newReference(random)
      observed.failure = { code, reference, detail, hint }
      return reference
    },
  }
}
