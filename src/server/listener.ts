/**
 * The listener that browsers reach. It reads what a request names, gives our own host to the portal and every other to the
 * access plane, and catches every failure: one place writes the log line and the page.
 */
import http, { type IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { GatewayError } from '../errors.ts'
import type { ClientRequest, Observed, Passage, Upgrade } from '../model/passage.ts'
import type { Target } from '../model/place.ts'
import type { WriteSoon } from '../model/write-soon.ts'
import type { Observer } from '../observe/observer.ts'
import { Arrival, type NodePassage, newlyObserved } from './arrival.ts'
import type { ClientAddress } from './client-address.ts'
import { createRefusal } from './client-error.ts'
import type { FailurePage } from './failure-page.ts'
import { letGo } from './let-go.ts'
import { type PlainConnections, takePlainConnections } from './plain-connections.ts'
import { headerOf, PlainPassage, type PlainRequest } from './plain-passage.ts'
import { keepAliveS, type PlainResponse } from './plain-response.ts'
import { answered, begin, isAnswering } from './unanswered.ts'

/** What one configuration makes of a request. */
export interface Serving {
  readonly portalHostname: string
  /** No promise: it is answered already. */
  readonly access: (passage: Passage) => Promise<void> | void
  readonly portal: (passage: NodePassage) => void
  readonly failurePage: FailurePage
  readonly clientAddress: ClientAddress
}

export interface ListenerParts {
  /** PEM texts; null: TLS ends in front of us. */
  readonly tls: { readonly certificate: string; readonly key: string } | null
  /** Asked once for each request, as it arrives: a reload changes it, and no request meets half of each. */
  readonly serving: () => Serving
  readonly readTarget: (request: ClientRequest) => Target
  readonly observer: Observer
  readonly writeSoon: WriteSoon
  /** Milliseconds without a byte in either direction after which a connection is cut: the longest of any resource. */
  readonly idleMs: () => number
  readonly monotonic: () => number
}

/** Bytes of a request's head; a 17 KB Cookie then still reaches our own answer, with its Host. */
const longestHead = 32 * 1024
const longestCookie = 16 * 1024
/** Header lines; node would drop what is beyond its own limit in silence, a Cookie or a spoofed identity alike. */
const mostLines = 200
/** What is still read of a body nobody wants, so that the client can read our answer: bytes and milliseconds. */
const unwanted = { bytes: 1024 * 1024, ms: 5_000 }

export interface Listener {
  readonly server: http.Server
  /** Those on which nothing but plain requests came so far; node knows nothing of them. */
  readonly plain: PlainConnections
}

export function createListener(parts: ListenerParts): Listener {
  const { observer, monotonic } = parts
  const options: http.ServerOptions = {
    // node's own answer would be bare, and in no log; ours is the same refusal with a reference.
    requireHostHeader: false,
    maxHeaderSize: longestHead,
    // Behind a load balancer with 60 s: ours must be the longer one.
    keepAliveTimeout: keepAliveS * 1000,
    headersTimeout: 20_000,
    // node's 300 s would end a slow upload with 408; the idle limit is what counts.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
  }
  const server =
    parts.tls === null
      ? http.createServer(options)
      : https.createServer({
          ...options,
          cert: parts.tls.certificate,
          key: parts.tls.key,
          ALPNProtocols: ['http/1.1'],
        })
  server.maxHeadersCount = 0
  server.setTimeout(parts.idleMs())

  server.on('request', (request, response) => receive(request, response, null, false))
  // Answered by us once the decision is made: node's own "100 Continue" would come before it.
  server.on('checkContinue', (request, response) => receive(request, response, null, true))
  server.on('checkExpectation', (request, response) => {
    const serving = parts.serving()
    const passage = arrive(serving, request, response, null, false)
    if (passage === null) return
    serving.failurePage.answer(
      passage,
      new GatewayError('request.expectation', `Expect: ${String(request.headers.expect).slice(0, 100)}`),
    )
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // Behind a request whose answer is under way: no browser does that, and ours would be written into the other.
    if (isAnswering(socket)) {
      socket.destroy()
      return
    }
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
    response.once('finish', () => letGo(socket))
    // Of an upgrade node keeps nothing: without this a reader who stops is waited for for ever.
    socket.on('timeout', () => socket.destroy())
    const release = () => response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0])
    receive(request, response, { socket, head, release }, false)
  })
  const refusal = createRefusal(() => parts.serving().failurePage, observer, monotonic)
  server.on('clientError', refusal.clientError)
  server.on('connect', refusal.connect)
  const plain = takePlainConnections(server, parts.tls !== null, {
    serve: servePlain,
    writeSoon: parts.writeSoon,
    idleMs: parts.idleMs,
    monotonic,
  })
  return { server, plain }

  function receive(
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | null,
    expectsContinue: boolean,
  ): void {
    const serving = parts.serving()
    const passage = arrive(serving, request, response, upgrade, expectsContinue)
    if (passage !== null) serve(serving, passage)
  }

  /** @returns null: the connection is cut, and there is nobody to answer */
  function arrive(
    serving: Serving,
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | null,
    expectsContinue: boolean,
  ): NodePassage | null {
    if (!begin(request.socket)) return null
    try {
      return passageOf(serving, request, response, upgrade, expectsContinue)
    } catch {
      request.socket.destroy()
      return null
    }
  }

  function serve(serving: Serving, passage: NodePassage): void {
    const { portalHostname, portal, failurePage } = serving
    try {
      checkHead(passage)
      const target = parts.readTarget(passage.request)
      if (target.hostname !== portalHostname) return visit(serving, passage, target)
      passage.observed.target = target
      checkName(passage.request, target)
      passage.observed.portal = true
      if (passage.upgrade !== null) throw new GatewayError('request.upgrade', 'an upgrade on the portal')
      portal(passage)
    } catch (error) {
      failurePage.answer(passage, error)
    }
  }

  function visit({ access, failurePage }: Serving, passage: Passage, target: Target): void {
    try {
      passage.observed.target = target
      checkName(passage.request, target)
      access(passage)?.catch(error => failurePage.answer(passage, error))
    } catch (error) {
      failurePage.answer(passage, error)
    }
  }

  /** False: the portal's pages are Express', and what names no host that one could read is refused by those who refuse the rest. */
  function servePlain(request: PlainRequest, response: PlainResponse, cookies: string | null): boolean {
    const serving = parts.serving()
    const target = targetIfReadable(request)
    if (target === null || target.hostname === serving.portalHostname) return false
    const { method, rawHeaders, socket } = request
    const client = serving.clientAddress(socket.remoteAddress, headerOf(rawHeaders, 'x-forwarded-for'))
    const observed = newlyObserved(monotonic(), client)
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : 0
      observer.finished(observed, { method, status, endedAt: monotonic(), complete: response.writableFinished })
    })
    visit(serving, new PlainPassage(request, response, observed, cookies), target)
    return true
  }

  function targetIfReadable(request: ClientRequest): Target | null {
    try {
      return parts.readTarget(request)
    } catch {
      return null
    }
  }

  function passageOf(
    { clientAddress }: Serving,
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: Upgrade | null,
    expectsContinue: boolean,
  ): NodePassage {
    const forwardedFor = request.headers['x-forwarded-for']
    const observed: Observed = newlyObserved(
      monotonic(),
      clientAddress(request.socket.remoteAddress, Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor),
    )
    const over = upgrade === null ? response : upgrade.socket
    const { socket } = request
    over.once('close', () => {
      answered(socket)
      // The tunnel took the connection from the response and wrote its 101 itself.
      const tunnelled = upgrade !== null && response.socket === null
      observer.finished(observed, {
        method: request.method ?? '',
        status: tunnelled ? 101 : response.headersSent ? response.statusCode : 0,
        endedAt: monotonic(),
        complete: tunnelled || response.writableFinished,
      })
    })
    // Before node's own `finish`: it would read what is left of the body itself, however long that is.
    if (upgrade === null && announcesBody(request)) response.once('prefinish', () => limitUnwanted(request))
    return new Arrival(request, response, observed, upgrade, expectsContinue)
  }
}

function checkHead({ request, cookies, upgrade }: NodePassage): void {
  if (request.rawHeaders.length > 2 * mostLines) {
    throw new GatewayError('request.headers-too-large', `${request.rawHeaders.length / 2} header lines`)
  }
  if (cookies !== null && cookies.length > longestCookie) {
    throw new GatewayError('request.headers-too-large', `a Cookie header of ${cookies.length} bytes`)
  }
  // It would show the client what we inject.
  if (request.method === 'TRACE') throw new GatewayError('request.method', 'TRACE')
  // Beyond this two readers of one number may mean two lengths.
  if (Number(request.headers['content-length'] ?? 0) > Number.MAX_SAFE_INTEGER) {
    throw new GatewayError('request.malformed', 'a Content-Length over 2^53')
  }
  if (upgrade !== null) checkUpgrade(request)
}

/** RFC 6455 §4.1. Anything else that asks for an upgrade could turn the connection into something that nobody decides on. */
function checkUpgrade({ method, headers }: IncomingMessage): void {
  const body = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
  const websocket = headers.upgrade?.toLowerCase() === 'websocket'
  if (method === 'GET' && websocket && !body && headers['sec-websocket-key'] !== undefined) return
  throw new GatewayError(
    'request.upgrade',
    `${method} with Upgrade: ${String(headers.upgrade).slice(0, 100)}${body ? ' and a body' : ''}`,
  )
}

/** A connection made for one name must not carry requests for another (RFC 9110 §7.4, §15.5.20). */
function checkName(request: ClientRequest, target: Target): void {
  const { servername } = request.socket as TLSSocket
  if (typeof servername === 'string' && servername.toLowerCase() !== target.hostname) {
    throw new GatewayError('request.misdirected', `TLS was made for ${servername}, the request names ${target.host}`)
  }
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined
}

function limitUnwanted(request: IncomingMessage): void {
  if (request.complete) return
  let left = unwanted.bytes
  const timer = setTimeout(() => request.destroy(), unwanted.ms)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
  request.once('close', () => clearTimeout(timer))
}
