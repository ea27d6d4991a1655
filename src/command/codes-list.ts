/**
 * `passerelle codes list`: a file of codes, or those of a gateway's configuration, which also says where their uses are counted: in a
 * file that is read here, or in Redis, of which the running gateway is asked.
 */
import { loadSettings } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import type { Settings } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import type { AccessCode } from '../idp/code/access-code.ts'
import { useNameOf } from '../idp/code/stamp.ts'
import { usedIn } from '../idp/code/uses-file.ts'
import { printable } from '../policy/explain.ts'
import type { Output } from './check.ts'
import { codesIn } from './code-file.ts'
import { NotDone } from './not-done.ts'
import { askOperations } from './operations-client.ts'

export interface CodesOfFile {
  readonly file: string
}

export interface CodesOfGateway {
  readonly config: string
  /** Another operations listener than the one in that file; null: that one. */
  readonly address: { readonly host: string; readonly port: number } | null
  readonly env: Readonly<Record<string, string | undefined>>
}

/** @throws NotDone */
export async function listFile({ file }: CodesOfFile, json: boolean, out: Output, err: Output): Promise<void> {
  const codes = await codesIn(file)
  write(
    codes.map(code => ({ code, idp: null })),
    json,
    out,
    err,
  )
  if (!json && codes.some(({ uses }) => uses !== null))
    err.write('How many uses are left stands where the gateway counts them: passerelle codes list --config FILE\n')
}

/**
 * @returns false: of some, nobody could say how many uses are left, and the terminal reads why
 * @throws NotDone
 */
export async function listGateway(asked: CodesOfGateway, json: boolean, out: Output, err: Output): Promise<boolean> {
  const loaded = await loadSettings(asked.config, asked.env)
  if (!loaded.ok) throw new NotDone(formatProblems(loaded.problems).trimEnd())
  const listed: Listed[] = []
  let known = true
  for (const idp of loaded.settings.idps) {
    if (!('codes' in idp)) continue
    const codes = await codesIn(idp.codes.file)
    const limited = codes.filter(({ uses }) => uses !== null)
    const used = await usesOf({ ...idp, asked, settings: loaded.settings }, limited).catch(unknown => {
      if (!(unknown instanceof NotDone)) throw unknown
      err.write(`how many uses are left of the codes of "${idp.id}" is not known: ${unknown.message}\n`)
      known = false
      return null
    })
    for (const code of codes) listed.push({ code, idp: { id: idp.id, used: used?.get(code) ?? null } })
  }
  write(listed, json, out, err)
  return known
}

interface Counted {
  readonly id: string
  readonly codes: { readonly state: string | null }
  readonly asked: CodesOfGateway
  readonly settings: Settings
}

/** In one question: the gateway takes bodies of 8 KiB. */
const namesAtOnce = 50

/** @throws NotDone */
async function usesOf(
  { id, codes: { state }, asked, settings }: Counted,
  codes: readonly AccessCode[],
): Promise<ReadonlyMap<AccessCode, number>> {
  const counts = new Map<AccessCode, number>()
  if (codes.length === 0) return counts
  if (state !== null) {
    const used = await usedIn(state).catch((error: unknown) => {
      throw error instanceof GatewayError ? new NotDone(error.message) : error
    })
    return new Map(codes.map(code => [code, used(useNameOf(id, code))]))
  }
  const { secret, address } = settings.operations
  if (secret === null)
    throw new NotDone(
      `Redis counts them, and only the running gateway reads it; ${asked.config} has no operations.secret to ask it with`,
    )
  const byName = new Map(codes.map(code => [useNameOf(id, code), code]))
  for (const names of chunked([...byName.keys()])) {
    for await (const { name, used } of askOperations(asked.address ?? address, secret, '/codes/uses', { names })) {
      const code = byName.get(String(name))
      if (code !== undefined) counts.set(code, Number(used))
    }
  }
  return counts
}

function chunked(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / namesAtOnce)
  return Array.from({ length: count }, (_, at) => names.slice(at * namesAtOnce, (at + 1) * namesAtOnce))
}

interface Listed {
  readonly code: AccessCode
  /** Whose it is, and how often it was used; null: not known. Null as a whole: only the file was looked at. */
  readonly idp: { readonly id: string; readonly used: number | null } | null
}

const columns = [
  ['CODE', 4],
  ['FROM (UTC)', 16],
  ['UNTIL (UTC)', 16],
  ['USES', 4],
  ['LEFT', 4],
  ['CLAIMS', 24],
  ['HOSTS', 24],
  ['NOTE', 0],
] as const

function write(listed: readonly Listed[], json: boolean, out: Output, err: Output): void {
  if (json) {
    for (const one of listed) out.write(`${JSON.stringify(lineOf(one))}\n`)
    return
  }
  if (listed.length === 0) {
    err.write('no code\n')
    return
  }
  const several = new Set(listed.map(({ idp }) => idp?.id)).size > 1
  const counted = listed.some(({ idp }) => idp !== null)
  const row = (cells: readonly string[], idp: string) => {
    const shown = cells.flatMap((cell, at) => {
      const [name, width] = columns[at] ?? ['', 0]
      return name === 'LEFT' && !counted ? [] : printable(cell).padEnd(width)
    })
    // What the file holds was written by people: no character of it steers the terminal.
    out.write(`${[...(several ? [printable(idp).padEnd(12)] : []), ...shown].join('  ').trimEnd()}\n`)
  }
  row(
    columns.map(([name]) => name),
    'IDP',
  )
  for (const { code, idp } of listed) {
    const { selector, from, until, uses, claims, hosts, note } = code
    const said = Object.entries(claims).map(([name, values]) => `${name}=${values.join('|')}`)
    const left = uses === null ? '' : String(leftOf(uses, idp?.used ?? null) ?? '?')
    const cells = [selector, minute(from), minute(until), uses === null ? '' : String(uses), left]
    row([...cells, said.join(' '), hosts?.join(' ') ?? '', note ?? ''], idp?.id ?? '')
  }
}

/** Never the hash. */
function lineOf({ code, idp }: Listed) {
  const { selector, from, until, uses, claims, hosts, note } = code
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  const line = { selector, from: iso(from), until: iso(until), uses, claims: { ...claims }, hosts, note }
  if (idp === null) return line
  return { idp: idp.id, ...line, left: uses === null ? null : leftOf(uses, idp.used) }
}

/** The number of uses may have been lowered since. */
function leftOf(uses: number, used: number | null): number | null {
  return used === null ? null : Math.max(0, uses - used)
}

function minute(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}
