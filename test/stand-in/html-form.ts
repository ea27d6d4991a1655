/** Reads links and forms out of a page, as far as the pages of tests need it: no script, no nesting, no `<base>`. */

export interface HtmlForm {
  /** As written; empty: the page's own address. */
  readonly action: string
  readonly method: 'GET' | 'POST'
  /** What would be sent when nothing is touched; radios and boxes only where checked, buttons never. */
  readonly fields: readonly (readonly [string, string])[]
  readonly buttons: readonly HtmlButton[]
}

export interface HtmlButton {
  /** Null: it sends nothing of its own. */
  readonly name: string | null
  readonly value: string
  readonly text: string
  /** Overrides the form's, where it has one. */
  readonly action: string | null
}

export interface HtmlLink {
  readonly href: string
  /** Without markup, white space collapsed. */
  readonly text: string
}

export function formsIn(html: string): HtmlForm[] {
  return elements(html, 'form').map(({ attributes, inner }) => ({
    action: attributes.get('action') ?? '',
    method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
    fields: fieldsIn(inner),
    buttons: buttonsIn(inner),
  }))
}

export function linksIn(html: string): HtmlLink[] {
  return elements(html, 'a').map(({ attributes, inner }) => ({
    href: attributes.get('href') ?? '',
    text: textOf(inner),
  }))
}

/** What a person reads: tags removed, references resolved, white space collapsed. */
export function textOf(html: string): string {
  const visible = html.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ')
  return unescapeHtml(visible).replace(/\s+/g, ' ').trim()
}

function fieldsIn(html: string): [string, string][] {
  const inputs = tags(html, 'input')
    .filter(input => isSent(input))
    .map((input): [string, string] => [input.get('name') ?? '', input.get('value') ?? (isBox(input) ? 'on' : '')])
  const areas = elements(html, 'textarea').map(({ attributes, inner }): [string, string] => [
    attributes.get('name') ?? '',
    unescapeHtml(inner),
  ])
  const selects = elements(html, 'select').map(({ attributes, inner }): [string, string] => {
    const options = elements(inner, 'option')
    const chosen = options.find(option => option.attributes.has('selected')) ?? options[0]
    return [attributes.get('name') ?? '', chosen?.attributes.get('value') ?? textOf(chosen?.inner ?? '')]
  })
  return [...inputs, ...areas, ...selects].filter(([name]) => name !== '')
}

function buttonsIn(html: string): HtmlButton[] {
  const written = elements(html, 'button')
    .filter(({ attributes }) => (attributes.get('type') ?? 'submit') === 'submit')
    .map(({ attributes, inner }) => buttonOf(attributes, textOf(inner)))
  const inputs = tags(html, 'input')
    .filter(input => input.get('type') === 'submit')
    .map(input => buttonOf(input, input.get('value') ?? ''))
  return [...written, ...inputs]
}

function buttonOf(attributes: ReadonlyMap<string, string>, text: string): HtmlButton {
  return {
    name: attributes.get('name') ?? null,
    value: attributes.get('value') ?? '',
    text,
    action: attributes.get('formaction') ?? null,
  }
}

function isSent(input: ReadonlyMap<string, string>): boolean {
  const type = input.get('type') ?? 'text'
  if (type === 'submit' || type === 'button' || type === 'reset' || type === 'image' || type === 'file') return false
  return !isBox(input) || input.has('checked')
}

function isBox(input: ReadonlyMap<string, string>): boolean {
  return input.get('type') === 'radio' || input.get('type') === 'checkbox'
}

interface HtmlElement {
  readonly attributes: ReadonlyMap<string, string>
  readonly inner: string
}

function elements(html: string, name: string): HtmlElement[] {
  const pattern = new RegExp(`<${name}\\b([^>]*)>([\\s\\S]*?)(?=</${name}\\s*>|<${name}\\b|$)`, 'gi')
  return [...html.matchAll(pattern)].map(([, attributes = '', inner = '']) => ({
    attributes: attributesIn(attributes),
    inner,
  }))
}

function tags(html: string, name: string): ReadonlyMap<string, string>[] {
  return [...html.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'gi'))].map(([, text = '']) => attributesIn(text))
}

function attributesIn(text: string): Map<string, string> {
  const pattern = /([^\s=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g
  return new Map(
    [...text.matchAll(pattern)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      unescapeHtml(double ?? single ?? bare ?? ''),
    ]),
  )
}

function unescapeHtml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', amp: '&' }
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex, decimal, word) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    return named[word] ?? whole
  })
}
