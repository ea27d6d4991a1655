/**
 * `passerelle codes add|list|revoke`: looks after a file of access codes. A code is shown once, when it is made; the file holds its
 * hash. A running gateway reads the file anew when it changes.
 */
import { parseArgs } from 'node:util'
import { type WrittenCode, withCode, withoutCode } from '../config/access-code-edit.ts'
import { momentIn, readCodes } from '../config/access-codes.ts'
import { suggestion } from '../config/nearest.ts'
import { readingFault } from '../config/substitute.ts'
import { type Change, changeFile, FileNotChanged } from '../idp/code/changed-file.ts'
import { hashOf, writeHash } from '../idp/code/hash.ts'
import { codeIn, inGroups, isSelector, newCode } from '../idp/code/spelling.ts'
import { socketAddressOf } from '../setting/network.ts'
import type { Output } from './check.ts'
import { readText, wholeCodes } from './code-file.ts'
import { type CodesOfGateway, listFile, listGateway } from './codes-list.ts'
import { NotDone } from './not-done.ts'

const usage = `usage: passerelle codes add --file FILE [OPTIONS]
       passerelle codes list --file FILE [--json]
       passerelle codes list --config FILE [--address HOST:PORT] [--json]
       passerelle codes revoke SELECTOR --file FILE

OPTIONS of add
  --claim NAME=VALUE   what the code says of whoever uses it, as policies use it; again for further values and claims
  --from WHEN          not before: a day such as 2027-01-31, or 2027-01-31T08:00:00Z; days are those of UTC
  --until WHEN         not after; a day counts to its end. Absent: until it is revoked
  --uses N             for so many sign-ins; needs session.store of kind redis, or codes.state
  --host NAME          opens the site at this host; again for further ones. Absent: whatever the policies open
  --note TEXT          for whom it is; stands in the file and in lists

OPTIONS of list
  --config FILE        the configuration of the gateway: the codes of each of its files, and how many uses are left of them. Where
                       Redis counts, the gateway is asked, on its operations listener, with operations.secret
  --address HOST:PORT  another operations listener than the one in that file
  --json               lines of JSON

add makes the file where there is none, and prints the code: note it, it is shown this once. SELECTOR is the first four
characters of a code. A revoked code signs nobody in any more; sessions end at the next session.recheck, or at once by
passerelle sessions end --person ID/code:SELECTOR. Exit code 0: done. 1: not done, or not wholly. 2: the command was not understood.
`

/** @returns the exit code */
export async function codes(
  args: readonly string[],
  out: Output,
  err: Output,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const asked = readArguments(args)
  if (typeof asked === 'string') {
    err.write(asked === '' ? usage : `passerelle codes: ${asked}\n\n${usage}`)
    return 2
  }
  try {
    switch (asked.action) {
      case 'add':
        await add(asked.file, asked.code, out, err)
        return 0
      case 'list':
        await listFile(asked, asked.json, out, err)
        return 0
      case 'list-gateway':
        return (await listGateway({ ...asked, env }, asked.json, out, err)) ? 0 : 1
      case 'revoke':
        await revoke(asked.file, asked.selector, err)
        return 0
    }
  } catch (error) {
    if (!(error instanceof NotDone)) throw error
    err.write(`${error.message}\n`)
    return 1
  }
}

type NewCode = Omit<WrittenCode, 'selector' | 'hash'>

type Asked =
  | { readonly action: 'add'; readonly file: string; readonly code: NewCode }
  | { readonly action: 'list'; readonly file: string; readonly json: boolean }
  | ({ readonly action: 'list-gateway'; readonly json: boolean } & Omit<CodesOfGateway, 'env'>)
  | { readonly action: 'revoke'; readonly file: string; readonly selector: string }

/** A text: what is wrong; empty: nothing was asked. */
function readArguments([action, ...rest]: readonly string[]): Asked | string {
  if (action === undefined || action === '--help' || action === '-h') return ''
  if (action !== 'add' && action !== 'list' && action !== 'revoke')
    return `there is no "${action}"; add, list and revoke are`
  const parsed = parsedArguments(rest)
  if (typeof parsed === 'string') return parsed
  const { values, positionals } = parsed
  const { file = '', config, address, json, ...told } = values
  const [selector = '', ...more] = positionals
  if (more.length > 0 || (selector !== '' && action !== 'revoke'))
    return `"${more[0] ?? selector}" is one word too many`
  const [strange] = Object.keys(told)
  if (action !== 'add' && strange !== undefined) return `--${strange} is for add`
  if (action !== 'list') {
    const [forList] = Object.keys({ json, config, address }).filter(name => values[name as 'json'] !== undefined)
    if (forList !== undefined) return `--${forList} is for list`
  }
  if (config !== undefined)
    return file === '' ? ofGateway(config, address, json) : '--file and --config exclude each other'
  if (address !== undefined) return '--address is for --config'
  if (file === '') return `say which file: --file FILE${action === 'list' ? ', or --config FILE' : ''}`
  if (action === 'list') return { action, file, json: json ?? false }
  if (action === 'revoke') {
    // Whoever has the whole code at hand may give it; its first part is meant.
    const meant = codeIn(selector)?.selector ?? selector.toUpperCase()
    return isSelector(meant) ? { action, file, selector: meant } : 'say which code: the first four characters of it'
  }
  const code = newCodeOf(told)
  return typeof code === 'string' ? code : { action, file, code }
}

function ofGateway(config: string, given: string | undefined, json = false): Asked | string {
  const address = given === undefined ? null : socketAddressOf(given)
  if (given !== undefined && address === null)
    return '--address must be an IP address and a port, such as 127.0.0.1:9090'
  return { action: 'list-gateway', config, address, json }
}

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const options = {
  file: text,
  config: text,
  address: text,
  json: { type: 'boolean' },
  claim: texts,
  from: text,
  until: text,
  uses: text,
  host: texts,
  note: text,
} as const

function parsedArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return (error as Error).message
  }
}

interface Told {
  readonly claim?: readonly string[]
  readonly from?: string
  readonly until?: string
  readonly uses?: string
  readonly host?: readonly string[]
  readonly note?: string
}

function newCodeOf({ claim, from, until, uses, host, note }: Told): NewCode | string {
  const claims: Record<string, string[]> = {}
  for (const one of claim ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(one) ?? []
    if (name === '' || name === '__proto__') return `--claim ${one} is not NAME=VALUE`
    claims[name] = [...(claims[name] ?? []), value]
  }
  for (const [key, when] of [
    ['from', from],
    ['until', until],
  ] as const) {
    if (when !== undefined && momentIn(when, key) === null)
      return `--${key} must be a day or a moment, such as 2027-06-30 or 2027-06-30T18:00:00Z`
  }
  if (uses !== undefined && !/^[1-9]\d{0,5}$/.test(uses)) return '--uses must be a number from 1 to 999999'
  return {
    claims: claim === undefined ? undefined : claims,
    from,
    until,
    uses: uses === undefined ? undefined : Number(uses),
    hosts: host,
    note,
  }
}

async function add(file: string, told: NewCode, out: Output, err: Output): Promise<void> {
  const until = told.until
  if (until !== undefined && (momentIn(until, 'until') ?? 0) <= Date.now())
    throw new NotDone(`not added: ${until} is over already`)
  const taken = new Set(wholeCodes(file, (await readText(file)) ?? '').map(({ selector }) => selector))
  for (;;) {
    const code = newCode(taken)
    taken.add(code.selector)
    const entry = { selector: code.selector, hash: writeHash(await hashOf(code.whole)), ...told }
    if (!(await change(file, text => withNew(file, text ?? '', entry)))) continue
    out.write(`${inGroups(code)}\n`)
    err.write(`Added to ${file}. Note the code: it is shown this once.\n`)
    return
  }
}

/** What would not be read is not written: a host that is none, an end before the beginning. False: the selector has been taken since. */
function withNew(file: string, text: string, entry: WrittenCode): Change<boolean> {
  if (wholeCodes(file, text).some(({ selector }) => selector === entry.selector)) return { text: null, result: false }
  const written = withCode(text, entry)
  const [fault] = readCodes(written, { mayCountUses: true }).faults
  if (fault !== undefined) throw new NotDone(`not added: ${fault.message}`)
  return { text: written, result: true }
}

async function revoke(file: string, selector: string, err: Output): Promise<void> {
  await change(file, text => {
    if (text === null) throw new NotDone(`the file ${file} does not exist`)
    const known = wholeCodes(file, text).map(code => code.selector)
    const after = withoutCode(text, selector)
    if (after === null) throw new NotDone(`${file} has no code ${selector}${suggestion(selector, known)}`)
    return { text: after, result: true }
  })
  err.write(`${selector} is revoked\n`)
}

/** Two who do this at once lose nothing of each other, nor of an editor that saves meanwhile. */
async function change(file: string, edit: (text: string | null) => Change<boolean>): Promise<boolean> {
  try {
    return await changeFile(file, edit)
  } catch (error) {
    if (!(error instanceof FileNotChanged)) throw error
    if (error.step === 'read') throw new NotDone(`the file ${file} ${readingFault(error.cause)}`)
    throw new NotDone(`${file} could not be written: ${error.message}`)
  }
}
