/**
 * An open WebSocket: bytes both ways, until a side closes, nothing moves for the idle time, or the session ends. Frame
 * lengths are counted on the way to the browser, nothing else of them is read, so that at the end of a session a Close
 * frame can be sent where one may stand (SESSIONS B 28).
 */
import type { Duplex } from 'node:stream'
import type { Report } from '../model/event.ts'
import type { Upgrade } from '../model/passage.ts'
import type { Resource } from '../model/resource.ts'
import { FrameCounter } from './frame-counter.ts'

/** Every open tunnel of this process, for the drain. */
export class Tunnels {
  readonly #open = new Set<() => void>()

  add(close: () => void): () => void {
    this.#open.add(close)
    return () => this.#open.delete(close)
  }

  closeAll(): void {
    for (const close of [...this.#open]) close()
  }

  get size(): number {
    return this.#open.size
  }
}

export interface TunnelParts {
  readonly tunnels: Tunnels
  readonly report: Report
  /** Calls `close` when the session ends, or may no longer have it open. */
  readonly watch: (close: () => void) => () => void
}

/** FIN, opcode 8, unmasked, two bytes: 1001, going away (RFC 6455 §5.5.1, §7.4.1). */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9])

/** For the Close frame to be taken, or an origin's last words to somebody who has left, milliseconds. */
const lastWordMs = 1_000
/** Without anything moving, for a browser to take what the origin said before it left, milliseconds. */
const farewellMs = 5_000

type Timed = Duplex & { setTimeout?: (ms: number, hear?: () => void) => void }

export function tunnel(
  upgrade: Upgrade,
  origin: Duplex,
  headers: readonly string[],
  resource: Resource,
  parts: TunnelParts,
): void {
  const browser = upgrade.socket
  const frames = new FrameCounter()
  upgrade.release()
  browser.write(switching(headers), 'latin1')
  if (upgrade.head.length > 0) origin.write(upgrade.head)

  origin.on('data', (chunk: Buffer) => {
    frames.count(chunk)
    if (!browser.write(chunk)) origin.pause()
  })
  browser.on('drain', () => origin.resume())
  origin.on('end', () => {
    browser.end()
    soonOver(farewellMs)
  })
  browser.on('end', () => soonOver(lastWordMs))
  browser.pipe(origin)
  origin.resume()
  for (const socket of [origin, browser] as Timed[]) {
    // Idle is both directions at once: a feed that only talks downwards is alive.
    socket.setTimeout?.(resource.timeouts.idleMs, cut)
    socket.on('error', cut)
    socket.on('close', over)
  }
  let told = false
  const leave = parts.tunnels.add(goAway)
  const unwatch = parts.watch(() => {
    parts.report({ name: 'stream.closed-at-end', resource: resource.id, kind: 'websocket' })
    goAway()
  })

  /** To the origin nothing is said: a client's frame must be masked, and half of one may already be there. */
  function goAway(): void {
    // A drain ends the session's streams and the tunnels: this may be both. A second Close frame would be an error.
    if (told) return
    told = true
    if (frames.between && !browser.destroyed) {
      origin.removeAllListeners('data')
      browser.end(goingAway, () => browser.destroy())
      // Who has stopped reading does not take it either.
      setTimeout(() => browser.destroy(), lastWordMs).unref()
      origin.destroy()
      return
    }
    cut()
  }

  /** One side has left (RFC 6455 knows no half of a connection): the other may say what it has begun, and is not waited for longer. */
  function soonOver(silenceMs: number): void {
    for (const socket of [origin, browser] as Timed[]) socket.setTimeout?.(silenceMs)
  }

  function cut(): void {
    origin.destroy()
    browser.destroy()
  }

  /** One side is gone; what it said last still goes out to the browser. */
  function over(): void {
    leave()
    unwatch()
    origin.destroy()
    if (!browser.writableEnded) browser.destroy()
  }
}

function switching(headers: readonly string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}\r\n`
}
