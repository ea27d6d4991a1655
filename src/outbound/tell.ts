/**
 * One request to an origin of which only the status matters: the gateway tells a site something. Certificates and refused
 * addresses are as for a visitor's request; what the site answers is let run into a bounded drain.
 */
import { isIP } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import { type Deadline, Deadlines } from '../model/deadlines.ts'
import type { OutboundTell } from '../model/outbound.ts'
import type { Connector } from './connector.ts'
import { failureOf, lateness } from './failure.ts'

export interface Telling {
  readonly tell: OutboundTell
  /** Connections end as their requests do. */
  readonly retire: () => void
  /** Ends all connections; requests in flight fail. */
  readonly close: () => Promise<void>
}

/** Bytes of an answer's body that are read: a site that is cut off while it answers might not finish what it was told. */
const drained = 64 * 1024

/** @param deadlineMs from the call to the head of the answer, and to the end of its body */
export function createTell(connector: Connector, deadlineMs: number): Telling {
  const dispatcher = new Agent({ connect: toItsOwnName(connector), allowH2: false })
  const deadlines = new Deadlines(deadlineMs)

  return {
    async tell(url, { method, headers }) {
      const deadline = deadlines.signal()
      try {
        const answer = await dispatcher.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers: [...headers],
          signal: deadline.signal,
          // Each on a connection of its own: what cannot be sent twice goes on none that the origin may be closing.
          reset: true,
        })
        drain(answer, deadline)
        return answer.statusCode
      } catch (cause) {
        deadline.end()
        const { signal } = deadline
        throw failureOf(cause, `${method} ${url.origin}${url.pathname}`, lateness(signal, signal, deadlineMs))
      }
    },
    retire: () => void dispatcher.close(),
    close: () => dispatcher.destroy(),
  }
}

function drain({ body }: Dispatcher.ResponseData, deadline: Deadline & { readonly signal: AbortSignal }): void {
  body.on('error', () => {})
  body
    .dump({ limit: drained, signal: deadline.signal })
    .catch(() => {})
    .finally(() => deadline.end())
}

/** undici would ask for the certificate of the Host header; the site has one for the name by which we reach it. */
function toItsOwnName(connector: Connector): Connector {
  return (options, callback) => {
    const name = options.hostname.replace(/^\[(.*)\]$/, '$1')
    connector({ ...options, servername: isIP(name) === 0 ? name : '' }, callback)
  }
}
