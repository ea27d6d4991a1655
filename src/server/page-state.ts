/** express-session, as our own pages see it: a form token, a language, and the times of sign-ins. Never who is signed in. */
import { timingSafeEqual } from 'node:crypto'
import type { PageState } from '../model/exchange.ts'
import type { Language } from '../model/text.ts'

/** What stands in the state. At most 4 KB, sealed. */
export interface KeptState {
  token?: string
  language?: Language
  signIns?: number[]
}

/** @param isNew nothing of it is stored yet */
export function pageStateOf(kept: KeptState, isNew: boolean, newToken: () => string): PageState {
  return {
    isKept: () => !isNew,
    token() {
      kept.token ??= newToken()
      return kept.token
    },
    tokenMatches(sent) {
      if (sent === null || kept.token === undefined) return false
      const [a, b] = [Buffer.from(sent), Buffer.from(kept.token)]
      return a.length === b.length && timingSafeEqual(a, b)
    },
    signIns: () => kept.signIns ?? [],
    setSignIns(times) {
      if (times.length > 0) kept.signIns = [...times]
      else if (kept.signIns !== undefined) delete kept.signIns
    },
  }
}
