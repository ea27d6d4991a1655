/**
 * To the origin and back: strip, inject, stream. Nobody comes here without a Permit. Bodies are piped in both directions with
 * back-pressure and never collected; a truncated answer reaches the browser as a broken one; whatever happens, the
 * origin is let go when the client leaves.
 */
import type { Dispatcher } from 'undici'
import { GatewayError } from '../errors.ts'
import { Permit } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import type { Passage, ResourcePlace } from '../model/passage.ts'
import type { Resource } from '../model/resource.ts'
import type { Session } from '../model/session.ts'
import { createInjection } from './identity-headers.ts'
import { connectionLost, originFailure } from './origin-failure.ts'
import { type OriginPools, openPools } from './origin-pools.ts'
import { bodyOf } from './request-body.ts'
import { createRequestHeaders } from './request-headers.ts'
import { createResponseHeaders, type ResponseHeaders } from './response-headers.ts'
import { type Tunnels, tunnel } from './upgrade.ts'

export interface ForwardParts {
  readonly resources: readonly Resource[]
  readonly connector: (connectMs: number) => Parameters<typeof openPools>[1]
  /** Calls `close` when the session ends; returns how to stop watching. */
  readonly watch: (session: Session, close: () => void) => () => void
  readonly tunnels: Tunnels
  readonly report: Report
  /** Monotonic, milliseconds. */
  readonly monotonic: () => number
}

interface Route {
  readonly pools: OriginPools
  readonly answerHeaders: ResponseHeaders
  /** TLS name of the origin: its own, not the Host we tell it. Null: plain HTTP, or an address. */
  readonly servername: string | null
}

const none: readonly string[] = []
const printable = /^[\t\x20-\x7e]*$/
/** Informational answers of one request that are passed on; an origin that floods has the rest ignored (SM-08). */
const informationalLimit = 10

export type Forward = ReturnType<typeof createForward>

export function createForward(parts: ForwardParts) {
  const requestHeaders = createRequestHeaders(parts.resources)
  const injectionOf = createInjection()
  const routes = new Map(parts.resources.map(resource => [resource, routeTo(resource)]))

  return {
    /**
     * Resolves when the answer is over, or when the browser's WebSocket is connected.
     * @throws GatewayError `origin.*`, `identity.unsendable`: nothing was sent to the client yet
     */
    forward(passage: Passage, place: ResourcePlace, permit: Permit): Promise<void> {
      Permit.proves(permit)
      const { request, observed } = passage
      const { resource, session } = permit
      const route = routes.get(resource) as Route
      const injected = session === null ? none : injectionOf(session, resource)
      const headers = requestHeaders.forOrigin(request.rawHeaders, resource, observed.client, injected)
      const body = bodyOf(request)
      const repeatable = body === null && (request.method === 'GET' || request.method === 'HEAD')
      const options: Dispatcher.DispatchOptions = {
        path: place.forwardPath,
        method: request.method as Dispatcher.HttpMethod,
        headers,
        body,
        ...(passage.upgrade === null ? {} : { upgrade: 'websocket' }),
        ...(route.servername === null ? {} : { servername: route.servername }),
      }
      if (passage.expectsContinue && body !== null) passage.response.writeContinue()
      return new Promise((resolve, reject) => {
        const exchange = new Exchange(parts, passage, permit, route, repeatable, resolve, reject)
        exchange.ask(repeatable ? route.pools.repeatable : route.pools.once, options)
      })
    },

    async close(): Promise<void> {
      await Promise.all([...routes.values()].map(route => route.pools.close()))
    },
  }

  function routeTo(resource: Resource): Route {
    const { protocol, hostname } = resource.origin
    const named = protocol === 'https:' && !/^[\d.]+$|^\[/.test(hostname)
    return {
      pools: openPools(resource, parts.connector(resource.timeouts.connectMs)),
      answerHeaders: createResponseHeaders(resource),
      servername: named ? hostname : null,
    }
  }
}

/** One request at its origin, asked once or, when a reused connection was dead, twice. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #parts: ForwardParts
  readonly #passage: Passage
  readonly #permit: Permit
  readonly #route: Route
  readonly #resolve: () => void
  readonly #reject: (error: GatewayError) => void
  #mayRepeat: boolean
  #pool: Dispatcher | null = null
  #options: Dispatcher.DispatchOptions | null = null
  #controller: Dispatcher.DispatchController | null = null
  #left = false
  #begun = false
  #draining = false
  #askedAt = 0
  #informational = 0
  #unwatch: (() => void) | null = null

  constructor(
    parts: ForwardParts,
    passage: Passage,
    permit: Permit,
    route: Route,
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

  ask(pool: Dispatcher, options: Dispatcher.DispatchOptions): void {
    this.#pool = pool
    this.#options = options
    this.#askedAt = this.#parts.monotonic()
    pool.dispatch(options, this)
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
    if (status > 599) {
      controller.abort(
        new GatewayError(
          'origin.invalid-answer',
          `${this.#permit.resource.origin.origin} answered with status ${status}`,
        ),
      )
      return
    }
    this.#begun = true
    const { response, observed } = this.#passage
    observed.originMs = this.#parts.monotonic() - this.#askedAt
    const { session } = this.#permit
    const headers = this.#route.answerHeaders(raw, session !== null)
    if (session !== null && isEventStream(headers)) this.#closeWith(session)
    if (statusText !== undefined && statusText !== '' && printable.test(statusText))
      response.writeHead(status, statusText, headers)
    else response.writeHead(status, headers)
    // The head alone is worth having: an event stream, or a page that its origin makes slowly.
    if (!headers.some(isContentLength)) response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#passage.response.write(chunk)) return
    controller.pause()
    if (this.#draining) return
    this.#draining = true
    this.#passage.response.once('drain', () => {
      this.#draining = false
      controller.resume()
    })
  }

  onResponseEnd(): void {
    this.#unwatch?.()
    this.#passage.response.end()
    this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#unwatch?.()
    if (this.#left) return this.#resolve()
    if (this.#begun) {
      // Half an answer must not look like a whole one: the connection breaks, and the browser says so.
      this.#passage.response.destroy()
      this.#passage.observed.failure ??= {
        code: 'origin.invalid-answer',
        reference: '',
        detail: `${this.#permit.resource.origin.origin} stopped in the middle of its answer: ${error.message}`,
        hint: null,
      }
      return this.#resolve()
    }
    if (this.#mayRepeat && connectionLost(error) && this.#pool !== null && this.#options !== null) {
      this.#mayRepeat = false
      this.#parts.report({ name: 'origin.retried', resource: this.#permit.resource.id })
      this.ask(this.#pool, this.#options)
      return
    }
    this.#reject(originFailure(this.#permit.resource, error))
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    socket: import('node:stream').Duplex,
  ): void {
    const { upgrade, observed } = this.#passage
    observed.originMs = this.#parts.monotonic() - this.#askedAt
    if (upgrade === null || status !== 101) {
      socket.destroy()
      this.#reject(
        new GatewayError(
          'origin.invalid-answer',
          `${this.#permit.resource.origin.origin} changed protocols unasked (${status})`,
        ),
      )
      return
    }
    const { resource, session } = this.#permit
    const headers = this.#route.answerHeaders(controller.rawHeaders as Buffer[], session !== null)
    tunnel(this.#passage, upgrade, socket, headers, resource, {
      tunnels: this.#parts.tunnels,
      report: this.#parts.report,
      watch: close => (session === null ? () => {} : this.#parts.watch(session, close)),
    })
    this.#resolve()
  }

  #inform(status: number, raw: Buffer[]): void {
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
    const { resource } = this.#permit
    this.#unwatch = this.#parts.watch(session, () => {
      this.#parts.report({ name: 'stream.closed-at-end', resource: resource.id, kind: 'answer' })
      this.#passage.response.destroy()
    })
  }

  #clientGone(): void {
    if (this.#passage.response.writableFinished) return
    this.#left = true
    this.#controller?.abort(new Error('the client left'))
    // Queued for a connection that never came: nobody else will settle this.
    if (this.#controller === null) this.#resolve()
  }
}

function isContentLength(value: string, index: number): boolean {
  return index % 2 === 0 && value.length === 14 && value.toLowerCase() === 'content-length'
}

function isEventStream(headers: readonly string[]): boolean {
  const index = headers.findIndex((value, at) => at % 2 === 0 && value.toLowerCase() === 'content-type')
  return index >= 0 && headers[index + 1]?.toLowerCase().startsWith('text/event-stream') === true
}
