/**
 * What can be said of the chart and the image without helm, a cluster or a container engine: that they agree with the
 * code, with each other, and with the values they promise.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { topKeys } from '../../src/server/settings.ts'

const root = join(import.meta.dirname, '../..')
const chart = join(root, 'helm/passerelle')

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')
const manifest: { version: string; engines: { node: string } } = JSON.parse(read(root, 'package.json'))
const values: Record<string, unknown> = parse(read(chart, 'values.yaml'))
const schema = z.fromJSONSchema(JSON.parse(read(chart, 'values.schema.json')))
const templates = readdirSync(join(chart, 'templates'), { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile())
  .map(entry => ({ name: entry.name, text: read(entry.parentPath, entry.name) }))
const scenarios = readdirSync(join(chart, 'ci'))
const dockerfile = read(root, 'Dockerfile')
const deployment = read(chart, 'templates/deployment.yaml')

describe('the chart', () => {
  it('installs the version of the gateway that stands beside it', () => {
    const { version, appVersion } = parse(read(chart, 'Chart.yaml'))
    expect(appVersion).toBe(manifest.version)
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('has values that its own schema accepts', () => {
    expect(schema.safeParse(values).error).toBeUndefined()
  })

  it.each(scenarios)('has a scenario that its own schema accepts: %s', name => {
    expect(name).toMatch(/-values\.yaml$/)
    expect(schema.safeParse(parse(read(chart, 'ci', name))).error).toBeUndefined()
  })

  it.each([
    ['a key that nobody knows', { replica: 2 }],
    ['no replica at all', { replicas: 0 }],
    ['a digest that is none', { image: { repository: 'passerelle', digest: 'latest' } }],
    ['a port below 1024, which the numeric user may not open', { ports: { main: 443, operations: 9090 } }],
    ['a file name that leads elsewhere', { files: { '../x': '' } }],
  ])('refuses %s', (_what, wrong) => {
    expect(schema.safeParse({ ...values, ...wrong }).success).toBe(false)
  })

  it('describes every value in its schema, and no other', () => {
    const described: { properties: Record<string, unknown> } = JSON.parse(read(chart, 'values.schema.json'))
    // `global` is put there by helm when the chart is part of another one.
    expect(Object.keys(described.properties).sort()).toEqual(['global', ...Object.keys(values)].sort())
  })

  it.each(templates)('asks only for values that exist: $name', ({ text }) => {
    const asked = [...text.matchAll(/\.Values((?:\.[A-Za-z]+)+)/g)].map(([, path = '']) => path.slice(1))
    expect(asked.filter(path => !isThere(values, path.split('.')))).toEqual([])
  })

  it.each(templates)('uses functions that every helm 3 has: $name', ({ text }) => {
    expect(wordsOf(text).filter(word => !known.has(word))).toEqual([])
  })

  it('probes paths that the operations listener answers', () => {
    const asked = [...deployment.matchAll(/httpGet: \{ path: ([^,]+), port: operations \}/g)].map(([, path]) => path)
    expect(new Set(asked)).toEqual(new Set(['/livez', '/readyz']))
    const answering = read(root, 'src/server/operations-app.ts')
    for (const path of ['/livez', '/readyz']) expect(answering).toContain(`'${path}'`)
  })

  it('gives a container nothing that it does not need', () => {
    const security = read(chart, 'templates/_names.tpl')
    for (const line of [
      'runAsNonRoot: true',
      'readOnlyRootFilesystem: true',
      'allowPrivilegeEscalation: false',
      'drop: [ALL]',
      'type: RuntimeDefault',
    ])
      expect(security).toContain(line)
    for (const { name, text } of templates.filter(one => one.text.includes('containers:'))) {
      expect(text, name).toContain('include "passerelle.podSecurity"')
      expect(text, name).toContain('include "passerelle.containerSecurity"')
      expect(text, name).toContain('automountServiceAccountToken: false')
    }
  })

  it('waits longer for the end than the gateway does by itself', () => {
    const { wait, timeout } = topKeys.drain.parse(undefined)
    expect(Number(values.terminationGracePeriodSeconds) * 1000).toBeGreaterThan(wait + timeout)
  })
})

describe('the image', () => {
  it('runs the Node that package.json asks for', () => {
    const [, major] = /^ARG NODE_IMAGE=node:(\d+)-/m.exec(dockerfile) ?? []
    expect(manifest.engines.node).toBe(`>=${major}`)
  })

  it('runs as the number that the chart names', () => {
    const [, user] = /^USER (\d+):\d+$/m.exec(dockerfile) ?? []
    expect(Number(user)).toBeGreaterThan(0)
    expect(read(chart, 'templates/_names.tpl')).toContain(`runAsUser: ${user}`)
  })

  it('starts as the chart starts it', () => {
    const [, command = ''] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? []
    const [, args = ''] = /^ +args: \[(.*)\]$/m.exec(deployment) ?? []
    // What the operator may ask for besides.
    const always = args.replace(/\{\{ if .*?\{\{ end \}\}/g, '')
    expect(JSON.parse(command)).toEqual(always.split(', '))
  })

  it('copies files that exist, and lets no other in', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
    expect(copied.filter(name => !existsSync(join(root, name)))).toEqual([])
    const admitted = read(root, '.dockerignore')
      .split('\n')
      .filter(line => line.startsWith('!'))
      .map(line => line.slice(1))
    expect([...new Set(copied)].sort()).toEqual(admitted.sort())
  })
})

/** Go's template language, helm's own functions, and those of sprig that Debian's 3.2.3 has too. */
const known = new Set(
  `if else end range with define template block nil true false and or not eq ne lt le gt ge len index print printf
  include fromYaml fromJson toYaml toJson required fail tpl
  append contains default dict hasKey hasPrefix hasSuffix indent int list merge nindent quote replace set sha256sum ternary
  trimPrefix trimSuffix trunc`.split(/\s+/),
)

/** The bare words of a template's actions: keywords and functions. Texts, fields, variables and comments are left out. */
function wordsOf(template: string): readonly string[] {
  const actions = [...template.matchAll(/\{\{-?([\s\S]*?)-?\}\}/g)].map(([, action = '']) => action)
  return actions
    .map(action => action.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/"(?:[^"\\]|\\.)*"/g, ' '))
    .flatMap(action => [...action.matchAll(/(?<![.$\w])[A-Za-z]\w*/g)].map(([word]) => word))
}

function isThere(value: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true
  return (
    typeof value === 'object' &&
    value !== null &&
    first in value &&
    isThere(Object.entries(value).find(([key]) => key === first)?.[1], rest)
  )
}
