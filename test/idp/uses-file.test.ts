/** The file that counts how often codes were used: a restart gives nothing back, and nothing that is wrong with it does. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countUsesIn, readUses, writeUses } from '../../src/idp/code/uses-file.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-uses-'))
  file = join(folder, 'uses')
  await writeFile(file, '')
})
afterEach(() => rm(folder, { recursive: true }))

describe('the count of uses', () => {
  it('goes up to its end and no further, whichever of two processes counts, and is kept for the next ones', async () => {
    const [one, other] = [countUsesIn(file), countUsesIn(file)]
    const counted = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : other)('a code', 7)))
    expect(counted.filter(Boolean)).toHaveLength(7)
    const restarted = countUsesIn(file)
    expect(await restarted('a code', 7)).toBe(false)
    expect(await restarted('a code', 8)).toBe(true)
    expect(await restarted('another', 1)).toBe(true)
    expect((await stat(file)).mode & 0o007).toBe(0)
  })

  it('says nothing of the codes', async () => {
    await countUsesIn(file)('guests 7K3M a-stamp', 7)
    expect(await readFile(file, 'utf8')).toMatch(/^passerelle-uses 1\n[\w-]{43} 1\nsha256 [\w-]{43}\n$/)
  })

  it.each<[string, (text: string) => string]>([
    ['a count that somebody lowered', text => text.replace(' 3\n', ' 1\n')],
    ['a line less', text => text.replace(/\n[\w-]{43} 3\n/, '\n')],
    ['its end cut off', text => text.slice(0, -20)],
    ['its beginning alone', text => text.slice(0, 30)],
    ['nothing but a line break', () => '\n'],
    ['zeroes, as after a crash of the disk', text => '\0'.repeat(text.length)],
    ['something else', () => '- selector: 7K3M\n'],
  ])('is refused with %s, and counts nothing', async (_, damage) => {
    const count = countUsesIn(file)
    for (let i = 0; i < 3; i++) await count('a code', 7)
    const damaged = damage(await readFile(file, 'utf8'))
    await writeFile(file, damaged)
    await expect(count('a code', 7)).rejects.toMatchObject({
      code: 'code.not-counted',
      status: 503,
      message: expect.stringMatching(/uses is damaged: /),
      hint: expect.stringContaining('Put it back from a copy'),
    })
    expect(await readFile(file, 'utf8')).toBe(damaged)
  })

  it('is refused where the file is gone, or cannot be read or written', async () => {
    await rm(file)
    await expect(countUsesIn(file)('a code', 7)).rejects.toThrow('does not exist')
    await expect(stat(file)).rejects.toThrow('ENOENT')
    await mkdir(file)
    await expect(countUsesIn(file)('a code', 7)).rejects.toThrow('could not be read')
    await expect(countUsesIn(join(folder, 'none', 'uses'))('a code', 7)).rejects.toThrow('could not be written')
  })

  it('reads what it wrote, in full', () => {
    const uses = new Map(Array.from({ length: 500 }, (_, i) => [`${i}`.padStart(43, 'x'), i + 1]))
    expect(readUses(writeUses(uses))).toEqual(uses)
    expect(readUses(writeUses(new Map()))).toEqual(new Map())
    const twice = writeUses(new Map([['x'.repeat(43), 1]])).split('\n')
    expect(typeof readUses([twice[0], twice[1], twice[1], twice[2], ''].join('\n'))).toBe('string')
  })
})
