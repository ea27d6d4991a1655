import { defineConfig } from 'vitest/config'

/**
 * One vitest project for each kind of test, each with a time budget of its own; the fault tests run alone and one by one.
 * The budgets end a test that hangs: a machine may need ten times what a quick one needs.
 */
const project = (name: string, include: string[], testTimeout: number, more: object = {}) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: 120_000, ...more },
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    pool: 'forks',
    execArgv: ['--max-semi-space-size=32'],
    expect: { poll: { timeout: 12_000 } },
    projects: [
      project('check', ['test/architecture.test.ts', 'test/check/**/*.test.ts'], 300_000),
      project(
        'unit',
        [
          'test/{setting,config,command,model,outbound,resource,policy,claims,session,idp,login,logout,proxy,pages,observe,limits,portal,server}/**/*.test.ts',
        ],
        120_000,
      ),
      project('flow', ['test/flow/**/*.test.ts'], 120_000),
      project('attack', ['test/attack/**/*.test.ts'], 240_000, { setupFiles: ['test/stand-in/after-attack.ts'] }),
      project('browser', ['test/browser/**/*.test.ts'], 240_000),
      project('fault', ['test/fault/**/*.test.ts'], 240_000, { fileParallelism: false, sequence: { groupOrder: 1 } }),
    ],
  },
})
