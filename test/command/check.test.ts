import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check } from '../../src/command/check.ts'

const shipped = join(import.meta.dirname, '../../config/passerelle.yaml')
const env = { PASSERELLE_SECRET: 'mB7vQ2xK9rT4wZ1nC6yL3hJ8dF5gS0pA', CAMPUS_SECRET: 'c' }

async function run(args: readonly string[], variables: Record<string, string> = env) {
  let said = ''
  const code = await check(args, { write: text => (said += text) }, variables)
  return { code, said }
}

describe('passerelle check', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'passerelle-check-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('exits 0 for the shipped configuration, and warns that it is for one machine only', async () => {
    const { code, said } = await run([shipped])
    expect(code).toBe(0)
    expect(said).toContain('The configuration has 3 warnings:')
    expect(said).toContain(`${shipped} is valid: one resource, one identity provider, one policy.\n`)
  })

  it('exits 1 where a secret is missing, and names it', async () => {
    const { code, said } = await run([shipped], { CAMPUS_SECRET: 'c' })
    expect(code).toBe(1)
    expect(said).toContain('session.secrets[0]\n    the environment variable PASSERELLE_SECRET is not set\n')
  })

  it('prints all problems in the order of the file, then the warnings', async () => {
    const file = join(folder, 'broken.yaml')
    await writeFile(file, 'portal: http://acces.localhost\nlog: { level: loud }\nresources: []\nidps: []\n')
    expect(await run([file])).toEqual({
      code: 1,
      said: `The configuration has 3 problems:

${file}:1:1  session
    is missing, must be a mapping (key: value)
${file}:2:8  log.level
    is "loud", must be info, warn, error or silent
${file}:4:1  idps
    is an empty list, must have at least one entry

The configuration has one warning:

${file}:1:1  portal
    is plain http (acces.localhost): for this machine only, never for people
`,
    })
  })

  it('exits 1 for a file that is not there', async () => {
    const file = join(folder, 'missing.yaml')
    expect(await run([file])).toEqual({
      code: 1,
      said: `The configuration has one problem:\n\n${file}\n    does not exist\n`,
    })
  })

  it.each([[[]], [['a', 'b']], [['--strict']]])('exits 2 for arguments that it does not understand: %j', async args => {
    expect(await run(args)).toEqual({ code: 2, said: 'usage: passerelle check FILE\n' })
  })
})
