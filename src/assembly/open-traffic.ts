/**
 * What is open, whoever opened it: WebSockets, event streams and answers that last. Of a session they are closed with it, and
 * judged anew at every sweep (SESSIONS S8); those without one only when another configuration comes (B 7).
 */
import type { Report } from '../model/event.ts'
import type { OpenTraffic, WatchTraffic } from '../model/open-traffic.ts'
import { Tunnels } from '../proxy/upgrade.ts'
import type { Sessions } from '../session/sessions.ts'

export interface OpenParts {
  readonly sessions: Pick<Sessions, 'watch' | 'closeStreams' | 'judgeAnew'>
  readonly report: Report
}

export type Open = ReturnType<typeof createOpen>

export function createOpen({ sessions, report }: OpenParts) {
  const tunnels = new Tunnels()
  const visitors = new Set<OpenTraffic>()
  let cutting = false

  const watch: WatchTraffic = (session, traffic) => {
    if (session !== null) return sessions.watch(session, traffic)
    visitors.add(traffic)
    // It was let through before it was open: a reload may have come in between.
    queueMicrotask(() => judge(traffic))
    return () => visitors.delete(traffic)
  }

  return {
    tunnels,
    watch,

    /** Of a session's end, or of a rule; a gateway that stops ends none. */
    report(event: Parameters<Report>[0]): void {
      if (!cutting || event.name !== 'stream.closed-at-end') report(event)
    },

    /** Another configuration has come. Resolves when everything has been judged by it. */
    async judgeAnew(): Promise<void> {
      for (const traffic of [...visitors]) judge(traffic)
      await sessions.judgeAnew()
    },

    /** What would not end by itself. */
    closeAll(): void {
      cutting = true
      sessions.closeStreams()
      for (const traffic of [...visitors]) if (traffic.graceMs === 0) close(traffic)
      tunnels.closeAll()
      cutting = false
    },
  }

  function judge(traffic: OpenTraffic): void {
    if (!visitors.has(traffic) || traffic.permitted(null)) return
    if (traffic.graceMs === 0) return close(traffic)
    setTimeout(close, traffic.graceMs, traffic).unref()
  }

  function close(traffic: OpenTraffic): void {
    if (visitors.delete(traffic)) traffic.close()
  }
}
