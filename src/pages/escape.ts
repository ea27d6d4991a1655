/**
 * HTML as a type: what is not `Html` is text and is escaped where it is written. Only the `html` tag makes `Html`, so
 * a name, a claim or a host that holds markup can reach a page in no other way than as text.
 */

let make: (markup: string) => Html

export class Html {
  readonly #markup: string

  // Only this module can make one.
  static {
    make = markup => new Html(markup)
  }

  private constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

export type Piece = Html | string | number | null | readonly Html[]

/** The literal parts are ours and stand as they are, attributes always in double quotes; the values are escaped. Null writes nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  let markup = parts[0] ?? ''
  for (const [index, value] of values.entries()) markup += markupOf(value) + (parts[index + 1] ?? '')
  return make(markup)
}

/** `separator` is markup of ours. */
export function join(pieces: readonly Html[], separator: Html): Html {
  return make(pieces.map(String).join(separator.toString()))
}

function markupOf(value: Piece): string {
  if (value === null) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  return value.map(String).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\u00a0': '&nbsp;',
}

/** For text and for attribute values in quotes. Characters that HTML does not allow become U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '\ufffd')
    .replace(/[&<>"'\u00a0]/g, character => entities[character] ?? character)
}

/** Whole characters as people count them; what is cut off is marked. Names come from outside, pages stay small. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text
  const characters = graphemes.segment(text.slice(0, limit * 4))
  let kept = ''
  let count = 0
  for (const { segment } of characters) {
    // One "character" can be a letter with hundreds of combining marks.
    if (++count === limit || kept.length + segment.length >= limit * 2) return `${kept}…`
    kept += segment
  }
  return kept.length === text.length ? kept : `${kept}…`
}

const graphemes = new Intl.Segmenter('fr', { granularity: 'grapheme' })

/**
 * An address that a link of ours may have: http(s), mailto, or a path, query or fragment of the same host. Anything
 * else, `javascript:` before all, becomes `/`. A path that begins `//` stays a path: for a browser it would name a host.
 */
export function href(address: string): string {
  // Browsers drop tabs and line ends inside an address, and spaces around it, before they look for a scheme.
  if (/[\u0000-\u0020\u007f]/.test(address)) return '/'
  if (/^[/\\]{2}/.test(address)) return `/.//${address.slice(2)}`
  if (/^(?:https?:\/\/|mailto:|[/?#])/i.test(address)) return address
  return '/'
}
