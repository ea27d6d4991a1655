/**
 * A recording origin: the legacy site of a test. It keeps every request, header lines in their order and spelling, and
 * every byte of every connection, so that a test can say what the gateway really sent. Three ways to answer: the
 * ready-made paths (origin-paths.ts), a handler of the test's own, or raw bytes (`answers`; broken-answers.ts has a
 * collection).
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerPath, echoWebSocket } from './origin-paths.ts'
import { RecordedConnection, RecordedRequest, Watch } from './recording.ts'
import { framingOf, readBody, readHead } from './wire-message.ts'

export type OriginHandler = (request: IncomingMessage, response: ServerResponse, recorded: RecordedRequest) => void

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer, recorded: RecordedRequest) => void

/**
 * Writes whatever it likes on the socket, once for each request that arrived.
 *
 * @param requestBytes the request, head and body, exactly as received
 * @param nth          counts the requests of this origin from 1
 */
export type RawAnswer = (socket: Socket, requestBytes: Buffer, nth: number) => void

export interface OriginOptions {
  /** 0, a free one, by default. */
  readonly port?: number
  /** Absent: the ready-made paths. It may pass on to `answerPath`. */
  readonly handler?: OriginHandler
  /** Absent: an echoing WebSocket on every path; `?refuse=403` answers with that status instead. */
  readonly upgrade?: UpgradeHandler
  /** Raw mode: no HTTP server stands between the test and the socket. Excludes `handler` and `upgrade`. */
  readonly answers?: RawAnswer
  /** Raw mode: answer when the head is there, not waiting for the body. */
  readonly answerAt?: 'head' | 'end'
  /** How much of each body and of each connection is kept; 1 MiB by default. */
  readonly keepBytes?: number
  /** How long an idle connection stays open, in ms; 30,000 by default. Apache has 5,000. */
  readonly keepAliveMs?: number
}

export interface Origin {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** In the order in which their heads arrived. */
  readonly requests: readonly RecordedRequest[]
  readonly connections: readonly RecordedConnection[]
  /** Raw mode: whether an answer is over cannot be told, unless its connection is. */
  readonly raw: boolean
  /** All bytes received, of all connections one after the other, as latin1. */
  readonly rawBytes: () => string
  /** Resolves as soon as the condition holds; throws after `withinMs` (5,000). */
  readonly until: (condition: () => boolean, what?: string, withinMs?: number) => Promise<void>
  /** Resolves with the nth request (from 1) once it is complete or aborted. */
  readonly request: (nth: number) => Promise<RecordedRequest>
  /** Resolves with the nth request (from 1) once the exchange has come to an end, well or badly. */
  readonly exchange: (nth: number) => Promise<RecordedRequest>
  /** Forgets what was recorded; open connections go on, and so does their recording. */
  readonly forget: () => void
  /** Closes every connection and the listener. */
  readonly stop: () => Promise<void>
}

export async function startOrigin(options: OriginOptions = {}): Promise<Origin> {
  const keepBytes = options.keepBytes ?? 1_048_576
  const requests: RecordedRequest[] = []
  const connections: RecordedConnection[] = []
  const open = new Map<Socket, RecordedConnection>()
  const watch = new Watch()

  const connected = (socket: Socket) => {
    const connection = new RecordedConnection(socket, keepBytes)
    connections.push(connection)
    open.set(socket, connection)
    socket.on('data', chunk => connection.keep(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      connection.open = false
      open.delete(socket)
      watch.changed()
    })
    watch.changed()
  }
  const record = (line: RequestLine, rawHeaders: readonly string[], socket: Socket) => {
    const connection = open.get(socket)
    if (connection === undefined) throw new Error('a request on a connection that was never opened')
    const recorded = new RecordedRequest(line, rawHeaders, connection, keepBytes)
    requests.push(recorded)
    watch.changed()
    return recorded
  }

  const server =
    options.answers === undefined
      ? httpServer(options, record, watch)
      : rawServer(options.answers, options.answerAt ?? 'end', record, watch)
  server.on('connection', connected)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    connections,
    raw: options.answers !== undefined,
    rawBytes: () => connections.map(connection => connection.bytes.toString('latin1')).join(''),
    until: (condition, what, withinMs) => watch.until(condition, what, withinMs),
    request: async nth => {
      const settled = () => requests[nth - 1]?.complete === true || requests[nth - 1]?.aborted === true
      await watch.until(settled, `request ${nth} at the origin`)
      return requests[nth - 1] as RecordedRequest
    },
    exchange: async nth => {
      await watch.until(() => requests[nth - 1]?.over === true, `the end of request ${nth} at the origin`)
      return requests[nth - 1] as RecordedRequest
    },
    forget: () => {
      requests.length = 0
      // A connection that stays open is kept: what comes on it later must not go unseen.
      connections.splice(0, connections.length, ...open.values())
      for (const connection of connections) connection.forget()
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of open.keys()) socket.destroy()
      }),
  }
}

interface RequestLine {
  readonly method: string
  readonly url: string
  readonly upgrade: boolean
}

type Record = (line: RequestLine, rawHeaders: readonly string[], socket: Socket) => RecordedRequest

function httpServer(options: OriginOptions, record: Record, watch: Watch): Server {
  const handler = options.handler ?? answerPath
  const upgrade = options.upgrade ?? echoWebSocket()
  const server = createHttpServer({ maxHeaderSize: 262_144, requireHostHeader: false, requestTimeout: 0 })
  server.headersTimeout = 0
  server.maxHeadersCount = 0
  server.keepAliveTimeout = options.keepAliveMs ?? 30_000

  server.on('request', (request, response) => {
    const recorded = record(lineOf(request, false), request.rawHeaders, request.socket)
    request.on('data', chunk => {
      recorded.addBody(chunk)
      watch.changed()
    })
    request.on('end', () => {
      recorded.trailers = request.rawTrailers
      recorded.complete = true
      watch.changed()
    })
    response.on('close', () => {
      recorded.aborted = !response.writableFinished
      recorded.over = true
      watch.changed()
    })
    handler(request, response, recorded)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const recorded = record(lineOf(request, true), request.rawHeaders, request.socket)
    recorded.complete = true
    socket.on('close', () => {
      recorded.over = true
      watch.changed()
    })
    upgrade(request, socket, head, recorded)
    watch.changed()
  })
  return server
}

function rawServer(answers: RawAnswer, answerAt: 'head' | 'end', record: Record, watch: Watch): Server {
  let count = 0
  return createTcpServer({ noDelay: true, allowHalfOpen: true }, socket => {
    let unread: Buffer = Buffer.alloc(0)
    let current: RecordedRequest | null = null
    const asked: RecordedRequest[] = []
    const readOne = (): boolean => {
      const head = readHead(unread)
      if (head === null) return false
      if (current === null) {
        const [method = '', url = ''] = head.startLine.split(' ')
        current = record({ method, url, upgrade: false }, head.rawHeaders, socket)
        asked.push(current)
        count += 1
        if (answerAt === 'head') answers(socket, unread.subarray(0, head.length), count)
      }
      const body = readBody(unread.subarray(head.length), framingOf(head) ?? { kind: 'none' }, false)
      if (body === null) return false
      current.addBody(body.body)
      current.trailers = body.trailers
      current.complete = true
      current = null
      const whole = unread.subarray(0, head.length + body.length)
      unread = unread.subarray(whole.length)
      if (answerAt === 'end') answers(socket, whole, count)
      watch.changed()
      return true
    }
    socket.on('data', chunk => {
      unread = Buffer.concat([unread, chunk])
      while (readOne()) {}
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      if (current !== null) current.aborted = true
      for (const request of asked) request.over = true
    })
  })
}

function lineOf(request: IncomingMessage, upgrade: boolean): RequestLine {
  return { method: request.method ?? '', url: request.url ?? '', upgrade }
}
