/** What a stand-in has seen, and waiting for it: requests and connections as they arrived, byte for byte. */
import { createHash, type Hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { HeaderLines } from './header-lines.ts'
import { patience } from './measure.ts'

/** One connection to the stand-in. */
export class RecordedConnection {
  readonly socket: Socket
  /** False once the socket is closed, whoever closed it. */
  open = true
  readonly #pieces: Buffer[] = []
  #kept = 0
  readonly #keepBytes: number

  constructor(socket: Socket, keepBytes: number) {
    this.socket = socket
    this.#keepBytes = keepBytes
  }

  /** Everything the other side wrote, up to the recording's limit. */
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  forget(): void {
    this.#pieces.length = 0
    this.#kept = 0
  }

  keep(chunk: Buffer): void {
    const piece = chunk.subarray(0, this.#keepBytes - this.#kept)
    if (piece.length === 0) return
    this.#pieces.push(Buffer.from(piece))
    this.#kept += piece.length
  }
}

/** One request, filled in while it arrives. */
export class RecordedRequest extends HeaderLines {
  /** As it stood in the request line, never normalised. */
  readonly method: string
  readonly url: string
  readonly connection: RecordedConnection
  /** True: the request asked for an upgrade and was handed on as one. */
  readonly upgrade: boolean
  /** The body arrived to its end. */
  complete = false
  /** The other side left before its request was whole, or before our answer was. */
  aborted = false
  /** The exchange has come to an end: our answer is handed over whole, or the connection is gone. */
  over = false
  /** Flat, as rawHeaders. */
  trailers: readonly string[] = []
  /** All bytes of the body, also those beyond what is kept. */
  bodyBytes = 0
  readonly #pieces: Buffer[] = []
  readonly #hash: Hash = createHash('sha256')
  readonly #keepBytes: number

  constructor(
    line: { readonly method: string; readonly url: string; readonly upgrade: boolean },
    rawHeaders: readonly string[],
    connection: RecordedConnection,
    keepBytes: number,
  ) {
    super(rawHeaders)
    this.method = line.method
    this.url = line.url
    this.upgrade = line.upgrade
    this.connection = connection
    this.#keepBytes = keepBytes
  }

  /** The body, up to the recording's limit. */
  get body(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  get text(): string {
    return this.body.toString('utf8')
  }

  /** Hex, of the whole body so far. */
  get bodySha256(): string {
    return this.#hash.copy().digest('hex')
  }

  addBody(chunk: Buffer): void {
    const piece = chunk.subarray(0, Math.max(0, this.#keepBytes - this.bodyBytes))
    if (piece.length > 0) this.#pieces.push(Buffer.from(piece))
    this.bodyBytes += chunk.length
    this.#hash.update(chunk)
  }
}

/** Wakes those who wait for something to have been seen. */
export class Watch {
  readonly #watchers = new Set<() => void>()

  /** Call after anything was recorded. */
  changed(): void {
    for (const look of [...this.#watchers]) look()
  }

  /**
   * Resolves as soon as the condition holds: it is looked at now, and after everything recorded.
   *
   * @param what said in the error, to name what did not happen
   * @param withinMs so long it may take; with patience (measure.ts)
   * @throws Error it did not come true
   */
  until(condition: () => boolean, what = 'the expected event', withinMs = 5_000): Promise<void> {
    if (condition()) return Promise.resolve()
    const waitMs = patience(withinMs)
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(look)
        reject(new Error(`${what} was not seen within ${waitMs} ms`))
      }, waitMs)
      this.#watchers.add(look)
    })
  }
}
