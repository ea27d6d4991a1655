/** What cannot change while the gateway runs: a reload that would change it is refused whole, with one sentence for each key. */
import { isSame } from './canonical.ts'
import type { Loaded } from './load.ts'
import type { KeyPath, Problem } from './problem.ts'
import type { Settings } from './schema.ts'

type Valid = Extract<Loaded, { readonly ok: true }>

/** @returns in the order of their places; empty: all that has changed can change */
export function fixedChanges(running: Settings, { settings, place }: Valid): readonly Problem[] {
  return changesOf(running, settings).map(({ path, key, message }) => ({ ...place(path), key, message }))
}

interface Change {
  readonly path: KeyPath
  readonly key: string
  /** Begins with "cannot". */
  readonly message: string
}

function changesOf(running: Settings, next: Settings): readonly Change[] {
  const changes: Change[] = []
  const say = (path: KeyPath, why: string) =>
    changes.push({ path, key: path.join('.'), message: `cannot change while the gateway runs: ${why}` })

  for (const part of ['listen', 'operations'] as const) {
    const { address } = running[part]
    if (isSame(address, next[part].address)) continue
    const shown = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
    say([part, 'address'], `it listens on ${shown} until it is restarted`)
  }
  if ((running.listen.tls === null) !== (next.listen.tls === null)) {
    const now = running.listen.tls === null ? 'without' : 'with'
    say(
      ['listen', 'tls'],
      `browsers reach it ${now} TLS until it is restarted; a new certificate alone needs no restart`,
    )
  }
  const [store, other] = [running.session.store, next.session.store]
  if (store.kind !== other.kind) {
    const lost = store.kind === 'memory' ? ', and then everybody signs in again' : ''
    say(
      ['session', 'store', 'kind'],
      `sessions are kept by the store of kind ${store.kind} until it is restarted${lost}`,
    )
  } else if (store.kind === 'redis' && !isSame(store, other)) {
    say(['session', 'store'], 'sessions are in the Redis of its start until it is restarted; there they outlive that')
  }
  const encrypted = store.kind === 'redis' && (store.tls === true || /^rediss:/i.test(store.url?.reveal() ?? ''))
  if (encrypted && running.outbound.ca !== next.outbound.ca) {
    say(['outbound', 'ca'], 'the connection to Redis rests on it until it is restarted; there sessions outlive that')
  }
  return changes
}
