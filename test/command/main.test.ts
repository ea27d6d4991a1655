/** The program itself, as a process. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

function passerelle(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [join(root, 'src/main.ts'), ...args], { env: {}, cwd: root }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

describe('passerelle', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(await passerelle('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each([[[]], [['--help']], [['-h']]])('lists its commands: %j', async args => {
    const { code, out } = await passerelle(...args)
    expect({
      code,
      commands: ['serve', 'check', 'explain', 'sessions'].filter(command => out.includes(`  ${command} `)),
    }).toEqual({
      code: 0,
      commands: ['serve', 'check', 'explain', 'sessions'],
    })
  })

  it('exits 2 for a command that there is not', async () => {
    const { code, out, err } = await passerelle('chekc')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('there is no command "chekc"')
  })

  it('hands on the exit code of a command', async () => {
    const { code, out } = await passerelle('check', 'config/passerelle.yaml')
    expect(code).toBe(1)
    expect(out).toContain('config/passerelle.yaml:20:13  session.secrets[0]')
  })
})
