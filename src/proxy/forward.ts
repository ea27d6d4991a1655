/**
 * To the origin and back: strip, inject, stream. Nobody comes here without a Permit. Bodies are piped in both directions with
 * back-pressure and never collected; a truncated answer reaches the browser as a broken one; whatever happens, the
 * origin is let go when the client leaves.
 */
import { GatewayError } from '../errors.ts'
import { Permit } from '../model/decision.ts'
import type { Passage } from '../model/passage.ts'
import type { ResourcePlace } from '../model/place.ts'
import type { Resource } from '../model/resource.ts'
import type { WriteSoon } from '../model/write-soon.ts'
import { createInjection } from './identity-headers.ts'
import { type ExchangeParts, OriginExchange, type OriginRoute } from './origin-exchange.ts'
import { type Connect, OriginPool, reuse } from './origin-pool.ts'
import type { OriginRequest } from './origin-request.ts'
import { createRequestHeaders } from './request-headers.ts'
import { createResponseHeaders } from './response-headers.ts'
import { hearOut } from './unread-answer.ts'

export interface ForwardParts extends ExchangeParts {
  readonly resources: readonly Resource[]
  readonly connector: (connectMs: number) => Connect
  readonly writeSoon: WriteSoon
}

/** How long a person waits for an origin whose answer is not read, ms (SESSIONS A8), and how much of it is taken in, bytes. */
const patience = { deadlineMs: 3_000, bodyLimit: 256 * 1024 }

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
      const { request } = passage
      const { route, asked, repeatable } = prepared(passage, place, permit)
      const { body } = asked
      return new Promise((resolve, reject) => {
        const exchange = new OriginExchange(parts, passage, permit, route, asked, repeatable, resolve, reject)
        if (body === null) {
          // Gone while its session was looked up: its end was told before anybody here listened for it.
          if (request.socket.destroyed) return resolve()
          return exchange.ask(repeatable ? reuse.repeatable : reuse.once)
        }
        // What came with the head is read first: where that is no HTTP, the request is refused, and touches no origin.
        queueMicrotask(() => {
          if (request.socket.writableEnded || request.socket.destroyed) resolve()
          else exchange.ask(reuse.once)
        })
      })
    },

    /**
     * The request goes on as by forward(), but nobody is shown the answer. A client that leaves changes nothing, unless its
     * body was still under way. Never rejects.
     * @returns the origin's Set-Cookie lines, as a browser may have them
     */
    async passOn(passage: Passage, place: ResourcePlace, permit: Permit): Promise<readonly string[]> {
      try {
        const { route, asked } = prepared(passage, place, permit, true)
        // Behind a body that is no HTTP, or was left unfinished, nothing goes on.
        const { socket } = passage.request
        if (asked.body !== null && (socket.writableEnded || socket.destroyed)) {
          asked.body.stream.destroy()
          return []
        }
        const heard = await hearOut(route.pool, route.servername, asked, patience, parts.monotonic)
        passage.observed.originMs = heard.headMs
        if (heard.failure !== null) unheard(permit.resource, heard.failure)
        return route.answerHeaders(heard.raw, false).filter((_, at) => at % 2 === 1)
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        unheard(permit.resource, error.message)
        return []
      }
    },

    /** Another configuration takes over: what is under way is finished, and no connection is kept for what may come. */
    retire(): void {
      for (const { pool } of routes.values()) pool.retire()
    },

    async close(): Promise<void> {
      await Promise.all([...routes.values()].map(route => route.pool.close()))
    },
  }

  /**
   * @param alone nothing else goes on its connection
   * @throws GatewayError `identity.unsendable`
   */
  function prepared(passage: Passage, place: ResourcePlace, permit: Permit, alone = false) {
    Permit.proves(permit)
    const { request, observed } = passage
    const { resource, session } = permit
    const route = routes.get(resource) as OriginRoute
    const injected = session === null ? '' : injectionOf(session, resource)
    const { lines, signInConnection } = requestHeaders.forOrigin(
      request.rawHeaders,
      resource,
      observed.client,
      injected,
    )
    const body = passage.openBody()
    const repeatable = body === null && (request.method === 'GET' || request.method === 'HEAD')
    const last = alone || request.method === 'HEAD' || signInConnection
    const asked: OriginRequest = {
      head: headOf(passage, place.forwardPath, lines, body, last),
      method: request.method ?? '',
      upgrade: passage.upgrade !== null,
      body,
      last,
    }
    if (passage.expectsContinue && body !== null) passage.response.writeContinue()
    return { route, asked, repeatable }
  }

  function unheard({ id, origin }: Resource, why: string): void {
    parts.report({ name: 'site-logout.unheard', resource: id, detail: `${origin.origin}: ${why}` })
  }

  function routeTo(resource: Resource): OriginRoute {
    const { protocol, hostname } = resource.origin
    const named = protocol === 'https:' && !/^[\d.]+$|^\[/.test(hostname)
    return {
      pool: new OriginPool(
        resource.origin,
        parts.connector(resource.timeouts.connectMs),
        resource.timeouts,
        parts.monotonic,
        parts.writeSoon,
      ),
      answerHeaders: createResponseHeaders(resource),
      servername: named ? hostname : null,
    }
  }
}

/** Methods for which a request without a body says so; old servers answer 411 otherwise (RFC 9110 §8.6). */
const withContent = new Set(['POST', 'PUT', 'PATCH'])

/**
 * The head as it goes on the wire. Nothing in it can end a line: the target was read by resource/target, names and values by
 * node's parser, what we inject by proxy/identity-headers.
 */
function headOf(
  { request, upgrade }: Passage,
  path: string,
  lines: string,
  body: OriginRequest['body'],
  last: boolean,
): string {
  let head = `${request.method} ${path} HTTP/1.1\r\n${lines}`
  if (upgrade !== null) return `${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  if (body !== null)
    head += body.length === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`
  else if (withContent.has(request.method ?? '')) head += 'Content-Length: 0\r\n'
  return `${head}Connection: ${last ? 'close' : 'keep-alive'}\r\n\r\n`
}
