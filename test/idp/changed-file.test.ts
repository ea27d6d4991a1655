/** Files that several processes change: nothing that somebody wrote is lost, and nothing is half written. */
import { chmodSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changeFile } from '../../src/idp/code/changed-file.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-changed-'))
  file = join(folder, 'list')
})
afterEach(() => rm(folder, { recursive: true }))

const append = (word: string) => (text: string | null) => ({ text: `${text ?? ''}${word}\n`, result: word })
const words = async () => (await readFile(file, 'utf8')).trimEnd().split('\n').toSorted()
const all = Array.from({ length: 30 }, (_, index) => `word-${index + 10}`)

describe('a file that many change', () => {
  it('has what each of them wrote', async () => {
    await Promise.all(all.map(word => changeFile(file, append(word))))
    expect(await words()).toEqual(all)
    expect(readdirSync(folder)).toEqual(['list'])
  })

  it('is readable by its owner, and by its group where it was before; a link to it stays one', async () => {
    writeFileSync(file, 'old\n')
    chmodSync(file, 0o666)
    const other = join(folder, 'link')
    symlinkSync(file, other)
    await changeFile(other, append('new'))
    expect(await words()).toEqual(['new', 'old'])
    expect(statSync(file).mode & 0o777).toBe(0o640)
    chmodSync(file, 0o604)
    await changeFile(other, append('newer'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['link', 'list'])
  })

  it('is changed anew where an editor, which knows no lock, saved meanwhile', async () => {
    writeFileSync(file, 'before\n')
    let asked = 0
    const word = await changeFile(file, text => {
      asked += 1
      if (asked === 1) writeFileSync(file, 'before\nfrom the editor\n')
      return append('ours')(text)
    })
    expect([word, asked]).toEqual(['ours', 2])
    expect(await words()).toEqual(['before', 'from the editor', 'ours'])
  })

  it('stays as it was where the change comes to nothing or fails, and nobody is kept out afterwards', async () => {
    writeFileSync(file, 'before\n')
    const { ino } = statSync(file)
    expect(await changeFile(file, () => ({ text: null, result: 7 }))).toBe(7)
    const broken = changeFile(file, () => {
      throw new Error('no')
    })
    await expect(broken).rejects.toThrow('no')
    expect(statSync(file).ino).toBe(ino)
    expect(readdirSync(folder)).toEqual(['list'])
  })

  it('that cannot be read, or stands in no folder, is told with the half that failed', async () => {
    const nowhere = join(folder, 'none', 'list')
    await expect(changeFile(nowhere, append('x'))).rejects.toMatchObject({ step: 'write' })
    await expect(changeFile(folder, append('x'))).rejects.toMatchObject({ step: 'read' })
  })
})

describe('a lock', () => {
  const short = { staleMs: 200, givenUpMs: 60_000 }

  it('that somebody left behind is taken away once it has not moved for a while, by one of many', async () => {
    writeFileSync(`${file}.lock`, '999999\n')
    // However old or new it says it is: clocks of other machines that share the disk differ.
    utimesSync(`${file}.lock`, 1, 1)
    const begun = performance.now()
    await Promise.all(all.map(word => changeFile(file, append(word), short)))
    expect(performance.now() - begun).toBeGreaterThanOrEqual(200)
    expect(await words()).toEqual(all)
    expect(readdirSync(folder)).toEqual(['list'])
  })

  it('that somebody holds is waited for, and named where the wait has no end', async () => {
    writeFileSync(`${file}.lock`, '1\n')
    await expect(changeFile(file, append('x'), { staleMs: 60_000, givenUpMs: 100 })).rejects.toThrow(
      `${file}.lock is held; remove it if nobody changes the file`,
    )
    const waiting = changeFile(file, append('x'))
    await rm(`${file}.lock`)
    await waiting
    expect(await words()).toEqual(['x'])
  })

  it('that was taken from whoever slept too long keeps them from writing over what came since', async () => {
    writeFileSync(file, 'before\n')
    let asked = 0
    const late = changeFile(file, text => {
      asked += 1
      if (asked === 1) {
        // Another one thought us dead, and took the lock.
        rmSync(`${file}.lock`)
        writeFileSync(`${file}.lock`, '2\n')
      }
      return append('late')(text)
    })
    await expect(late).rejects.toThrow('somebody else changes it all the time')
    expect(await words()).toEqual(['before'])
    // And what is theirs stays theirs.
    expect(await readFile(`${file}.lock`, 'utf8')).toBe('2\n')
  })
})
