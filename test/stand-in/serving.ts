/** `passerelle serve FILE` as a process of its own, as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './measure.ts'
import { freePorts } from './ports.ts'

const root = join(import.meta.dirname, '../..')

export interface Ended {
  /** Null: it was killed by `signal`. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly child: ChildProcess
  /** All that came on standard output so far; nothing while it is not read. Log lines come up to 250 ms after what they tell. */
  readonly out: () => string
  readonly err: () => string
  /** Resolves when this stands in what came on standard output: what another channel told first may be on its way here. */
  readonly says: (wanted: string | RegExp) => Promise<void>
  /** Resolves when it is gone and, where its output is read, all of it has come. */
  readonly ended: Promise<Ended>
  /** Takes away the scratch folder, and the process where it still runs. */
  readonly clear: () => Promise<void>
}

export interface Serving extends Program {
  readonly port: number
  readonly operationsPort: number
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>
}

export interface ProgramOptions {
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** False: standard output is a pipe that nobody reads. */
  readonly read?: boolean
}

/** A test run that is cut off leaves none behind. */
const started = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

/** Every file of a configuration begins here; `$FILE` in the arguments is its path. */
export function runProgram(args: readonly string[], yaml: string | null, options: ProgramOptions = {}): Program {
  const folder = mkdtempSync(join(tmpdir(), 'passerelle-'))
  const file = join(folder, 'passerelle.yaml')
  if (yaml !== null) writeFileSync(file, yaml)
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), ...args.map(arg => arg.replace('$FILE', file))], {
    cwd: root,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pieces = { out: '', err: '' }
  if (options.read !== false) child.stdout.on('data', piece => (pieces.out += String(piece)))
  child.stderr.on('data', piece => (pieces.err += String(piece)))
  // `close` comes after the last words; of a pipe that nobody reads the end is never seen.
  const end = options.read === false ? 'exit' : 'close'
  const ended = new Promise<Ended>(resolve => child.once(end, (code, signal) => resolve({ code, signal })))
  started.add(child)
  child.once('exit', () => started.delete(child))
  const out = () => pieces.out.replaceAll(folder, '')
  return {
    child,
    out,
    err: () => pieces.err.replaceAll(folder, ''),
    async says(wanted) {
      const there = () => (typeof wanted === 'string' ? out().includes(wanted) : wanted.test(out()))
      await until(`it to say ${wanted}`, there).catch(error => {
        throw new Error(`${(error as Error).message}; it said:\n${out()}`)
      })
    },
    ended,
    async clear() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

export interface ServeOptions extends ProgramOptions {
  /** URL of the origin of the one site, which is public: http://site.localhost:<port>. */
  readonly origin: string
  /** YAML of `drain`. */
  readonly drain?: string
  /** Instead of the configuration below: a file of the test's own, the ports that it names, and more of the arguments. */
  readonly own?: {
    readonly file: string
    readonly port: number
    readonly operationsPort: number
    readonly more: readonly string[]
  }
}

/** Resolves when it listens. */
export async function serve({
  origin,
  drain = '{ wait: 0s, timeout: 30s }',
  own,
  ...options
}: ServeOptions): Promise<Serving> {
  const [free = 0, other = 0] = own === undefined ? await freePorts(2) : []
  const { port, operationsPort } = own ?? { port: free, operationsPort: other }
  const program =
    own === undefined
      ? runProgram(['serve', '$FILE'], configuration({ port, operationsPort, origin, drain }), options)
      : runProgram(['serve', own.file, ...own.more], null, options)
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${operationsPort}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  let gone = false
  program.ended.then(() => {
    gone = true
  })
  const up = () =>
    gone ||
    get('/livez').then(
      ({ status }) => status === 200,
      () => false,
    )
  await until(`the gateway to listen; it said:\n${program.out()}${program.err()}`, up, 60_000)
  if (gone) throw new Error(`the gateway ended:\n${program.out()}${program.err()}`)
  return { ...program, port, operationsPort, get }
}

export interface Written {
  readonly port: number
  readonly operationsPort: number
  readonly origin: string
  readonly drain: string
}

export function configuration({ port, operationsPort, origin, drain }: Written): string {
  return `
portal: "http://acces.localhost:${port}"
listen: { address: "127.0.0.1:${port}" }
operations: { address: "127.0.0.1:${operationsPort}" }
drain: ${drain}
session: { secrets: ["\${env:SECRET}"] }
idps:
  - id: campus
    label: Campus
    oidc: { issuer: "http://127.0.0.1:9", clientId: passerelle, clientSecret: "\${env:SECRET}" }
resources:
  - id: site
    title: Site
    at: "http://site.localhost:${port}"
    origin: "${origin}"
    policy: public
`
}

/** The environment that the configuration names. */
export const secret = { SECRET: 'thirty-two bytes and a few more, of no importance' }
