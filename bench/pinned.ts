/**
 * Processes that are tied to one core, and what the kernel says of them: CPU time and memory.
 * Everything that is started here is stopped by its pid, in reverse order, whatever happens to the benchmark.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What has to be stopped, in whatever state the benchmark ends. The latest goes first. */
export class Cleanup {
  readonly #steps: (() => Promise<void>)[] = []

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      await step().catch((problem: unknown) => console.error('while stopping:', problem))
    }
  }
}

export interface Pinned {
  readonly program: string
  readonly args: readonly string[]
  readonly core: number
  /** It is up as soon as this port of 127.0.0.1 takes connections. */
  readonly port: number
  /** Standard output and standard error go here; its end is quoted when the process does not start. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
  readonly cleanup: Cleanup
}

/** Clock ticks a second in /proc/<pid>/stat. */
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a program on one core. taskset replaces itself by the program, so the pid is the program's own.
 *
 * @throws Error when the program ends, or does not listen within 15 s; the end of its log is in the message
 */
export async function startPinned({ program, args, core, port, logFile, env, cleanup }: Pinned): Promise<number> {
  const log = openSync(logFile, 'a')
  const child = spawn('taskset', ['--cpu-list', String(core), program, ...args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  })
  closeSync(log)
  running.add(child)
  const ended = new Promise<'ended'>(resolve => {
    const end = () => {
      running.delete(child)
      resolve('ended')
    }
    child.once('exit', end)
    child.once('error', end)
  })
  cleanup.add(() => stop(child, ended))
  const deadline = performance.now() + 15_000
  while (!(await accepts(port))) {
    const over = await Promise.race([ended, pause(50)])
    if (over === 'ended' || performance.now() > deadline)
      throw new Error(`${program} does not listen on port ${port}:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
  }
  return child.pid as number
}

async function stop(child: ChildProcess, ended: Promise<'ended'>): Promise<void> {
  if (!running.has(child)) return
  child.kill('SIGTERM')
  const patience = pause(5_000, undefined, { ref: false })
  if ((await Promise.race([ended, patience])) !== 'ended') child.kill('SIGKILL')
  await ended
}

/** Ties a process that already runs, such as this one, to a core. */
export function pin(pid: number, core: number): void {
  execFileSync('taskset', ['--pid', '--all-tasks', '--cpu-list', String(core), String(pid)], { stdio: 'ignore' })
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

/** CPU time of these processes and all their descendants until now, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  return family(pids).reduce((sum, pid) => {
    // The fields after the name in parentheses; utime and stime are the 14th and 15th of the line.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return sum + (Number(fields[11]) + Number(fields[12])) / ticks
  }, 0)
}

/** CPU time that anybody used on this core until now, in seconds. */
export function coreSeconds(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0, stolen = 0] = line.split(' ').map(Number)
  return (user + nice + system + interrupts + soft + stolen) / ticks
}

/** Resident memory of these processes and all their descendants, in bytes; pages that they share count for each. */
export function residentBytes(pids: readonly number[]): number {
  return family(pids).reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), 0)
}

/** The most that one process has held since forgetPeak(), in bytes. */
export function peakBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM')
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) * 1_024
}

function family(pids: readonly number[]): number[] {
  return pids.flatMap(pid => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return [pid, ...family(children === '' ? [] : children.split(' ').map(Number))]
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
