/** `passerelle check FILE`: everything that is wrong with a configuration, and everything that deserves a second look. */
import { loadSettings } from '../config/load.ts'
import { formatProblems } from '../config/problem.ts'
import type { Settings } from '../config/schema.ts'

export interface Output {
  readonly write: (text: string) => unknown
}

/**
 * @param args  the arguments after `check`
 * @returns     the exit code. 0: a gateway would start with it. 1: it would not. 2: the command was not understood
 */
export async function check(
  args: readonly string[],
  out: Output,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [file, ...others] = args
  if (file === undefined || file.startsWith('-') || others.length > 0) {
    out.write('usage: passerelle check FILE\n')
    return 2
  }
  const loaded = await loadSettings(file, env)
  if (!loaded.ok) {
    out.write(formatProblems(loaded.problems))
    if (loaded.warnings.length > 0) out.write(`\n${formatProblems(loaded.warnings, 'warning')}`)
    return 1
  }
  if (loaded.warnings.length > 0) out.write(`${formatProblems(loaded.warnings, 'warning')}\n`)
  out.write(`${file} is valid: ${contents(loaded.settings)}.\n`)
  return 0
}

function contents({ resources, idps, policies }: Settings): string {
  return [
    counted(resources.length, 'resource', 'resources'),
    counted(idps.length, 'identity provider', 'identity providers'),
    counted(Object.keys(policies).length, 'policy', 'policies'),
  ].join(', ')
}

function counted(count: number, one: string, many: string): string {
  if (count === 0) return `no ${many}`
  return count === 1 ? `one ${one}` : `${count} ${many}`
}
