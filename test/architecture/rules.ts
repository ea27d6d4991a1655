/** The rules of docs/architecture.md as functions from source files to sentences, one for each violation. */
import { posix } from 'node:path'
import type { Import, SourceFile } from './source.ts'
import { apart, corners, emptyNames, grantor, longestFile, ranks, readersOfEnvironment, speakers } from './table.ts'

export type Rule = (files: readonly SourceFile[]) => readonly string[]

/** A folder imports only folders of a lower rank, never its equals. */
export const lowerRanksOnly: Rule = files =>
  files.flatMap(file => {
    const own = memberOf(file.path)
    const ownRow = rowOf(own)
    if (ownRow === null) return [`${file.path}: ${own} has no rank in test/architecture/table.ts`]
    return ownImports(file).flatMap(({ target, line }) => {
      const theirs = memberOf(target)
      const theirRow = rowOf(theirs)
      if (theirs === own || theirRow === null || theirRow < ownRow) return []
      const why = theirRow === ownRow ? 'its equal' : 'of a higher rank'
      return [`${file.path}:${line} imports ${target}, ${why}`]
    })
  })

/** idp/oidc and its future neighbours know nothing of each other. */
export const protocolsApart: Rule = files =>
  files.flatMap(file => {
    const own = protocolOf(file.path)
    if (own === null) return []
    return ownImports(file)
      .filter(({ target }) => ![null, own].includes(protocolOf(target)))
      .map(({ target, line }) => `${file.path}:${line} imports ${target}, a neighbour of its protocol`)
  })

/** Every relative import leads to a file of src/ that exists, and none is computed: else the other rules see nothing. */
export const importsResolve: Rule = files => {
  const known = new Set(files.map(file => file.path))
  return files.flatMap(file =>
    file.imports.flatMap(({ from, line }) => {
      if (from === null) return [`${file.path}:${line} imports a name that is computed at run time`]
      if (!from.startsWith('.')) return []
      const target = resolved(file.path, from)
      if (target.startsWith('../')) return [`${file.path}:${line} imports ${from}, outside src/`]
      return known.has(target) ? [] : [`${file.path}:${line} imports ${from}, which does not exist`]
    }),
  )
}

/** Types count: two files that need each other's words are one concept or three. */
export const noCycles: Rule = files => {
  const targets = new Map(files.map(file => [file.path, ownImports(file).map(one => one.target)]))
  const done = new Set<string>()
  const cycles: string[] = []
  function follow(path: string, trail: readonly string[]): void {
    const seen = trail.indexOf(path)
    if (seen !== -1) {
      cycles.push(`${[...trail.slice(seen), path].join(' → ')} is a cycle`)
      return
    }
    if (done.has(path)) return
    for (const target of targets.get(path) ?? []) follow(target, [...trail, path])
    done.add(path)
  }
  for (const file of files) follow(file.path, [])
  return cycles
}

export const oneGrantor: Rule = files =>
  files
    .filter(file => file.path !== grantor && file.path !== 'model/decision.ts')
    .flatMap(file => {
      const imported = ownImports(file)
        .filter(
          ({ target, names }) => target === 'model/decision.ts' && names.some(name => ['grant', '*'].includes(name)),
        )
        .map(({ line }) => `${file.path}:${line} imports grant; only ${grantor} may`)
      const called = file.members
        .filter(({ name }) => name.endsWith('.grant'))
        .map(({ name, line }) => `${file.path}:${line} reaches ${name}; only ${grantor} may`)
      return [...imported, ...called]
    })

export const packagesCornered: Rule = files =>
  files.flatMap(file =>
    file.imports.flatMap(({ from, line }) => {
      if (from === null || from.startsWith('.') || from.startsWith('node:')) return []
      const name = packageOf(from)
      const places = corners[name]
      if (places === undefined) return [`${file.path}:${line} imports ${name}, which no row of the table allows`]
      if (isAt(places, file.path)) return []
      return [`${file.path}:${line} imports ${name}, which belongs in ${places.join(', ')}`]
    }),
  )

export const namesSaySomething: Rule = files =>
  files.flatMap(file => {
    const said = file.path.replace(/\.ts$/, '').split('/')
    return said.filter(name => emptyNames.includes(name)).map(name => `${file.path}: "${name}" says nothing`)
  })

export const environmentFromConfigurationOnly: Rule = files =>
  files
    .filter(file => !isAt(readersOfEnvironment, file.path))
    .flatMap(file => [
      ...file.members
        .filter(({ name }) => name === 'process.env')
        .map(({ line }) => `${file.path}:${line} reads process.env`),
      ...file.imports
        .filter(({ from, names }) => isProcess(from) && names.some(name => ['env', 'default', '*'].includes(name)))
        .map(({ line }) => `${file.path}:${line} imports the environment from node:process`),
    ])

export const capabilitiesReport: Rule = files =>
  files
    .filter(file => !isAt(speakers, file.path))
    .flatMap(file =>
      file.members
        .filter(({ name }) => name.startsWith('console.'))
        .map(({ name, line }) => `${file.path}:${line} writes with ${name}; capabilities report events`),
    )

export const noDefaultExports: Rule = files =>
  files.flatMap(file => file.defaultExports.map(line => `${file.path}:${line} has a default export`))

export const oneConceptEach: Rule = files =>
  files
    .filter(file => file.lines >= longestFile)
    .map(file => `${file.path} has ${file.lines} lines; below ${longestFile} it holds one concept`)

export const nothingLeftOver: Rule = files =>
  files.flatMap(file => [
    ...file.anys.map(line => `${file.path}:${line} uses the type any`),
    ...file.text
      .split('\n')
      .flatMap((text, index) =>
        [...text.matchAll(/\b(?:TODO|FIXME|XXX)\b|@ts-(?:ignore|nocheck|expect-error)/g)].map(
          mark => `${file.path}:${index + 1} holds a left-over ${mark[0]}`,
        ),
      ),
  ])

/** For test/: a test that is switched off, or that switches the others off. */
export const everyTestRuns: Rule = files =>
  files.flatMap(file =>
    file.members
      .filter(({ name }) => /^(?:it|test|describe)\.(?:only|skip|todo)$/.test(name))
      .map(({ name, line }) => `${file.path}:${line} uses ${name}`),
  )

export const rulesOfSource: Readonly<Record<string, Rule>> = {
  'imports lead to files of src/ that exist': importsResolve,
  'a folder imports only folders of a lower rank': lowerRanksOnly,
  'protocols of sign-in are strangers to each other': protocolsApart,
  'no files import each other in a circle': noCycles,
  'permits are granted in one place': oneGrantor,
  'third-party packages stay in their corner': packagesCornered,
  'folders and files have names that say something': namesSaySomething,
  'the environment is read by the configuration only': environmentFromConfigurationOnly,
  'capabilities report, they do not write to the terminal': capabilitiesReport,
  'every export has a name': noDefaultExports,
  'a file holds one concept': oneConceptEach,
  'nothing is left over': nothingLeftOver,
}

type OwnImport = Import & { readonly target: string }

function ownImports(file: SourceFile): readonly OwnImport[] {
  return file.imports.flatMap(one =>
    one.from?.startsWith('.') === true ? [{ ...one, target: resolved(file.path, one.from) }] : [],
  )
}

function resolved(path: string, from: string): string {
  return posix.join(posix.dirname(path), from)
}

/** The top folder, or the file itself where it stands directly in src/. */
function memberOf(path: string): string {
  return path.split('/')[0] ?? path
}

function rowOf(member: string): number | null {
  const row = ranks.findIndex(({ members }) => members.includes(member))
  return row === -1 ? null : row
}

function protocolOf(path: string): string | null {
  const [folder, protocol, file] = path.split('/')
  if (folder === undefined || protocol === undefined || file === undefined) return null
  return apart.includes(folder) ? `${folder}/${protocol}` : null
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

function isAt(places: readonly string[], path: string): boolean {
  return places.some(place => (place.endsWith('/') ? path.startsWith(place) : matches(place, path)))
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const found = path.split('/')
  return wanted.length === found.length && wanted.every((one, index) => one === '*' || one === found[index])
}

function isProcess(from: string | null): boolean {
  return from === 'node:process' || from === 'process'
}
