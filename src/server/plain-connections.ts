/**
 * The connections of browsers, as long as what they ask is plain. A plain request is read here and answered here; whatever else
 * comes, the connection is node's own HTTP server's from its first byte, and remains so: two readers of one message there never are.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { WriteSoon } from '../model/write-soon.ts'
import { mayBecomePlain, readPlainHead } from './plain-head.ts'
import { PlainRequest } from './plain-passage.ts'
import { type Answering, keepAliveS, PlainResponse } from './plain-response.ts'

export interface PlainParts {
  /** @returns false: this request is node's after all; nothing was done about it */
  readonly serve: (request: PlainRequest, response: PlainResponse, cookies: string | null) => boolean
  /** Milliseconds after which a client that does not take its answer is cut. */
  readonly idleMs: () => number
  readonly writeSoon: WriteSoon
  readonly monotonic: () => number
}

/** For the first request of a connection to begin, ms; browsers open some that they then do not need. */
const firstMs = 20_000
/** For the next one, ms: a little over what the last answer promised, so that none is cut that was sent in time. */
const nextMs = keepAliveS * 1000 + 1_000
const lookEveryMs = 5_000
/** A network cuts a long head in a few pieces; who sends it by bytes, or takes longer, ms, is no browser. */
const mostPieces = 8
const headMs = 2_000
/** Bytes of what a client sends before it has heard the answer to the last. */
const longestNext = 64 * 1024

export interface PlainConnections {
  /** Every answer from now on is its connection's last. */
  readonly makeLast: () => void
  readonly closeIdle: () => void
  readonly closeAll: () => void
}

/** Takes the connections of a server that is not listening yet. */
export function takePlainConnections(server: Server, secure: boolean, parts: PlainParts): PlainConnections {
  const event = secure ? 'secureConnection' : 'connection'
  const nodes = server.listeners(event) as ((this: Server, socket: Socket) => void)[]
  const open = new Set<Connection>()
  const shared = { last: false }
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => {
    open.add(new Connection(socket, parts, shared, handOver, gone))
  })
  const looking = setInterval(() => {
    const now = parts.monotonic()
    for (const connection of open) connection.look(now)
  }, lookEveryMs)
  looking.unref()
  server.once('close', () => clearInterval(looking))

  return {
    makeLast() {
      shared.last = true
    },
    closeIdle() {
      for (const connection of open) if (connection.idle) connection.socket.destroy()
    },
    closeAll() {
      for (const connection of open) connection.socket.destroy()
    },
  }

  function gone(connection: Connection): void {
    open.delete(connection)
  }

  function handOver(connection: Connection, bytes: Buffer): void {
    const { socket } = connection
    open.delete(connection)
    socket.setTimeout(0)
    socket.unshift(bytes)
    for (const take of nodes) take.call(server, socket)
  }
}

class Connection implements Answering {
  readonly socket: Socket
  readonly #parts: PlainParts
  readonly #shared: { readonly last: boolean }
  readonly #handOver: (connection: Connection, bytes: Buffer) => void
  readonly #gone: (connection: Connection) => void
  #response: PlainResponse | null = null
  /** Came while an answer was under way (RFC 9112 §9.3.2): its turn is afterwards. */
  #next: Buffer | null = null
  /** On the monotonic clock, ms: since when nothing is asked. */
  #idleSince: number
  #waitMs = firstMs
  /** A head that may yet be plain, as far as it has come, in how many pieces. */
  #begun: Buffer | null = null
  #pieces = 0
  /** On the monotonic clock, ms: when the first of them came. */
  #begunAt = 0

  constructor(
    socket: Socket,
    parts: PlainParts,
    shared: { readonly last: boolean },
    handOver: (connection: Connection, bytes: Buffer) => void,
    gone: (connection: Connection) => void,
  ) {
    this.socket = socket
    this.#parts = parts
    this.#shared = shared
    this.#handOver = handOver
    this.#gone = gone
    this.#idleSince = parts.monotonic()
    socket.on('data', this.#read)
    socket.on('end', this.#ended)
    socket.on('timeout', this.#late)
    socket.on('error', this.#late)
    socket.on('close', this.#closed)
  }

  get writeSoon(): WriteSoon {
    return this.#parts.writeSoon
  }

  get idle(): boolean {
    return this.#response === null && this.#begun === null
  }

  isLast(): boolean {
    return this.#shared.last
  }

  look(now: number): void {
    if (this.#begun !== null) {
      // A head that does not come on is answered by those who answer such.
      if (now - this.#begunAt > headMs) this.#giveAway(this.#begun)
    } else if (this.#response === null && now - this.#idleSince > this.#waitMs) this.socket.destroy()
  }

  waiting(): void {
    this.socket.setTimeout(this.#parts.idleMs())
  }

  finished(response: PlainResponse): void {
    this.#response = null
    this.#idleSince = this.#parts.monotonic()
    this.#waitMs = nextMs
    if (!response.shouldKeepAlive) {
      this.socket.destroySoon()
      return
    }
    // A reader who took his time had a limit of his own.
    if (this.socket.timeout) this.socket.setTimeout(0)
    if (this.#next !== null) setImmediate(this.#goOn)
  }

  readonly #read = (bytes: Buffer): void => {
    if (this.#response !== null || this.#next !== null) {
      this.#next = this.#next === null ? bytes : Buffer.concat([this.#next, bytes])
      // Up to there we listen, so that a client that leaves is heard.
      if (this.#next.length > longestNext) this.socket.pause()
      return
    }
    const all = this.#begun === null ? bytes : Buffer.concat([this.#begun, bytes])
    const head = readPlainHead(all)
    if (head === null) {
      if (++this.#pieces > mostPieces || !mayBecomePlain(all)) return this.#giveAway(all)
      if (this.#begun === null) this.#begunAt = this.#parts.monotonic()
      this.#begun = all
      return
    }
    this.#begun = null
    this.#pieces = 0
    const response = new PlainResponse(this, head.method === 'HEAD')
    this.#response = response
    if (!this.#parts.serve(new PlainRequest(head, this.socket), response, head.cookies)) this.#giveAway(all)
  }

  readonly #goOn = (): void => {
    const bytes = this.#next
    // Whoever has said the last word is not waited for.
    if (bytes === null || !this.socket.writable) return
    this.#next = null
    this.socket.resume()
    this.#read(bytes)
  }

  #giveAway(bytes: Buffer): void {
    const { socket } = this
    this.#response = null
    this.#begun = null
    socket.off('data', this.#read)
    socket.off('end', this.#ended)
    socket.off('timeout', this.#late)
    socket.off('error', this.#late)
    socket.off('close', this.#closed)
    this.#handOver(this, bytes)
  }

  /** A client that has said its last word is not waited for, as node has it: its answer may be half way out already. */
  readonly #ended = (): void => {
    // Behind what this turn has said already: that is written at its end.
    setImmediate(() => this.socket.end())
  }

  readonly #late = (): void => {
    this.socket.destroy()
  }

  readonly #closed = (): void => {
    this.#gone(this)
    this.#response?.closed()
    this.#response = null
  }
}
