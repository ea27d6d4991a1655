/** One run of wrk against one peer, and the real request that comes before it: a fast wrong answer is no result. */
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { coreSeconds, cpuSeconds, residentBytes } from './pinned.ts'

export interface Target {
  readonly port: number
  /** What a signed-in browser sends: Host, Cookie. */
  readonly headers: Readonly<Record<string, string>>
}

export interface LoadOptions {
  /** Where the peer runs… */
  readonly peerCore: number
  /** …and where wrk runs. */
  readonly core: number
  readonly connections: number
  readonly seconds: number
  readonly path: string
}

export interface Run {
  readonly requestsPerSecond: number
  /** Requests for each second of CPU time that the peer's processes used: less disturbed by what else runs. */
  readonly requestsPerCpuSecond: number
  /** CPU time by elapsed time; 1: the core was the limit. */
  readonly cpu: number
  /** What others took of the peer's core meanwhile; more than a few hundredths spoil the run. */
  readonly others: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly residentBytes: number
}

export interface Heard {
  readonly status: number
  readonly body: Buffer
}

/** @param pids whose CPU time and memory are counted */
export async function runLoad(target: Target, pids: readonly number[], options: LoadOptions): Promise<Run> {
  const headers = Object.entries(target.headers)
  const args = [
    ...['--cpu-list', String(options.core), 'wrk', '--threads', '1', '--latency'],
    ...['--connections', String(options.connections), '--duration', `${options.seconds}s`],
    ...headers.flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    `http://127.0.0.1:${target.port}${options.path}`,
  ]
  const [cpuBefore, coreBefore] = [cpuSeconds(pids), coreSeconds(options.peerCore)]
  const begun = performance.now()
  const told = await outputOf('taskset', args)
  const elapsed = (performance.now() - begun) / 1_000
  const cpu = cpuSeconds(pids) - cpuBefore
  const others = coreSeconds(options.peerCore) - coreBefore - cpu
  const report = readReport(told)
  return {
    requestsPerSecond: report.requestsPerSecond,
    requestsPerCpuSecond: report.requests / cpu,
    cpu: cpu / elapsed,
    others: Math.max(0, others / elapsed),
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    residentBytes: residentBytes(pids),
  }
}

/** @throws Error when any answer failed: figures with errors in them compare nothing */
export function readReport(told: string): {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
} {
  const errors = /^\s*(Socket errors:.*|Non-2xx or 3xx responses:.*)$/m.exec(told)
  if (errors !== null) throw new Error(`wrk saw failures: ${errors[1]}`)
  const number = (pattern: RegExp) => {
    const match = pattern.exec(told)
    if (match === null) throw new Error(`wrk said something unexpected:\n${told}`)
    return Number(match[1]) * (match[2] === undefined ? 1 : (milliseconds[match[2]] ?? Number.NaN))
  }
  return {
    requests: number(/(\d+) requests in /),
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    // Below "Latency Distribution"; the "Latency" line above it holds mean, deviation and maximum.
    p50Ms: number(/^\s+50%\s+([\d.]+)(us|ms|s)\s*$/m),
    p99Ms: number(/^\s+99%\s+([\d.]+)(us|ms|s)\s*$/m),
  }
}

const milliseconds: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

/** One real request on a connection of its own, its answer read to the end. */
export function ask(target: Target, path: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const { headers } = target
    const sent = request({ host: '127.0.0.1', port: target.port, path, headers, agent: false }, answer => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(pieces) }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}

function outputOf(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let told = ''
    child.stdout.on('data', (piece: Buffer) => {
      told += piece
    })
    child.stderr.on('data', (piece: Buffer) => {
      told += piece
    })
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve(told) : reject(new Error(`wrk ended with ${code}:\n${told}`))))
  })
}
