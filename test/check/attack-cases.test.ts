/**
 * The attack cases by number. A test that goes or moves has to be named anew in the list (attack-cases/), and one that comes under a
 * number has to be listed. Cases that wait for a protocol or a feature say for which; none of them may have a test that says it
 * is there already.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { signingInAndOut } from './attack-cases/sign-in.ts'
import { traffic } from './attack-cases/traffic.ts'

const root = join(import.meta.dirname, '../..')
const families = { ...signingInAndOut, ...traffic }

const saml = ['02', '03', '04', '06', '09', '10', '11', '12', '14', '16', '17', '18'].map(number => `SA-${number}`)

/** What is not there yet, and for what it waits. Of a second factor there is none that has a number. */
const waiting: readonly (readonly [number: string, what: string])[] = [
  // Signatures and wrapping, conditions of an assertion, its XML, and its sign-outs.
  ...saml.map(number => [number, 'SAML'] as const),
  ['HD-14', 'signed assertions'],
  ['HD-21', 'pages of failure that an origin makes'],
  ['PA-15', 'rewritten hosts'],
  ['SM-11', 'HTTP/2'],
]

const ours = /\b(?:OI|BL|FL|RL|CA|CS|TI|LG|SA|OR|HD|PA|HO|SM|WS|CK|SE|RD|XS|CP|DO|CF)-\d\d\b/g

/** Of each number, the files in whose tests' names it stands: comments do not count. */
function namedInTests(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const file of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })) {
    const path = relative(root, join(root, 'test', file)).replaceAll('\\', '/')
    const isTest = path.endsWith('.test.ts') && !path.startsWith('test/check/')
    // A golden case has its name in its first line.
    if (!isTest && !/^test\/case\/.*\.yaml$/.test(path)) continue
    const code = readFileSync(join(root, path), 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
    for (const [number] of code.matchAll(ours)) found.set(number, (found.get(number) ?? new Set()).add(path))
  }
  return new Map([...found].map(([number, files]) => [number, [...files].toSorted()]))
}

const named = namedInTests()
const all = Object.values(families).flat()

describe.each(Object.entries(families))('of the attacks on %s,', (_, cases) => {
  it.each(cases)('%s: %s', (number, _holds, ...files) => {
    expect(named.get(number)).toEqual(files.toSorted())
  })
})

describe('attack cases', () => {
  it('have one row each', () => {
    const numbers = [...all, ...waiting].map(([number]) => number)
    expect(numbers.filter((number, at) => numbers.indexOf(number) !== at)).toEqual([])
  })

  it('that a test names are listed', () => {
    const listed = new Set(all.map(([number]) => number))
    expect([...named.keys()].filter(number => !listed.has(number))).toEqual([])
  })

  it.each(waiting)('%s waits for %s, and no test names it', number => {
    expect(named.has(number)).toBe(false)
  })
})
