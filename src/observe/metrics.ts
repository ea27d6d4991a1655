/**
 * The metrics, in Prometheus' text form. On the path of a request only plain numbers are raised; prom-client sees them when
 * somebody collects. Labels are bounded: resource and idp ids, effects, status classes; never a person, a URL or a session.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export interface Metrics {
  /** `none`: a name that is not ours, or no request at all. */
  readonly request: (plane: 'access' | 'portal' | 'none', status: number) => void
  readonly decision: (resource: string, effect: 'permit' | 'challenge' | 'deny') => void
  readonly origin: (resource: string, seconds: number) => void
  readonly failure: (code: string) => void
  readonly signIn: (idp: string, result: 'begun' | 'established' | 'kept' | 'nobody' | 'failed') => void
  readonly ended: (reason: string) => void
  readonly recheck: (idp: string, outcome: string) => void
  /** @param claim `*`: one that the configuration does not name */
  readonly disbelieved: (idp: string, claim: string, values: number) => void
  /** A try at an access code. */
  readonly code: (idp: string, outcome: string) => void
  readonly told: (participant: string, result: 'told' | 'failed') => void
  /** This configuration runs from now on. @param checksum hexadecimal, at most 13 digits */
  readonly configuration: (checksum: string, atMs: number) => void
  /** A reload was refused; the configuration that runs goes on. */
  readonly configurationRefused: () => void
  /** Anything of the closed list of events that is only counted. */
  readonly event: (name: string) => void
  readonly text: () => Promise<string>
}

export interface Measured {
  /** Null where counting would be dear. */
  readonly sessions: () => Promise<number | null>
  readonly openStreams: () => number
  readonly tunnels: () => number
  readonly idps: () => readonly { readonly id: string; readonly health: 'up' | 'down' | 'unknown' }[]
  readonly storeUp: () => Promise<boolean>
  /** Whether ends elsewhere are heard, so that sessions may be remembered. */
  readonly endsHeard: () => boolean
}

/** By the first digit; 0: the connection was gone before an answer could be begun. */
const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx']

/** Seconds. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function createMetrics(measured: Measured): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'passerelle_' })
  const tally = (name: string, help: string, ...labelNames: string[]) =>
    new Tally(registry, `passerelle_${name}`, help, labelNames)

  const requests = tally('requests_total', 'Requests answered, by plane and class of status.', 'plane', 'status')
  const decisions = tally('access_total', 'Decisions of the policy, by resource.', 'resource', 'effect')
  const failures = tally('failures_total', 'Failures by their code (docs/reference/errors.md).', 'code')
  const signIns = tally('sign_ins_total', 'Sign-ins by identity provider and result.', 'idp', 'result')
  const ends = tally('sessions_ended_total', 'Sessions that ended before their time, by reason.', 'reason')
  const told = tally(
    'logout_told_total',
    'Sites that were told of the end of a session, by result.',
    'participant',
    'result',
  )
  const rechecks = tally('rechecks_total', 'Checks of entitlement during sessions, by outcome.', 'idp', 'outcome')
  const disbelieved = tally(
    'claims_disbelieved_total',
    'Values that an identity provider asserted and may not, by claim; * is any claim that the configuration does not name.',
    'idp',
    'claim',
  )
  const codes = tally('access_codes_total', 'Tries at access codes, by outcome.', 'idp', 'outcome')
  const events = tally('events_total', 'Other events, by name.', 'event')
  const origins = new Durations(
    registry,
    'passerelle_origin_seconds',
    'From asking an origin to the head of its answer.',
  )

  const gauge = (name: string, help: string, read: () => Promise<number | null> | number | null) => {
    new Gauge({
      name: `passerelle_${name}`,
      help,
      registers: [registry],
      async collect() {
        const value = await read()
        if (value !== null) this.set(value)
      },
    })
  }
  gauge('sessions', 'Live sessions in the store; absent where counting would be dear.', () =>
    measured.sessions().catch(() => null),
  )
  gauge('store_up', '1 while the session store answers.', async () =>
    (await measured.storeUp().catch(() => false)) ? 1 : 0,
  )
  gauge('ends_heard', '1 while ends at other processes are heard; 0: each request asks the session store.', () =>
    measured.endsHeard() ? 1 : 0,
  )
  gauge('streams_open', 'Open WebSockets and event streams that belong to a session.', measured.openStreams)
  gauge('websockets_open', 'Open WebSockets.', measured.tunnels)
  new Gauge({
    name: 'passerelle_idp_up',
    help: '1 while an identity provider answered when last asked, 0 while it did not; absent before it was asked.',
    labelNames: ['idp'],
    registers: [registry],
    collect() {
      // Those that a reload has removed are no more.
      this.reset()
      for (const { id, health } of measured.idps())
        if (health !== 'unknown') this.set({ idp: id }, health === 'up' ? 1 : 0)
    },
  })

  const reloads = tally('config_reloads_total', 'Configurations read while the gateway ran, by outcome.', 'outcome')
  const configuration = { checksum: 0, succeeded: 0, at: 0 }
  gauge(
    'config_checksum',
    'Of the configuration that runs: the same number where it is the same.',
    () => configuration.checksum,
  )
  gauge(
    'config_last_reload_successful',
    '1 while the configuration that was read last is the one that runs; 0: it was refused.',
    () => configuration.succeeded,
  )
  gauge(
    'config_last_reload_success_timestamp_seconds',
    'When the configuration that runs was read.',
    () => configuration.at,
  )

  return {
    configuration(checksum, atMs) {
      // The one of the start was no reload.
      if (configuration.at > 0) reloads.add('adopted')
      Object.assign(configuration, { checksum: Number.parseInt(checksum, 16), succeeded: 1, at: atMs / 1000 })
    },
    configurationRefused() {
      reloads.add('refused')
      configuration.succeeded = 0
    },
    request: (plane, status) => requests.add(plane, classes[Math.floor(status / 100)] ?? 'other'),
    decision: (resource, effect) => decisions.add(resource, effect),
    origin: (resource, seconds) => origins.observe(resource, seconds),
    failure: code => failures.add(code),
    signIn: (idp, result) => signIns.add(idp, result),
    ended: reason => ends.add(reason),
    recheck: (idp, outcome) => rechecks.add(idp, outcome),
    disbelieved: (idp, claim, values) => disbelieved.add(idp, claim, values),
    told: (participant, result) => told.add(participant, result),
    code: (idp, outcome) => codes.add(idp, outcome),
    event: name => events.add(name),
    text: () => registry.metrics(),
  }
}

/** A counter with one or two labels, kept as plain numbers. */
class Tally {
  readonly #counts = new Map<string, Map<string, number>>()

  constructor(registry: Registry, name: string, help: string, labelNames: readonly string[]) {
    const counts = this.#counts
    const [first = '', second] = labelNames
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset()
        for (const [a, row] of counts) {
          for (const [b, count] of row)
            this.inc(second === undefined ? { [first]: a } : { [first]: a, [second]: b }, count)
        }
      },
    })
  }

  add(a: string, b = '', many = 1): void {
    const row = this.#counts.get(a)
    if (row === undefined) this.#counts.set(a, new Map([[b, many]]))
    else row.set(b, (row.get(b) ?? 0) + many)
  }
}

interface Row {
  readonly counts: number[]
  sum: number
  count: number
}

/** A histogram by resource. prom-client's own sorts and hashes labels on each observation, which costs more than a session. */
class Durations {
  readonly #rows = new Map<string, Row>()

  constructor(registry: Registry, name: string, help: string) {
    const rows = this.#rows
    const series = (suffix: string, ...labels: string[]) =>
      new Counter({ name: `${name}${suffix}`, help, labelNames: ['resource', ...labels], registers: [registry] })
    const bucket = series('_bucket', 'le')
    const sum = series('_sum')
    const count = series('_count')
    // One collects for all three: they must agree.
    Object.assign(bucket, {
      collect() {
        for (const one of [bucket, sum, count]) one.reset()
        for (const [resource, row] of rows) {
          let cumulated = 0
          for (const [index, le] of buckets.entries()) {
            cumulated += row.counts[index] ?? 0
            bucket.inc({ resource, le }, cumulated)
          }
          bucket.inc({ resource, le: '+Inf' }, row.count)
          sum.inc({ resource }, row.sum)
          count.inc({ resource }, row.count)
        }
      },
    })
  }

  observe(resource: string, seconds: number): void {
    let row = this.#rows.get(resource)
    if (row === undefined) {
      row = { counts: buckets.map(() => 0), sum: 0, count: 0 }
      this.#rows.set(resource, row)
    }
    row.sum += seconds
    row.count++
    for (let i = 0; i < buckets.length; i++) {
      if (seconds > (buckets[i] as number)) continue
      row.counts[i] = (row.counts[i] as number) + 1
      return
    }
  }
}
