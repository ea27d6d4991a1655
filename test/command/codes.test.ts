/** `passerelle codes …` as a process of its own, on a file. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codes } from '../../src/command/codes.ts'
import { readCodes } from '../../src/config/access-codes.ts'
import { matches } from '../../src/idp/code/hash.ts'
import { codeIn } from '../../src/idp/code/spelling.ts'

const root = join(import.meta.dirname, '../..')
let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-codes-'))
  file = join(folder, 'access-codes.yaml')
})
afterEach(() => rm(folder, { recursive: true }))

function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, ['src/main.ts', 'codes', ...args], { cwd: root }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

/** In this process: for what needs no other. */
async function asked(...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await codes(args, { write: text => out.push(text) }, { write: text => err.push(text) }, {})
  return { code, out: out.join(''), err: err.join('') }
}

describe('passerelle codes', () => {
  it('adds a code that it shows once, lists it without its hash, and revokes it', async () => {
    const added = await run(
      ...['add', '--file', file, '--claim', 'level=reader', '--claim', 'level=guest', '--until', '2099-06-30'],
      ...['--uses', '3', '--host', 'nature.example.org', '--note', 'Lycée \u001b[31m'],
    )
    expect(added.code).toBe(0)
    const code = codeIn(added.out)
    const [kept] = readCodes(await readFile(file, 'utf8'), { mayCountUses: true }).codes
    expect(await matches(code?.whole ?? '', kept?.hash ?? null)).toBe(true)
    expect(kept).toMatchObject({ selector: code?.selector, uses: 3, hosts: ['nature.example.org'] })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['access-codes.yaml'])

    const listed = await run('list', '--file', file)
    expect(listed.out).toContain(code?.selector)
    expect(listed.out).toContain('level=reader|guest')
    expect(listed.out).toContain('Lycée \\u{1b}[31m')
    expect(listed.err).toContain('passerelle codes list --config FILE')
    expect(listed.out).not.toContain('LEFT')
    const json = await asked('list', '--json', '--file', file)
    expect(JSON.parse(json.out)).toMatchObject({ selector: code?.selector, claims: { level: ['reader', 'guest'] } })
    for (const { out } of [listed, json]) expect(out).not.toContain('scrypt')

    expect((await run('revoke', code?.selector ?? '', '--file', file)).code).toBe(0)
    expect((await asked('list', '--file', file)).err).toBe('no code\n')
  })

  it('keeps the remarks of the file, and takes a whole code for its first part', async () => {
    await writeFile(file, '# of the library\n', { mode: 0o644 })
    const { out } = await asked('add', '--file', file)
    await asked('add', '--file', file)
    expect((await asked('revoke', out.trim().toLowerCase(), '--file', file)).code).toBe(0)
    expect(await readFile(file, 'utf8')).toMatch(/^# of the library\n\n?- selector: /)
    expect((await stat(file)).mode & 0o777).toBe(0o640)
  })

  it('does not write to a file that a gateway would not read, nor what it would not read', async () => {
    const broken = '- selector: x\n'
    await writeFile(file, broken)
    const { code, err } = await asked('add', '--file', file)
    expect([code, err]).toEqual([1, expect.stringContaining(`${file}:1:13: selector must be`)])
    expect(await readFile(file, 'utf8')).toBe(broken)
    await rm(file)
    for (const wrong of [
      ['--host', 'a b'],
      ['--from', '2099-02-02', '--until', '2099-01-01'],
      ['--until', '2020-01-01'],
    ]) {
      expect((await asked('add', '--file', file, ...wrong)).code).toBe(1)
    }
    expect(await readdir(folder)).toEqual([])
    expect((await asked('list', '--file', file)).err).toBe(`the file ${file} does not exist\n`)
    expect((await asked('add', '--file', join(folder, 'none', 'x.yaml'))).err).toContain('could not be written')
  })

  it('run eight times at once adds eight codes and revokes another, while an editor saves a remark', async () => {
    const { out } = await asked('add', '--file', file)
    const gone = out.slice(0, 4)
    const running = [
      ...Array.from({ length: 8 }, (_, index) => run('add', '--file', file, '--note', `guest ${index}`)),
      run('revoke', gone, '--file', file),
    ]
    await writeFile(file, `# remark\n${await readFile(file, 'utf8')}`)
    expect((await Promise.all(running)).map(({ code }) => code)).toEqual(Array(9).fill(0))
    const { codes: kept, faults } = readCodes(await readFile(file, 'utf8'), { mayCountUses: true })
    expect(faults).toEqual([])
    expect(kept.map(({ note }) => note).toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `guest ${index}`))
    expect(await readFile(file, 'utf8')).toContain('# remark')
    expect(await readdir(folder)).toEqual(['access-codes.yaml'])
  }, 60_000)

  it('says which codes there are where none is meant', async () => {
    const { out } = await asked('add', '--file', file)
    const meant = `${out.slice(0, 3)}${out[3] === 'Z' ? 'Y' : 'Z'}`
    const { code, err } = await asked('revoke', meant, '--file', file)
    expect([code, err]).toEqual([1, expect.stringContaining(`has no code ${meant}`)])
  })

  it.each([
    [[], 'usage: passerelle codes'],
    [['remove'], 'there is no "remove"'],
    [['list'], 'say which file: --file FILE, or --config FILE'],
    [['list', '--file', 'x', '--config', 'y'], '--file and --config exclude each other'],
    [['list', '--file', 'x', '--address', '127.0.0.1:1'], '--address is for --config'],
    [['list', '--config', 'x', '--address', 'localhost'], '--address must be an IP address and a port'],
    [['add', '--file', 'x', '--config', 'y'], '--config is for list'],
    [['revoke', '--file', 'x'], 'say which code'],
    [['add', 'x', '--file', 'x'], 'one word too many'],
    [['list', '--file', 'x', '--uses', '3'], '--uses is for add'],
    [['add', '--file', 'x', '--json'], '--json is for list'],
    [['add', '--file', 'x', '--claim', 'reader'], 'is not NAME=VALUE'],
    [['add', '--file', 'x', '--uses', '0'], '--uses must be'],
    [['add', '--file', 'x', '--until', 'June'], '--until must be a day'],
    [['add', '--file', 'x', '--everything'], 'everything'],
  ])('is not understood: %j', async (args, sentence) => {
    const { code, out, err } = await asked(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(sentence)
  })
})
