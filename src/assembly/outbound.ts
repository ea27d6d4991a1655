/** How others are reached, as the configuration of the moment says: the same functions before and after a reload. */
import { isSame } from '../config/canonical.ts'
import type { Settings } from '../config/schema.ts'
import { createOutbound, type Listener, type Outbound } from '../outbound/outbound.ts'

export type LastingOutbound = Pick<Outbound, 'connector' | 'fetch' | 'tell' | 'close'> & {
  /**
   * @returns switches to these settings; what is under way comes to its end as it began
   * @throws Error they cannot be used; nothing has changed then
   */
  readonly prepare: (settings: Settings['outbound']) => () => void
}

/** @param refused our own listeners, never to be reached; read at each connection */
export function createLastingOutbound(first: Settings['outbound'], refused: readonly Listener[]): LastingOutbound {
  let settings = first
  let held = createOutbound({ ...first, refused })

  return {
    connector(connectMs) {
      let of = held
      let connect = of.connector(connectMs)
      // Asked at each connection: an assembly is made before these settings are the ones that hold.
      return (options, done) => {
        if (of !== held) {
          of = held
          connect = of.connector(connectMs)
        }
        connect(options, done)
      }
    },
    fetch: (url, request) => held.fetch(url, request),
    tell: (url, request) => held.tell(url, request),
    close: () => held.close(),

    prepare(next) {
      if (isSame(next, settings)) return () => {}
      const made = createOutbound({ ...next, refused })
      return () => {
        held.retire()
        held = made
        settings = next
      }
    },
  }
}
