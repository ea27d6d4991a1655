/**
 * assemble(settings) → Gateway: the only place where the parts meet, with assembly/. What outlives a configuration is made once;
 * what follows from it stands in an assembly of its own, and a reload changes one for the other (decision 12).
 */
import { Server as TlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import { type Assembly, assemblyOf } from './assembly/assembly.ts'
import { openLasting } from './assembly/lasting.ts'
import { assembleCommands } from './assembly/operator.ts'
import type { Permits } from './assembly/permits.ts'
import { type Surroundings, surroundingsWith } from './assembly/surroundings.ts'
import type { Settings } from './config/schema.ts'
import type { GatewayEvent } from './model/event.ts'
import type { Store } from './model/store.ts'
import { readTarget } from './resource/target.ts'
import { createLifecycle } from './server/lifecycle.ts'
import { createListener } from './server/listener.ts'
import { createOperationsApp } from './server/operations-app.ts'
import type { Sessions } from './session/sessions.ts'

export type { Surroundings } from './assembly/surroundings.ts'

export interface Gateway {
  /** Binds both listeners. */
  readonly listen: () => Promise<{ readonly port: number; readonly operationsPort: number }>
  /** Of the moment. */
  readonly settings: () => Settings
  /**
   * Other settings from now on: every request that arrives sees them whole, those under way go on as they began. Resolves when
   * everything that is open has been judged by them. What cannot change while it runs is the caller's to refuse (config/fixed.ts).
   * @throws Error they cannot be used; nothing has changed then
   */
  readonly adopt: (settings: Settings) => Promise<void>
  /** Other settings were not good enough to adopt. */
  readonly refused: (event: Omit<Extract<GatewayEvent, { name: 'configuration.refused' }>, 'name'>) => void
  readonly isStopping: () => boolean
  /** Stops as an operator's SIGTERM does; a second call hurries. */
  readonly drain: () => Promise<void>
  /** Stops at once. */
  readonly close: () => Promise<void>
  readonly sessions: Sessions
  readonly store: Store
}

export async function assemble(settings: Settings, given: Partial<Surroundings> = {}): Promise<Gateway> {
  let current: Assembly
  const standing = () => current
  const lasting = await openLasting(settings, surroundingsWith(given), standing)
  const { sessions, store, open, metrics, report } = lasting
  const permits: Permits = (passage, opened, session) => current.permits(passage, opened, session)
  current = assemblyOf(settings, lasting, permits, null)

  const { server, plain } = createListener({
    tls: settings.listen.tls,
    serving: () => current.serving,
    readTarget,
    observer: lasting.observer,
    idleMs: () => current.idleMs,
    writeSoon: lasting.writeSoon,
    monotonic: lasting.monotonic,
  })
  const operations = createOperationsApp({
    metrics: metrics.text,
    commands: assembleCommands(lasting, standing),
    async obstacles() {
      if (running.isDraining()) return ['draining']
      return (await store.reachable()) ? [] : ['the session store does not answer']
    },
  })
  const running = createLifecycle({
    server,
    plain,
    operations,
    addresses: { listen: settings.listen.address, operations: settings.operations.address },
    drain: () => current.settings.drain,
    bound: lasting.bound,
    closeStreams: open.closeAll,
    async closeParts() {
      await current.close()
      await lasting.close()
    },
    report,
    closeLog: lasting.closeLog,
  })

  return {
    sessions,
    store,
    async listen() {
      const bound = await running.listen()
      tellAdopted()
      return bound
    },
    settings: () => current.settings,
    isStopping: running.isDraining,
    drain: running.drain,
    close: running.close,
    refused: event => report({ name: 'configuration.refused', ...event }),

    async adopt(next) {
      const { tls } = next.listen
      const secure = tls === null ? null : { cert: tls.certificate, key: tls.key }
      if (secure !== null) createSecureContext(secure)
      const switchLasting = lasting.prepare(next)
      const before = current
      const made = assemblyOf(next, lasting, permits, before)
      // From here on nothing fails, and nobody else has a turn until all of it is done.
      current = made
      switchLasting()
      if (secure !== null && server instanceof TlsServer) server.setSecureContext(secure)
      server.setTimeout(made.idleMs)
      before.retire()
      // What cannot be judged now, a sweep judges.
      await open.judgeAnew().catch(() => {})
      tellAdopted()
    },
  }

  function tellAdopted(): void {
    report({ name: 'configuration.adopted', checksum: current.checksum, at: lasting.wall() })
  }
}
