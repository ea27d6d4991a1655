import { expect, it } from 'vitest'
import { createCodeFailures } from '../../src/limits/code-failures.ts'

const minute = 60_000

function failures() {
  let at = 0
  const counted = createCodeFailures(() => at)
  return {
    ...counted,
    fail(times: number, selector: string, address: string) {
      for (let i = 0; i < times; i++) counted.count(selector, address)
    },
    pass(ms: number) {
      at += ms
    },
  }
}

it('five failures of a network at one code are a pause for that code there, and for nothing else', () => {
  const one = failures()
  one.fail(4, '7K3M', '192.0.2.1')
  expect(one.wait('7K3M', '192.0.2.77')).toBe(0)
  one.fail(1, '7K3M', '192.0.2.200')
  expect(one.wait('7K3M', '192.0.2.77')).toBe(3 * minute)
  expect(one.wait('ABCD', '192.0.2.77')).toBe(0)
  expect(one.wait('7K3M', '192.0.3.1')).toBe(0)
  one.pass(15 * minute)
  expect(one.wait('7K3M', '192.0.2.77')).toBe(0)
})

it('an IPv6 network is its /64', () => {
  const one = failures()
  one.fail(5, '7K3M', '2001:db8::1')
  expect(one.wait('7K3M', '2001:db8::ffff:1')).toBeGreaterThan(0)
  expect(one.wait('7K3M', '2001:db8:0:1::1')).toBe(0)
})

it('a hundred failures of one network are a pause for all codes there: nobody goes through selectors', () => {
  const one = failures()
  for (let i = 0; i < 100; i++) one.count(`${1000 + i}`, '192.0.2.1')
  expect(one.wait('7K3M', '192.0.2.1')).toBeGreaterThan(0)
  expect(one.wait('7K3M', '198.51.100.1')).toBe(0)
})

it('a hundred failures at one code are a pause for it everywhere', () => {
  const one = failures()
  for (let i = 0; i < 100; i++) one.count('7K3M', `10.0.${i}.1`)
  expect(one.wait('7K3M', '198.51.100.1')).toBeGreaterThan(0)
  expect(one.wait('ABCD', '198.51.100.1')).toBe(0)
})

it('what was no failure is taken back', () => {
  const one = failures()
  for (let i = 0; i < 300; i++) {
    one.count('7K3M', '192.0.2.1')
    one.forgive('7K3M', '192.0.2.1')
  }
  expect(one.wait('7K3M', '192.0.2.1')).toBe(0)
  one.fail(5, '7K3M', '192.0.2.1')
  expect(one.wait('7K3M', '192.0.2.1')).toBe(3 * minute)
})
