/** Texts for people, in the languages that our pages speak. */

export const languages = ['fr', 'en'] as const

export type Language = (typeof languages)[number]

/** The same text in each language; a configuration that gives only one gives it for both. */
export type Text = Readonly<Record<Language, string>>

export function textOf(text: string): Text {
  return { fr: text, en: text }
}
