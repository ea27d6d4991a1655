/** What a person chooses among the values that they have, such as their favourite domain: one form for each, POST /choice. */
import type { Language } from '../model/text.ts'
import { claimWords } from './claim-words.ts'
import { clip, type Html, html } from './escape.ts'
import { heading, type Level } from './frame.ts'
import { labelOf, type ValueLabels } from './value-words.ts'
import { form } from './ways-out.ts'

export interface MyChoices {
  /** One at least. */
  readonly of: readonly MyChoice[]
  readonly token: string
  /**
   * What becomes of a choice when the session is over. kept: this browser remembers it; asked: if the person says that the
   * computer is theirs, `kept` as they said it before; not: it ends with the session.
   */
  readonly memory: { readonly kind: 'kept' | 'not' } | { readonly kind: 'asked'; readonly kept: boolean }
}

export interface MyChoice {
  /** The claim that is chosen, which may have labels of its own. */
  readonly claim: string
  /** The one that has all the values: by that name people know them. */
  readonly among: string
  readonly values: readonly MyChoiceValue[]
  /** The page lists by these values, the chosen one first. */
  readonly first: boolean
}

export interface MyChoiceValue {
  readonly value: string
  /** What the form sends. */
  readonly handle: string
  readonly chosen: boolean
}

export function myChoices(labels: ValueLabels, d: MyChoices, language: Language, level: Level): Html {
  return html`${d.of.map(one => card(labels, d, one, language, level))}`
}

function card(
  labels: ValueLabels,
  { token, memory }: MyChoices,
  { claim, among, values, first }: MyChoice,
  language: Language,
  level: Level,
): Html {
  const words = wordsOf[language]
  const called = claimWords(language, among)
  const options = values.map(({ value, handle, chosen }) => {
    const label = labelOf(labels, language, claim, value) ?? labelOf(labels, language, among, value)
    const checked = chosen ? html` checked` : null
    const small = label === null ? null : html`<small>${clip(label, 80)}</small>`
    return html`
<label class="option"><input type="radio" name="choice" value="${handle}"${checked}><span><b><bdi>${clip(value, 60)}</bdi></b>${small}</span></label>`
  })
  const hints = [first ? words.first : null, memory.kind === 'asked' ? null : words[memory.kind]]
  const hint = hints.map(one => one && html`${one} `).filter(one => one !== null)
  const asked = memory.kind === 'asked' ? box(memory.kept, language) : null
  const content = html`<fieldset><legend class="aside">${called.favourite}</legend>${options}
${hint.length === 0 ? null : html`<p class="hint">${hint}</p>`}</fieldset>
${asked}<p class="act"><button class="btn plain small">${words.change}</button></p>`
  return html`<section class="card">${heading(level, 1, called.mine)}
${form('/choice', token, {}, content)}</section>
`
}

function box(kept: boolean, language: Language): Html {
  const words = wordsOf[language]
  const checked = kept ? html` checked` : null
  return html`<label class="option"><input type="checkbox" name="remember" value="yes"${checked}><span><b>${words.remember}</b><small>${words.otherwise}</small></span></label>
`
}

const wordsOf = {
  fr: {
    first: html`Le favori s’affiche en premier.`,
    kept: html`Ce navigateur s’en souvient pour vos prochaines connexions.`,
    not: html`Le choix vaut jusqu’à votre déconnexion.`,
    remember: 'J’utilise mon propre ordinateur, mémoriser ce choix',
    otherwise: 'Sinon, il vaut jusqu’à votre déconnexion.',
    change: 'Changer de favori',
  },
  en: {
    first: html`The favourite comes first on this page.`,
    kept: html`This browser remembers it for your next sign-ins.`,
    not: html`The choice holds until you sign out.`,
    remember: 'I use my own computer, remember this choice',
    otherwise: 'Otherwise it holds until you sign out.',
    change: 'Change favourite',
  },
} as const
