/**
 * Connections to Redis: to one server, to the one that sentinels name, to a cluster; the only file that knows ioredis.
 * Nothing waits for Redis: a command that has no connection fails at once, and a gateway starts without Redis and finds it when
 * it comes. How long an answer may take is for whoever asks (model/deadlines.ts): ioredis's own time limits count our standstills
 * against Redis. Everything goes to masters.
 */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import type { RedisPlace } from './redis-place.ts'
import { scripts } from './redis-scripts.ts'
import { giveUpWhenSilent } from './redis-silence.ts'

/** What defineCommand adds. A name that ends in Buffer gives bytes, not text. */
interface Scripted {
  readRecordBuffer(record: string): Promise<[Buffer, number, number] | null>
  replaceRecord(record: string, visits: string, version: Buffer, value: Buffer, expiresAt: string): Promise<string>
  touchRecord(record: string, visits: string, expiresAt: number): Promise<number>
  takeRecordBuffer(record: string, visits: string): Promise<[Buffer, Buffer[]] | null>
  visitRecord(record: string, visits: string, member: string, limit: number): Promise<number>
  raiseCounter(key: string, most: number): Promise<number>
  meterRate(key: string, stepMs: number, aheadMs: number, many: number): Promise<number>
  enterDirectory(key: string, member: string, expiresAt: number): Promise<number>
  enterLimited(key: string, member: string, expiresAt: number, limit: number, ...displaced: string[]): Promise<string[]>
}

/** A cluster takes the same commands, as long as all keys of one are in one slot. */
export type Connection = Redis & Scripted

export interface ConnectionManner {
  /** As Redis lists it, for the operator. */
  readonly name: string
  /** Milliseconds of silence after which a connection is given up: what stands in its buffers goes with it. */
  readonly silenceMs: number
  /** Milliseconds between two attempts to connect, at most. */
  readonly longestPauseMs: number
}

/** Milliseconds; with the longest pause between two attempts less than the 2 s in which a returned Redis must serve. */
const connectTimeoutMs = 1_000
/** How long a sentinel, or one server of a cluster, may take to say who serves what, ms. */
const askedTimeoutMs = 500
/** How often a cluster is asked who serves what although nobody was sent elsewhere, ms. */
const refreshMs = 5_000
/** Milliseconds until a Redis that still reads its data is asked again whether it is ready. */
const loadingMs = 500

export function connect(place: RedisPlace, manner: ConnectionManner): Connection {
  const { longestPauseMs, silenceMs } = manner
  const pause = (attempt: number) => Math.min(longestPauseMs, 25 * 2 ** attempt) * (0.5 + Math.random() / 2)
  const tls = place.tls === null ? null : { ...trustIn(place.tls.ca), ...named(place.tls.serverName) }
  const options = {
    ...(tls === null ? {} : { tls }),
    ...(place.username === null ? {} : { username: place.username }),
    ...(place.password === null ? {} : { password: place.password }),
    connectionName: manner.name,
    disableClientInfo: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: 200,
    maxLoadingRetryTime: loadingMs,
    // Never sent twice: a GETDEL that was carried out before the connection broke would then find nothing.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  }
  const single = {
    ...options,
    scripts,
    db: place.database,
    retryStrategy: pause,
    enableOfflineQueue: false,
    // A write to what is a replica now: the address, or a sentinel, may lead to the new master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  }
  switch (place.kind) {
    case 'server':
      return watched(new Redis({ ...single, ...place.servers[0] }))
    case 'sentinels':
      return watched(
        new Redis({
          ...single,
          sentinels: place.servers.map(server => ({ ...server })),
          name: place.master,
          ...(place.sentinelUsername === null ? {} : { sentinelUsername: place.sentinelUsername }),
          ...(place.sentinelPassword === null ? {} : { sentinelPassword: place.sentinelPassword }),
          ...(tls === null ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
          sentinelRetryStrategy: pause,
          sentinelCommandTimeout: askedTimeoutMs,
        }),
      )
    case 'cluster': {
      const cluster = new Cluster(
        place.servers.map(server => ({ ...server })),
        {
          redisOptions: options,
          scripts,
          scaleReads: 'master',
          clusterRetryStrategy: pause,
          slotsRefreshTimeout: askedTimeoutMs,
          slotsRefreshInterval: refreshMs,
          // A name stays a name, so that a certificate can be compared with it.
          dnsLookup: (address, found) => found(null, address),
          maxRedirections: 4,
          // Never sent twice, here too.
          retryDelayOnFailover: 0,
          retryDelayOnClusterDown: 0,
          retryDelayOnTryAgain: 50,
        },
      )
      cluster.on('+node', watched)
      return cluster as unknown as Connection
    }
  }

  function watched(line: Redis): Connection {
    giveUpWhenSilent(line, silenceMs)
    return line as Connection
  }
}

/** Servers that are written to; of a cluster those that are known at this moment. */
export function mastersOf(connection: Connection): readonly Connection[] {
  const some: unknown = connection
  return some instanceof Cluster ? (some.nodes('master') as Connection[]) : [connection]
}

/** Of a cluster: hears why a server of it is out of reach; the connection as a whole may go on. */
export function onServerLost(connection: Connection, hear: (error: Error) => void): void {
  const some: unknown = connection
  if (some instanceof Cluster) some.on('node error', hear)
}

/**
 * Of a cluster: hears when another server has become a master. What its predecessor had confirmed last may be gone, and the
 * log, on another server perhaps, does not show it.
 */
export function onMastersChanged(connection: Connection, hear: () => void): void {
  const some: unknown = connection
  if (!(some instanceof Cluster)) return
  let known: ReadonlySet<string> | null = null
  some.on('refresh', () => {
    const masters = new Set(some.nodes('master').map(({ options }) => `${options.host}:${options.port}`))
    const added = known !== null && [...masters].some(master => !known?.has(master))
    known = masters
    if (added) hear()
  })
}

/** Resolves when the first attempt to connect has ended, well or not. */
export function firstAttempt(connection: Connection): Promise<void> {
  return new Promise(resolve => {
    for (const event of ['ready', 'error', 'close', 'end']) connection.once(event, resolve)
  })
}

/** What an error of ioredis, of the socket or of Redis says, in one short line and without what we had sent. */
export function told(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(told).join('; ')
  if (!(error instanceof Error)) return 'unknown failure'
  // Redis repeats the arguments of a command that it does not know, and HELLO has the password among them.
  const said = error.message.replace(/,? with args beginning with.*/s, '')
  return said === '' ? error.name : said.slice(0, 200)
}

/** What Redis itself answered: not a connection that is lost, and not a deadline. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

/** Made once for a connection: parsing a hundred and fifty certificates each time would cost more than the handshake. */
function trustIn(ca: string | null): { readonly secureContext?: SecureContext } {
  return ca === null ? {} : { secureContext: createSecureContext({ ca: [...getCACertificates('default'), ca] }) }
}

function named(serverName: string | null): { readonly servername?: string } {
  return serverName === null ? {} : { servername: serverName }
}
