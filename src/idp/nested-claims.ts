/**
 * From nested values, as JSON and XML have them, to claims: lists of texts by name. What stands at the top keeps its name.
 * What stands deeper is named by its path as in RFC 6901: `/address/locality`. No name of an idp can be taken for a path
 * or the other way round: one that begins with `/` itself is written as the path that it is, `/~1odd`.
 */
import type { Claims } from '../model/identity.ts'

const maxClaims = 1_000
const maxValues = 1_000
const maxLength = 10_000
/** Of objects and lists within each other. */
const maxDepth = 12

/**
 * Numbers and booleans become their text, a list gives its scalars in order, null is absent. A list on the way to a value
 * stands for each of its members, so that one school and two schools are read alike. Values over 10,000 characters, and
 * values or claims beyond the thousandth, are left out.
 *
 * @returns an object without prototype
 */
export function claimsFrom(members: Iterable<readonly [name: string, value: unknown]>): Claims {
  const claims: Record<string, string[]> = Object.create(null)
  let count = 0

  function put(name: string, text: string): void {
    if (text.length > maxLength) return
    const values = claims[name]
    if (values !== undefined) {
      if (values.length < maxValues) values.push(text)
    } else if (count < maxClaims) {
      claims[name] = [text]
      count += 1
    }
  }

  /** @param path where the members of an object are */
  function read(name: string, path: string, value: unknown, depth: number): void {
    const text = textOf(value)
    if (text !== null) return put(name, text)
    if (typeof value !== 'object' || value === null || depth === maxDepth) return
    if (Array.isArray(value)) {
      for (const item of value) read(name, path, item, depth + 1)
      return
    }
    for (const [member, inner] of Object.entries(value)) {
      const deeper = pathTo(path, member)
      read(deeper, deeper, inner, depth + 1)
    }
  }

  for (const [name, value] of members) {
    read(topName(name), pathTo('', name), value, 0)
  }
  return claims
}

/** @param path empty for what stands at the top */
export function pathTo(path: string, member: string): string {
  return `${path}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** What a claim at the top is called. */
export function topName(name: string): string {
  return name.startsWith('/') ? pathTo('', name) : name
}

/** Null: nothing that a rule could compare. */
function textOf(scalar: unknown): string | null {
  switch (typeof scalar) {
    case 'string':
      return scalar
    case 'number':
      return Number.isFinite(scalar) ? String(scalar) : null
    case 'boolean':
      return String(scalar)
    case 'object':
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      return null
  }
}
