/**
 * `${env:NAME}` and `${file:/run/secrets/name}` in any text of the configuration. What is missing or empty is a problem:
 * a gateway that starts without its secret would be worse than one that does not start. `$${` stands for `${`.
 */

import type { Located } from './document.ts'
import { suggestion } from './nearest.ts'
import { type KeyPath, keyOf } from './problem.ts'

export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * @param path as written; relative to the configuration file
   * @throws Error with a code as node gives it, or a message that ends a sentence
   */
  readonly readFile: (path: string) => Promise<string>
}

export interface Substituted {
  /** The configuration as plain values. */
  readonly value: unknown
  /** Keys (`keyOf`) of texts that did not stand in the file themselves: never to be shown. */
  readonly hidden: ReadonlySet<string>
  readonly faults: readonly { readonly path: KeyPath; readonly message: string }[]
}

export async function substitute(root: Located | null, sources: Sources): Promise<Substituted> {
  const hidden = new Set<string>()
  const faults: { path: KeyPath; message: string }[] = []

  async function plain(node: Located, path: KeyPath): Promise<unknown> {
    switch (node.kind) {
      case 'mapping': {
        const pairs: [string, unknown][] = []
        for (const [key, { value }] of node.entries) pairs.push([key, await plain(value, [...path, key])])
        return Object.fromEntries(pairs)
      }
      case 'list': {
        const items: unknown[] = []
        for (const [index, item] of node.items.entries()) items.push(await plain(item, [...path, index]))
        return items
      }
      case 'scalar':
        if (typeof node.value !== 'string' || !node.value.includes('${')) return node.value
        return textOf(node.value, path)
    }
  }

  /** Null where a reference leads nowhere: half a text would only lead to more problems. */
  async function textOf(written: string, path: KeyPath): Promise<string | null> {
    let text = ''
    let whole = true
    for (const part of written.split(/(\$\$\{|\$\{[^}]*\}?)/)) {
      if (part === '$${') text += '${'
      else if (!part.startsWith('${')) text += part
      else {
        hidden.add(keyOf(path))
        const found = await resolve(part, sources)
        if (found.kind === 'text') text += found.text
        else {
          whole = false
          faults.push({ path, message: found.message })
        }
      }
    }
    return whole ? text : null
  }

  const value = root === null ? null : await plain(root, [])
  return { value, hidden, faults }
}

type Found = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'fault'; readonly message: string }

const fault = (message: string): Found => ({ kind: 'fault', message })

async function resolve(reference: string, { env, readFile }: Sources): Promise<Found> {
  const [, kind, name] = /^\$\{(env|file):([^}]+)\}$/.exec(reference) ?? []
  if (kind === undefined || name === undefined) {
    return fault(
      `${reference} is not understood; write \${env:NAME} or \${file:/path}, and $\${ for a text that begins so`,
    )
  }
  if (kind === 'env') {
    const text = Object.hasOwn(env, name) ? env[name] : undefined
    if (text === undefined)
      return fault(`the environment variable ${name} is not set${suggestion(name, Object.keys(env))}`)
    return text === '' ? fault(`the environment variable ${name} is empty`) : { kind: 'text', text }
  }
  try {
    const text = (await readFile(name)).replace(/\r?\n$/, '')
    return text === '' ? fault(`the file ${name} is empty`) : { kind: 'text', text }
  } catch (error) {
    return fault(`the file ${name} ${readingFault(error)}`)
  }
}

/** Ends a sentence that began with the name of the file. */
export function readingFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user'
    case 'EISDIR':
      return 'is a directory'
    default:
      return error instanceof Error && code === '' ? error.message : `cannot be read (${code})`
  }
}
