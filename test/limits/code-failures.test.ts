import { expect, it } from 'vitest'
import { createCodeFailures } from '../../src/limits/code-failures.ts'
import type { NamedNetwork } from '../../src/limits/settings.ts'
import { createMemoryStore } from '../../src/session/memory.ts'

const minute = 60_000

/** @param processes of one gateway, which share a store */
function failures(networks: readonly NamedNetwork[] = [], processes = 1) {
  let at = 1_000_000
  const { meter } = createMemoryStore({ now: () => at }).counters
  const all = Array.from({ length: processes }, () => createCodeFailures({ meter, networks: () => networks }))
  const [counted = createCodeFailures({ meter, networks: () => networks })] = all
  return {
    ...counted,
    all,
    async fail(times: number, selector: string, address: string) {
      for (let i = 0; i < times; i++) await counted.count(selector, address)
    },
    pass(ms: number) {
      at += ms
    },
  }
}

it('five failures of a network at one code are a pause for that code there, and for nothing else', async () => {
  const one = failures()
  await one.fail(4, '7K3M', '192.0.2.1')
  expect(await one.wait('7K3M', '192.0.2.77')).toBe(0)
  await one.fail(1, '7K3M', '192.0.2.200')
  expect(await one.wait('7K3M', '192.0.2.77')).toBe(3 * minute)
  expect(await one.wait('ABCD', '192.0.2.77')).toBe(0)
  expect(await one.wait('7K3M', '192.0.3.1')).toBe(0)
  one.pass(15 * minute)
  expect(await one.wait('7K3M', '192.0.2.77')).toBe(0)
})

it('an IPv6 network is its /64, and an IPv4 address in IPv6 clothes the same address', async () => {
  const one = failures()
  await one.fail(5, '7K3M', '2001:db8::1')
  expect(await one.wait('7K3M', '2001:db8::ffff:1')).toBeGreaterThan(0)
  expect(await one.wait('7K3M', '2001:db8:0:1::1')).toBe(0)
  await one.fail(5, 'ABCD', '::ffff:192.0.2.1')
  expect(await one.wait('ABCD', '192.0.2.9')).toBeGreaterThan(0)
})

it('a hundred failures of one network are a pause for all codes there: nobody goes through selectors', async () => {
  const one = failures()
  for (let i = 0; i < 100; i++) expect(await one.count(`${1000 + i}`, '192.0.2.1')).toBe(0)
  expect(await one.count('9999', '192.0.2.1')).toBe(9_000)
  expect(await one.wait('7K3M', '192.0.2.1')).toBe(9_000)
  expect(await one.wait('7K3M', '198.51.100.1')).toBe(0)
})

it('a hundred failures at one code are a pause for it everywhere', async () => {
  const one = failures()
  for (let i = 0; i < 100; i++) await one.count('7K3M', `10.0.${i}.1`)
  expect(await one.wait('7K3M', '198.51.100.1')).toBeGreaterThan(0)
  expect(await one.wait('ABCD', '198.51.100.1')).toBe(0)
})

it('what was no failure is taken back', async () => {
  const one = failures()
  for (let i = 0; i < 300; i++) {
    await one.count('7K3M', '192.0.2.1')
    await one.forgive('7K3M', '192.0.2.1')
  }
  expect(await one.wait('7K3M', '192.0.2.1')).toBe(0)
  await one.fail(5, '7K3M', '192.0.2.1')
  expect(await one.wait('7K3M', '192.0.2.1')).toBe(3 * minute)
})

it('a try that is refused takes a share of nothing: those of the same network and of the same code go on', async () => {
  const one = failures()
  await one.fail(5, '7K3M', '192.0.2.1')
  for (let i = 0; i < 500; i++) expect(await one.count('7K3M', '192.0.2.1')).toBe(3 * minute)
  expect(await one.count('ABCD', '192.0.2.1')).toBe(0)
  expect(await one.count('7K3M', '198.51.100.1')).toBe(0)
})

it('nor of the share that still had some left', async () => {
  const one = failures()
  for (let i = 0; i < 100; i++) await one.count(`${1000 + i}`, '192.0.2.1')
  for (let i = 0; i < 500; i++) expect(await one.count('ABCD', '192.0.2.1')).toBe(9_000)
  one.pass(9_000)
  expect(await one.count('ABCD', '192.0.2.1')).toBe(0)
})

it('two processes count together', async () => {
  const { all } = failures([], 2)
  const waits = await Promise.all(
    Array.from({ length: 10 }, (_, index) => all[index % 2]?.count('7K3M', '192.0.2.1') ?? Number.NaN),
  )
  expect(waits.filter(wait => wait === 0)).toHaveLength(5)
})

it('a network that the configuration names has the share that it says, in all its parts together; a code is protected all the same', async () => {
  const school = { address: ['192.0.2.0/24', '198.51.100.0/25', '2001:db8::/32'], failedCodes: 300 }
  const one = failures([school, { address: ['192.0.2.7/32'], failedCodes: 100 }])
  const addresses = ['192.0.2.7', '198.51.100.9', '2001:db8:5::1', '::ffff:192.0.2.8']
  for (let i = 0; i < 300; i++) expect(await one.count(`${1000 + i}`, addresses[i % 4] ?? '')).toBe(0)
  for (const address of addresses) expect(await one.wait('7K3M', address)).toBe(3_000)
  // The other half of that network is none of the school's.
  expect(await one.wait('7K3M', '198.51.100.200')).toBe(0)
  one.pass(15 * minute)
  await one.fail(5, '7K3M', '192.0.2.7')
  expect(await one.wait('7K3M', '192.0.2.7')).toBe(3 * minute)
})
