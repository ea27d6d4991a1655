/**
 * A client that sends the bytes it is given and reads whatever comes back: pipelined answers, interim answers (1xx),
 * tunnels, half answers. For requests that no HTTP client would send.
 */
import { connect, type Socket } from 'node:net'
import { patience } from './measure.ts'
import { framingOf, readBody, readHead, type WireHead, WireMessage } from './wire-message.ts'

export class RawResponse extends WireMessage {
  readonly status: number
  readonly reason: string
  /** The interim answers (1xx except 101) that came before, oldest first. */
  readonly interim: readonly { readonly status: number; readonly rawHeaders: readonly string[] }[]

  constructor(message: WireMessage, interim: RawResponse['interim']) {
    super(
      { startLine: message.startLine, rawHeaders: message.rawHeaders, length: 0 },
      { body: message.body, trailers: message.trailers, complete: message.complete, length: 0 },
      message.bytes,
    )
    this.status = statusOf(message.startLine)
    this.reason = /^\S+ \d+ ?(.*)$/s.exec(message.startLine)?.[1] ?? ''
    this.interim = interim
  }

  get text(): string {
    return this.body.toString('utf8')
  }
}

export interface RawExchange {
  /** Final answers in order. The last one may be incomplete: see `complete`. */
  readonly responses: readonly RawResponse[]
  /** True: the other side closed or reset the connection. False: we stopped, by `responses` or by `timeoutMs`. */
  readonly closed: boolean
  readonly timedOut: boolean
  /** What came after the last answer that could be read: a tunnel's bytes, or rubbish. */
  readonly rest: Buffer
}

export interface RawOptions {
  /** Total, from connecting; 30,000 by default. A time-out is not an error: what came is returned. */
  readonly timeoutMs?: number
  /** Return as soon as so many final answers are whole. Without it: when the other side closes, or at the time-out. */
  readonly responses?: number
  /** Methods of the requests in order, where one of them is HEAD: its answer has no body. */
  readonly methods?: readonly string[]
}

type Bytes = string | Uint8Array

/**
 * Sends bytes and reads answers.
 *
 * @param bytes a string is latin1; a list is sent piece by piece, each in a packet of its own
 */
export async function rawExchange(
  port: number,
  bytes: Bytes | readonly Bytes[],
  options: RawOptions = {},
): Promise<RawExchange> {
  const connection = await RawConnection.open(port, options.methods ?? [])
  try {
    const pieces: readonly Bytes[] = typeof bytes === 'string' || bytes instanceof Uint8Array ? [bytes] : bytes
    for (const piece of pieces) await connection.write(piece)
    const wanted = options.responses ?? Number.POSITIVE_INFINITY
    const timedOut = await connection.wait(() => connection.responses.length >= wanted, options.timeoutMs ?? 30_000)
    return { responses: connection.responses, closed: connection.closed, timedOut, rest: connection.rest }
  } finally {
    connection.destroy()
  }
}

/** An open connection, for tests that write in steps or watch when the other side closes. */
export class RawConnection {
  readonly responses: RawResponse[] = []
  readonly socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #interim: { status: number; rawHeaders: readonly string[] }[] = []
  #closed = false
  #tunnel = false
  readonly #methods: readonly string[]
  readonly #watchers = new Set<() => void>()

  private constructor(socket: Socket, methods: readonly string[]) {
    this.socket = socket
    this.#methods = methods
    socket.on('data', chunk => {
      this.#unread = Buffer.concat([this.#unread, chunk])
      this.#read()
    })
    // A reset is an observation here, not a failure of the test.
    socket.on('error', () => {})
    socket.on('end', () => this.#over())
    socket.on('close', () => this.#over())
  }

  /** @param methods of the requests that will be sent, in order, where one of them is HEAD */
  static async open(port: number, methods: readonly string[] = []): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawConnection(socket, methods)
  }

  /** True once the other side has ended or reset the connection. */
  get closed(): boolean {
    return this.#closed
  }

  /** Bytes that belong to no answer: after a 101 they are the tunnel's. */
  get rest(): Buffer {
    return this.#unread
  }

  /** Resolves when the bytes are handed to the system; a connection that is already gone swallows them. */
  write(bytes: Bytes): Promise<void> {
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    return new Promise(resolve => {
      if (this.socket.writable) this.socket.write(chunk, () => resolve())
      else resolve()
    })
  }

  /** Half-closes: says that nothing more will be sent, and goes on reading. */
  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Leaves with a reset, as a killed process does. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /**
   * Waits until the condition holds or the other side closes.
   *
   * @param withinMs so long it may take; with patience (measure.ts)
   * @returns true: neither happened
   */
  until(condition: () => boolean, withinMs = 5_000): Promise<boolean> {
    return this.wait(condition, patience(withinMs))
  }

  /** As `until`, and exactly so long. */
  wait(condition: () => boolean, withinMs: number): Promise<boolean> {
    if (condition() || this.#closed) return Promise.resolve(false)
    return new Promise(resolve => {
      const settle = (timedOut: boolean) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(timedOut)
      }
      const look = () => {
        if (condition() || this.#closed) settle(false)
      }
      const timer = setTimeout(() => settle(true), withinMs)
      this.#watchers.add(look)
    })
  }

  #over(): void {
    if (this.#closed) return
    this.#closed = true
    this.#read()
    this.socket.end()
  }

  #read(): void {
    while (!this.#tunnel && this.#readOne()) {}
    for (const look of [...this.#watchers]) look()
  }

  #readOne(): boolean {
    const head = readHead(this.#unread)
    if (head === null) return false
    const status = statusOf(head.startLine)
    if (status >= 100 && status < 200 && status !== 101) {
      this.#interim.push({ status, rawHeaders: head.rawHeaders })
      this.#unread = this.#unread.subarray(head.length)
      return true
    }
    const framing = responseFraming(head, status, this.#methods[this.responses.length] ?? 'GET')
    const body = readBody(this.#unread.subarray(head.length), framing, this.#closed)
    if (body === null) return false
    const length = head.length + body.length
    const message = new WireMessage(head, body, this.#unread.subarray(0, length))
    this.responses.push(new RawResponse(message, this.#interim))
    this.#interim = []
    this.#tunnel = status === 101
    this.#unread = this.#unread.subarray(length)
    return true
  }
}

/** RFC 9112 §6.3: which answers have no body, and which last until the connection closes. */
function responseFraming(head: WireHead, status: number, method: string) {
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return { kind: 'none' } as const
  return framingOf(head) ?? ({ kind: 'close' } as const)
}

function statusOf(startLine: string): number {
  return Number(/^\S+ (\d+)/.exec(startLine)?.[1] ?? Number.NaN)
}
