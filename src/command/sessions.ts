/**
 * `passerelle sessions list|end`: asks a running gateway, on its operations listener, to tell or to end sessions. Address and
 * secret are those of the configuration that the gateway runs with.
 */
import { parseArgs } from 'node:util'
import { loadSettings } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import { printable } from '../policy/explain.ts'
import type { SessionLine } from '../server/commands.ts'
import { socketAddressOf } from '../setting/network.ts'
import type { Output } from './check.ts'
import { NotDone } from './not-done.ts'
import { askOperations } from './operations-client.ts'

const usage = `usage: passerelle sessions list [SELECTION] [--limit N] [OPTIONS]
       passerelle sessions end SELECTION [OPTIONS]

SELECTION, exactly one:
  --person IDP/SUBJECT   everything of one person: the id of the identity provider, a slash, the subject
  --idp ID               everybody who signed in at this identity provider
  --session REF          one session, as a list names it
  --all                  everybody; what a list shows where nothing is selected

OPTIONS
  --config FILE          config/passerelle.yaml where it is absent; the gateway's own, with operations.secret in it
  --address HOST:PORT    another operations listener than the one in that file
  --limit N              list so many at most; 1000 where it is absent
  --json                 lines of JSON as the gateway says them

An end holds at once in every process of the gateway, and for sign-ins that are under way; whoever signs in later is
welcome. A site that wants to be told and does not answer is named. Exit code 0: done. 1: not done, or not wholly. 2: the command was not understood.
`

/** @returns the exit code */
export async function sessions(
  args: readonly string[],
  out: Output,
  err: Output,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const asked = readArguments(args)
  if (typeof asked === 'string') {
    err.write(asked === '' ? usage : `passerelle sessions: ${asked}\n\n${usage}`)
    return 2
  }
  const loaded = await loadSettings(asked.config, env)
  if (!loaded.ok) {
    err.write(formatProblems(loaded.problems))
    return 1
  }
  const { secret, address } = loaded.settings.operations
  if (secret === null) {
    err.write(`${asked.config} has no operations.secret, so the gateway takes no commands\n`)
    return 1
  }
  try {
    const lines = askOperations(asked.address ?? address, secret, `/sessions/${asked.action}`, asked.body)
    if (asked.json) await writeJson(lines, out)
    else if (asked.action === 'list') await writeTable(lines, out, err)
    else await writeProgress(lines, out, err)
    return 0
  } catch (error) {
    if (!(error instanceof NotDone)) throw error
    err.write(`${error.message}\n`)
    return 1
  }
}

interface Asked {
  readonly action: 'list' | 'end'
  readonly body: Readonly<Record<string, unknown>>
  readonly config: string
  readonly address: { readonly host: string; readonly port: number } | null
  readonly json: boolean
}

/** A text: what is wrong; empty: nothing was asked. */
function readArguments(args: readonly string[]): Asked | string {
  const [action, ...rest] = args
  if (action === undefined || action === '--help' || action === '-h') return ''
  if (action !== 'list' && action !== 'end') return `there is no "${action}"; list and end are`
  const values = parsedArguments(rest)
  if (typeof values === 'string') return values
  const selected = ['person', 'idp', 'session', 'all'].filter(name => name in values)
  if (selected.length > 1) return `--${selected.join(' and --')} exclude each other`
  if (selected.length === 0 && action === 'end') return 'say whose sessions shall end'
  const selection = selectionOf(values)
  if (typeof selection === 'string') return selection
  const { config = 'config/passerelle.yaml', json = false } = values
  const address = values.address === undefined ? null : socketAddressOf(values.address)
  if (values.address !== undefined && address === null)
    return '--address must be an IP address and a port, such as 127.0.0.1:9090'
  if (values.limit === undefined) return { action, body: selection, config, address, json }
  if (action === 'end') return '--limit is for lists: an end that stops half-way would be none'
  if (!/^[1-9]\d{0,6}$/.test(values.limit)) return '--limit must be a number from 1 to 9999999'
  const body = { ...selection, limit: Number(values.limit) }
  return { action, body, config, address, json }
}

function parsedArguments(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    person: text,
    idp: text,
    session: text,
    config: text,
    address: text,
    limit: text,
    all: flag,
    json: flag,
  }
  try {
    // A reference may begin with a dash, which the parser would take for an option.
    return parseArgs({ args: joined(args), options }).values
  } catch (error) {
    return (error as Error).message
  }
}

/** `--session REF` as `--session=REF`. */
function joined(args: readonly string[]): string[] {
  const at = args.indexOf('--session')
  const value = at < 0 ? undefined : args[at + 1]
  return value === undefined ? [...args] : [...args.slice(0, at), `--session=${value}`, ...args.slice(at + 2)]
}

function selectionOf({ person, idp, session }: { person?: string; idp?: string; session?: string }) {
  if (person !== undefined) {
    // An idp's id has no slash; a subject may.
    const [, of, subject] = /^([^/]+)\/(.+)$/s.exec(person) ?? []
    if (of === undefined || subject === undefined) return '--person must be IDP/SUBJECT'
    return { person: { idp: of, subject } }
  }
  if (idp !== undefined) return idp === '' ? '--idp must not be empty' : { idp }
  if (session === undefined) return { all: true }
  return /^[\w-]{43}$/.test(session) ? { session } : '--session must be a reference as a list names it'
}

type Line = Readonly<Record<string, unknown>>

async function writeJson(lines: AsyncIterable<Line>, out: Output): Promise<void> {
  for await (const line of lines) out.write(`${JSON.stringify(line)}\n`)
}

const columns = [
  ['SESSION', 43],
  ['PERSON', 28],
  ['SINCE (UTC)', 16],
  ['USED AFTER', 16],
  ['BROWSER', 18],
  ['NETWORK', 0],
] as const

async function writeTable(lines: AsyncIterable<Line>, out: Output, err: Output): Promise<void> {
  let begun = false
  for await (const line of lines) {
    if (line.done === true) {
      const count = Number(line.listed)
      err.write(
        count === 0 ? 'no session\n' : `${counted(count)}${line.more === true ? '; there are more (--limit)' : ''}\n`,
      )
      continue
    }
    if (!begun) out.write(row(columns.map(([name]) => name)))
    begun = true
    const one = line as unknown as SessionLine
    const browser = one.device === 'shared' ? `${one.browser}, shared` : one.browser
    const used = one.used === null ? '?' : minute(one.used)
    out.write(row([one.session, `${one.idp}/${one.subject}`, minute(one.since), used, browser, one.network]))
  }
}

async function writeProgress(lines: AsyncIterable<Line>, out: Output, err: Output): Promise<void> {
  for await (const line of lines) {
    if (line.done === true) {
      out.write(`${counted(Number(line.ended))} ended\n`)
      writeUntold((line.untold ?? {}) as Readonly<Record<string, number>>, err)
    } else if (Number(line.looked) > 0) err.write(`${line.looked} looked at, ${line.ended} ended\n`)
  }
}

/** The sessions are over all the same, and nobody can tell the site a second time. */
function writeUntold(untold: Readonly<Record<string, number>>, err: Output): void {
  for (const [resource, count] of Object.entries(untold)) {
    const ends = count === 1 ? 'one end' : `${count} ends`
    err.write(`the site ${printable(resource)} was not told of ${ends} in time: what it keeps of its own may last\n`)
  }
}

/** What a subject holds was written by others: no character of it steers the terminal. */
function row(cells: readonly string[]): string {
  return `${cells
    .map((cell, index) => printable(cell).padEnd(columns[index]?.[1] ?? 0))
    .join('  ')
    .trimEnd()}\n`
}

/** `2026-11-20 08:02` */
function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ')
}

function counted(count: number): string {
  return count === 1 ? 'one session' : `${count} sessions`
}
