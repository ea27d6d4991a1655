/**
 * PA-01, PA-02: spellings of paths that have made gateways and origins disagree elsewhere. `/pub/` is open, `/adm/` needs
 * more than a session. Whatever the gateway forwards as public must not be `/adm/` to any origin that we can think of.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { createLocate } from '../../src/resource/locate.ts'
import { targetOf } from '../../src/resource/target.ts'
import { seeded } from '../stand-in/seeded.ts'
import { portal, theResources } from './a-resource.ts'

const { paths }: { paths: readonly string[] } = JSON.parse(
  readFileSync(new URL('../attack/strings/paths.json', import.meta.url), 'utf8'),
)

const locate = createLocate({
  portal,
  resources: theResources([
    {
      at: 'https://gw.example.edu',
      paths: [
        { match: '/pub/', policy: 'public' },
        { match: '/adm/', policy: [{ role: 'admin' }] },
      ],
    },
  ]),
})

interface Outcome {
  /** `400`, the prefix of the rule that holds, or `/` for the resource's own policy. */
  readonly verdict: string
  readonly forwarded: string | null
}

function outcome(path: string): Outcome {
  try {
    const place = locate(targetOf('gw.example.edu', path), 'GET')
    if (place.kind === 'resource') return { verdict: place.access.match ?? '/', forwarded: place.forwardPath }
    return { verdict: place.kind, forwarded: null }
  } catch (error) {
    if (error instanceof GatewayError && error.status === 400) return { verdict: '400', forwarded: null }
    throw error
  }
}

describe('the known spellings of a protected path', () => {
  it('are the forty-five that were collected', () => expect(paths).toHaveLength(45))

  it.each(paths)('%j is 400, or needs a session', path => {
    const { verdict, forwarded } = outcome(path)
    expect(['400', '/', '/adm/']).toContain(verdict)
    // Decided on the very string that is forwarded.
    if (verdict !== '400') expect(forwarded).toBe(path)
  })

  it('under /adm/ are judged as /adm/', () => {
    for (const path of ['/adm/', '/adm', '/adm/x.css', '/adm/favicon.ico', '/adm?x=/pub/', '/adm/x?/pub/']) {
      expect(outcome(path).verdict).toBe('/adm/')
    }
  })
})

describe('any spelling at all', () => {
  it('that is forwarded as public is not /adm/ to an origin that decodes, resolves or tidies as servers do', () => {
    const random = seeded(20_261_120)
    const one = (of: readonly string[]) => of[random(of.length)] ?? ''
    let open = 0
    for (let i = 0; i < 60_000; i++) {
      const steps = Array.from({ length: 1 + random(4) }, () => one(separators) + one(segments))
      const path = `/${one(['pub', 'pub', 'x'])}${steps.join('')}${one(['', '/', '?x', '%20'])}`
      const { verdict, forwarded } = outcome(path)
      if (verdict !== '/pub/') continue
      open++
      for (const reading of readings(forwarded ?? '')) expect([path, reading.startsWith('/adm')]).toEqual([path, false])
    }
    expect(open).toBeGreaterThan(1000)
  })
})

const separators = [
  '/',
  '/',
  '/',
  '/',
  '//',
  '\\',
  ';/',
  '/;',
  '%2f',
  '%5C',
  '%252f',
  '%3b/',
  '/./',
  '%EF%BC%8F',
  '%c0%af',
  '%3f/',
  '#/',
]
const segments = [
  'adm',
  'adm',
  'pub',
  'x',
  '..',
  '..',
  '..',
  '%2e%2e',
  '.%2E',
  '%252e%252e',
  '..;',
  '..;a=b',
  '%E2%80%A5',
]
segments.push('%c0%ae%c0%ae', '..%20', '..%00', '%61dm', '%C3%A9', 'a.b', '%u002e', '%%32%65', '.', '')

/** How origins have been seen to read a request target: up to three steps in any order. */
function readings(forwarded: string): string[] {
  const path = forwarded.split('?')[0] ?? ''
  const once = steps.map(step => step(path))
  const twice = once.flatMap(reading => steps.map(step => step(reading)))
  const thrice = twice.flatMap(reading => steps.map(step => step(reading)))
  return [...new Set([path, ...once, ...twice, ...thrice])]
}

const steps: readonly ((path: string) => string)[] = [
  path => path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  path => path.replaceAll('\\', '/'),
  path => path.replace(/;[^/]*/g, ''),
  path => path.replace(/\/{2,}/g, '/'),
  path => path.normalize('NFKC'),
  path => path.toLowerCase(),
  path => path.replace(/[?#\0].*$/s, ''),
  function resolveDots(path) {
    const kept: string[] = []
    for (const segment of path.split('/').slice(1)) {
      if (segment === '..') kept.pop()
      else if (segment !== '.') kept.push(segment)
    }
    return `/${kept.join('/')}`
  },
]
