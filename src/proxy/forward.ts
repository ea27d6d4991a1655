/**
 * To the origin and back: strip, inject, stream. Nobody comes here without a Permit. Bodies are piped in both directions with
 * back-pressure and never collected; a truncated answer reaches the browser as a broken one; whatever happens, the
 * origin is let go when the client leaves.
 */
import type { Dispatcher } from 'undici'
import { Permit } from '../model/decision.ts'
import type { Passage, ResourcePlace } from '../model/passage.ts'
import type { Resource } from '../model/resource.ts'
import { createInjection } from './identity-headers.ts'
import { type ExchangeParts, OriginExchange, type OriginRoute } from './origin-exchange.ts'
import { openPools } from './origin-pools.ts'
import { bodyOf } from './request-body.ts'
import { createRequestHeaders } from './request-headers.ts'
import { createResponseHeaders } from './response-headers.ts'

export interface ForwardParts extends ExchangeParts {
  readonly resources: readonly Resource[]
  readonly connector: (connectMs: number) => Parameters<typeof openPools>[1]
}

const none: readonly string[] = []

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
      const route = routes.get(resource) as OriginRoute
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
        const exchange = new OriginExchange(parts, passage, permit, route, repeatable, resolve, reject)
        exchange.ask(repeatable ? route.pools.repeatable : route.pools.once, options)
      })
    },

    async close(): Promise<void> {
      await Promise.all([...routes.values()].map(route => route.pools.close()))
    },
  }

  function routeTo(resource: Resource): OriginRoute {
    const { protocol, hostname } = resource.origin
    const literal = /^[\d.]+$|^\[/.test(hostname)
    return {
      pools: openPools(resource, parts.connector(resource.timeouts.connectMs)),
      answerHeaders: createResponseHeaders(resource),
      servername: protocol === 'https:' && literal ? null : hostname,
    }
  }
}
