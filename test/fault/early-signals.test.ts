/** Signals that come before the gateway listens: its configuration is a pipe, which it reads no sooner than the test writes it. */
import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../stand-in/measure.ts'
import { freePorts } from '../stand-in/ports.ts'
import { configuration, type Program, runProgram, secret } from '../stand-in/serving.ts'

const withinMs = 15_000
let folder: string
let pipe: string
let yaml: string
let program: Program
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'passerelle-'))
  pipe = join(folder, 'passerelle.yaml')
  execFileSync('mkfifo', [pipe])
  const [port = 0, operationsPort = 0] = await freePorts(2)
  yaml = configuration({ port, operationsPort, origin: 'http://127.0.0.1:9', drain: '{ wait: 0s, timeout: 5s }' })
  program = runProgram(['serve', pipe], null, { env: secret })
})
afterEach(async () => {
  await program.clear()
  rmSync(folder, { recursive: true })
})

/** The pipe's end to write to, as soon as the program has opened the other to read. */
async function isReading(): Promise<FileHandle> {
  let handle: FileHandle | null = null
  await until(
    'it to read its configuration',
    async () => {
      handle = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => null)
      return handle !== null
    },
    withinMs,
  )
  return handle as unknown as FileHandle
}

async function write(handle: FileHandle): Promise<void> {
  await handle.write(yaml)
  await handle.close()
}

it('a SIGHUP is carried out when it is up: it ends nothing, and the configuration is read once more', async () => {
  const first = await isReading()
  for (let nth = 0; nth < 3; nth++) program.child.kill('SIGHUP')
  await write(first)
  await program.says('"msg":"gateway.started"')
  await write(await isReading())
  await program.says(/("msg":"configuration\.adopted".*\n[\s\S]*){2}/)
  program.child.kill('SIGTERM')
  expect(await program.ended).toEqual({ code: 0, signal: null })
  expect(program.out().match(/"msg":"configuration\.adopted"/g)).toHaveLength(2)
})

it.each(['SIGTERM', 'SIGINT'] as const)(
  'a %s is a stop like any other, of a gateway that never listens',
  async signal => {
    const first = await isReading()
    // What shall stop reads nothing anew.
    program.child.kill('SIGHUP')
    program.child.kill(signal)
    await write(first)
    expect(await program.ended).toEqual({ code: 0, signal: null })
    expect(program.out()).toContain('stopped before it listened')
    expect(program.out()).not.toContain('gateway.started')
    expect(program.err()).toBe('')
  },
)
