/** The shape of a failure's public sentence, and what it may speak about. */
import type { Language } from '../model/text.ts'
import type { Html } from './escape.ts'
import type { Wait } from './moment.ts'

export interface About {
  /** The idp or the site that failed, as people know it; null: a general word is used. */
  readonly subject: string | null
  /** The host that the sentence is about: one that nothing of ours answers to, or the one whose cookie was refused. */
  readonly host: string | null
  /** Host name of the portal. */
  readonly portal: string
  /** Where the person is going is known and kept. */
  readonly going: boolean
  readonly signedIn: boolean
  /** Day and hour of this page. */
  readonly now: Html
  /** How long to wait before the next try; null: as one likes. */
  readonly wait: Wait | null
}

export interface Sentence {
  /** What is the case. Also the page's `<title>`: text without tags. */
  readonly title: Html
  readonly lead: Html
  readonly steps?: Steps
  /** A last, quiet word. */
  readonly after?: Html
}

export interface Steps {
  /** With a heading they stand in a card, numbered, to be tried in this order. */
  readonly heading: Html | null
  readonly items: readonly Html[]
}

export type Sentences<Code extends string> = Readonly<
  Record<Code, Readonly<Record<Language, (about: About) => Sentence>>>
>
