/**
 * `npm run bench`: our gateway beside what people use instead, in one run on one pinned core.
 *
 *   node bench/bench.ts [--rounds 5] [--seconds 5] [--only nginx,passerelle] [--write]
 *
 * --only   peers whose name contains one of these words · --write  also writes bench/result.md
 * Exits with 1 when a goal is missed or a peer fails, with 2 when the benchmark cannot run at all.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Download, measureDownloads } from './download.ts'
import { ask, type Run, runLoad } from './load.ts'
import { describeMachine } from './machine.ts'
import { subject } from './openid-provider.ts'
import { identityPath, type Origin, pagePath } from './origin.ts'
import { apacheOpenidc } from './peers/apache-openidc.ts'
import { nginx } from './peers/nginx.ts'
import { nginxAuthRequest } from './peers/nginx-auth-request.ts'
import { passerelle } from './peers/passerelle.ts'
import type { Peer, StartedPeer } from './peers/peer.ts'
import { textbook } from './peers/textbook.ts'
import { pin } from './pinned.ts'
import { installCommand, missing, nginx as nginxProgram, taskset, widenPath, wrk } from './programs.ts'
import { judge, type Measured, result } from './result.ts'
import { setStage } from './stage.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})
const [rounds, seconds] = [Number(options.rounds), Number(options.seconds)]
const connections = 64
/** The measured peer has this core to itself… */
const peerCore = 0
/** …and everything else, this process too, shares that one. */
const otherCore = 1

const ours = [passerelle('memory'), passerelle('redis')]
const everyone: readonly Peer[] = [nginx, nginxAuthRequest, apacheOpenidc, textbook, ...ours]
const names = { ours: ours.map(peer => peer.name), nginx: nginx.name, textbook: textbook.name }

prepare()
const words = options.only.split(',').filter(Boolean)
const chosen = everyone.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
const skipped = chosen.filter(lacksProgram).map(({ name, needs }) => {
  const absent = missing(needs)
  return `Skipped: ${name}, because ${absent.map(program => program.name).join(' and ')} is not installed: \`${installCommand(absent)}\``
})
for (const sentence of skipped) console.error(sentence)

const ourselves = chosen.some(({ name }) => names.ours.includes(name))
if (ourselves) build()
const stages = await setStage(otherCore)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stages.cleanup.run().finally(() => process.exit(130)))
try {
  const measured = await compare(chosen.filter(peer => !lacksProgram(peer)))
  const downloads = ourselves ? await download() : null
  const goals = judge(measured, downloads, names)
  const conditions = { machine: describeMachine(), connections, rounds, seconds }
  const told = result(conditions, measured, downloads, goals, names, skipped)
  console.log(told)
  if (options.write) writeFileSync(new URL('result.md', import.meta.url), told)
  if (goals.some(({ met }) => met === false)) process.exitCode = 1
} catch (problem) {
  console.error(problem)
  process.exitCode = 1
} finally {
  await stages.cleanup.run()
}

/** Everyone is started, examined and warmed up; then they take turns, each round beginning with another one. */
async function compare(peers: readonly Peer[]): Promise<Measured[]> {
  const started: { peer: Peer; at: StartedPeer; runs: Run[] }[] = []
  for (const peer of peers) {
    const at = await peer.start(peerCore, stages.next())
    await examine(peer, at, stages.origin)
    await load(at)
    started.push({ peer, at, runs: [] })
    console.error(`ready: ${peer.name}`)
  }
  for (let round = 0; round < rounds; round++) {
    for (const turn of started.keys()) {
      const entry = started[(turn + round) % started.length]
      if (entry === undefined) continue
      const run = await load(entry.at)
      entry.runs.push(run)
      console.error(`round ${round + 1}: ${Math.round(run.requestsPerSecond)} requests/s  ${entry.peer.name}`)
    }
  }
  return started
}

function load(at: StartedPeer): Promise<Run> {
  return runLoad(at, at.pids, { peerCore, core: otherCore, connections, seconds, path: pagePath })
}

/**
 * A fast wrong answer is no result: the page must come back whole, a stranger must be refused, and the origin must hear
 * who asks, whatever the client claims.
 */
async function examine(peer: Peer, at: StartedPeer, origin: Origin): Promise<void> {
  const page = await ask(at, pagePath)
  if (page.status !== 200 || !page.body.equals(origin.page))
    throw new Error(`${peer.name} answers ${page.status} with ${page.body.length} bytes, not the page`)
  if (!peer.protects) return
  const { Cookie: _, ...withoutCookie } = at.headers
  const stranger = await ask({ port: at.port, headers: withoutCookie }, pagePath)
  if (stranger.status === 200) throw new Error(`${peer.name} lets strangers in`)
  const forged = { port: at.port, headers: { ...at.headers, 'X-Remote-User': 'root' } }
  const told = (await ask(forged, identityPath)).body.toString()
  if (told !== subject) throw new Error(`${peer.name} tells the origin “${told}” instead of ${subject}`)
}

/** On a fresh gateway: one that has answered a million requests has already grown. */
async function download(): Promise<Download[]> {
  const at = await passerelle('memory').start(peerCore, stages.next())
  const pid = at.pids[0]
  if (pid === undefined) throw new Error('the gateway has no process')
  return measureDownloads(at, pid, 3)
}

function lacksProgram({ needs }: Peer): boolean {
  return missing(needs).length > 0
}

/** Leaves with one sentence where nothing can be measured. */
function prepare(): void {
  widenPath()
  const absent = missing([taskset, wrk, nginxProgram])
  if (process.platform !== 'linux') leave('The benchmark needs Linux: it ties processes to cores and reads /proc.')
  if (absent.length > 0)
    leave(`The benchmark needs ${absent.map(({ name }) => name).join(' and ')}:\n\n  ${installCommand(absent)}`)
  if (availableParallelism() < 2) leave('The benchmark needs two cores: one for the peer, one for everything else.')
  pin(process.pid, otherCore)
}

/** What is installed is JavaScript: measured is what tsc makes of the sources now. */
function build(): void {
  const compiler = fileURLToPath(new URL('../node_modules/.bin/tsc', import.meta.url))
  const root = fileURLToPath(new URL('..', import.meta.url))
  const built = spawnSync(compiler, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  if (built.status !== 0) leave('The gateway could not be built; the compiler’s own message is above.')
}

function leave(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}
