import { defineConfig } from 'vitest/config'

/** What takes minutes, and what was promised about times, taken at its word: for a machine that has nothing else to do. */
export default defineConfig({
  test: {
    include: ['test/{long,fault}/**/*.test.ts'],
    env: { PASSERELLE_PROMISES: 'at their word' },
    testTimeout: 900_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    expect: { poll: { timeout: 30_000 } },
    passWithNoTests: true,
  },
})
