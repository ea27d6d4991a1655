/**
 * The connections to one origin, most recently used first. undici's own Pool looks through all of its clients, twice, for
 * each request: a thousand slow readers of one site would then slow down everybody else on it. There is no cap: with one,
 * they would starve everybody else.
 */
import { type buildConnector, Client } from 'undici'

export interface ClientOptions {
  readonly connect: buildConnector.connector
  /** Milliseconds a connection may wait for its next request. */
  readonly keepAliveTimeout: number
  readonly keepAliveMaxTimeout: number
  /** Milliseconds. */
  readonly headersTimeout: number
  readonly bodyTimeout: number
  /** Bytes of an answer's head. */
  readonly maxHeaderSize: number
}

/** Clients without work that are kept; each is a kilobyte or two, its connection closes by itself. */
const kept = 256

export class OriginClients {
  readonly #origin: string
  readonly #options: Client.Options
  readonly #free: Client[] = []
  readonly #all = new Set<Client>()

  constructor(origin: string, options: ClientOptions) {
    this.#origin = origin
    // One request at a time on a connection: an answer that never ends must not hold up another's.
    this.#options = { ...options, pipelining: 1, allowH2: false }
  }

  /** A client that has nothing to do. It is the caller's alone until release(). */
  take(): Client {
    const free = this.#free.pop()
    if (free !== undefined) return free
    const client = new Client(this.#origin, this.#options)
    this.#all.add(client)
    return client
  }

  /** Once for each take(), when the exchange is over, well or badly: a client whose connection broke makes a new one. */
  release(client: Client): void {
    if (client.closed || client.destroyed) {
      this.#all.delete(client)
      return
    }
    if (this.#free.length < kept) {
      this.#free.push(client)
      return
    }
    this.#all.delete(client)
    client.close().catch(() => {})
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(client => client.destroy()))
    this.#all.clear()
    this.#free.length = 0
  }
}
