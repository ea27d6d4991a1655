/** What is wrong with a configuration, and where: what `passerelle check` prints, and what stops a start. */

/** Keys and indices from the root: `['resources', 2, 'policy']`. */
export type KeyPath = readonly (string | number)[]

export interface Problem {
  /** As it was given on the command line. */
  readonly file: string
  /** From 1. Zero: the file as a whole. */
  readonly line: number
  readonly column: number
  /** `resources[2].policy`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
}

/** How a check of the whole configuration says what it found. */
export interface Tell {
  readonly problem: (path: KeyPath, message: string) => void
  readonly warning: (path: KeyPath, message: string) => void
  /** A problem in a file that the setting names: there, and under the setting's key. */
  readonly elsewhere: (place: Pick<Problem, 'file' | 'line' | 'column'>, path: KeyPath, message: string) => void
  /** `line 41`, for a message that refers to another place. */
  readonly place: (path: KeyPath) => string
}

export function keyOf(path: KeyPath): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`
    if (!/^[\w-]+$/.test(part)) return `${key}[${JSON.stringify(part)}]`
    return key === '' ? part : `${key}.${part}`
  }, '')
}

/** By place; those of each further file behind those of the first one. */
export function sorted(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))]
  return problems.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
}

/**
 * @param subject  `problem` or `warning`
 * @returns text for a terminal, with a line break at its end; empty where there is nothing to say
 */
export function formatProblems(problems: readonly Problem[], subject: 'problem' | 'warning' = 'problem'): string {
  if (problems.length === 0) return ''
  const count = problems.length === 1 ? `one ${subject}` : `${problems.length} ${subject}s`
  const blocks = sorted(problems).map(({ file, line, column, key, message }) => {
    const place = line === 0 ? file : `${file}:${line}:${column}`
    return `${key === '' ? place : `${place}  ${key}`}\n    ${message}\n`
  })
  return `The configuration has ${count}:\n\n${blocks.join('')}`
}
