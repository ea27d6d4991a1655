/** From runs to a table for the README, with the caveats that make it worth reading, and to the goals that it must meet. */
import type { Download } from './download.ts'
import type { Run } from './load.ts'
import type { Peer } from './peers/peer.ts'

export interface Measured {
  readonly peer: Peer
  readonly runs: readonly Run[]
}

export interface Conditions {
  readonly machine: string
  readonly connections: number
  readonly rounds: number
  readonly seconds: number
}

export interface Goal {
  readonly sentence: string
  /** Null: a peer that it compares with was not measured. */
  readonly met: boolean | null
}

export interface Names {
  readonly ours: readonly string[]
  readonly nginx: string
  readonly textbook: string
}

const wanted = { ofNginx: 0.45, timesTextbook: 4, ofMemory: 0.97, growthBytes: 32_000_000 }

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? Number.NaN
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper
}

export function judge(measured: readonly Measured[], downloads: readonly Download[] | null, names: Names): Goal[] {
  const rate = (name: string) => {
    const found = measured.find(({ peer }) => peer.name === name)
    return found === undefined ? null : median(found.runs.map(run => run.requestsPerSecond))
  }
  const compare = (ours: string, other: string, factor: number): Goal => {
    const [mine, theirs] = [rate(ours), rate(other)]
    const ratio = mine === null || theirs === null ? null : mine / theirs
    const told = ratio === null ? 'not measured' : `${ratio.toFixed(2)} ×`
    return {
      sentence: `${ours}: at least ${factor} × the requests per second of “${other}”: ${told}`,
      met: ratio === null ? null : ratio >= factor,
    }
  }
  const growth = downloads === null ? null : median(downloads.map(download => download.growth))
  return [
    ...names.ours.map(name => compare(name, names.nginx, wanted.ofNginx)),
    ...names.ours.map(name => compare(name, names.textbook, wanted.timesTextbook)),
    ...names.ours.slice(1).map(name => compare(name, names.ours[0] ?? name, wanted.ofMemory)),
    {
      sentence: `a download of 1 GB after the first one makes the gateway grow by less than 32 MB: ${growth === null ? 'not measured' : `${megabytes(growth)} MB`}`,
      met: growth === null ? null : growth < wanted.growthBytes,
    },
  ]
}

export function table(measured: readonly Measured[], names: Names): string {
  const rate = (name: string) => {
    const found = measured.find(({ peer }) => peer.name === name)
    return found === undefined ? Number.NaN : median(found.runs.map(run => run.requestsPerSecond))
  }
  const rows = measured.map(({ peer, runs }) => {
    const rates = runs.map(run => run.requestsPerSecond)
    const mid = (of: (run: Run) => number) => median(runs.map(of))
    return [
      names.ours.includes(peer.name) ? `**${peer.name}**` : peer.name,
      `${grouped(Math.min(...rates))} / **${grouped(median(rates))}** / ${grouped(Math.max(...rates))}`,
      ratio(median(rates) / rate(names.nginx)),
      ratio(median(rates) / rate(names.textbook)),
      `${Math.round(mid(run => run.cpu) * 100)} %`,
      grouped(mid(run => run.requestsPerCpuSecond)),
      `${mid(run => run.p50Ms).toFixed(2)} / ${mid(run => run.p99Ms).toFixed(1)}`,
      megabytes(mid(run => run.residentBytes)),
    ]
  })
  return [
    '| | requests/s: least / median / most | of nginx | × textbook | CPU | requests per CPU-second | p50 / p99, ms | RSS, MB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(row => `| ${row.join(' | ')} |`),
  ].join('\n')
}

export function result(
  conditions: Conditions,
  measured: readonly Measured[],
  downloads: readonly Download[] | null,
  goals: readonly Goal[],
  names: Names,
  skipped: readonly string[],
): string {
  const { machine, connections, rounds, seconds } = conditions
  const others = Math.max(0, ...measured.flatMap(({ runs }) => runs.map(run => run.others)))
  const memory =
    downloads === null
      ? ''
      : `\nMemory: ${downloads.length} downloads of 1 GB, one after the other, after one to warm up. Growth of the gateway's RSS by each: ${downloads.map(({ growth }) => megabytes(growth)).join(', ')} MB (while it ran, at most ${downloads.map(({ peakGrowth }) => megabytes(peakGrowth)).join(', ')} MB), in ${downloads.map(({ seconds }) => seconds.toFixed(1)).join(', ')} s.\n`
  return `${machine} ${rounds} rounds of ${seconds} s, the peers by turns; ${connections} kept connections, requests with Host and Cookie alone, one answer of 1 KB, plain HTTP/1.1 on loopback. Each peer had one core to itself; wrk (one thread), the origin (nginx) and Redis shared the other. ${others > 0.05 ? `**Something else used up to ${Math.round(others * 100)} % of the measured core: run it again on a quiet machine.**` : 'Nothing else used the measured core.'}

${table(measured, names)}
${memory}
${goals.map(({ sentence, met }) => `- ${met === null ? 'not judged' : met ? 'met' : '**missed**'}: ${sentence}`).join('\n')}
${skipped.map(sentence => `- ${sentence}\n`).join('')}
What each does for every request:

${measured.map(({ peer }) => `- ${peer.name}: ${peer.work}.`).join('\n')}

How to read it:

- These are costs of CPU with an origin that answers at once and one hot session. What people feel is the origin.
- Our figures come from a design difference: an identity that is kept in the process, and forgotten within a second when the session ends anywhere. The Redis row costs nothing more for a session that is in use, because Redis is asked only when the cache does not know; the textbook asks it every time, and mod_auth_openidc decrypts and validates its session every time.
- A row with less than about 95 % CPU was held back by something else, mostly by the core of wrk and the origin: that peer could do more, and ratios to it flatter the others. “Requests per CPU-second” is the fairer column there. For (1) nginx that is the rule.
- Everybody writes an access log into a file, but the textbook chain, which has none. Everybody keeps connections to the origin. The node processes run with --max-semi-space-size=16, ours and the others'.
- The peers run as their manuals say, not tuned by a search; we know our own gateway better. Latencies are those of a saturated core: less load, less latency.
- RSS adds up the processes of a peer; memory that they share counts for each.
`
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '–'
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
