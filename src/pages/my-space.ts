/** The two pages of somebody who is signed in, and the way from one to the other. */
import type { Language } from '../model/text.ts'
import { type Html, html } from './escape.ts'

export function mySpace(language: Language, current: '/' | '/sessions'): Html {
  const words = wordsOf[language]
  const tab = (path: '/' | '/sessions', label: string) =>
    html`<li><a href="${path}"${path === current ? html` aria-current="page"` : null}>${label}</a></li>`
  return html`<nav aria-label="${words.mySpace}"><ul class="tabs">${tab('/', words.resources)}${tab('/sessions', words.sessions)}</ul></nav>`
}

const wordsOf = {
  fr: { mySpace: 'Mon espace', resources: 'Mes ressources', sessions: 'Mes sessions' },
  en: { mySpace: 'My space', resources: 'My resources', sessions: 'My sessions' },
} as const
