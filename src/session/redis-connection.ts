/**
 * Connections to Redis. Nothing waits for Redis: a command that has no connection fails at once, one without an answer
 * after its deadline, and a gateway starts without Redis and finds it when it comes.
 */
import { Redis } from 'ioredis'
import type { RedisAddress } from './redis-address.ts'
import { scripts } from './redis-scripts.ts'

/** What defineCommand adds. A name that ends in Buffer gives bytes, not text. */
interface Scripted {
  readRecordBuffer(record: string): Promise<[Buffer, number, number] | null>
  replaceRecord(record: string, visits: string, version: Buffer, value: Buffer, expiresAt: string): Promise<string>
  touchRecord(record: string, visits: string, expiresAt: number): Promise<number>
  takeRecordBuffer(record: string, visits: string): Promise<[Buffer, Buffer[]] | null>
  visitRecord(record: string, visits: string, member: string, limit: number): Promise<number>
  enterDirectory(key: string, member: string, expiresAt: number): Promise<number>
  enterLimited(key: string, member: string, expiresAt: number, limit: number, ...displaced: string[]): Promise<string[]>
}

export type Connection = Redis & Scripted

export interface ConnectionManner {
  /** As Redis lists it, for the operator. */
  readonly name: string
  /** Milliseconds until a command without an answer is a failure. */
  readonly commandTimeoutMs: number
  /** Milliseconds of silence after which a connection is given up: what stands in its buffers goes with it. */
  readonly silenceMs: number
  /** Milliseconds between two attempts to connect, at most. */
  readonly longestPauseMs: number
}

/** Milliseconds; with the longest pause between two attempts less than the 2 s in which a returned Redis must serve. */
const connectTimeoutMs = 1_000

export function connect(address: RedisAddress, manner: ConnectionManner): Connection {
  const { commandTimeoutMs, longestPauseMs } = manner
  return new Redis({
    host: address.host,
    port: address.port,
    db: address.db,
    ...(address.tls ? { tls: {} } : {}),
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    connectionName: manner.name,
    disableClientInfo: true,
    scripts,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: manner.silenceMs,
    disconnectTimeout: 200,
    maxLoadingRetryTime: commandTimeoutMs,
    retryStrategy: attempt => Math.min(longestPauseMs, 25 * 2 ** attempt) * (0.5 + Math.random() / 2),
    // A write to what is a replica now: the address may lead to the new master.
    reconnectOnError: error => error.message.startsWith('READONLY'),
    // Never sent twice: a GETDEL that was carried out before the connection broke would then find nothing.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  }) as Connection
}

/** Resolves when the first attempt to connect has ended, well or not. */
export function firstAttempt(connection: Connection): Promise<void> {
  return new Promise(resolve => {
    for (const event of ['ready', 'close', 'end']) connection.once(event, resolve)
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
