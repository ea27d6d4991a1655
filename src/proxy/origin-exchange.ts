/**
 * One request at its origin: asked once, or twice when a reused connection was dead and asking again is safe; its answer streamed
 * to the browser with back-pressure. A truncated answer reaches the browser as a broken one; whatever happens, the
 * origin is let go when the client leaves.
 */
import type { Duplex } from 'node:stream'
import type { Client, Dispatcher } from 'undici'
import { GatewayError } from '../errors.ts'
import type { Permit } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import type { Passage } from '../model/passage.ts'
import type { Session } from '../model/session.ts'
import type { OriginClients } from './origin-clients.ts'
import { connectionLost, originFailure } from './origin-failure.ts'
import type { OriginPools } from './origin-pools.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { acceptsHandshake, type Tunnels, tunnel } from './upgrade.ts'

export interface ExchangeParts {
  /** Calls `close` when the session ends; returns how to stop watching. */
  readonly watch: (session: Session, close: () => void) => () => void
  readonly tunnels: Tunnels
  readonly report: Report
  /** Milliseconds. */
  readonly monotonic: () => number
}

export interface OriginRoute {
  readonly pools: OriginPools
  readonly answerHeaders: ResponseHeaders
  /**
   * TLS name of the origin: its own, not the Host we tell it. Null: an address has none, and the Host stands in. Plain
   * HTTP has no use for it, but undici would look for one in each request.
   */
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

const printable = /^[\t\x20-\x7e]*$/
/** Informational answers of one request that are passed on; an origin that floods has the rest ignored (SM-08). */
const informationalLimit = 10
/** Bytes up to which a body that came in one piece goes out in one piece with its head: one write instead of two. */
const small = 16 * 1024

export class OriginExchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts
  readonly #passage: Passage
  readonly #permit: Permit
  readonly #route: OriginRoute
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #mayRepeat: boolean
  #clients: OriginClients | null = null
  #client: Client | null = null
  #options: Dispatcher.DispatchOptions | null = null
  #controller: Dispatcher.DispatchController | null = null
  /** The answer's head, until it is written. */
  #head: Head | null = null
  #begun = false
  #left = false
  #draining = false
  #askedAt = 0
  #informational = 0
  #unwatch: (() => void) | null = null

  /** @param mayRepeat GET or HEAD without a body */
  constructor(
    parts: ExchangeParts,
    passage: Passage,
    permit: Permit,
    route: OriginRoute,
    mayRepeat: boolean,
    resolve: () => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#parts = parts
    this.#passage = passage
    this.#permit = permit
    this.#route = route
    this.#mayRepeat = mayRepeat
    this.#resolve = resolve
    this.#reject = reject
    passage.response.once('close', () => this.#clientGone())
  }

  ask(clients: OriginClients, options: Dispatcher.DispatchOptions): void {
    this.#clients = clients
    this.#options = options
    this.#askedAt = this.#parts.monotonic()
    this.#client = clients.take()
    this.#client.dispatch(options, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#left) controller.abort(new Error('the client left'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    const raw = controller.rawHeaders as Buffer[]
    if (status < 200) return this.#inform(status, raw)
    const { origin, id } = this.#permit.resource
    if (status > 599) {
      controller.abort(
        new GatewayError('origin.invalid-answer', `${origin.origin} (${id}) answered with status ${status}`),
      )
      return
    }
    this.#passage.observed.originMs = this.#parts.monotonic() - this.#askedAt
    const { session } = this.#permit
    const headers = this.#route.answerHeaders(raw, session !== null)
    this.#begun = true
    if (session !== null && isEventStream(headers)) this.#closeWith(session)
    this.#head = {
      status,
      statusText: statusText !== undefined && printable.test(statusText) ? statusText : '',
      headers,
      length: contentLength(headers),
    }
    // A body that came with its head is parsed before this runs, and leaves with it. A head alone is worth having: an
    // event stream, or a page that its origin makes slowly.
    queueMicrotask(() => this.#writeHead(true))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#passage
    if (this.#head !== null) {
      const whole = this.#head.length === chunk.length && chunk.length <= small
      this.#writeHead(false)
      if (whole) {
        // As a string it shares one write with the head; latin1 keeps every byte.
        response.end(chunk.toString('latin1'), 'latin1')
        return
      }
    }
    if (response.write(chunk)) return
    controller.pause()
    if (this.#draining) return
    this.#draining = true
    response.once('drain', () => {
      this.#draining = false
      controller.resume()
    })
  }

  onResponseEnd(): void {
    this.#done()
    this.#writeHead(false)
    if (!this.#passage.response.writableEnded) this.#passage.response.end()
    this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#done()
    if (this.#left) return this.#resolve()
    if (this.#begun) return this.#truncated(error)
    if (this.#mayRepeat && connectionLost(error) && this.#clients !== null && this.#options !== null) {
      this.#mayRepeat = false
      this.#parts.report({ name: 'origin.retried', resource: this.#permit.resource.id })
      this.ask(this.#clients, this.#options)
      return
    }
    this.#reject(originFailure(this.#permit.resource, error))
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, socket: Duplex): void {
    const { upgrade, observed } = this.#passage
    const { resource, session } = this.#permit
    observed.originMs = this.#parts.monotonic() - this.#askedAt
    this.#done()
    const raw = controller.rawHeaders as Buffer[]
    const key = this.#passage.request.headers['sec-websocket-key'] ?? ''
    if (upgrade === null || status !== 101 || this.#left || !acceptsHandshake(raw, key)) {
      socket.destroy()
      this.#reject(
        new GatewayError(
          'origin.invalid-answer',
          `${resource.origin.origin} changed to a protocol that was not asked for (${status})`,
        ),
      )
      return
    }
    const headers = this.#route.answerHeaders(raw, session !== null)
    tunnel(this.#passage, upgrade, socket, headers, resource, {
      tunnels: this.#parts.tunnels,
      report: this.#parts.report,
      watch: close => (session === null ? () => {} : this.#parts.watch(session, close)),
    })
    this.#resolve()
  }

  #writeHead(alone: boolean): void {
    const head = this.#head
    const { response } = this.#passage
    if (head === null || response.destroyed) return
    this.#head = null
    if (head.statusText === '') response.writeHead(head.status, head.headers)
    else response.writeHead(head.status, head.statusText, head.headers)
    if (alone) response.flushHeaders()
  }

  /** Half an answer must not look like a whole one: the connection breaks, and the browser says so. */
  #truncated(error: Error): void {
    const { observed, response } = this.#passage
    const { origin, id } = this.#permit.resource
    // Without a reference: no page can quote it any more.
    observed.failure ??= {
      code: 'origin.invalid-answer',
      reference: '',
      detail: `${origin.origin} (${id}) stopped in the middle of its answer: ${error.message}`,
      hint: null,
    }
    response.destroy()
    this.#resolve()
  }

  /** The origin has nothing more to say to this. */
  #done(): void {
    this.#unwatch?.()
    const client = this.#client
    this.#client = null
    if (client !== null) this.#clients?.release(client)
  }

  #inform(status: number, raw: readonly Buffer[]): void {
    if (status !== 103 || this.#passage.upgrade !== null || ++this.#informational > informationalLimit) return
    const links: string[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      if (raw[i]?.toString('latin1').toLowerCase() === 'link') links.push((raw[i + 1] as Buffer).toString('latin1'))
    }
    try {
      if (links.length > 0) this.#passage.response.writeEarlyHints({ link: links })
    } catch {
      // node checks the shape of Link; a hint that it refuses is a hint that nobody misses.
    }
  }

  #closeWith(session: Session): void {
    this.#unwatch = this.#parts.watch(session, () => {
      this.#parts.report({ name: 'stream.closed-at-end', resource: this.#permit.resource.id, kind: 'answer' })
      this.#passage.response.destroy()
    })
  }

  #clientGone(): void {
    if (this.#passage.response.writableFinished) return
    this.#left = true
    this.#unwatch?.()
    this.#controller?.abort(new Error('the client left'))
    // Queued for a connection that never came: nobody else will settle this.
    if (this.#controller === null) this.#resolve()
  }
}

function contentLength(headers: readonly string[]): number | null {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(headers[i + 1])
  }
  return null
}

function isEventStream(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === 12 && name.toLowerCase() === 'content-type') {
      return (headers[i + 1] as string).toLowerCase().startsWith('text/event-stream')
    }
  }
  return false
}
