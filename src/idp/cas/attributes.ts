/**
 * The attributes of a CAS answer, in all the shapes that servers give them, as claims: lists of texts under the server's own names.
 * Flat or repeated elements; `<attribute name value>`; each one twice in two shapes; elements within elements, named by their path
 * as in OpenID (`/userAttributes/profile`, and `/userAttributes/school/@type` for what stands in a tag; idp/nested-claims.ts);
 * lists written as text, `["a","b"]` or `[a, b]`.
 */
import type { Claims } from '../../model/identity.ts'
import { pathTo, topName } from '../nested-claims.ts'
import { trimmed, type XmlElement } from './xml.ts'

const maxClaims = 1_000
const maxValues = 1_000
const maxLength = 10_000

/** @param elements beside the user: `attributes`, or the attributes themselves */
export function attributesOf(elements: readonly XmlElement[]): Claims {
  const claims: Record<string, string[]> = Object.create(null)
  let count = 0
  for (const element of elements) {
    // The wrapper of CAS 3.0; older servers do without.
    if (element.name === 'attributes') for (const attribute of element.children) read(attribute, '')
    else read(element, '')
  }
  return claims

  /** @param within empty at the top */
  function read(element: XmlElement, within: string): void {
    const named = element.children.length === 0 && within === '' ? nameAndValue(element) : null
    if (named !== null) return put(topName(named.name), named.value)
    const path = pathTo(within, element.name)
    const name = within === '' ? topName(element.name) : path
    for (const [attribute, value] of Object.entries(element.attributes)) put(pathTo(path, `@${attribute}`), value)
    if (element.children.length === 0) return put(name, element.text)
    for (const child of element.children) read(child, path)
    // A list in a wrapper of its own: <ENTPersonProfils><ENTPersonProfil>…; its values are the wrapper's as well.
    if (isList(element)) for (const child of element.children) put(name, child.text)
  }

  function put(name: string, text: string): void {
    for (const value of listOf(text)) {
      if (value === '' || value.length > maxLength) continue
      if (claims[name] === undefined) {
        if (count === maxClaims) return
        claims[name] = []
        count++
      }
      const values = claims[name]
      // First: a list of a hundred thousand values would be compared with the thousand, each of them.
      if (values.length === maxValues) return
      // The same attribute in two shapes is one.
      if (!values.includes(value)) values.push(value)
    }
  }
}

/** `<attribute name="mail" value="…"/>`, or the value as its text. */
function nameAndValue({ name, attributes, text }: XmlElement): { name: string; value: string } | null {
  if (name !== 'attribute' || attributes.name === undefined) return null
  return { name: attributes.name, value: attributes.value ?? text }
}

function isList({ children }: XmlElement): boolean {
  const [first] = children
  return children.every(child => child.name === first?.name && child.children.length === 0)
}

/** What servers in Java and PHP write when they turn a list into a text. A text that only begins like one is a text. */
function listOf(text: string): readonly string[] {
  if (!text.startsWith('[') || !text.endsWith(']')) return [text]
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.every(value => ['string', 'number', 'boolean'].includes(typeof value))) {
      return list.map(value => trimmed(String(value)))
    }
  } catch {
    // Not JSON: perhaps [a, b].
  }
  const inside = text.slice(1, -1)
  return /[[\]{}"]/.test(inside) ? [text] : inside.split(',').map(trimmed)
}
