/** The end of the log that nobody looks after: full disks, readers who stop, readers who leave. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLineWriter } from '../../src/observe/line-writer.ts'
import { promised, until } from '../stand-in/measure.ts'

const folder = mkdtempSync(join(tmpdir(), 'passerelle-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

const telling = (lost: number) => `${lost} lost\n`

describe('lines', () => {
  it('are written whole and in order, and all of them before it closes', async () => {
    const file = join(folder, 'order')
    const fd = openSync(file, 'w')
    const writer = createLineWriter(fd, telling)
    const lines = Array.from({ length: 20_000 }, (_, nth) => `line ${nth} é\n`)
    for (const line of lines) writer.write(line)
    await writer.close()
    closeSync(fd)
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''))
  })

  it('do not wait for more than a quarter of a second', async () => {
    const file = join(folder, 'alone')
    const fd = openSync(file, 'w')
    const writer = createLineWriter(fd, telling)
    writer.write('one\n')
    await until('the line', () => readFileSync(file, 'utf8') !== '', 250)
    expect(readFileSync(file, 'utf8')).toBe('one\n')
    await writer.close()
    closeSync(fd)
  })

  it('are lost on a full disk, and nothing else is', async () => {
    const fd = openSync('/dev/full', 'w')
    const writer = createLineWriter(fd, telling)
    for (let nth = 0; nth < 10_000; nth++) writer.write('a line of which no byte fits on this disk\n')
    const begun = performance.now()
    await writer.close()
    expect(performance.now() - begun).toBeLessThan(promised(500))
    closeSync(fd)
  })

  it('beyond sixteen megabytes are counted while the reader has stopped, and the count is told when he reads on', async () => {
    const child = run(`
      for (let nth = 0; nth < 20_000; nth++) writer.write('x'.repeat(999) + '\\n')
      const told = new Promise(resolve => process.once('SIGUSR2', resolve))
      // Nothing else holds the process: neither the signal nor a pipe that is full.
      const held = setInterval(() => {}, 1_000)
      process.stderr.write('written')
      await told
      clearInterval(held)
      await writer.close()`)
    await once(child.stderr, 'data')
    let out = ''
    child.stdout.on('data', piece => {
      out += piece
    })
    child.kill('SIGUSR2')
    const [code] = await once(child, 'close')
    const lines = out.trimEnd().split('\n')
    const lost = Number(/^(\d+) lost$/.exec(lines.at(-1) ?? '')?.[1])
    expect(code).toBe(0)
    expect(lost).toBeGreaterThan(2_000)
    expect(lines.length - 1 + lost).toBe(20_000)
    expect(lines.slice(0, -1).every(line => line.length === 999)).toBe(true)
  })

  it.each(['stopped', 'gone'])('hold up the end for a second at most where the reader is %s', async how => {
    const child = run(`
      for (let nth = 0; nth < 2_000; nth++) writer.write('x'.repeat(999) + '\\n')
      const told = new Promise(resolve => process.once('SIGUSR2', resolve))
      // Nothing else holds the process: neither the signal nor a pipe that is full.
      const held = setInterval(() => {}, 1_000)
      process.stderr.write('written')
      await told
      clearInterval(held)
      await writer.close()`)
    await once(child.stderr, 'data')
    if (how === 'gone') child.stdout.destroy()
    const begun = performance.now()
    child.kill('SIGUSR2')
    const [code, signal] = await once(child, 'exit')
    child.stdout.destroy()
    expect([code, signal]).toEqual([0, null])
    expect(performance.now() - begun).toBeLessThan(promised(2_500))
  })

  it('are written as far as they can be where the process ends at once', async () => {
    const child = run(`
      writer.write('the last words\\n')
      process.exit(70)`)
    let out = ''
    child.stdout.on('data', piece => {
      out += piece
    })
    const [code] = await once(child, 'close')
    expect([code, out]).toEqual([70, 'the last words\n'])
  })
})

/** A process whose standard output is a pipe, with a writer on it. */
function run(script: string) {
  const file = new URL('../../src/observe/line-writer.ts', import.meta.url).href
  const begin = `const { createLineWriter } = await import(${JSON.stringify(file)})
    const writer = createLineWriter(process.stdout.fd, lost => lost + ' lost\\n');`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `${begin}${script}`])
  child.stdin.end()
  return child
}
