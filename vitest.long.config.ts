import { defineConfig } from 'vitest/config'

/** What takes minutes, and what was promised about times, taken at its word: for a machine that has nothing else to do. */
export default defineConfig({
  test: {
    include: [
      'test/{long,fault}/**/*.test.ts',
      'test/flow/{ends-across,idp-away,leave,logout-at-provider,sessions-shared}.test.ts',
      'test/session/redis*.test.ts',
      'test/observe/line-writer.test.ts',
    ],
    env: { PASSERELLE_PROMISES: 'at their word' },
    testTimeout: 900_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    expect: { poll: { timeout: 12_000 } },
    passWithNoTests: true,
  },
})
