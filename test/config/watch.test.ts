/** Which changes of files are acted on, and when: real files, looked at by the test's own beat. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchFiles } from '../../src/config/watch.ts'
import { until } from '../stand-in/measure.ts'

const everyMs = 20
let folder = ''
let names: string[] = []
const changed = vi.fn(async () => {})
let stop = () => {}

const path = (name: string) => join(folder, name)
const acted = (times: number) => until(`${times} changes`, () => changed.mock.calls.length === times, 5_000, 1)

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'passerelle-'))
  writeFileSync(path('a'), 'one')
  names = ['a']
  changed.mockReset()
  stop = await watchFiles({ files: () => names.map(path), changed, everyMs })
})
afterEach(() => {
  stop()
  rmSync(folder, { recursive: true })
})

describe('a watched file', () => {
  it('is acted on once for each change, when it is replaced, is gone, or is there again', async () => {
    writeFileSync(path('a'), 'two and more')
    await acted(1)
    writeFileSync(path('b'), 'two and more')
    renameSync(path('b'), path('a'))
    await acted(2)
    rmSync(path('a'))
    await acted(3)
    writeFileSync(path('a'), 'four')
    await acted(4)
    // Another file's change is the proof that nothing more came of the first one.
    names.push('c')
    writeFileSync(path('c'), 'of no importance')
    writeFileSync(path('a'), 'five!')
    await acted(5)
  })

  it('is left alone while it is being written', async () => {
    let length = 3
    const writing = setInterval(() => writeFileSync(path('a'), 'x'.repeat(length++)), 1)
    await until('many looks', () => length > 200, 10_000, 5)
    clearInterval(writing)
    expect(changed).not.toHaveBeenCalled()
    await acted(1)
  })

  it('may be a link that is changed for another, as in a ConfigMap', async () => {
    stop()
    writeFileSync(path('first'), 'x')
    writeFileSync(path('second'), 'x')
    symlinkSync('first', path('link'))
    names = ['link']
    stop = await watchFiles({ files: () => names.map(path), changed, everyMs })
    symlinkSync('second', path('new'))
    renameSync(path('new'), path('link'))
    await acted(1)
  })

  it('may be named only since the last change', async () => {
    writeFileSync(path('table'), '1')
    changed.mockImplementationOnce(async () => void names.push('table'))
    writeFileSync(path('a'), 'names a table')
    await acted(1)
    const before = changed.mock.calls.length
    writeFileSync(path('table'), '1;2')
    await until('the table', () => changed.mock.calls.length > before, 5_000, 1)
  })
})
