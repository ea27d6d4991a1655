/**
 * One request at its origin: asked once, or twice when the connection was dead and asking again is safe; its answer streamed to
 * the browser with back-pressure. A truncated answer reaches the browser as a broken one; whatever happens, the
 * origin is let go when the client leaves.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { GatewayError } from '../errors.ts'
import type { Permit } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import { firstValue } from '../model/header-list.ts'
import type { OpenTraffic, WatchTraffic } from '../model/open-traffic.ts'
import type { Passage } from '../model/passage.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { breakOff } from './break-off.ts'
import { hintedLinks } from './early-hints.ts'
import { originFailure } from './origin-failure.ts'
import { type Asked, type OriginPool, type Reuse, reuse } from './origin-pool.ts'
import { ConnectionLost, type OriginHearer, type OriginRequest } from './origin-request.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { type Tunnels, tunnel } from './upgrade.ts'

export interface ExchangeParts {
  readonly watch: WatchTraffic
  /** Whether a request for this, decided now and with this session, would be let through to this origin in the same way. */
  readonly permits: (passage: Passage, opened: Resource, session: Session | null) => boolean
  readonly tunnels: Tunnels
  readonly report: Report
  /** Milliseconds. */
  readonly monotonic: () => number
}

export interface OriginRoute {
  readonly pool: OriginPool
  readonly answerHeaders: ResponseHeaders
  /** TLS name of the origin: its own, not the Host we tell it. Null: plain HTTP, or an address. */
  readonly servername: string | null
}

interface Head {
  readonly status: number
  /** Empty: node's own word for the status. */
  readonly statusText: string
  readonly headers: string[]
  /** Null: the origin did not say. */
  readonly length: number | null
}

/** Informational answers of one request that are passed on; an origin that floods has the rest ignored (SM-08). */
const informationalLimit = 10
/** An answer that takes longer, in ms, is watched: it may outlive its session. */
const lastingMs = 10_000
/** How long, in ms, what is under way may go on after the end of its session. */
const finishWithinMs = 60_000
/** Bytes up to which a body that came in one piece goes out in one piece with its head: one write instead of two. */
const small = 16 * 1024

export class OriginExchange implements OriginHearer {
  readonly #parts: ExchangeParts
  readonly #passage: Passage
  readonly #permit: Permit
  readonly #route: OriginRoute
  readonly #request: OriginRequest
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #mayRepeat: boolean
  #asked: Asked | null = null
  /** The answer's head, until it is written. */
  #head: Head | null = null
  /** Something of the answer has gone out. */
  #begun = false
  #left = false
  /** Pieces of which it has not been told yet that they are written; several may come in one turn, where a stream was held. */
  #untold = 0
  /** The client has not taken the last piece yet; and has a limit for it. */
  #draining = false
  #limited = false
  #askedAt = 0
  #informational = 0
  #unwatch: (() => void) | null = null

  /** @param mayRepeat GET or HEAD without a body */
  constructor(
    parts: ExchangeParts,
    passage: Passage,
    permit: Permit,
    route: OriginRoute,
    request: OriginRequest,
    mayRepeat: boolean,
    resolve: () => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#parts = parts
    this.#passage = passage
    this.#permit = permit
    this.#route = route
    this.#request = request
    this.#mayRepeat = mayRepeat
    this.#resolve = resolve
    this.#reject = reject
    passage.response.once('close', () => this.#clientGone())
  }

  ask(idleMs: Reuse): void {
    this.#askedAt = this.#parts.monotonic()
    this.#asked = this.#route.pool.ask(this.#request, idleMs, this.#route.servername, this)
  }

  onInformation(status: number, headers: readonly string[]): void {
    const { request, response, upgrade } = this.#passage
    // A client of HTTP/1.0 would take it for the answer (RFC 9110 §15.2).
    if (status !== 103 || upgrade !== null || request.httpVersionMinor === 0) return
    if (++this.#informational > informationalLimit) return
    const link = hintedLinks(headers)
    if (link.length > 0) response.writeEarlyHints({ link })
  }

  onHead(status: number, statusText: string, raw: readonly string[]): void {
    this.#passage.observed.originMs = this.#parts.monotonic() - this.#askedAt
    const { session } = this.#permit
    const headers = withoutLengthOf(status, this.#route.answerHeaders(raw, session !== null))
    if (isEventStream(headers)) this.#closeWith(session, 0)
    this.#head = { status, statusText, headers, length: contentLength(headers) }
    // A body that came with its head is parsed before this runs, and leaves with it. A head alone is worth having: an
    // event stream, or a page that its origin makes slowly.
    queueMicrotask(() => this.#writeHead(true))
  }

  onBody(chunk: Buffer): boolean {
    const { response } = this.#passage
    if (this.#head !== null) {
      const whole = this.#head.length === chunk.length && chunk.length <= small
      this.#writeHead(false)
      if (whole) {
        // As a string it shares one write with the head; latin1 keeps every byte.
        response.end(chunk.toString('latin1'), 'latin1')
        return true
      }
    }
    this.#untold++
    response.write(chunk, this.#written)
    if (response.writableLength === 0) return true
    this.#draining = true
    return false
  }

  /** Of a piece that was taken at once this is told later, too: only with the last one have all been taken. */
  readonly #written = (): void => {
    this.#untold--
    if (this.#untold > 0 || !this.#draining) return
    this.#draining = false
    this.#limited = false
    this.#asked?.resume(this)
  }

  onEnd(): void {
    // The connection is free for others now: when this client leaves, or reads on, it is no longer ours to touch.
    this.#asked = null
    this.#unwatch?.()
    this.#limit()
    this.#writeHead(false)
    if (!this.#passage.response.writableEnded) this.#passage.response.end()
    this.#resolve()
  }

  onError(error: Error): void {
    this.#unwatch?.()
    if (this.#left) return this.#resolve()
    if (this.#begun) return this.#truncated(error)
    // Of a head that came together with what was wrong behind it nothing has gone out: a page can still say so.
    this.#head = null
    if (this.#mayRepeat && error instanceof ConnectionLost) {
      this.#mayRepeat = false
      this.#parts.report({ name: 'origin.retried', resource: this.#permit.resource.id })
      return this.ask(reuse.never)
    }
    // Where no connection took it: what the client still sends must be read on, or it never reads why.
    this.#request.body?.stream.destroy()
    this.#reject(originFailure(this.#permit.resource, error))
  }

  onUpgrade(raw: readonly string[], socket: Socket, rest: Buffer): void {
    const { upgrade, observed } = this.#passage
    const { resource, session } = this.#permit
    observed.originMs = this.#parts.monotonic() - this.#askedAt
    if (upgrade === null || this.#left) {
      socket.destroy()
      return this.#resolve()
    }
    if (!accepts(raw, this.#passage)) {
      socket.destroy()
      const detail = `${resource.origin.origin} (${resource.id}) changed to something that is no answer to this WebSocket handshake`
      return this.#reject(new GatewayError('origin.invalid-answer', detail))
    }
    if (rest.length > 0) socket.unshift(rest)
    const headers = this.#route.answerHeaders(raw, session !== null)
    tunnel(upgrade, socket, headers, resource, {
      tunnels: this.#parts.tunnels,
      report: this.#parts.report,
      watch: close => this.#parts.watch(session, this.#traffic(close, 0)),
    })
    this.#resolve()
  }

  #writeHead(alone: boolean): void {
    const head = this.#head
    const { response } = this.#passage
    if (head === null || response.destroyed) return
    this.#head = null
    this.#begun = true
    if (head.statusText === '') response.writeHead(head.status, head.headers)
    else response.writeHead(head.status, head.statusText, head.headers)
    if (alone) response.flushHeaders()
  }

  /** Half an answer must not look like a whole one: the connection breaks, and the browser says so. */
  #truncated(error: Error): void {
    const { observed } = this.#passage
    const { origin, id } = this.#permit.resource
    // Without a reference: no page can quote it any more.
    observed.failure ??= {
      code: 'origin.invalid-answer',
      reference: '',
      detail: `${origin.origin} (${id}) stopped in the middle of its answer: ${error.message}`,
      hint: null,
    }
    breakOff(this.#passage)
    this.#resolve()
  }

  /** Most answers are over long before: only those that last cost a look at their session. */
  onStillOpen(): void {
    this.#limit()
    if (this.#unwatch !== null) return
    if (this.#parts.monotonic() - this.#askedAt >= lastingMs) this.#closeWith(this.#permit.session, finishWithinMs)
  }

  /** Who does not read is cut as who does not write; node takes the listener's own limit up again for the next request. */
  #limit(): void {
    if (!this.#draining || this.#limited) return
    this.#limited = true
    this.#passage.response.socket?.setTimeout(this.#permit.resource.timeouts.idleMs)
  }

  #closeWith(session: Session | null, graceMs: number): void {
    this.#unwatch?.()
    const close = () => {
      this.#parts.report({ name: 'stream.closed-at-end', resource: this.#permit.resource.id, kind: 'answer' })
      this.#passage.response.destroy()
    }
    this.#unwatch = this.#parts.watch(session, this.#traffic(close, graceMs))
  }

  #traffic(close: () => void, graceMs: number): OpenTraffic {
    return { close, graceMs, permitted: session => this.#parts.permits(this.#passage, this.#permit.resource, session) }
  }

  #clientGone(): void {
    if (this.#passage.response.writableFinished) return
    this.#left = true
    this.#unwatch?.()
    this.#asked?.abandon(this)
    this.#resolve()
  }
}

/** A server that read this very handshake (RFC 6455 §4.1): anything else would be a tunnel to nobody knows what. */
function accepts(raw: readonly string[], passage: Passage): boolean {
  const values = (name: string) => raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name)
  const key = createHash('sha1').update(`${passage.header('sec-websocket-key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  const [accept] = values('sec-websocket-accept')
  return values('upgrade').join().toLowerCase() === 'websocket' && accept === key.digest('base64')
}

/** 204 must not have one (RFC 9110 §8.6): whoever in front of us believes it reads the next answer as this one's body. */
function withoutLengthOf(status: number, headers: string[]): string[] {
  if (status !== 204 || contentLength(headers) === null) return headers
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'content-length')
}

function contentLength(headers: readonly string[]): number | null {
  const value = firstValue(headers, 'content-length')
  return value === null ? null : Number(value)
}

function isEventStream(headers: readonly string[]): boolean {
  return firstValue(headers, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true
}
