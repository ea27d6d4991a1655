/**
 * XML as a tree, for the two small documents that a CAS server sends. A document type, a processing instruction, a prefix without a
 * namespace or anything that is not well-formed is refused; entities beyond XML's own five do not exist here.
 */
import { SaxesParser } from 'saxes'

export interface XmlElement {
  /** Without prefix. */
  readonly name: string
  /** Empty: none. */
  readonly namespace: string
  /** By name without prefix; where two differ in nothing but that, the one that has none. */
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** All character data directly in it, comments left out, trimmed. */
  readonly text: string
}

interface Open extends XmlElement {
  readonly children: Open[]
  text: string
}

/** Elements within elements. */
const maxDepth = 32
const maxElements = 20_000

/** @throws Error it is no well-formed XML, or larger than anything that makes sense here; the message says where */
export function readXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true })
  const open: Open[] = []
  let root: Open | null = null
  let count = 0
  parser.on('doctype', () => {
    throw new Error('it has a document type, which nobody needs')
  })
  parser.on('processinginstruction', () => {
    throw new Error('it has a processing instruction')
  })
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', tag => {
    if (++count > maxElements || open.length === maxDepth) throw new Error('it has too many elements')
    const attributes: Record<string, string> = Object.create(null)
    for (const { local, prefix, value } of Object.values(tag.attributes)) {
      if (prefix === 'xmlns' || local === 'xmlns') continue
      if (prefix === '' || attributes[local] === undefined) attributes[local] = value
    }
    const element: Open = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' }
    const parent = open.at(-1)
    if (parent === undefined) root = element
    else parent.children.push(element)
    open.push(element)
  })
  const add = (characters: string) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += characters
  }
  parser.on('text', add)
  parser.on('cdata', add)
  parser.on('closetag', () => {
    const element = open.pop()
    if (element !== undefined) element.text = trimmed(element.text)
  })
  parser.write(text).close()
  if (root === null) throw new Error('it has no element')
  return root
}

/**
 * Without the white space of XML at its ends (XML 1.0 §2.3), and no other: a name that begins with a no-break space is
 * another name than the one that does not, and must not become it.
 */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}
