/** Around every test of test/attack, whatever its file says: I5, the one invariant that has to be waited for. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { nothingLeft } from './nothing-left.ts'

/** Bytes that a whole file of attacks may leave in memory: the code that ran, and what the stand-ins recorded, took 58 MB at most. */
const kept = 100_000_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
let before = 0

beforeAll(() => {
  before = inUse()
})
afterEach(nothingLeft)
afterAll(() => {
  expect(inUse() - before).toBeLessThan(kept)
})

function inUse(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
