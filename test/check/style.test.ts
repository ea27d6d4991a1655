/**
 * One formatter, one linter, one type check: part of `npm test`, so that CI and every developer run the same. Each
 * program is first shown a file that it must refuse, with the project's own settings.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

interface Outcome {
  readonly code: number
  readonly said: string
}

/** Runs a program of node_modules; never throws for an exit code. */
function run(program: 'biome' | 'tsc', args: readonly string[], folder: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const file = join(root, 'node_modules/.bin', program)
    execFile(file, args, { cwd: folder, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error)
      resolve({ code: error === null ? 0 : Number(error.code), said: `${stdout}${stderr}` })
    })
  })
}

describe('the whole tree', () => {
  it('passes the formatter and the linter', async () => {
    const { code, said } = await run('biome', ['check', '--colors=off', '.'], root)
    expect(code, said).toBe(0)
  })

  it('passes the type check', async () => {
    const { code, said } = await run('tsc', ['--noEmit', '--pretty', 'false'], root)
    expect(code, said).toBe(0)
  })
})

describe('the settings', () => {
  let scratch = ''

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'passerelle-style-'))
    await symlink(join(root, 'node_modules'), join(scratch, 'node_modules'))
    await copyFile(join(root, 'biome.json'), join(scratch, 'biome.json'))
    await copyFile(join(root, '.gitignore'), join(scratch, '.gitignore'))
    await copyFile(join(root, 'tsconfig.json'), join(scratch, 'tsconfig.json'))
    await copyFile(join(root, 'package.json'), join(scratch, 'package.json'))
  })
  afterAll(() => rm(scratch, { recursive: true, force: true }))

  async function judge(program: 'biome' | 'tsc', text: string): Promise<Outcome> {
    const name = `${program}.ts`
    await writeFile(join(scratch, name), text)
    const outcome =
      program === 'biome'
        ? await run('biome', ['check', '--colors=off', name], scratch)
        : await run('tsc', ['--noEmit', '--pretty', 'false'], scratch)
    await rm(join(scratch, name))
    return outcome
  }

  it('accept a file that is in order', async () => {
    expect(await judge('biome', "export const greeting = 'hello'\n")).toMatchObject({ code: 0 })
    expect(await judge('tsc', "export const greeting = 'hello'\n")).toEqual({ code: 0, said: '' })
  })

  it('refuse another layout', async () => {
    const outcome = await judge('biome', 'export const greeting = "hello";\n')
    expect(outcome.code).not.toBe(0)
    expect(outcome.said).toContain('format')
  })

  it('refuse an import that nobody uses', async () => {
    const outcome = await judge('biome', "import { join } from 'node:path'\n\nexport const greeting = 'hello'\n")
    expect(outcome.code).not.toBe(0)
    expect(outcome.said).toContain('noUnusedImports')
  })

  it.each([
    ['a wrong type', "export const greeting: number = 'hello'\n", 'TS2322'],
    ['undefined where a key is optional', 'export const some: { key?: string } = { key: undefined }\n', 'TS2375'],
    ['syntax that Node cannot run', 'export enum Colour {\n  Red,\n}\n', 'TS1294'],
  ])('refuse %s', async (_what, text, code) => {
    const outcome = await judge('tsc', text)
    expect(outcome.code).not.toBe(0)
    expect(outcome.said).toContain(code)
  })
})
