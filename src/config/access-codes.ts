/**
 * The file of access codes: YAML text → codes, or everything that is wrong with it; and the rules about it that look at the rest of
 * the configuration. Read at the start by config/load.ts, later by the gateway whenever it changes.
 */
import { readFile } from 'node:fs/promises'
import type { AccessCode, CodeFault, ReadCodes } from '../idp/code/access-code.ts'
import { readHash } from '../idp/code/hash.ts'
import { isSelector } from '../idp/code/spelling.ts'
import { type Located, type LocatedMapping, type Position, readDocument } from './document.ts'
import type { CodeText } from './files.ts'
import { suggestion } from './nearest.ts'
import type { Tell } from './problem.ts'
import type { Part, Settings } from './schema.ts'
import { readingFault } from './substitute.ts'

const keys = ['selector', 'hash', 'claims', 'from', 'until', 'uses', 'hosts', 'note']

/** Whether something keeps the count of uses; without it they would begin anew with each start. */
export interface CodeRules {
  readonly mayCountUses: boolean
}

/** @param state the file in which uses are counted; null: the session store does it, if it can */
export function codeRules(store: { readonly kind?: string | undefined } | undefined, state: string | null): CodeRules {
  return { mayCountUses: store?.kind !== 'memory' || state !== null }
}

/** @throws Error whose message ends a sentence that began with the name of the file */
export async function readCodeFile(file: string, rules: CodeRules): Promise<ReadCodes> {
  try {
    return readCodes(await readFile(file, 'utf8'), rules)
  } catch (error) {
    throw new Error(readingFault(error), { cause: error })
  }
}

/** Each fault where it is: at the line of the file of codes. */
export function checkAccessCodes(texts: readonly CodeText[], settings: Part<Settings>, tell: Tell): void {
  checkStates(settings, tell)
  const sites = new Set((settings.resources ?? []).flatMap(resource => resource?.at?.hostname ?? []))
  for (const { path, file, text } of texts) {
    const idp = settings.idps?.[Number(path[1])]
    const state = idp !== undefined && 'codes' in idp ? (idp.codes?.state ?? null) : null
    const { codes, faults } = readCodes(text, codeRules(settings.session?.store, state))
    for (const { line, column, message } of faults) tell.elsewhere({ file, line, column }, path, message)
    for (const { selector, hosts } of codes) {
      const strange = hosts?.find(host => !sites.has(host))
      if (strange === undefined || sites.size === 0) continue
      tell.warning(path, `${file}: the code ${selector} opens ${strange}, where no resource is`)
    }
  }
}

/** Two places that count are none: nobody could say which of them is right. */
function checkStates({ idps, session }: Part<Settings>, tell: Tell): void {
  for (const [index, idp] of (idps ?? []).entries()) {
    if (idp === undefined || !('codes' in idp) || idp.codes?.state == null || session?.store?.kind !== 'redis') continue
    tell.problem(
      ['idps', index, 'codes', 'state'],
      'must not be there with session.store of kind redis, which counts the uses',
    )
  }
}

/** An empty file has no codes, and nothing wrong with it. */
export function readCodes(text: string, rules: CodeRules): ReadCodes {
  const { root, faults } = readDocument(text)
  if (faults.length > 0) {
    const told = faults.map(({ at, key, message }) => ({ ...at, message: said(key, message) }))
    return { codes: [], faults: told, named: null }
  }
  if (root === null || (root.kind === 'scalar' && root.value === null))
    return { codes: [], faults: [], named: new Set() }
  if (root.kind !== 'list')
    return { codes: [], faults: [{ ...root.at, message: 'must be a list of access codes' }], named: null }
  const reader = new Reader(rules)
  const codes = root.items.flatMap(item => reader.code(item) ?? [])
  return { codes, faults: reader.faults, named: new Set(root.items.flatMap(valuesOf)) }
}

/** A selector may stand under a key that is misspelt. */
function valuesOf(item: Located): readonly string[] {
  if (item.kind !== 'mapping') return []
  return [...item.entries.values()].flatMap(({ value }) => (value.kind === 'scalar' ? String(value.value) : []))
}

function said(key: string, message: string): string {
  return key === '' ? message : `${key} ${message}`
}

class Reader {
  readonly faults: CodeFault[] = []
  readonly #selectors = new Map<string, number>()
  readonly #rules: CodeRules

  constructor(rules: CodeRules) {
    this.#rules = rules
  }

  code(item: Located): AccessCode | null {
    if (item.kind !== 'mapping')
      return this.#fault(item.at, 'must be an access code, as `passerelle codes add` writes it')
    const before = this.faults.length
    for (const [key, { keyAt }] of item.entries) {
      if (!keys.includes(key)) this.#fault(keyAt, `"${key}" is not known here${suggestion(key, keys)}`)
    }
    const selector = this.#selector(item)
    const written = this.#text(item, 'hash')
    const hash = written === null ? null : readHash(written)
    if (hash === null) {
      this.#fault(this.#at(item, 'hash'), 'hash must be one that `passerelle codes add` wrote: scrypt:15:8:1:…')
    }
    const from = this.#moment(item, 'from')
    const until = this.#moment(item, 'until')
    if (from !== null && until !== null && until <= from)
      this.#fault(this.#at(item, 'until'), 'until must be later than from')
    const code = {
      claims: this.#claims(item),
      from,
      until,
      uses: this.#uses(item),
      hosts: this.#hosts(item),
      note: this.#text(item, 'note'),
    }
    return selector === null || hash === null || this.faults.length > before ? null : { selector, hash, ...code }
  }

  #selector(item: LocatedMapping): string | null {
    const selector = this.#text(item, 'selector')
    const at = this.#at(item, 'selector')
    if (selector === null || !isSelector(selector))
      return this.#fault(at, 'selector must be four characters, such as 7K3M; in quotes where they are all digits')
    const earlier = this.#selectors.get(selector)
    if (earlier !== undefined) return this.#fault(at, `${selector} is a selector already (line ${earlier})`)
    this.#selectors.set(selector, at.line)
    return selector
  }

  #claims(item: LocatedMapping): AccessCode['claims'] {
    const claims: Record<string, readonly string[]> = Object.create(null)
    const node = item.entries.get('claims')?.value
    if (node === undefined) return claims
    if (node.kind !== 'mapping') {
      this.#fault(node.at, 'claims must be names with values, such as { affiliation: [guest] }')
      return claims
    }
    for (const [name, { value }] of node.entries) claims[name] = this.#texts(value, `claims.${name}`)
    return claims
  }

  #hosts(item: LocatedMapping): AccessCode['hosts'] {
    const node = item.entries.get('hosts')?.value
    if (node === undefined) return null
    const hosts = this.#texts(node, 'hosts').map(host => host.toLowerCase())
    for (const host of hosts) {
      if (!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(host))
        this.#fault(node.at, `hosts must be names of hosts without port, such as nature.example.org; "${host}" is none`)
    }
    return hosts
  }

  #uses(item: LocatedMapping): number | null {
    const entry = item.entries.get('uses')
    if (entry === undefined) return null
    const uses = entry.value.kind === 'scalar' ? entry.value.value : null
    if (typeof uses !== 'number' || !Number.isSafeInteger(uses) || uses < 1 || uses > 1_000_000)
      return this.#fault(entry.value.at, 'uses must be a whole number from 1 to 1000000')
    if (!this.#rules.mayCountUses) {
      const why = 'the memory store forgets at each restart how often a code was used'
      const instead = 'name a file that keeps the count (codes.state), or give the code an end (until)'
      return this.#fault(entry.keyAt, `uses needs session.store of kind redis: ${why}. Or ${instead}`)
    }
    return uses
  }

  /** A day begins and ends in UTC; `until` counts the day itself. */
  #moment(item: LocatedMapping, key: 'from' | 'until'): number | null {
    const entry = item.entries.get(key)
    if (entry === undefined) return null
    const text = entry.value.kind === 'scalar' ? String(entry.value.value) : ''
    const moment = momentIn(text, key)
    if (moment !== null) return moment
    return this.#fault(entry.value.at, `${key} must be a day or a moment, such as 2027-06-30 or 2027-06-30T18:00:00Z`)
  }

  #text(item: LocatedMapping, key: string): string | null {
    const node = item.entries.get(key)?.value
    if (node === undefined) return null
    if (node.kind === 'scalar' && typeof node.value === 'string') return node.value
    return this.#fault(node.at, `${key} must be text; put it in quotes`)
  }

  #texts(node: Located, key: string): readonly string[] {
    const nodes = node.kind === 'list' ? node.items : [node]
    const texts = nodes.flatMap(one => (one.kind === 'scalar' && typeof one.value === 'string' ? [one.value] : []))
    if (texts.length !== nodes.length || texts.length === 0 || texts.includes(''))
      this.#fault(node.at, `${key} must be a text or a list of texts; numbers stand in quotes`)
    return texts
  }

  #at(item: LocatedMapping, key: string): Position {
    return item.entries.get(key)?.value.at ?? item.at
  }

  #fault(at: Position, message: string): null {
    this.faults.push({ ...at, message })
    return null
  }
}

const dayMs = 86_400_000

/** `2027-06-30`, of which `until` means the end, or a moment with its offset. Milliseconds since the epoch; null: neither. */
export function momentIn(text: string, key: 'from' | 'until'): number | null {
  const day = /^\d{4}-\d\d-\d\d$/.test(text)
  if (!day && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return null
  const moment = Date.parse(text)
  if (Number.isNaN(moment)) return null
  // The 31st of June is read as the 1st of July.
  if (new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().slice(0, 10) !== text.slice(0, 10)) return null
  return day && key === 'until' ? moment + dayMs : moment
}
