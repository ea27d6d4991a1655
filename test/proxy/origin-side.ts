/** The two ends of a connection to an origin, for tests of one connection or of a pool: real sockets, and nothing in between. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { OriginHearer, OriginRequest } from '../../src/proxy/origin-request.ts'

/** A connection as the origin has it. */
export class Accepted {
  readonly socket: Socket
  /** latin1 */
  received = ''
  /** It is gone, in whatever way. */
  readonly closed: Promise<void>
  isOpen = true
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', bytes => {
      this.received += bytes.toString('latin1')
      for (const look of this.#waiting) look()
    })
    socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.isOpen = false
        resolve()
      })
    })
  }

  /** Resolves when so much has come. */
  until(holds: (received: string) => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!holds(this.received)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves with the nth head that came, from 1, and answers it. */
  async answers(text: string, nth = 1): Promise<void> {
    await this.until(received => received.split('\r\n\r\n').length > nth)
    this.socket.write(text, 'latin1')
  }
}

export interface OriginSide {
  readonly port: number
  readonly connections: readonly Accepted[]
  /** Resolves with the nth connection, from 1. */
  readonly connection: (nth: number) => Promise<Accepted>
  /** Of each connection, as soon as it comes. */
  each: (accepted: Accepted) => void
  readonly open: () => number
  readonly stop: () => Promise<void>
}

export async function startOriginSide(): Promise<OriginSide> {
  const connections: Accepted[] = []
  const waiting = new Set<() => void>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const accepted = new Accepted(socket)
    socket.on('end', () => socket.end())
    connections.push(accepted)
    side.each(accepted)
    for (const look of waiting) look()
  })
  // Room for a thousand at once: what the system turns away comes again a second later.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
  await once(server, 'listening')
  const side: OriginSide = {
    port: (server.address() as AddressInfo).port,
    connections,
    each: () => {},
    connection: nth =>
      new Promise(resolve => {
        const look = () => {
          const found = connections[nth - 1]
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    open: () => connections.filter(({ isOpen }) => isOpen).length,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const { socket } of connections) socket.destroy()
      }),
  }
  return side
}

export async function connectTo({ port }: OriginSide): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

/** Hears an answer, and can be asked about it. */
export class Heard implements OriginHearer {
  onStillOpen(): void {}
  readonly interim: number[] = []
  status: number | null = null
  headers: readonly string[] = []
  /** latin1 */
  body = ''
  upgraded: { readonly socket: Socket; readonly rest: string } | null = null
  /** How often it was told that it is over, in whatever way: once, or there is a mistake. */
  ends = 0
  /** It reads on; false holds the origin. */
  reads = true
  /** Resolves with null at the end of the answer, or of HTTP; with the error if there was one. */
  readonly over: Promise<Error | null>
  readonly headed: Promise<void>
  readonly #over: (error: Error | null) => void
  readonly #headed: () => void
  readonly #pieces = new Set<() => void>()

  constructor() {
    const over = Promise.withResolvers<Error | null>()
    const headed = Promise.withResolvers<void>()
    this.over = over.promise
    this.headed = headed.promise
    this.#over = over.resolve
    this.#headed = headed.resolve
  }

  /** Resolves when so much of the body has come. */
  until(bytes: number): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (this.body.length < bytes) return
        this.#pieces.delete(look)
        resolve()
      }
      this.#pieces.add(look)
      look()
    })
  }

  onInformation(status: number): void {
    this.interim.push(status)
  }

  onHead(status: number, _statusText: string, headers: readonly string[]): void {
    this.status = status
    this.headers = headers
    this.#headed()
  }

  onBody(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1')
    for (const look of this.#pieces) look()
    return this.reads
  }

  onEnd(): void {
    this.ends++
    this.#over(null)
  }

  onUpgrade(_headers: readonly string[], socket: Socket, rest: Buffer): void {
    this.ends++
    this.upgraded = { socket, rest: rest.toString('latin1') }
    this.#over(null)
  }

  onError(error: Error): void {
    this.ends++
    this.#over(error)
  }
}

/** A GET, unless said otherwise. */
export function aRequest(more: Partial<OriginRequest> & { readonly path?: string } = {}): OriginRequest {
  const { path = '/', ...rest } = more
  const method = rest.method ?? 'GET'
  const framing =
    rest.body == null
      ? ''
      : rest.body.length === null
        ? 'Transfer-Encoding: chunked\r\n'
        : `Content-Length: ${rest.body.length}\r\n`
  return {
    head: `${method} ${path} HTTP/1.1\r\nHost: origin\r\n${framing}\r\n`,
    method,
    upgrade: false,
    body: null,
    last: false,
    ...rest,
  }
}

export const answerOf = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`
