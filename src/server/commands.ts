/**
 * What an operator may ask of a running gateway: to list sessions, to end them, and how often codes were used. POST only, with `operations.secret` as
 * bearer (RFC 6750 §2.1). Answers are lines of JSON, so that a long piece of work shows its progress and a long list is
 * held nowhere whole; the last line has `done`, or `error`.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../errors.ts'
import { Meter } from '../limits/meter.ts'
import type { Report } from '../model/event.ts'
import type { Secret } from '../model/secret.ts'
import type { Selection } from '../session/sessions.ts'
import { type Asked, Refused, readAsked, readNames } from './asked.ts'

/** No claims: what tells one session from another, and whose it is. */
export interface SessionLine {
  readonly session: string
  readonly idp: string
  readonly subject: string
  /** ISO 8601, UTC, as the times below. */
  readonly since: string
  /** Not used before this; perhaps a little later. Null: not known. */
  readonly used: string | null
  readonly until: string
  readonly device: 'own' | 'shared'
  readonly browser: string
  readonly network: string
}

export interface EndedPiece {
  readonly looked: number
  readonly ended: number
  /** Ids of resources, once for each end of which the site was not told in time. */
  readonly untold: readonly string[]
}

export interface CommandsParts {
  /** As the configuration says when it is asked; null: no command is taken. */
  readonly secret: () => Secret | null
  readonly list: (selection: Selection) => AsyncIterable<SessionLine>
  /** How many each piece of the work has looked at and ended; the first comes when nothing of the selection opens any more. */
  readonly end: (selection: Selection) => AsyncIterable<EndedPiece>
  /** How often each was used, by the name under which it is counted. */
  readonly used: (names: readonly string[]) => Promise<readonly number[]>
  readonly report: Report
  /** Milliseconds, never stepping back. */
  readonly monotonic: () => number
}

/** Wrong secrets of one address in a minute; beyond them none is compared, the right one neither. */
const wrongPerMinute = 10
const progressMs = 1_000
const paths: readonly string[] = ['/sessions/list', '/sessions/end', '/codes/uses']

export type Commands = ReturnType<typeof createCommands>

export function createCommands({ secret, list, end, used, report, monotonic }: CommandsParts) {
  const wrong = new Meter({ perMinute: wrongPerMinute, mostKeys: 1_000 })
  return {
    /** Whether this path is a command's. */
    knows: (path: string | undefined): boolean => path !== undefined && paths.includes(path),

    async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      try {
        admit(request)
        const answer = await answerTo(request)
        response.writeHead(200, { ...plainHeaders, 'Content-Type': 'application/x-ndjson' })
        await answer(response)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        if (error.status === 401 || error.status === 429) {
          report({ name: 'operations.refused', address: addressOf(request), status: error.status })
        }
        // What is left of the body is not waited for.
        response.writeHead(error.status, { ...plainHeaders, ...error.headers, Connection: 'close' })
        response.end(`${JSON.stringify({ error: error.message })}\n`)
      }
    },
  }

  /** @throws Refused */
  function admit(request: IncomingMessage): void {
    const expected = secret()
    if (expected === null) throw new Refused(403, 'no operations.secret is configured, so no command is taken')
    if (request.method !== 'POST') throw new Refused(405, 'POST only', { Allow: 'POST' })
    // A page in a browser that can reach us, by whatever name: nobody who has the secret works so, and nobody may use it up.
    if (request.headers.origin !== undefined) throw new Refused(403, 'commands are taken from no web page')
    const address = addressOf(request)
    const waitMs = wrong.wait(address, monotonic())
    if (waitMs > 0) {
      const seconds = String(Math.ceil(waitMs / 1000))
      throw new Refused(429, 'too many wrong secrets from this address', { 'Retry-After': seconds })
    }
    const [, sent] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
    // Digests have one length, so the comparison tells nothing of the secret's.
    if (sent !== undefined && timingSafeEqual(digest(sent), digest(expected.reveal()))) return
    // Who sends none guesses nothing, and shuts nobody out who shares the address.
    if (sent !== undefined) wrong.count(address, monotonic())
    throw new Refused(401, 'operations.secret must come as a bearer token', { 'WWW-Authenticate': 'Bearer' })
  }

  /** @throws Refused before anything is answered */
  async function answerTo(request: IncomingMessage): Promise<(response: ServerResponse) => Promise<void>> {
    if (request.url === '/codes/uses') {
      const names = await readNames(request)
      return response => tellUses(names, response)
    }
    const asked = await readAsked(request)
    return response => (request.url === '/sessions/list' ? tellList(asked, response) : tellEnd(asked, response))
  }

  async function tellList({ selection, limit }: Asked, response: ServerResponse): Promise<void> {
    let count = 0
    let more = false
    const complete = await telling(response, async tell => {
      for await (const line of list(selection)) {
        more = count === limit
        if (more) break
        count++
        await tell(line)
      }
      await tell({ done: true, listed: count, more })
    })
    report({ name: 'sessions.listed', ...selected(selection), count, complete })
  }

  /** Goes on to its end even where nobody listens any more. */
  async function tellEnd({ selection }: Asked, response: ServerResponse): Promise<void> {
    let [looked, ended, toldAt] = [0, 0, Number.NEGATIVE_INFINITY]
    const untold = new Map<string, number>()
    const complete = await telling(response, async tell => {
      for await (const piece of end(selection)) {
        looked += piece.looked
        ended += piece.ended
        for (const id of piece.untold) untold.set(id, (untold.get(id) ?? 0) + 1)
        if (monotonic() - toldAt < progressMs) continue
        toldAt = monotonic()
        await tell({ looked, ended })
      }
      await tell({ done: true, looked, ended, untold: Object.fromEntries(untold) })
    })
    report({ name: 'sessions.ended', ...selected(selection), count: ended, complete })
  }

  async function tellUses(names: readonly string[], response: ServerResponse): Promise<void> {
    await telling(response, async tell => {
      const counts = await used(names)
      for (const [at, name] of names.entries()) await tell({ name, used: counts[at] ?? 0 })
      await tell({ done: true })
    })
  }
}

/** @returns false: it was broken off by a failure, which has been told */
async function telling(
  response: ServerResponse,
  work: (tell: (line: object) => Promise<void>) => Promise<void>,
): Promise<boolean> {
  const tell = async (line: object) => {
    if (response.destroyed || response.write(`${JSON.stringify(line)}\n`)) return
    // A reader who is slow, or gone.
    await new Promise<void>(resolve => {
      response.once('drain', resolve)
      response.once('close', resolve)
    })
  }
  try {
    await work(tell)
    return true
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : 'internal'
    await tell({ error: `${code}: ${error instanceof Error ? error.message : String(error)}` })
    return false
  } finally {
    response.end()
  }
}

function selected(selection: Selection) {
  const idp = selection.kind === 'idp' ? selection.idp : selection.kind === 'person' ? selection.person.idp : null
  return { selected: selection.kind, idp }
}

export const plainHeaders = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown'
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
