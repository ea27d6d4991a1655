/**
 * The connections to one origin, most recently used first, without a cap: with one, slow readers of a site would starve
 * everybody else on it. What cannot be sent twice only goes on a connection that was used within the last second: an
 * origin closes idle ones when it likes, and a POST on such a connection is a failure that nobody can repair.
 */
import type { Socket } from 'node:net'
import type { ReadInto } from '../model/outbound.ts'
import type { OriginAddress } from '../model/resource.ts'
import type { WriteSoon } from '../model/write-soon.ts'
import { OriginConnection, type Waits } from './origin-connection.ts'
import type { OriginHearer, OriginRequest } from './origin-request.ts'
import { ReadSpace } from './read-space.ts'

/** Name, TCP and TLS, and a look at the address that was reached. */
export type Connect = (
  to: {
    readonly hostname: string
    readonly protocol: string
    readonly port: string
    readonly servername?: string
    readonly readInto?: ReadInto
  },
  done: (error: Error | null, socket: Socket | null) => void,
) => void

/** How long, in ms, a connection may have been idle for what can be sent twice, for what cannot, and for a second try. */
export const reuse = { repeatable: 15_000, once: 1_000, never: 0 } as const

export type Reuse = (typeof reuse)[keyof typeof reuse]

/** Before the origin's own limit: ours must be the shorter one. */
const keepAliveMarginMs = 1_000
/** How often late and idle connections are looked for, ms. */
const lookEveryMs = 250

/** What the caller holds of a request under way. */
export interface Asked {
  readonly resume: (hearer: OriginHearer) => void
  readonly abandon: (hearer: OriginHearer) => void
}

export class OriginPool {
  readonly #origin: OriginAddress
  readonly #connect: Connect
  readonly #waits: Waits
  readonly #monotonic: () => number
  readonly #writeSoon: WriteSoon
  /** The last one is the most recently used. */
  #free: OriginConnection[] = []
  readonly #open = new Set<OriginConnection>()
  #look: NodeJS.Timeout | null = null
  #retired = false
  #closed = false

  /** @param monotonic milliseconds */
  constructor(origin: OriginAddress, connect: Connect, waits: Waits, monotonic: () => number, writeSoon: WriteSoon) {
    this.#origin = origin
    this.#connect = connect
    this.#waits = waits
    this.#monotonic = monotonic
    this.#writeSoon = writeSoon
    this.#keepLooking()
  }

  /**
   * @param idleMs     a connection that was idle for less will do
   * @param servername TLS name; null: the address has none
   */
  ask(request: OriginRequest, idleMs: Reuse, servername: string | null, hearer: OriginHearer): Asked {
    // What becomes another protocol's goes on as a stream.
    const connection = request.upgrade ? null : this.#take(idleMs)
    if (connection !== null) {
      connection.ask(request, hearer)
      return connection
    }
    if (this.#closed) {
      hearer.onError(stopping())
      return nothingAsked
    }
    let abandoned = false
    let opened: OriginConnection | null = null
    const { hostname, protocol, port } = this.#origin
    const space = request.upgrade || protocol === 'https:' ? null : new ReadSpace()
    this.#connect(
      {
        hostname,
        protocol,
        port: String(port),
        ...(servername === null ? {} : { servername }),
        ...(space === null ? {} : { readInto: space }),
      },
      (error, socket) => {
        if (abandoned || this.#closed) socket?.destroy()
        if (abandoned) return
        if (error !== null || socket === null) return hearer.onError(error ?? new Error('no connection'))
        if (this.#closed) return hearer.onError(stopping())
        opened = new OriginConnection(socket, space, this.#waits, this.#settled, this.#monotonic, this.#writeSoon)
        this.#open.add(opened)
        this.#keepLooking()
        opened.ask(request, hearer)
      },
    )
    return {
      resume: () => opened?.resume(hearer),
      abandon() {
        abandoned = true
        opened?.abandon(hearer)
      },
    }
  }

  /** Connections that exist, and how many of them wait for a request. */
  get size(): { readonly open: number; readonly free: number } {
    return { open: this.#open.size, free: this.#free.length }
  }

  /**
   * No connection is used again. Whoever still holds this pool is served, what is under way comes to its end, and then nothing
   * is left of it.
   */
  retire(): void {
    this.#retired = true
    const free = this.#free
    this.#free = []
    for (const connection of free) connection.socket.destroy()
    this.#rest()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopLooking()
    for (const connection of this.#open) connection.socket.destroy(stopping())
  }

  #take(idleMs: Reuse): OriginConnection | null {
    const now = this.#monotonic()
    for (;;) {
      // The last one was used last: where it is too old, so are all before it, and the sweep closes them in their time.
      const connection = this.#free.at(-1)
      if (connection === undefined || now - connection.idleSince >= idleLimit(connection, idleMs)) return null
      this.#free.pop()
      if (connection.socket.writable) return connection
    }
  }

  readonly #settled = (connection: OriginConnection, reusable: boolean): void => {
    if (reusable && !this.#retired) this.#free.push(connection)
    else if (reusable) connection.socket.destroy()
    else this.#open.delete(connection)
    this.#rest()
  }

  #keepLooking(): void {
    if (this.#look !== null || this.#closed) return
    const { answerMs, idleMs } = this.#waits
    const everyMs = Math.min(lookEveryMs, answerMs / 4, idleMs / 4)
    this.#look = setInterval(() => {
      // By what time it was before the sockets were read: after a standstill of ours the answer may have long been there.
      const now = this.#monotonic()
      setImmediate(() => this.#lookAround(now))
    }, everyMs)
    this.#look.unref()
  }

  #stopLooking(): void {
    if (this.#look !== null) clearInterval(this.#look)
    this.#look = null
  }

  #rest(): void {
    if (this.#retired && this.#open.size === 0) this.#stopLooking()
  }

  #lookAround(now: number): void {
    for (const connection of this.#open) {
      if (connection.isLate(now)) connection.giveUp()
      else connection.stillOpen()
    }
    this.#free = this.#free.filter(connection => {
      const fresh = now - connection.idleSince < idleLimit(connection, reuse.repeatable) && connection.socket.writable
      if (!fresh) connection.socket.destroy()
      return fresh
    })
  }
}

const nothingAsked: Asked = { resume() {}, abandon() {} }

function stopping(): Error {
  return new Error('the gateway is stopping')
}

function idleLimit({ keepAliveMs }: OriginConnection, idleMs: Reuse): number {
  return keepAliveMs === null ? idleMs : Math.min(idleMs, keepAliveMs - keepAliveMarginMs)
}
