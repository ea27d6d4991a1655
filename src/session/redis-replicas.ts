/**
 * Whether ends have reached a replica (SESSIONS B 18): Redis confirms a write before its replicas have it, so a failover can
 * lose an end. Nobody waits for this; the log says which ends were at risk. A connection of its own, made at the first end:
 * WAIT holds up every command behind it, and answers for what was written before it on the whole server.
 */
import { Deadlines } from '../model/deadlines.ts'
import type { Report } from '../model/event.ts'
import { type Connection, firstAttempt, mastersOf } from './redis-connection.ts'
import { logKey } from './redis-log.ts'

/** How many replicas must have it, and milliseconds for that. */
const replicasWanted = 1
const waitMs = 100
/** Milliseconds that the key lives whose writing is waited for, and that each answer may take. */
const markerMs = 1_000
const answerMs = 1_000

export interface ReplicaCheck {
  /** Looks after an end; those that come while it looks are looked after together. */
  readonly ended: (sessionHash: string | null) => void
  readonly close: () => void
}

export function createReplicaCheck(open: () => Connection, cluster: boolean, report: Report): ReplicaCheck {
  const waiting = new Set<string>()
  const deadlines = new Deadlines(answerMs)
  let connection: Connection | null = null
  let busy = false

  return {
    ended(hash) {
      // Of a cluster, the servers that hold the record and the log.
      if (cluster && hash !== null) waiting.add(hash)
      waiting.add(logKey)
      if (!busy) look().catch(() => {})
    },
    close() {
      waiting.clear()
      connection?.disconnect()
    },
  }

  async function look(): Promise<void> {
    busy = true
    try {
      const redis = connection ?? (await opened())
      while (waiting.size > 0) {
        const tags = [...waiting]
        waiting.clear()
        await deadlines.within(Promise.all(tags.map(tag => redis.set(`pas:w:{${tag}}`, '', 'PX', markerMs))))
        const told = await deadlines.within(Promise.all(mastersOf(redis).map(replicasOf)))
        const confirmed = told.filter(count => count !== null)
        if (confirmed.length > 0)
          report({ name: 'session.end-replicated', confirmed: Math.min(...confirmed) >= replicasWanted })
      }
    } finally {
      // What could not be asked is not asked later: by then it says nothing.
      waiting.clear()
      busy = false
    }
  }

  async function opened(): Promise<Connection> {
    connection = open()
    connection.on('error', () => {
      // The connection that sessions are read on tells of it.
    })
    await firstAttempt(connection)
    return connection
  }
}

/** How many have everything that was written before; null: it has none. */
async function replicasOf(master: Connection): Promise<number | null> {
  const told = await master.info('replication')
  if (!/^connected_slaves:[1-9]/m.test(told)) return null
  return master.wait(replicasWanted, waitMs)
}
