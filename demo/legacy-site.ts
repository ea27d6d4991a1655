/**
 * What the three legacy sites of the demonstration share: a listener on the loopback, and how a site of the old days
 * learns who is there, namely from a request header that somebody in front of it has set. They know nothing of sign-in.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

export interface LegacySite {
  readonly port: number
  /** `http://127.0.0.1:<port>/`, where the gateway reaches it. */
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Whom the headers name. */
export interface Visitor {
  /** X-Remote-User */
  readonly user: string
  /** X-Remote-Name; the user where it is absent. */
  readonly name: string
  /** X-Remote-Email */
  readonly email: string | null
  /** X-Profile, split at `;` */
  readonly profiles: readonly string[]
}

export interface Answering {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query as the site sees them. */
  readonly url: URL
  readonly visitor: Visitor | null
}

export interface SiteParts {
  readonly answer: (answering: Answering) => void | Promise<void>
  /** Absent: upgrades are refused. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Called before the listener closes. */
  readonly stopping?: () => void
}

export async function startSite(parts: SiteParts, port: number): Promise<LegacySite> {
  const server = createServer(async (request, response) => {
    try {
      const url = new URL(`http://site${request.url ?? '/'}`)
      await parts.answer({ request, response, url, visitor: visitorOf(request) })
    } catch (error) {
      console.error(error)
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('The site failed. Le site est en panne.')
    }
  })
  if (parts.upgrade !== undefined) server.on('upgrade', parts.upgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}/`,
    stop: () =>
      new Promise(resolve => {
        parts.stopping?.()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Null: no identity came. The bytes of a header are UTF-8 here; node reads them as latin1. */
export function visitorOf(request: IncomingMessage): Visitor | null {
  const user = headerText(request, 'x-remote-user')
  if (user === null) return null
  return {
    user,
    name: headerText(request, 'x-remote-name') ?? user,
    email: headerText(request, 'x-remote-email'),
    profiles: headerText(request, 'x-profile')?.split(';') ?? [],
  }
}

function headerText(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'latin1').toString('utf8') : null
}

/** @throws Error over 64 KiB */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) {
    text += piece
    if (text.length > 65_536) throw new Error('the form is too long')
  }
  return new URLSearchParams(text)
}

export function cookieOf(request: IncomingMessage, name: string): string | null {
  const pairs = (request.headers.cookie ?? '').split(';').map(pair => pair.trim().split('='))
  return pairs.find(([key]) => key === name)?.[1] ?? null
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** HEAD gets the headers alone: node drops the body by itself. */
export function sendHtml(response: ServerResponse, html: string, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': Buffer.byteLength(html) })
  response.end(html)
}

/** A file of demo/asset, read once at start. */
export function asset(name: string): Buffer {
  return readFileSync(new URL(`asset/${name}`, import.meta.url))
}

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** With an hour of caching, as style sheets and pictures have. */
export function sendAsset(response: ServerResponse, name: string, content: Buffer | string): void {
  response.writeHead(200, {
    'Content-Type': types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    'Content-Length': Buffer.byteLength(content),
    'Cache-Control': 'public, max-age=3600',
  })
  response.end(content)
}
