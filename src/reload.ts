/**
 * The configuration read anew while the gateway runs: a new assembly beside the old one, then the switch. One that has any
 * problem, or changes what cannot change, never replaces the good one, which goes on as if nothing had been asked.
 */
import { fixedChanges } from './config/fixed.ts'
import type { Loaded } from './config/load.ts'
import { formatProblems, type Problem } from './config/problem.ts'
import type { Gateway } from './gateway.ts'

export interface ReloadParts {
  readonly gateway: Pick<Gateway, 'settings' | 'adopt' | 'refused' | 'isStopping'>
  /** Reads the file, and everything that it names. Never rejects. */
  readonly load: () => Promise<Loaded>
  /** For the operator's terminal: problems and warnings, as `passerelle check` says them. */
  readonly say: (text: string) => void
}

/** `stopping`: a gateway that stops reads nothing. */
export type Reloaded = 'adopted' | 'refused' | 'stopping'

/**
 * @returns one at a time. Who asks while one is under way shares the next, which begins after their asking and so sees
 *          what they had written. Never rejects
 */
export function createReload({ gateway, load, say }: ReloadParts): () => Promise<Reloaded> {
  let running: Promise<Reloaded> | null = null
  let next: Promise<Reloaded> | null = null

  return function reload() {
    if (next !== null) return next
    if (running === null) return begin()
    next = running.then(() => {
      next = null
      return begin()
    })
    return next
  }

  function begin(): Promise<Reloaded> {
    const begun = once().finally(() => {
      if (running === begun) running = null
    })
    running = begun
    return begun
  }

  async function once(): Promise<Reloaded> {
    if (gateway.isStopping()) return 'stopping'
    const loaded = await load()
    if (gateway.isStopping()) return 'stopping'
    if (loaded.warnings.length > 0) say(formatProblems(loaded.warnings, 'warning'))
    if (!loaded.ok) return refuse(loaded.problems)
    const fixed = fixedChanges(gateway.settings(), loaded)
    if (fixed.length > 0) return refuse(fixed)
    try {
      await gateway.adopt(loaded.settings)
      return 'adopted'
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return refuse([{ ...loaded.place([]), key: '', message: `cannot be used: ${message}` }])
    }
  }

  function refuse(problems: readonly Problem[]): Reloaded {
    say(formatProblems(problems))
    const [first] = problems
    gateway.refused({ problems: problems.length, detail: first === undefined ? '' : shown(first) })
    return 'refused'
  }
}

function shown({ file, line, column, key, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  return [place, key, message].filter(part => part !== '').join(' ')
}
