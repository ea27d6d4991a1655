/** The configuration file → settings, or everything that is wrong with it at once. */
import { readFile as readBytes } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { parsing } from '../setting/one-of.ts'
import { checkAccessCodes } from './access-codes.ts'
import { checkBeliefs } from './beliefs.ts'
import { checkCertificates } from './certificates.ts'
import { checkChosenClaims } from './chosen-claims.ts'
import { checkClaimValues } from './claim-values.ts'
import { type Located, readDocument } from './document.ts'
import { readCodeFiles, readFiles, withContents } from './files.ts'
import { checkHosts } from './hosts.ts'
import { nodeAt, positionAt } from './lookup.ts'
import { checkPaths } from './paths.ts'
import { type KeyPath, keyOf, type Problem, sorted, type Tell } from './problem.ts'
import { checkReferences } from './references.ts'
import { type Part, type Settings, settingsSchema } from './schema.ts'
import { readingFault, type Sources, substitute } from './substitute.ts'
import { checkTrust } from './trust.ts'
import { type RolePlayer, rolePlayers, salvage } from './walk.ts'
import { sentencesOf } from './wording.ts'

export type Loaded =
  | {
      readonly ok: true
      readonly settings: Settings
      readonly warnings: readonly Problem[]
      /** `config/passerelle.yaml:31`: where a key stands, or the nearest thing around it. */
      readonly position: (path: KeyPath) => string
      /** The same, for a problem. */
      readonly place: (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'column'>
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }

/** Each of the whole configuration. */
const checks = [
  checkReferences,
  checkClaimValues,
  checkChosenClaims,
  checkHosts,
  checkPaths,
  checkBeliefs,
  checkTrust,
  checkCertificates,
]

/**
 * Never throws: a file that cannot be read is a problem.
 * @param noted hears of each file that was read for it, as this process finds it; not of those that are looked at at each use
 */
export async function loadSettings(
  file: string,
  env: Sources['env'],
  noted: (file: string) => void = () => {},
): Promise<Loaded> {
  try {
    noted(file)
    const text = await readText(file)
    const there = (path: string) => resolve(dirname(file), path)
    return await parseSettings(text, { file, env, readFile: path => readText(there(path)) }, path => noted(there(path)))
  } catch (error) {
    return { ok: false, problems: [{ file, line: 0, column: 0, key: '', message: readingFault(error) }], warnings: [] }
  }
}

/**
 * @param sources.file      for messages
 * @param sources.readFile  for `${file:…}` and for files that settings name, with the path as written
 */
export async function parseSettings(
  text: string,
  sources: Sources & { readonly file: string },
  noted: (path: string) => void = () => {},
): Promise<Loaded> {
  const { file } = sources
  const noting: typeof sources = {
    ...sources,
    readFile(path) {
      noted(path)
      return sources.readFile(path)
    },
  }
  // Here and below others have their turn: a gateway that reads its configuration anew serves people meanwhile.
  await othersTurn()
  const { root, faults } = readDocument(text)
  await othersTurn()
  const problems: Problem[] = faults.map(({ at, key, message }) => ({ file, ...at, key, message }))
  const warnings: Problem[] = []
  if (root === null && faults.length === 0) {
    const message = 'is empty; the shipped config/passerelle.yaml is a place to begin'
    problems.push({ file, line: 0, column: 0, key: '', message })
  }
  if (root === null) return { ok: false, problems, warnings }

  const tell = telling(root, file, problems, warnings)
  const { value, hidden, faults: missing } = await substitute(root, noting)
  for (const { path, message } of missing) tell.problem(path, message)

  const players = rolePlayers(settingsSchema, value)
  const codes = await readCodeFiles(players, sources, tell)
  const contents = new Map([...(await readFiles(players, noting, tell)), ...codes.paths])
  warnOfLiteralSecrets(players, hidden, tell)

  const filled = withContents(value, contents)
  await othersTurn()
  const parsed = settingsSchema.safeParse(filled, parsing)
  await othersTurn()
  if (!parsed.success) tellIssues(parsed.error.issues, { root, value }, tell)
  const settings = parsed.success ? parsed.data : ((salvage(settingsSchema, filled) ?? {}) as Part<Settings>)
  for (const check of checks) {
    check(settings, tell)
    await othersTurn()
  }
  checkAccessCodes(codes.texts, settings, tell)

  if (!parsed.success || problems.length > 0)
    return { ok: false, problems: sorted(ownFirst(problems, file)), warnings: sorted(warnings) }
  return {
    ok: true,
    settings: parsed.data,
    warnings: sorted(warnings),
    position: path => `${file}:${positionAt(root, path).line}`,
    place: path => ({ file, ...positionAt(root, path) }),
  }
}

function ownFirst(problems: readonly Problem[], file: string): readonly Problem[] {
  return problems.toSorted((a, b) => Number(b.file === file) - Number(a.file === file))
}

/** One problem for each key: what is said first is nearest to the cause. */
function telling(root: Located, file: string, problems: Problem[], warnings: Problem[]): Tell {
  const said = new Set(problems.map(problem => problem.key))
  const at = (path: KeyPath, message: string): Problem => {
    return { file, ...positionAt(root, path), key: keyOf(path), message }
  }
  return {
    problem(path, message) {
      if (said.has(keyOf(path))) return
      said.add(keyOf(path))
      problems.push(at(path, message))
    },
    warning(path, message) {
      warnings.push(at(path, message))
    },
    elsewhere(place, path, message) {
      said.add(keyOf(path))
      problems.push({ ...place, key: keyOf(path), message })
    },
    place: path => `line ${positionAt(root, path).line}`,
  }
}

function tellIssues(
  issues: Parameters<typeof sentencesOf>[0][],
  { root, value }: { readonly root: Located; readonly value: unknown },
  tell: Tell,
): void {
  const written = { schema: settingsSchema, root, input: value }
  const wholes = issues.filter(issue => issue.code === 'custom' && hasParts(root, issue.path))
  for (const issue of issues) {
    if (wholes.includes(issue)) continue
    for (const { path, message } of sentencesOf(issue, written)) tell.problem(path, message)
  }
  // A rule about a whole is told only where its parts are right: else it follows from what was said already.
  const partly = (path: readonly PropertyKey[]) =>
    issues.some(other => !wholes.includes(other) && path.every((part, index) => other.path[index] === part))
  for (const issue of wholes) {
    if (partly(issue.path)) continue
    for (const { path, message } of sentencesOf(issue, written)) tell.problem(path, message)
  }
}

function hasParts(root: Located, path: readonly PropertyKey[]): boolean {
  const node = nodeAt(root, path as KeyPath)
  return node !== null && node.kind !== 'scalar'
}

function warnOfLiteralSecrets(players: readonly RolePlayer[], hidden: ReadonlySet<string>, tell: Tell): void {
  for (const { path, role, input } of players) {
    if ((role.role !== 'secret' && role.role !== 'secret-url') || hidden.has(keyOf(path))) continue
    if (role.role === 'secret-url' && !URL.parse(input)?.password) continue
    tell.warning(
      path,
      `is a secret that stands in the file itself; write "\${env:NAME}" or "\${file:/run/secrets/name}"`,
    )
  }
}

/** @throws Error whose message ends a sentence that began with the file's name, or with a code of node's */
async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file)
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new Error('is UTF-16 text; save it as UTF-8')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`is not UTF-8 text (line ${lineOfFirstFault(bytes)}); save it as UTF-8`)
  }
}

function lineOfFirstFault(bytes: Buffer): number {
  const lines = bytes.toString('latin1').split('\n')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const broken = lines.findIndex(line => {
    try {
      decoder.decode(Buffer.from(line, 'latin1'))
      return false
    } catch {
      return true
    }
  })
  return broken + 1
}
