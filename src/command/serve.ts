/** `passerelle serve FILE [--watch]`: the gateway, until a signal. A configuration with a problem never starts. */

import { loadSettings } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import { watchFiles } from '../config/watch.ts'
import { assemble } from '../gateway.ts'
import { createReload } from '../reload.ts'
import type { Signals } from './signals.ts'

export interface Output {
  readonly write: (text: string) => void
}

/** A change is acted on after one to two of these. */
const watchEveryMs = 2_000

/** @returns the exit code: 0 after a drain, or where it was to stop before it listened, 1 where it could not start, 2 for wrong arguments */
export async function serve(
  args: readonly string[],
  out: Output,
  env: Readonly<Record<string, string | undefined>>,
  signals: Signals,
): Promise<number> {
  const watches = args.includes('--watch')
  const [file, ...rest] = args.filter(arg => arg !== '--watch')
  if (file === undefined || file.startsWith('--') || rest.length > 0) {
    out.write('usage: passerelle serve FILE [--watch]\n')
    return 2
  }
  let files: readonly string[] = [file]
  const load = async () => {
    const read = new Set<string>()
    const loaded = await loadSettings(file, env, path => read.add(path))
    // What a file with a problem does not come to name any more may be what has to be mended.
    files = [...(loaded.ok ? read : new Set([...read, ...files]))]
    return loaded
  }
  const loaded = await load()
  if (loaded.warnings.length > 0) out.write(formatProblems(loaded.warnings, 'warning'))
  if (!loaded.ok) {
    out.write(formatProblems(loaded.problems))
    return 1
  }
  if (signals.stopAsked()) return notStarted(out)
  const gateway = await assemble(loaded.settings)
  // A state that nobody foresaw is no state to go on in: the supervisor starts a clean one.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      out.write(`${event}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      process.exit(70)
    })
  }
  if (signals.stopAsked()) {
    await gateway.close()
    return notStarted(out)
  }
  try {
    await gateway.listen()
  } catch (error) {
    out.write(`cannot listen: ${error instanceof Error ? error.message : String(error)}\n`)
    await gateway.close()
    return 1
  }
  return new Promise(resolve => {
    const reload = createReload({ gateway, load, say: text => out.write(text) })
    if (watches) void watchFiles({ files: () => files, changed: reload, everyMs: watchEveryMs })
    signals.obey({ stop: () => void gateway.drain().then(() => resolve(0)), reload: () => void reload() })
  })
}

function notStarted(out: Output): number {
  out.write('stopped before it listened\n')
  return 0
}
