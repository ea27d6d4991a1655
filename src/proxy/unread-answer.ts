/**
 * A request that goes on to its origin although its answer will be nobody's page: a site's own logout, after ours. The answer
 * is read to its end, because servers break off the work of whoever leaves, but only so far and so long; of it only the
 * Set-Cookie lines are kept. What fails fails quietly: nothing depends on it.
 */
import type { Socket } from 'node:net'
import { type OriginPool, reuse } from './origin-pool.ts'
import type { OriginHearer, OriginRequest } from './origin-request.ts'

export interface Heard {
  /** Of the Set-Cookie lines, as the origin wrote them; empty: there were none, or no answer. */
  readonly raw: readonly string[]
  /** Null: it answered. Else why there is no answer. */
  readonly failure: string | null
  /** Milliseconds from asking to the head; null: none came. */
  readonly headMs: number | null
}

export interface Patience {
  /** For everything: name, connection, the request's body, the answer. */
  readonly deadlineMs: number
  /** Bytes of the answer's body that are read. */
  readonly bodyLimit: number
}

/** Never rejects. */
export function hearOut(
  pool: OriginPool,
  servername: string | null,
  request: OriginRequest,
  { deadlineMs, bodyLimit }: Patience,
  monotonic: () => number,
): Promise<Heard> {
  return new Promise(resolve => {
    const startedAt = monotonic()
    let raw: readonly string[] = []
    let headMs: number | null = null
    let left = bodyLimit

    const over = (failure: string | null) => {
      clearTimeout(timer)
      request.body?.stream.destroy()
      resolve({ raw, failure: headMs === null ? failure : null, headMs })
    }
    const breakOff = (failure: string | null) => {
      asked.abandon(hearer)
      over(failure)
    }
    const hearer: OriginHearer = {
      onInformation() {},
      onHead(_status, _text, headers) {
        headMs = monotonic() - startedAt
        raw = headers.flatMap((name, at) =>
          at % 2 === 0 && name.toLowerCase() === 'set-cookie' ? [name, headers[at + 1] as string] : [],
        )
      },
      onBody(chunk) {
        left -= chunk.length
        if (left < 0) breakOff(null)
        return true
      },
      onEnd: () => over(null),
      onUpgrade(_headers, socket: Socket) {
        socket.destroy()
        over('changed to another protocol')
      },
      onError: error => over(error.message),
      onStillOpen() {},
    }
    const timer = setTimeout(() => breakOff(`no whole answer within ${deadlineMs} ms`), deadlineMs)
    // On a connection of its own: what stands behind an idle one is not known, and this is not sent twice.
    const asked = pool.ask(request, reuse.never, servername, hearer)
  })
}
