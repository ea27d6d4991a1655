/**
 * Golden cases, one file each in test/case/config: a configuration, a line of ten dashes, and what `check` says about it.
 * Top-level keys that every configuration needs and a case does not write are put behind its text.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseSettings } from '../../src/config/load.ts'
import { formatProblems } from '../../src/config/problem.ts'
import { selfSigned } from '../stand-in/certificate.ts'

const folder = join(import.meta.dirname, '../case/config')

const needed: Readonly<Record<string, string>> = {
  portal: 'portal: https://acces.example.org',
  session: `session: { secrets: ["\${env:PASSERELLE_SECRET}"] }`,
  idps: 'idps: [{ id: campus, label: Campus, oidc: { issuer: https://sso.example.edu, clientId: passerelle } }]',
}

const env = { PASSERELLE_SECRET: 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA', EMPTY: '' }

const files: Readonly<Record<string, string>> = {
  secret: 'kJ4mN8pQ2rS6tV9wX3yZ7aB1cD5eF0gH\n',
  'cert.pem': selfSigned(['acces.example.org']).certificate,
  'institutes.csv': '51;INP\n53;INSB\n661;INSHS;INSB\n',
  'broken.csv': '51;INP\n52\n"53;INSB\n',
}

async function readStandIn(path: string): Promise<string> {
  const text = files[path]
  if (text !== undefined) return text
  throw Object.assign(new Error(path), { code: path === 'folder' ? 'EISDIR' : 'ENOENT' })
}

/** A case that is about YAML itself, or about a file without keys, stays as it is. */
function completed(name: string, text: string): string {
  if (/^(yaml-|only-|not-)/.test(name)) return text
  const missing = Object.entries(needed).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(text))
  return text + missing.map(([, line]) => `${line}\n`).join('')
}

async function said(name: string, text: string): Promise<string> {
  const loaded = await parseSettings(completed(name, text), { file: name, env, readFile: readStandIn })
  const problems = loaded.ok ? 'It is valid.\n' : formatProblems(loaded.problems)
  const warnings = formatProblems(loaded.warnings, 'warning')
  return warnings === '' ? problems : `${problems}\n${warnings}`
}

const names = (await readdir(folder)).filter(name => name.endsWith('.yaml')).sort()
const cases = await Promise.all(
  names.map(async name => {
    const text = await readFile(join(folder, name), 'utf8')
    return { name, text, about: /^# (.*)/.exec(text)?.[1] ?? 'itself' }
  }),
)

describe('check says of', () => {
  it.each(cases)('$name what stands below its line: $about', async ({ name, text }) => {
    const [configuration = '', expected] = text.split('----------\n')
    expect(await said(name, configuration)).toBe(expected)
  })
})
